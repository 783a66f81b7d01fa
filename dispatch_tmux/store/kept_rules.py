"""The screen rules that `dispatch backends update` brought: `~/.dispatch/rules/NAME.yaml`, and those before them. Text only."""

from __future__ import annotations

import os

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, home
from dispatch_tmux.store.files import Lock
from dispatch_tmux.store.tree import Tree

MOST = 1 << 20  # bytes: what is written here is laid out wider than what came
_BEFORE = ".before"


def folder() -> str:
    """Where they lie."""
    return home.path("rules")


def path(name: str) -> str:
    """The file of the backend NAME."""
    return os.path.join(folder(), f"{name}.yaml")


def changed() -> int:
    """When a file was put there or taken away last (nanoseconds); 0 when there are none."""
    try:
        return os.stat(folder()).st_mtime_ns
    except OSError:
        return 0


def read(name: str) -> str | None:
    """The text that is kept for NAME; None for none. Raises DispatchError for what is no file of text (a link, a pipe)."""
    data = Tree(folder()).read_bytes(f"{name}.yaml", most=MOST + 1)
    if data is None:
        if os.path.lexists(path(name)):
            raise DispatchError("it is no regular file")
        return None
    if len(data) > MOST:
        raise DispatchError("it is too long")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise DispatchError("it is not UTF-8") from None


def keep(name: str, text: str) -> None:
    """Put TEXT there; what was there is kept as the one before. Raises DispatchError when the disk does not take it."""
    try:
        before = read(name)
    except DispatchError:
        before = None  # damaged: nothing to come back to
    _drop(f"{name}{_BEFORE}")
    if before is not None:
        files.replace(path(f"{name}{_BEFORE}"), before)
    files.replace(path(name), text)


def back(name: str) -> bool:
    """Put back the one before, or none; False when there was none to take away."""
    if not os.path.lexists(path(name)):
        return False
    if Tree(folder()).has(f"{name}{_BEFORE}.yaml"):
        os.rename(path(f"{name}{_BEFORE}"), path(name))
    else:
        _drop(name)
    return True


def lock() -> Lock:
    """Held while rules are changed: two updates at once come one after the other. Raises DispatchError."""
    for place in (home.path(), folder()):
        files.private_dir(place)
    return Lock(os.path.join(folder(), "lock"), lambda: None)


def _drop(name: str) -> None:
    try:
        os.unlink(path(name))
    except FileNotFoundError:
        pass
    except OSError as e:
        raise DispatchError(f"cannot remove {path(name)}: {e.strerror}") from e
