from __future__ import annotations

import codecs
import os
import time
from collections.abc import Iterator
from typing import Any

import click

from dispatch_tmux.cli import common, show
from dispatch_tmux.core.task import Event, Question, Task
from dispatch_tmux.core.text import clean, split
from dispatch_tmux.errors import DispatchError, TaskNotFound, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import view as viewing


@click.command()
@click.argument("task", required=False)
@click.option("--json", "as_json", is_flag=True, help="A list of tasks (of TASK: one), keys below.")
@click.option("--watch", "-w", is_flag=True, help="Go on showing it until Ctrl-C.")
@click.option("--graph", "drawn", is_flag=True, help="Draw what comes after what.")
@click.option("--why", is_flag=True, help="What TASK's state rests on.")
@click.option("--all", "-a", "every", is_flag=True, help="Every finished task, and every line.")
def status(task: str | None, as_json: bool, watch: bool, drawn: bool, why: bool, every: bool) -> None:
    """What every task is doing, or all about TASK. True also when nothing supervises.

    \b
    dispatch status
    dispatch status auth --json

    \b
    JSON: id title model backend state why since created attempt exit_code pane cwd dir,
    done and total items, items {text mark}, questions {id via text choices {key label text}},
    held (why messages wait), untrusted (the keys whose words may come from a worker).
    """
    project = common.project()
    id = project.store.find(task) if task else None
    if drawn:
        common.echo_lines(
            viewing.graph(viewing.tasks(project)) or ["no task has been dispatched here yet"], "in a terminal"
        )
    elif why:
        if not id:
            raise UsageProblem("--why of which task?", hint="dispatch status TASK --why")
        common.echo_lines(viewing.evidence(project, _one(viewing.tasks(project), id)), f"dispatch events {id}")
    elif as_json:
        found = viewing.tasks(project)
        data = [_data(project.store, t) for t in ([_one(found, id)] if id else found)]
        common.print_json(data[0] if id else data)
    elif watch:
        _watch(project, id, every)
    elif every:
        click.echo("\n".join(_lines(project, id, every)))
    else:
        common.echo_lines(_lines(project, id, every), f"dispatch status {f'{id} ' if id else ''}--all")


def _data(store: Store, task: Task) -> dict[str, Any]:
    return {**viewing.data(store, task), "untrusted": ["title", "why", "items", "questions", "held", "usage"]}


def _one(found: list[Task], id: str) -> Task:
    for task in found:
        if task.id == id:
            return task
    raise TaskNotFound(f"{id} has no journal", hint="it is being made at this moment, or was damaged: dispatch doctor")


def _lines(project: Project, id: str | None, every: bool) -> list[str]:
    found = viewing.tasks(project)
    if id:
        one = _one(found, id)
        lines = viewing.details(project, one)
        attach = [f"  attach: {common.attach_line(project, id)}"] if one.pane and one.exit_code is None else []
        return [*lines, f"  log:    {project.store.own(id, 'terminal.log')}", *attach]
    listed, hidden = viewing.recent(found, every)
    lines = show.table(listed, used=viewing.used(project.store, listed)) or [
        "no task has been dispatched here yet:  dispatch run --help"
    ]
    if hidden:
        lines.append(f"… and {hidden} finished before (--all lists them)")
    if any(not t.ended for t in found) and not project.store.supervised():
        lines.append("nobody supervises now; the next `dispatch wait`, `answer` or `run` starts the supervisor again")
    if viewing.waiting(found):
        lines.append("dispatch questions shows what is asked; dispatch answer TASK …")
    return lines


def _watch(project: Project, id: str | None, every: bool) -> None:
    from dispatch_tmux.store.watch import Bell

    bell = None
    while True:
        lines = _lines(project, id, every)
        click.clear()
        click.echo("\n".join(lines))
        if bell is None and project.store.exists():
            bell = Bell(project.store.records, "bell")
        if bell:
            bell.wait(2.0)
        else:
            time.sleep(2.0)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {task, id, via, text, choices, untrusted}.")
def questions(as_json: bool) -> None:
    """Every open question, whole, with its choices.

    \b
    dispatch questions
    """
    project = common.project()
    found = [(t, viewing.whole(project.store, t, q)) for t in viewing.tasks(project) for q in t.open_questions]
    if as_json:
        common.print_json([_question(t, q) for t, q in found])
        return
    shown = [
        line for t, q in found for line in show.question(t.id, q, project.store.path(t.id, "ipc", f"{q.id}.question"))
    ]
    common.echo_lines(shown or ["no open question"], "dispatch questions --json")


