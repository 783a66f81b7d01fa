"""How the checkout is where a task begins without a worktree: written down meanwhile, in a thread, so that nothing waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import begun
from dispatch_tmux.store.store import Store


class Beginnings:
    """Takes them one after the other; of tasks that begin in one directory at the same time once. LOG takes what goes wrong."""

    def __init__(self, store: Store, log: Callable[[str], None]) -> None:
        self._store, self._log = store, log
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, str]] = []  # task id, directory
        self._at_work = False

    def take(self, id: str, cwd: str) -> None:
        """Write down how the checkout of CWD is now, where the task ID begins."""
        with self._lock:
            self._waiting.append((id, cwd))
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
            taken: dict[str, _Taken] = {}
            for id, cwd in batch:
                try:
                    self._one(id, cwd, taken)
                except (DispatchError, OSError) as e:  # it is not written down then
                    self._log(f"{id}: {e}")

    def _one(self, id: str, cwd: str, taken: dict[str, _Taken]) -> None:
        objects = self._store.own(id, "begun-objects")
        if cwd not in taken:
            taken[cwd] = _taken(cwd, objects)
        elif taken[cwd].tree:
            begun.copy(taken[cwd].objects, objects)
        found = taken[cwd]
        if found.top or found.why:
            self._store.append(id, "begun", "begun", top=found.top, tree=found.tree, why=found.why)


class _Taken(NamedTuple):
    """The top of a checkout, its tree, why there is none, and where what git had not is."""

    top: str
    tree: str
    why: str
    objects: str


def _taken(cwd: str, objects: str) -> _Taken:
    try:
        return _Taken(*begun.take(cwd, objects), "", objects)
    except DispatchError as e:
        return _Taken("", "", str(e), objects)
