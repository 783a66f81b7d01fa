"""What tmux's status line shows of the workers; and the last screen of one that has ended, kept for later."""

from __future__ import annotations

import os

from dispatch_tmux.core import sgr
from dispatch_tmux.core.task import State
from dispatch_tmux.store import files
from dispatch_tmux.supervisor.worker import Worker
from dispatch_tmux.tmux import worker_windows as tmux
from dispatch_tmux.tmux.connection import Line

GLYPHS = {
    State.WAITING: "?",
    State.DONE: "✓",
    State.FAILED: "✗",
    State.LOST: "✗",
    State.IDLE: "○",
    State.LIMITED: "◷",
    State.SUSPENDED: "◫",
}


def show(line: Line, session: str, worker: Worker, has_window: bool, workers: list[Worker]) -> None:
    """Show the new state of WORKER, one of WORKERS, in SESSION. Raises TmuxError when tmux does not answer.

    Beside its window's name; and which worker waits for the person: `Ctrl-b j` leads to the first.
    """
    task = worker.task
    if has_window:
        tmux.show_state(line, worker.sight.pane, GLYPHS.get(task.state, ""))
        if task.ended and task.exit_code is not None:
            _keep_screen(line, worker)
    waiting = (w.sight.pane for w in workers if w.task.state is State.WAITING and w.sight.pane)
    tmux.show_waiting(line, session, next(waiting, ""))


def _keep_screen(line: Line, worker: Worker) -> None:
    """Keep the last screen with its history; remain-on-exit's notice scrolls the first line away, hence the history."""
    text = tmux.transcript(line, worker.sight.pane)
    if text is not None:
        files.replace(os.path.join(worker.own, "screen.txt"), sgr.ESCAPE.sub("", text).rstrip() + "\n")