def _question(task: Task, q: Question) -> dict[str, Any]:
    return {
        "task": task.id, "id": q.id, "via": q.via, "text": q.text, "choices": [c._asdict() for c in q.choices],
        "untrusted": ["text", "choices"],
    }  # fmt: skip


@click.command()
@click.argument("task")
def screen(task: str) -> None:
    """TASK's screen as it is now, or the last one when its window is gone.

    \b
    dispatch screen auth
    """
    project, found = common.task_of(task)
    click.echo(viewing.screen(project, found))


@click.command()
@click.argument("task")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(min=0), default=200, metavar="N", help="How many lines (200).")
def logs(task: str, follow: bool, lines: int) -> None:
    """What TASK's program has written, as text.

    \b
    dispatch logs auth -f
    """
    project, found = common.task_of(task)
    path = project.store.own(found.id, "terminal.log")
    if not os.path.exists(path) and not follow:
        raise DispatchError(f"{found.id} has written nothing yet")
    tail = _Tail(path)
    shown, rest = split(tail.read())
    shown = clean(shown if follow else shown + rest, 1 << 30)
    kept = shown.splitlines(keepends=True)
    click.echo("".join(kept[len(kept) - min(lines, len(kept)) :]), nl=not follow and not shown.endswith("\n"))
    if follow:
        _follow(tail, rest)


class _Tail:
    """What has been added to the file at PATH since the last look, also when a new one has taken its place."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._seen = (0, 0)  # inode, bytes read
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        try:
            with open(self.path, "rb") as f:
                inode = os.fstat(f.fileno()).st_ino
                f.seek(self._seen[1] if inode == self._seen[0] else 0)
                data = f.read()
                self._seen = (inode, f.tell())
        except FileNotFoundError:
            return ""  # none yet, or just being renewed
        return self._decoder.decode(data)


def _follow(tail: _Tail, rest: str) -> None:
    from dispatch_tmux.store.watch import Bell

    bell = Bell(os.path.dirname(tail.path), os.path.basename(tail.path))
    while True:
        bell.wait(2.0)
        shown, rest = split(rest + tail.read())
        if shown:
            click.echo(clean(shown, 1 << 30), nl=False)


@click.command()
@click.argument("task", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="An object a line: task, t, kind, key, its own data.")
def events(task: str | None, follow: bool, as_json: bool) -> None:
    """What has happened, in order.

    \b
    dispatch events -f --json
    """
    import json

    project = common.project()
    ids = [project.store.find(task)] if task else None

    def tell(id: str, event: Event) -> None:
        data = {"task": id, "t": event.t, "kind": event.kind, "key": event.key, **event.data}
        click.echo(common.harmless(json.dumps(data, ensure_ascii=False)) if as_json else viewing.words(id, event))

    for id, event in _stream(project.store, ids, follow):
        tell(id, event)


def _stream(store: Store, ids: list[str] | None, follow: bool) -> Iterator[tuple[str, Event]]:
    """The journals of IDS (None: of all, new tasks too) by time; with FOLLOW also what comes, without end or gap."""
    seen: dict[str, tuple[int, int]] = {}
    if not follow:
        yield from _fresh(store, ids, seen)
        return
    from dispatch_tmux.store.watch import Bell

    bell = Bell(store.records, "bell")  # before the first look, so that nothing falls between
    while True:
        yield from _fresh(store, ids, seen)
        bell.wait(2.0)


def _fresh(store: Store, ids: list[str] | None, seen: dict[str, tuple[int, int]]) -> list[tuple[str, Event]]:
    """What is new since SEEN (id → bytes and events of its journal), which is brought up to date."""
    found: list[tuple[str, Event]] = []
    for id in store.ids() if ids is None else ids:
        try:
            size = os.path.getsize(store.own(id, "journal.jsonl"))
        except FileNotFoundError:
            continue
        before, count = seen.get(id, (0, 0))
        if size != before:
            events = store.events(id)
            found += [(id, event) for event in events[count if size > before else 0 :]]
            seen[id] = (size, len(events))  # the size from before reading: what was added meanwhile is looked at again
    return sorted(found, key=lambda pair: pair[1].t)
