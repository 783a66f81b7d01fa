"""Whether a worker's program is stopped: it lives, and does nothing."""

from __future__ import annotations

from collections.abc import Callable

from dispatch_tmux.store import processes

AGAIN = 10.0  # seconds after which the processes of a worker are looked up anew; a look at all there are takes its time


class Stopped:
    """Whether a worker's program is stopped. Asked at each look at it, so what it consists of is kept for a while."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of, self._looked, self._pids = 0, 0.0, list[int]()

    def now(self, pid: int) -> bool:
        """Whether the program whose first process is PID is stopped at this moment; 0: there is none."""
        now = self._clock()
        if pid and (pid != self._of or now - self._looked >= AGAIN):
            self._of, self._looked, self._pids = pid, now, processes.in_front(pid)
        return bool(pid and processes.stopped(self._pids))
