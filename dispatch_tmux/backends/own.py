"""A backend as the user's configuration has it: the built-in file, their changes, or a command of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dispatch_tmux.backends import commands
from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends.load import Backend


def backend_of(name: str, user: Mapping[str, Any], folder: str) -> Backend:
    """The backend NAME: USER is the config's `backends`, FOLDER holds the user's own files.

    A `command` wins over the built-in argv. Raises DispatchError for an unknown name, a mistake, or a command that
    would need a shell.
    """
    own = dict(user.get(name) or {})
    command = own.pop("command", None)
    if command is None:
        return backends.load(name, user=own, folder=Path(folder))
    parsed = commands.parse(str(command))
    base = _base(name, parsed.argv[0], Path(folder))
    known = backends.load(base, folder=Path(folder))
    own = {"executable": parsed.argv[0], **own, **_of_command(parsed.argv, known), "name": name}
    own["env"] = {**parsed.env, **own.get("env", {})}
    if parsed.unset:
        own["unset"] = [*own.get("unset", known.unset), *parsed.unset]
    return backends.load(base, user=own, folder=Path(folder))


def is_batch(argv: tuple[str, ...], backend: Backend) -> bool:
    """Whether ARGV runs BACKEND's CLI without a composer: `claude -p`, `codex exec`."""
    return any(word in backend.batch for word in argv[1:])


def _base(name: str, program: str, folder: Path) -> str:
    """The backend file that knows PROGRAM: that of NAME, or the one whose executable it is, or `command`."""
    names = backends.names(folder)
    if name in names:
        return name
    plain = program.rpartition("/")[2]
    for known in names:
        path = backends.file_of(known, folder)
        text = path.read_text(encoding="utf-8", errors="replace") if path else ""
        found = re.search(r"^executable:\s*[\"']?([\w./-]+)", text, re.M)
        if found and found[1] == plain and known not in ("command", "demo"):
            return known
    return "command"


def _of_command(argv: tuple[str, ...], known: Backend) -> dict[str, Any]:
    """The argv that a command of the user's becomes: model and prompt go in as its CLI wants them."""
    words = list(argv)
    batch = is_batch(argv, known)
    flags: list[str] = []
    if known.model_flags and not any(word in argv for word in (known.model_flags[0], "-m")):
        flags.append("{model_flags}")
    flags.append("{permission_flags}")
    takes_prompt = words[-1].startswith("-") and words[-1] in known.batch  # `gemini -p`: the prompt is its value
    words = [*words[:-1], *flags, words[-1]] if takes_prompt else [*words, *flags]
    if not any("{prompt}" in word for word in words):
        words += ["{prompt}"] if batch or not known.interactive else known.prompt_flags
    permissions = {
        **known.permission_flags,
        "default": (),
    }  # the command says itself what it may do, unless it is overruled
    interactive = known.interactive and not batch
    return {
        "argv": words, "interactive": interactive, "permission_flags": permissions,
        "prompt": known.prompt if interactive else "argument",
    }  # fmt: skip
