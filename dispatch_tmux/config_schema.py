"""The shape of config.yaml, checked with msgspec so that an error names the key."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from dispatch_tmux.errors import DispatchError


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that nobody knows is an error: it is a typo."""


class Model(_Part):
    backend: str


class Alias(_Part):
    model: str = ""
    prompt: str = ""


class Tmux(_Part):
    socket: str = "dispatch"


class Times(_Part):
    """Seconds; see state.Limits. `linger`: how long a session without workers and onlookers stays."""

    settle: float = 2.0
    nudge: float = 60.0
    quiet: float = 1800.0
    linger: float = 600.0


class Config(_Part):
    default: str = ""
    backends: dict[str, dict[str, Any]] = {}
    models: dict[str, Model] = {}
    aliases: dict[str, Alias] = {}
    tmux: Tmux = Tmux()
    times: Times = Times()


def parse(path: str, text: str) -> Config:
    """TEXT of the file PATH as a Config. Raises DispatchError with line or key."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else path
        raise DispatchError(f"{where}: {getattr(e, 'problem', None) or e}", hint="mend the file") from None
    try:
        return msgspec.convert(data or {}, Config)
    except msgspec.ValidationError as e:
        raise DispatchError(f"{path}: {e}", hint="allowed keys: " + ", ".join(Config.__struct_fields__)) from None
