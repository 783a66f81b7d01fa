"""Screens that are changing: which of them have come to rest, and are to be read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping

from dispatch_tmux.supervisor.worker import Worker

QUIET = 0.03  # seconds without output after which a screen counts as drawn
RESTLESS = 0.12  # the same for a screen read less than half a second ago: a spinner rests 0.1 s between two frames
LATELY = 0.5
LONGEST = 1.0  # seconds after which a screen that never rests is looked at all the same


class Drawing:
    """Ids of the workers whose screen is changing, and since when. `mark` is called in any thread, the rest in one."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._lock = threading.Lock()

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

    def rested(self, workers: Mapping[str, Worker], now: float) -> Iterator[tuple[Worker, bool]]:
        """Those of WORKERS whose screen has come to rest (True), and those where it never does (False). NOW: monotonic."""
        for id, since in list(self._since.items()):
            worker = workers.get(id)
            quiet = worker is None or now - worker.sight.last_output >= _rest(worker, now)
            if not quiet and now - since < LONGEST:
                continue
            with self._lock:
                self._since.pop(id, None)
            if worker is not None:
                yield worker, quiet


def _rest(worker: Worker, now: float) -> float:
    restless = now - worker.sight.looked_at < LATELY and not worker.told.is_fresh
    return RESTLESS if restless else QUIET
