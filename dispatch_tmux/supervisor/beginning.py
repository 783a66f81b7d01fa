"""How the checkout is where a task begins without a worktree: written down meanwhile, in a thread, so that nothing waits for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import begun
from dispatch_tmux.supervisor.record import TaskRecord


class Beginnings:
    """Takes them one after the other; of tasks that begin in one directory at the same time once. LOG takes what goes wrong."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._waiting: list[tuple[TaskRecord, str]] = []
        self._at_work = False

    def take(self, record: TaskRecord, cwd: str) -> None:
        """Write down how the checkout of CWD is now, where the task of RECORD begins."""
        with self._lock:
            self._waiting.append((record, cwd))
            if not self._at_work:
                self._at_work = True
                threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                batch, self._waiting = self._waiting, []
                if not batch:
                    self._at_work = False
                    return
            taken: dict[str, tuple[str, str, str]] = {}  # directory → top of the checkout, tree, where its objects are
            for record, cwd in batch:
                try:
                    self._one(record, cwd, taken)
                except OSError as e:
                    self._log(f"{record.id}: {e}")

    def _one(self, record: TaskRecord, cwd: str, taken: dict[str, tuple[str, str, str]]) -> None:
        objects, why = os.path.join(record.own, "begun-objects"), ""
        try:
            if cwd in taken:
                top, tree, former = taken[cwd]
                if tree:
                    begun.copy(former, objects)
            else:
                top, tree = begun.take(cwd, objects)
                taken[cwd] = top, tree, objects
        except DispatchError as e:
            top, tree, why = "", "", str(e)
        if top or why:
            record.append("begun", "begun", top=top, tree=tree, why=why)
