"""What tmux's status line shows of the workers; and the last screen of one that has ended, kept for later."""

from __future__ import annotations

import os

from dispatch_tmux.core import sgr, urgency
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


NAME, ROOM = 16, 26  # columns of a name, and of all names, in a status line of 80


def show(line: Line, session: str, worker: Worker, has_window: bool, workers: list[Worker]) -> None:
    """Show the new state of WORKER, one of WORKERS, in SESSION. Raises TmuxError when tmux does not answer.

    Beside its window's name; and who of all waits for the person, or else what goes on.
    """
    task = worker.task
    if has_window:
        tmux.show_state(line, worker.sight.pane, GLYPHS.get(task.state, ""))
        if task.ended and task.exit_code is not None:
            _keep_screen(line, worker)
    waiting = [w for w in workers if w.task.state is State.WAITING]
    tasks = urgency.ordered(w.task for w in workers)
    goes_on = [t for t in tasks if not t.ended and t.state is not State.QUEUED]
    first = next((w.sight.pane for w in waiting if w.sight.pane), "")
    tmux.show_all(
        line, session, first, waits([t.id for t in tasks if t.state is State.WAITING]), urgency.counts(goes_on)
    )


def waits(ids: list[str]) -> str:
    """'api waits', 'api, ui wait', 'api, ui +2 wait': the first ones that there is room for; '' for none."""
    names = [id if len(id) <= NAME else f"{id[: NAME - 1]}…" for id in ids]
    room = next((n for n in range(len(names), 1, -1) if len(", ".join(names[:n])) <= ROOM), 1)
    more = f" +{len(names) - room}" if len(names) > room else ""
    return f"{', '.join(names[:room])}{more} {'waits' if len(names) == 1 else 'wait'}" if names else ""


def _keep_screen(line: Line, worker: Worker) -> None:
    """Keep the last screen with its history; remain-on-exit's notice scrolls the first line away, hence the history."""
    text = tmux.transcript(line, worker.sight.pane)
    if text is not None:
        files.replace(os.path.join(worker.own, "screen.txt"), sgr.ESCAPE.sub("", text).rstrip() + "\n")
