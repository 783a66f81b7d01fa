"""`~/.dispatch`: what is the user's and no project's."""

from __future__ import annotations

import os

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files


def path(*names: str) -> str:
    """`~/.dispatch`, or what lies there under NAMES."""
    return os.path.join(os.path.expanduser("~"), ".dispatch", *names)


def backends_dir() -> str:
    """Where the user's own backend files lie."""
    return path("backends")


def remember(name: str, text: str) -> None:
    """Keep TEXT as the file NAME there; the directory is made when it is missing. Raises DispatchError."""
    try:
        files.private_dir(path())
    except OSError as e:
        raise DispatchError(f"cannot make {path()}: {e.strerror}", hint="HOME says where it is to be") from e
    files.replace(path(name), text)
