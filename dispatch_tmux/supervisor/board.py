"""The live board in window 0: drawn once a second while somebody looks at it, and not at all while nobody does."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dispatch_tmux.backends import usage
from dispatch_tmux.backends.usage import Usage
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.tmux import worker_windows
from dispatch_tmux.tmux.connection import Line

NAME = "board"  # of the notice that tells how many look at it
EVERY = 1.0
_COLOURS = {
    State.WAITING: "bold yellow",
    State.LIMITED: "yellow",
    State.SUSPENDED: "yellow",
    State.DONE: "green",
    State.FAILED: "red",
    State.LOST: "red",
    State.WORKING: "cyan",
}


class Row(NamedTuple):
    """A worker on the board: its task, and what its CLI has told of its work."""

    task: Task
    usage: Usage


class Board:
    """The board of the project at ROOT. ROWS gives all workers that are to be on it."""

    def __init__(self, root: str, rows: Callable[[], list[Row]]) -> None:
        self._root, self._rows = root, rows
        self.due: float | None = None  # when to draw again; None: nobody looks
        self.stale = False  # something on it has changed

    def looked_at(self, viewers: int) -> None:
        """So many clients show our window, the control client included."""
        self.due = 0.0 if viewers > 1 else None

    def draw(self, now: float) -> None:
        """Draw if somebody looks and it is time, or something has changed."""
        if self.due is None or (now < self.due and not self.stale):
            return
        self.due, self.stale = now + EVERY, False
        rows = sorted(self._rows(), key=lambda row: row.task.created)
        used = {row.task.id: usage.words(row.usage, row.task.state is State.WORKING) for row in rows}
        text = rendered([row.task for row in rows], self._root, used)
        sys.stdout.write("\x1b[H" + text.replace("\n", "\x1b[K\r\n") + "\x1b[J")
        sys.stdout.flush()


def subscribe(line: Line) -> None:
    """Ask tmux to tell how many clients look at our window. Raises TmuxError when it does not answer."""
    worker_windows.tell_of_viewers(line, worker_windows.window_of(line, os.environ.get("TMUX_PANE", "")), NAME)


def rendered(tasks: list[Task], root: str, used: Mapping[str, str]) -> str:
    """The table as text with colours, as wide and at most as high as the terminal."""
    from rich.console import Console  # only here, and only when somebody looks
    from rich.table import Table
    from rich.text import Text

    from dispatch_tmux.core.text import line

    size = os.get_terminal_size() if sys.stdout.isatty() else os.terminal_size((100, 30))
    console = Console(width=size.columns, height=size.lines, force_terminal=True, color_system="256")
    table = Table(expand=True, box=None, pad_edge=False)
    for name in ("task", "model", "state", "since", "done", ""):
        table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=3 if not name else None)
    for task in tasks[-(size.lines - 5) :]:
        asked = task.open_questions[0].text if task.open_questions else task.why or used.get(task.id, "")
        table.add_row(
            task.id, Text(line(task.model, 40)), Text(task.state.value, style=_COLOURS.get(task.state, "")),
            _age(time.time() - task.since), f"{task.done_items}/{len(task.marks)}", Text(line(asked, 200)),
        )  # fmt: skip
    with console.capture() as capture:
        console.print(Text(f"dispatch · {root}", style="bold"))
        console.print(table if tasks else "no workers")
        console.print(Text("Ctrl-b w: choose a window · Ctrl-b j: next that waits · Ctrl-b d: leave", style="dim"))
    return capture.get()


def _age(seconds: float) -> str:
    return (
        f"{int(seconds)}s" if seconds < 60 else f"{int(seconds // 60)}m" if seconds < 3600 else f"{seconds / 3600:.1f}h"
    )
