from __future__ import annotations

import os

import click

from dispatch_tmux import show, viewing
from dispatch_tmux.cli import common
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.project import Project


@click.command()
@click.argument("task", required=False)
@click.option("--json", "as_json", is_flag=True, help="A list of tasks (or one task): id, state, why, items, questions, …")
@click.option("--watch", "-w", is_flag=True, help="Go on showing it until Ctrl-C.")
@click.option("--all", "-a", "every", is_flag=True, help="Every finished task, too, not only the last ones.")
def status(task: str | None, as_json: bool, watch: bool, every: bool) -> None:
    """What every task is doing, or all about TASK. True also when nothing supervises.

    \b
    dispatch status
    dispatch status auth --json
    """
    project = common.project()
    id = project.store.find(task) if task else None
    if as_json:
        found = [t for t in viewing.tasks(project) if id in (None, t.id)]
        data = [viewing.data(project.store, t) for t in found]
        common.print_json(data[0] if id and data else data)
    elif watch:
        _watch(project, id, every)
    else:
        click.echo("\n".join(_lines(project, id, every)))


def _lines(project: Project, id: str | None, every: bool) -> list[str]:
    found = viewing.tasks(project)
    if id:
        return viewing.details(project, next(t for t in found if t.id == id))
    listed, hidden = viewing.recent(found, every)
    lines = show.table(listed) or ["no task has been dispatched here yet:  dispatch run --help"]
    if hidden:
        lines.append(f"… and {hidden} finished before (--all lists them)")
    if any(not t.ended for t in found) and not project.store.supervised():
        lines.append("nobody supervises now; the next `dispatch wait`, `answer` or `run` starts the supervisor again")
    if viewing.waiting(found):
        lines.append("dispatch questions shows what is asked; dispatch answer TASK …")
    return lines


def _watch(project: Project, id: str | None, every: bool) -> None:
    from dispatch_tmux.watch import Bell

    bell = Bell(project.store.dir, "bell") if os.path.isdir(project.store.dir) else None
    while True:
        click.clear()
        click.echo("\n".join(_lines(project, id, every)))
        if bell:
            bell.wait(2.0)
        else:
            return


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {task, id, via, text, choices}.")
def questions(as_json: bool) -> None:
    """Every open question, whole, with its choices.

    \b
    dispatch questions
    """
    project = common.project()
    open_ones = [(t, viewing.whole(project.store, t, q)) for t in viewing.tasks(project) for q in t.open_questions]
    if as_json:
        common.print_json(
            [
                {"task": t.id, "id": q.id, "via": q.via, "text": q.text, "choices": [c._asdict() for c in q.choices]}
                for t, q in open_ones
            ]
        )
        return
    for t, q in open_ones:
        click.echo("\n".join(show.question(t.id, q, project.store.path(t.id, "ipc", f"{q.id}.question"))))
    if not open_ones:
        click.echo("no open question")


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
@click.option("-n", "--lines", default=200, show_default=True, metavar="N", help="How many lines.")
def logs(task: str, follow: bool, lines: int) -> None:
    """What TASK's program has written, as text.

    \b
    dispatch logs auth -f
    """
    project, found = common.task_of(task)
    path = project.store.path(found.id, "terminal.log")
    if not os.path.exists(path) and not follow:
        raise DispatchError(f"{found.id} has written nothing yet")
    at = 0
    if os.path.exists(path):
        with open(path, "rb") as f:
            text = f.read().decode("utf-8", "replace")
            at = f.tell()
        click.echo("\n".join(show.clean(text, 1 << 30).splitlines()[-lines:]))
    if follow:
        _follow(path, at)


def _follow(path: str, at: int) -> None:
    from dispatch_tmux.watch import Bell

    bell = Bell(os.path.dirname(path), os.path.basename(path))
    while True:
        bell.wait(2.0)
        if os.path.exists(path):
            with open(path, "rb") as f:
                f.seek(at if os.path.getsize(path) >= at else 0)
                click.echo(show.clean(f.read().decode("utf-8", "replace"), 1 << 30), nl=False)
                at = f.tell()


@click.command()
@click.argument("task", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line: task, t, kind, key and the event's own data.")
def events(task: str | None, follow: bool, as_json: bool) -> None:
    """What has happened, in order.

    \b
    dispatch events -f --json
    """
    import json

    project = common.project()
    ids = [project.store.find(task)] if task else None

    def tell(id: str, event: viewing.Event) -> None:
        data = {"task": id, "t": event.t, "kind": event.kind, "key": event.key, **event.data}
        click.echo(json.dumps(data, ensure_ascii=False) if as_json else viewing.words(id, event))

    stream = viewing.follow(project.store, ids) if follow else iter(())
    for id, event in viewing.merged(project.store, ids or project.store.ids()):
        tell(id, event)
    for id, event in stream:
        tell(id, event)
