"""The user's configuration: `~/.dispatch/config.yaml`, or what DISPATCH_CONFIG names. Nothing in a project counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dispatch_tmux.core import schedule
from dispatch_tmux.core.state import Limits
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import home

if TYPE_CHECKING:
    from dispatch_tmux.backends.load import Backend
    from dispatch_tmux.config.schema import Config

MOST = 1 << 20  # bytes
OWN_SOCKET = "dispatch"  # as in `tmux -L dispatch`


def path() -> str:
    return os.environ.get("DISPATCH_CONFIG") or home.path("config.yaml")


def text() -> str | None:
    """The file's text; None when there is none. Raises DispatchError for one that cannot be a config."""
    where = path()
    try:
        with open(where, "rb") as f:
            raw = f.read(MOST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as e:
        raise DispatchError(f"cannot read {where}: {e.strerror}", hint="DISPATCH_CONFIG names another file") from e
    if len(raw) > MOST:
        raise DispatchError(f"{where} has more than {MOST >> 20} MiB", hint="that is no config file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw[: e.start].count(b"\n") + 1
        raise DispatchError(f"{where}, line {line}: not UTF-8", hint="save the file as UTF-8") from None


_parsed: tuple[str, str, Config] | None = None  # path, text, and what they say: the supervisor asks at each start
_known: dict[str, tuple[Config | None, object, Backend]] = {}  # backend → what it was made of, and it


def load() -> Config | None:
    """The configuration, or None when there is no file. Raises DispatchError that names file, line and key."""
    global _parsed
    where, said = path(), text()
    if said is None:
        return None
    if _parsed is None or _parsed[:2] != (where, said):
        from dispatch_tmux.config import (
            schema as config_schema,
        )  # yaml and msgspec, only where there is something to read

        _parsed = where, said, config_schema.parse(where, said)
    return _parsed[2]


def socket(config: Config | None) -> str:
    """The tmux server to use, by name or path: dispatch's own unless the user says otherwise."""
    return os.path.expanduser(config.tmux.socket) if config else OWN_SOCKET


def times(config: Config | None) -> Limits:
    found = config.times if config else None
    return Limits(found.settle, found.nudge, found.quiet, found.limited) if found else Limits()


def schedule_limits(config: Config | None) -> schedule.Limits:
    """How many workers may run at once."""
    if config is None:
        return schedule.Limits()
    said = config.limits
    return schedule.Limits(said.max_workers, said.per_backend, said.per_group, said.stagger, said.memory)


def user_backends(config: Config | None) -> dict[str, Any]:
    """The config's `backends`, with those that aliases and the old format's agents define by a command."""
    if config is None:
        return {}
    agents = {name: {"command": agent.command} for name, agent in config.agents.items() if agent.command}
    aliases = {name: {"command": alias.command} for name, alias in config.aliases.items() if alias.command}
    return {**agents, **aliases, **config.backends}


def backend(name: str) -> Backend:
    """The backend NAME as the configuration has it now. Raises DispatchError."""
    from dispatch_tmux.backends import load as backends
    from dispatch_tmux.backends.own import backend_of

    config, files = load(), backends.state_of(home.backends_dir())
    known = _known.get(name)
    if known is None or known[0] is not config or known[1] != files:
        known = _known[name] = config, files, backend_of(name, user_backends(config), home.backends_dir())
    return known[2]
