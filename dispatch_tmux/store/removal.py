"""Removing what is kept of a task, and what those have left who were killed in the middle of something."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.tree import Tree

GONE = ".gone-"  # how the name of a directory begins that is being removed
AT_ONCE = 4  # directories whose files are removed side by side; more of them only wait for each other
SOON = 10.0  # seconds within which what is half written may become whole


def put_away(path: str) -> str:
    """Give a directory, or a link itself, another name at once, under which `delete` finds it; '' when it is not there."""
    gone = os.path.join(os.path.dirname(path), f"{GONE}{time.time_ns():x}")
    try:
        os.rename(path, gone)
    except FileNotFoundError:
        return ""
    except OSError:
        return path  # a full disk has no room for another name
    return gone


def delete(paths: Sequence[str]) -> None:
    """Remove what was `put_away`, with all that is in it. Raises DispatchError for what could not be, after all others."""
    if len(paths) <= AT_ONCE:
        for path in paths:
            _delete(path)
    else:
        from concurrent.futures import ThreadPoolExecutor  # few verbs remove many

        with ThreadPoolExecutor(AT_ONCE) as pool:  # most of the time goes in waiting for the disk
            list(pool.map(_delete, paths))
    for path in paths:
        if not os.path.basename(path).startswith(GONE) and os.path.lexists(path):
            raise DispatchError(f"cannot remove {path}", hint="look at what is there, then try again")


def _delete(path: str) -> None:
    if os.path.islink(path):
        os.unlink(path)
    else:
        import shutil  # with bz2 and lzma; few verbs remove

        shutil.rmtree(path, ignore_errors=True)


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
