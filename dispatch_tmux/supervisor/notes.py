"""A person's notes stay in a worker's plan, although the worker may write its older copy of it over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from dispatch_tmux.core import plan
from dispatch_tmux.store import files, plan_file
from dispatch_tmux.store.store import Store

FIRST, LONGEST = 0.05, 5.0  # seconds between two times that the notes are put back: each pause is twice the last one
MOST = 200  # times that they are: whoever takes a note out that often does not want it there
CALM = 20.0  # seconds without a note gone, after which the pauses begin anew


class KeptNotes:
    """The notes of task ID. A worker that writes all the time costs few writes, and has them soon after its last one."""

    def __init__(self, store: Store, id: str, clock: Callable[[], float]) -> None:
        self._tree, self._clock = store.tree(id), clock
        self._path = store.path(id, "plan.md")
        self._times, self._pause, self._put_at = 0, FIRST, -math.inf
        self.again_at: float | None = None  # when, on the clock, to call `keep` again although nothing has happened

    def keep(self, text: str, notes: Sequence[str]) -> None:
        """Put those of NOTES back that are not in TEXT, the plan as it is now."""
        gone = [note for note in notes if not plan.has_note(text, note)] if text else []
        self.again_at = None
        if not gone or self._times >= MOST:
            return
        now = self._clock()
        if now - self._put_at >= CALM:
            self._pause = FIRST
        if now < self._put_at + self._pause or files.being_written(self._path):
            self.again_at = max(self._put_at + self._pause, now + FIRST)
            return
        gone = plan_file.lacking(self._tree, gone)  # TEXT may be only the beginning
        for note in gone:
            plan_file.put_note(self._tree, note)
        self._times += bool(gone)
        self._put_at, self._pause = now, min(self._pause * 2, LONGEST)
