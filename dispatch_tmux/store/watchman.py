"""Who supervises a project, and whether it still does: the lock, and a sign of life beside it.

The lock tells a living process from a dead one. It does not tell one that hangs, was stopped (SIGSTOP), or supervises the
place that the project was moved from; so the supervisor writes there who it is, and touches the file while it works.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from dispatch_tmux.store import files, processes
from dispatch_tmux.store.tree import Tree

NAME = "supervisor.lock"
BEAT = 2.0  # seconds between two signs of life
SILENT = 20.0  # seconds without one after which it hangs; the slowest thing it waits for takes less


class Watchman(NamedTuple):
    """The process that holds the lock, the project it is for, and what keeps it from its work ('' = nothing).

    `remark`: why it hears of no changes of files, and looks at them once a second ('' = it hears).
    """

    pid: int
    root: str
    trouble: str = ""
    remark: str = ""


def find(records: str, root: str) -> Watchman | None:
    """Who supervises the project at ROOT, whose records are in RECORDS; None when nobody does."""
    if not files.is_locked(os.path.join(records, NAME)):
        return None
    tree = Tree(records)
    said = (tree.read(NAME, most=5000) or "").split("\n")
    pid, place = processes.pid_in(said[0]), said[1] if len(said) > 1 else ""
    facts = tree.stat(NAME)
    silent = time.time() - facts.st_mtime if facts else 0.0
    return Watchman(pid, place, _trouble(pid, place, root, silent), said[2] if len(said) > 2 else "")


def _trouble(pid: int, place: str, root: str, silent: float) -> str:
    if pid and _is_stopped(pid):
        return f"is stopped (process {pid})"
    if place and place != root and not _is_same(place, root):
        return f"is still at the place that the project was moved from, {place}"
    if pid and silent > SILENT:
        return f"has given no sign of life for {silent:.0f} s (process {pid})"
    return ""


def _is_same(place: str, root: str) -> bool:
    """Whether both lead to one directory, as a bind mount does."""
    try:
        return os.path.samefile(place, root)
    except OSError:
        return False


def _is_stopped(pid: int) -> bool:
    """Whether PID was stopped by a signal (proc(5): state T)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] in ("T", "t")
    except (OSError, IndexError):
        return False


def lock(path: str) -> int | None:
    """The supervisor's lock at PATH, held until we end; None when another process has it."""
    for _ in range(50):  # a status command tests the lock for an instant
        held = files.try_lock(path)
        if held is not None:
            return held
        time.sleep(0.02)
    return None


class Signs:
    """What others see of the supervisor at ROOT, which has the open, locked file LOCK: who it is, and that it works."""

    def __init__(self, lock: int, root: str) -> None:
        self._lock, self._root = lock, root
        self._remark = ""
        self._write()

    @property
    def remark(self) -> str:
        """As `Watchman` has it."""
        return self._remark

    @remark.setter
    def remark(self, text: str) -> None:
        if text != self._remark:
            self._remark = text
            self._write()

    def _write(self) -> None:
        said = f"{os.getpid()}\n{self._root}\n{self._remark}\n".encode("utf-8", "surrogateescape")
        os.pwrite(self._lock, said, 0)  # before it is cut: whoever reads meanwhile finds who we are
        os.ftruncate(self._lock, len(said))

    def beat(self) -> None:
        """Give a sign of life."""
        os.utime(self._lock)
