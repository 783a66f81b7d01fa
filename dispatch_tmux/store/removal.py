"""Removing what is kept of a task, and what those have left who were killed in the middle of something."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.tree import Tree

GONE = ".gone-"  # how the name of a directory begins that is being removed
SOON = 10.0  # seconds within which what is half written may become whole


def remove(path: str) -> None:
    """Remove a directory, or a link itself: at once it has another name, then its files go. Raises DispatchError."""
    gone = os.path.join(os.path.dirname(path), f"{GONE}{time.time_ns():x}")
    try:
        os.rename(path, gone)
    except FileNotFoundError:
        return
    except OSError:
        gone = path  # a full disk has no room for another name
    if os.path.islink(gone):
        os.unlink(gone)
    else:
        import shutil  # with bz2 and lzma; few verbs remove

        shutil.rmtree(gone, ignore_errors=True)
    if os.path.lexists(path):
        raise DispatchError(f"cannot remove {path}", hint="look at what is there, then try again")


def left_over(root: str, records: str, ids: Iterable[str]) -> int:
    """Remove what those left of messages and of the tasks IDS who were killed in between; how many there were.

    For the supervisor, which alone pastes here.
    """
    ours, old, found = f"paste-{os.getpid()}-", time.time() - SOON, 0
    for tree in (Tree(records, "tasks"), Tree(root, ".dispatch", "tasks")):
        for name in tree.names():
            if name.startswith(GONE):
                import shutil

                shutil.rmtree(tree.at(name), ignore_errors=True)
                found += 1
    for id in ids:
        tree = Tree(records, "tasks", id)
        for name in tree.names("inbox"):
            made = tree.stat("inbox", name) if name.endswith(".tmp") and not name.startswith(ours) else None
            if made and (name.startswith("paste-") or made.st_mtime < old):
                found += tree.remove("inbox", name)
    return found
