"""Which version of an agent CLI is installed: asked once for each program, and known from then on."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

from dispatch_tmux.store import files, home

if TYPE_CHECKING:
    from dispatch_tmux.backends.load import Backend

FILE = "versions.json"
DEADLINE = 2.0  # seconds that a `run` with a new version may wait for it to say which one it is, once


def number(said: str) -> str:
    """The version number in what a CLI says of its version; SAID itself where there is none."""
    found = re.search(r"\d+(?:\.\d+)+[\w.+-]*", said)
    return found[0] if found else said.strip()


def is_known(name: str) -> bool:
    """Whether the version of the program NAME on PATH is known already (or there is no such program). Runs nothing."""
    program = shutil.which(name)
    return program is None or _kept().get(name, [""])[0] == files.mark(program)


def of(backend: Backend, *, ask: bool = True, deadline: float = DEADLINE) -> str:
    """The version of BACKEND's CLI; '' when it is not installed or does not tell it within DEADLINE seconds.

    ASK: run it if it has changed, or did not tell it before.
    """
    from dispatch_tmux.backends import discovery  # not at the start of every `run`

    program = discovery.installed(backend)
    if not program:
        return ""
    kept = _kept()
    mark, version = kept.get(backend.name, ["", ""])
    if mark == files.mark(program) and (version or deadline <= DEADLINE):
        return version
    if not ask:
        return ""
    version = number(discovery.version(backend, deadline))
    home.remember(FILE, json.dumps({**kept, backend.name: [files.mark(program), version]}))
    return version


def _kept() -> dict[str, list[str]]:
    try:
        data = json.loads(files.read_text(home.path(FILE)) or "{}")
        return {str(name): [str(mark), str(version)] for name, (mark, version) in data.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
