from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from typing import Any

import click

from dispatch_tmux import DispatchError, Project, Task, UsageProblem
from dispatch_tmux.cli import common
from dispatch_tmux.cli.choose import Telling
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import edit as verb
from dispatch_tmux.verbs import edit_text
from dispatch_tmux.verbs import tasks as known

HEAD = """{id} has not begun. Save this and leave the editor to change it.
A key that is left out stays as it is. Without items the prompt is the one
item, without a title the prompt's beginning is the title."""


@click.command()
@click.argument("task")
@click.option("--file", default="", metavar="FILE", help="Take the changes from there (-: standard input), as YAML.")
def edit(task: str, file: str) -> None:
    """Change what TASK is to do, before it begins: prompt, title, model, items, context, group, priority, in your editor.

    The editor is $VISUAL or $EDITOR. A mistake is shown with its line, and the text is given back.

    \b
    dispatch edit auth
    echo "model: sonnet" | dispatch edit auth --file -
    """
    project = common.project()
    draft = verb.draft(project, task)
    id = known.id_of(project, task)
    if file:
        before, now = edit_text.Written({}), edit_text.read(common.text_of("", file))
        _say(_apply(project, id, before, now))
        return
    if not common.is_terminal():
        raise DispatchError("an editor needs a terminal", hint=f"dispatch edit {id} --file changes.yaml")
    text = edit_text.written(draft, HEAD.format(id=id))
    handle, path = tempfile.mkstemp(prefix=f"dispatch-{id}-", suffix=".yaml")
    with os.fdopen(handle, "w", encoding="utf-8") as f:
        f.write(text)
    try:
        changed = _until_right(project, id, path, text)
    except BaseException as e:
        if isinstance(e, click.Abort):
            click.echo(err=True)  # the line of the question
        _keep(path, text)
        if isinstance(e, UsageProblem):
            raise DispatchError(f"{id} is as it was", hint="dispatch edit begins anew") from None
        raise
    os.unlink(path)
    if changed is None:
        click.echo(f"{id} is as it was: nothing is different")
    else:
        _say(changed)


def _until_right(project: Project, id: str, path: str, text: str) -> Task | None:
    """The task as the person wants it, after as many tries as that takes; None where nothing was changed.

    Raises UsageProblem where the person gives up.
    """
    while True:
        open_editor(path)
        now = common.content(path)
        if now == text:
            return None
        try:
            return _apply(project, id, edit_text.read(text), edit_text.read(now))
        except UsageProblem as e:
            for row in clean(str(e)).splitlines():
                click.echo(f"dispatch: {row}", err=True)
            if not click.confirm("Go on editing?", default=True, err=True):
                raise


def _apply(project: Project, id: str, before: edit_text.Written, now: edit_text.Written) -> Task:
    """Change what NOW says otherwise than BEFORE. Raises UsageProblem with the line of what cannot be."""
    changes: dict[str, Any] = {k: v for k, v in now.values.items() if k not in before.values or before.values[k] != v}
    try:
        return verb.edit(project, id, **changes, chooser=Telling(project))
    except UsageProblem as e:
        key = str(e).partition(":")[0]
        place = f"line {now.line(key)}: " if key in now.values else ""
        raise UsageProblem(f"{place}{e}", hint=e.hint) from None


def _say(task: Task) -> None:
    reason = f", {clean(task.why, 200)}" if task.why else ""
    click.echo(f"{task.id}: changed; {task.state.value}{reason}")


def _keep(path: str, text: str) -> None:
    """Keep what was written at PATH, and say where; not what nobody has touched."""
    try:
        if common.content(path) != text:
            click.echo(f"your text is kept: {path}", err=True)
            return
    except (DispatchError, OSError):
        pass
    if os.path.lexists(path):
        os.unlink(path)


def open_editor(path: str) -> None:
    """Let the person edit the file at PATH. Raises DispatchError when that cannot be, or the editor says that it failed."""
    said = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        argv = shlex.split(said)
    except ValueError as e:
        raise DispatchError(f"the editor {said!r} is no command: {e}", hint="set EDITOR") from None
    before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the editor's; it would not be, were it ignored
    try:
        done = subprocess.run([*argv, path], check=False)
    except OSError as e:
        raise DispatchError(f"cannot start the editor {argv[0]!r}: {e.strerror}", hint="set EDITOR") from e
    finally:
        signal.signal(signal.SIGINT, before)
    if done.returncode:
        raise DispatchError(f"the editor {argv[0]!r} ended with exit code {done.returncode}; nothing is changed")
