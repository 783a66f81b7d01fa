"""Screens that are changing: which of them have come to rest, and are to be read.

A screen counts as drawn once nothing has come for a while. Those that move all the time (a spinner rests 0.1 s between two
frames) are read at each of their rests as long as that are few; of many, when one draws much more than it used to: that may
be a dialogue.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping

from dispatch_tmux.store import processes
from dispatch_tmux.supervisor.worker import Worker

QUIET = 0.03  # seconds without output after which a screen counts as drawn, on a machine that keeps up
RESTLESS = 0.12  # the same where many screens move all the time, and at most on a machine that does not keep up
OFTEN = 12  # screens read in the last second: more than that cost too much
LONGEST = 1.0  # seconds after which a screen that never rests is looked at all the same
MUCH = 200  # bytes more than twice of what it usually draws
GAP = 0.01  # seconds between two looks at which of them rest


class Drawing:
    """Ids of the workers whose screen is changing, and since when. `mark` is called in any thread, the rest in one."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._lock = threading.Lock()
        self._looks: deque[float] = deque(maxlen=OFTEN)  # when the last ones were read
        self._quiet, self._asked = QUIET, 0.0
        self._processors = os.cpu_count() or 1

    def __bool__(self) -> bool:
        return bool(self._since)

    def mark(self, id: str) -> bool:
        """The screen of worker ID changes; whether it is the first that does."""
        if id in self._since:
            return False
        with self._lock:
            first = not self._since
            self._since.setdefault(id, time.monotonic())
        return first

    def due(self, workers: Mapping[str, Worker], now: float) -> float:
        """When the next one may rest, if nothing more comes. NOW, and what comes back: monotonic."""
        soonest = now + LONGEST
        for id in list(self._since):
            if worker := workers.get(id):
                soonest = min(soonest, worker.sight.last_output + self._rest(worker, now))
        return max(soonest, now + GAP)

    def rested(self, workers: Mapping[str, Worker], now: float) -> Iterator[tuple[Worker, bool]]:
        """Those of WORKERS whose screen has come to rest (True), and those where it never does (False). NOW: monotonic."""
        for id, since in list(self._since.items()):
            worker = workers.get(id)
            quiet = worker is None or now - worker.sight.last_output >= self._rest(worker, now)
            if not quiet and now - since < LONGEST:
                continue
            with self._lock:
                self._since.pop(id, None)
            if worker is not None:
                self._looks.append(now)
                yield worker, quiet

    def _rest(self, worker: Worker, now: float) -> float:
        dear = len(self._looks) == OFTEN and self._looks[0] > now - 1.0
        urgent = worker.told.is_fresh or worker.sight.draws_more_than_usual(MUCH)
        return RESTLESS if dear and not urgent else self._settling(now)

    def _settling(self, now: float) -> float:
        """How long a rest has to be: a machine with more to do than it can leaves pauses in the middle of a frame."""
        if now - self._asked > LONGEST / 2:
            self._asked = now
            load = (processes.busy() or 1) / self._processors / 2
            self._quiet = min(RESTLESS, QUIET * max(1.0, load))
        return self._quiet
