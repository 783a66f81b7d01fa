from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux.cli import common, show
from dispatch_tmux.core import fit
from dispatch_tmux.core.text import age, line
from dispatch_tmux.verbs import peek as verb

if TYPE_CHECKING:
    from dispatch_tmux import Glimpse


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@common.choosing
@click.option(
    "-n", "--lines", type=click.IntRange(min=1), default=verb.LINES, metavar="N", help="How many lines of each (5)."
)
@click.option("--json", "as_json", is_flag=True, help="A list of {task, state, since, live, lines, untrusted}.")
def peek(meant: common.Meant, lines: int, as_json: bool) -> None:
    """The last lines that each worker shows (of all that run, or of TASKs), without attaching. Who waits for you is first.

    \b
    dispatch peek
    dispatch peek auth -n 20
    dispatch peek --group Docs
    """
    project = common.project()
    ids = common.chosen(project, meant).ids if meant else []
    found = verb.peek(project, *ids, lines=lines)
    if as_json:
        common.print_json([_data(seen) for seen in found])
        return
    common.echo_lines(_words(found) or ["no worker is running"], "dispatch peek TASK, or --json")


def _data(seen: Glimpse) -> dict[str, Any]:
    task = seen.task
    return {
        "task": task.id, "state": task.state.value, "since": task.since, "live": seen.live, "lines": list(seen.lines),
        "untrusted": ["lines"],
    }  # fmt: skip


def _words(found: list[Glimpse]) -> list[str]:
    room = show.width() if sys.stdout.isatty() else 400
    lines: list[str] = []
    for seen in found:
        lines += [""] if lines else []
        lines.append(_head(seen, room))
        lines += [f"  {fit.cut(row, room - 2)}" for row in seen.lines] or ["  (nothing to be seen)"]
    return lines


def _head(seen: Glimpse, room: int) -> str:
    task = seen.task
    kept = "" if seen.live or not seen.lines else " (as it was kept)"
    head = f"{show.state(task).rstrip()} {age(time.time() - task.since)}  {task.id}{kept}"
    asks = next((q.text for q in task.open_questions), task.title)
    return f"{head}  {line(asks, left)}" if (left := room - len(task.id) - len(kept) - 22) >= 10 else head
