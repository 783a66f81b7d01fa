from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dispatch_tmux.cli import common, listing, show
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import GLYPHS
from dispatch_tmux.verbs import report as verb

if TYPE_CHECKING:
    from dispatch_tmux import Report, Row


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@click.option("--group", default="", metavar="NAME", help="The tasks of that group.")
@click.option(
    "--html", "file", default="", metavar="FILE", help="Write one page with everything, to open in a browser."
)
def report(tasks: tuple[str, ...], group: str, file: str) -> None:
    """What came of tasks (all, or TASKs): items, time, questions, sizes of changes.

    \b
    dispatch report --html sweep.html
    """
    found = verb.report(common.project(), *tasks, group=group)
    if not file:
        common.echo_lines(lines(found), "dispatch report --html FILE")
        return
    from dispatch_tmux.cli import page

    path = verb.save(page.page(found), file)
    click.echo(f"{show.many(len(found.rows), 'task')}: {path}")


def lines(report: Report) -> list[str]:
    """The short form for a terminal."""
    tasks = [r.task for r in report.rows]
    width = min(max((len(t.id) for t in tasks), default=0), 40)
    rows = [_line(r, width) for r in report.rows]
    if not sys.stdout.isatty() and len(rows) >= common.MOST_LINES:
        rows = [
            *rows[: common.MOST_LINES - 2],
            *listing.rest(tasks[common.MOST_LINES - 2 :], "dispatch report --html FILE"),
        ]
    return [urgency.counts(tasks) or "no tasks", *rows]


def _line(r: Row, width: int) -> str:
    asked = len(r.task.questions)
    questions = f"  {show.many(asked, 'question')}" if asked else ""
    size = f"  {show.changes(r)}" if r.size else ""
    head = f"{GLYPHS[r.task.state]} {r.task.id:<{width}.{width}}  {f'{r.task.done_items}/{len(r.task.marks)}':>5}"
    return f"{head}  {show.length(verb.at_work(r)):>6}{questions}{size}"
