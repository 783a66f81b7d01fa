"""How long a worker has run, on a clock that stands still while the machine sleeps."""

from __future__ import annotations

from dispatch_tmux.core.task import RUNNING, Task


class RunningTime:
    """Counts the seconds in which a task ran. What was before the first look is known by the journal's times only."""

    def __init__(self) -> None:
        self._ran, self._on = 0.0, False
        self._at: float | None = None

    def of(self, task: Task, now: float, wall: float) -> float:
        """Seconds that TASK has run. NOW: on the clock that stands still; WALL: since the epoch."""
        running = task.state in RUNNING
        if self._at is None:
            self._ran = task.ran + (max(0.0, wall - task.since) if running else 0.0)
        elif self._on:
            self._ran += now - self._at
        self._at, self._on = now, running
        return self._ran
