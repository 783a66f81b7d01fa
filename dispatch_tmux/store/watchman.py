"""Who supervises a project, and whether it still does: the lock, and a sign of life beside it.

The lock tells a living process from a dead one. It does not tell one that hangs, was stopped (SIGSTOP), or supervises the
place that the project was moved from; so the supervisor writes there who it is, and touches the file while it works.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from dispatch_tmux.store import files
from dispatch_tmux.store.tree import Tree

NAME = "supervisor.lock"
BEAT = 2.0  # seconds between two signs of life
SILENT = 20.0  # seconds without one after which it hangs; the slowest thing it waits for takes less


class Watchman(NamedTuple):
    """The process that holds the lock, the project it is for, and what keeps it from its work ('' = nothing)."""

    pid: int
    root: str
    trouble: str = ""


def find(records: str, root: str) -> Watchman | None:
    """Who supervises the project at ROOT, whose records are in RECORDS; None when nobody does."""
    if not files.is_locked(os.path.join(records, NAME)):
        return None
    tree = Tree(records)
    said = (tree.read(NAME, most=5000) or "").split("\n")
    pid, place = int(said[0]) if said[0].isdigit() else 0, said[1] if len(said) > 1 else ""
    facts = tree.stat(NAME)
    silent = time.time() - facts.st_mtime if facts else 0.0
    return Watchman(pid, place, _trouble(pid, place, root, silent))


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


def sign(lock: int, root: str) -> None:
    """Write who we are into the open, locked file LOCK."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n{root}\n".encode("utf-8", "surrogateescape"), 0)


def beat(lock: int) -> None:
    """Give a sign of life."""
    os.utime(lock)
