from __future__ import annotations

import os
import time

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core import plan
from dispatch_tmux.core.task import Task
from dispatch_tmux.store import files
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import merge as merging
from dispatch_tmux.verbs import report as reports
from dispatch_tmux.verbs import view as viewing
from dispatch_tmux.verbs.report import Row


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@click.option("--group", default="", metavar="NAME", help="The tasks of that group.")
@click.option(
    "--html", "page", default="", metavar="FILE", help="Write one page with everything, to open in a browser."
)
def report(tasks: tuple[str, ...], group: str, page: str) -> None:
    """What came of tasks (all, or TASKs): items, time, questions, sizes of changes.

    \b
    dispatch report --html sweep.html
    """
    project = common.project()
    wanted = {project.store.find(name) for name in tasks}
    found = [t for t in viewing.tasks(project) if (not wanted or t.id in wanted) and (not group or t.group == group)]
    now = time.time()
    rows = [_row(project, t, now) for t in found]
    if not page:
        common.echo_lines(reports.text(rows), "dispatch report --html FILE")
        return
    files.replace(page, reports.page(os.path.basename(project.root), rows, now))
    click.echo(f"{len(rows)} tasks: {os.path.abspath(page)}")


def _row(project: Project, task: Task, now: float) -> Row:
    store = project.store
    path = store.path(task.id, "output.md")
    whole = store.task(task.id)._replace(state=task.state, why=task.why)
    size = merging.size(project, task) if task.worktree else None
    output = files.read_text(path, 100_000) or ""
    return Row(whole, reports.spans(store.events(task.id), now), plan.parse(store.plan(task.id)), output, path, size)
