from __future__ import annotations

import os
import re

import click

from dispatch_tmux.cli import common
from dispatch_tmux.errors import DispatchError, NotDelivered, UsageProblem
from dispatch_tmux.screen import read as screen
from dispatch_tmux.verbs import acting
from dispatch_tmux.verbs import view as viewing

_KEY = re.compile(
    r"[^\s\x00-\x1f\x7f]|(?:[CMS]-)*(?:[^\s\x00-\x1f\x7f]|Enter|Escape|Space|Tab|BTab|BSpace|Up|Down|Left|Right|Home|End|"
    r"PageUp|PageDown|PPage|NPage|Insert|IC|Delete|DC|F(?:[1-9]|1[0-2]))"
)


@click.command()
@click.argument("task")
@click.argument("key", nargs=-1, required=True, metavar="KEY…")
def keys(task: str, key: tuple[str, ...]) -> None:
    """Press keys in TASK's window, for a dialogue that dispatch does not know: Down, Enter, Escape, C-c, y, 2, …

    \b
    dispatch keys auth Down Enter
    """
    project, found = common.task_of(task)
    wrong = next((k for k in key if not _KEY.fullmatch(k)), None)
    if wrong is not None:
        raise UsageProblem(f"{wrong[:40]!r} is no key", hint=f"a text is sent with: dispatch send {found.id} TEXT")
    if not found.started or found.exit_code is not None or not viewing.is_its_pane(project, found):
        raise NotDelivered(f"the program of {found.id} does not run", hint=f"dispatch status {found.id}")
    from dispatch_tmux.supervisor import session

    session.ensure(project)
    acting.press(project, found, key)
    click.echo(f"pressed in {found.id}: {' '.join(key)}")


@click.command()
@click.argument("task")
@click.argument("name", default="screen")
def record(task: str, name: str) -> None:
    """Save TASK's screen as NAME.txt and NAME.ansi here, without secrets and names, to report one that was read wrongly.

    \b
    dispatch record auth wrong-question
    """
    import getpass
    import socket

    from dispatch_tmux.cli.classify import lines
    from dispatch_tmux.core import sgr
    from dispatch_tmux.models import choose as choosing
    from dispatch_tmux.screen import scrub
    from dispatch_tmux.supervisor import session

    project, found = common.task_of(task)
    if not re.fullmatch(r"[\w.-]{1,80}", name):
        raise UsageProblem(f"{name[:60]!r} is no name for a file", hint="letters, digits, '.', '_' and '-'")
    if not found.pane or not viewing.is_its_pane(project, found):
        raise DispatchError(f"{found.id} has no window now", hint=f"dispatch screen {found.id} has its last screen")
    server = session.server_for(project, found)
    shot = server.cmd("capture-pane", "-p", "-e", "-t", found.pane)
    facts = server.cmd("display-message", "-p", "-t", found.pane, "#{pane_width}x#{pane_height}\t#{pane_title}").text
    size, _, title = facts.partition("\t")
    private = [
        project.root,
        os.path.expanduser("~"),
        getpass.getuser(),
        socket.gethostname(),
        os.path.basename(project.root),
    ]
    raw, title = scrub.scrub(shot.text, private), scrub.scrub(title, private)
    for form, text in (("ansi", raw), ("txt", sgr.plain(raw))):
        path = f"{name}.{form}"
        try:
            with open(path, "x", encoding="utf-8") as f:
                f.write(text.rstrip("\n") + "\n")
        except FileExistsError:
            raise DispatchError(f"{path} is there already", hint="choose another name") from None
    shown = screen.look(choosing.Shop().backend(found.backend).screen, raw, title=title)
    click.echo("\n".join(lines(f"{name}.txt ({found.backend}, {size}, title {title!r})", shown)))
    click.echo("look at both files before you give them to anybody: what is private in prose is not known")
