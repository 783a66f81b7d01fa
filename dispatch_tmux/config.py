"""The user's configuration: `~/.dispatch/config.yaml`, or what DISPATCH_CONFIG names. Nothing in a project counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dispatch_tmux import files
from dispatch_tmux.state import Limits
from dispatch_tmux.tmux import Socket

if TYPE_CHECKING:
    from dispatch_tmux.config_schema import Config


def path() -> str:
    return os.environ.get("DISPATCH_CONFIG") or os.path.join(os.path.expanduser("~"), ".dispatch", "config.yaml")


def load() -> Config | None:
    """The configuration, or None when there is no file. Raises DispatchError that names file and key."""
    text = files.read_text(path(), 4 << 20)
    if text is None:
        return None
    from dispatch_tmux import config_schema  # yaml and msgspec, only where there is something to read

    return config_schema.parse(path(), text)


def socket(config: Config | None) -> Socket:
    """The tmux server to use: dispatch's own unless the user says otherwise."""
    return Socket(os.path.expanduser(config.tmux.socket)) if config else Socket()


def limits(config: Config | None) -> Limits:
    times = config.times if config else None
    return Limits(times.settle, times.nudge, times.quiet) if times else Limits()


def user_backends(config: Config | None) -> dict[str, Any]:
    return dict(config.backends) if config else {}


def home_dir() -> str:
    """`~/.dispatch`, where the user's own backend files and tmux.conf lie."""
    return os.path.join(os.path.expanduser("~"), ".dispatch")
