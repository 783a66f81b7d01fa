"""Backends: one YAML file a coding-agent CLI, and their loader. The format is explained in docs/backends.md."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from dispatch_tmux.backends import renewed
from dispatch_tmux.backends.converting import convert
from dispatch_tmux.backends.renewed import Standing
from dispatch_tmux.backends.rules import Pattern, ScreenRules, Take, Verified, compiled
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import kept_rules

BUILT_IN = Path(__file__).parent
FIXED = ("command", "demo")  # whose screen rules come with dispatch only

# What an agent CLI tells its children. A worker that inherits these takes itself for a child of another session:
# Claude Code then writes no transcript and cannot be resumed (S15).
AGENT_VARIABLES = (
    "CLAUDECODE",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_CODE_EXECPATH",
    "CLAUDE_EFFORT",
    "AI_AGENT",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "GEMINI_CLI",
    "CURSOR_AGENT",
    "OPENCODE",
)

Meaning = Literal["ready", "submitted", "busy", "question", "idle", "error", "exited"]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A typo in a backend file is an error, never a setting that silently does nothing."""


class Signals(_Part, frozen=True):
    """How to read what the CLI's hooks drop into `signals/`: which field names the event, and what each means.

    `prompt` is the field with a submitted text, `background` that with the tasks which go on when a turn
    is over, `ref` that with the CLI's own id of what it asks; `answers`: a hook that asks waits for its answer
    (hook.py); `unwrap` matches it with marks around it, group `text` without. `osc` finds what the CLI says in its own output
    by an escape sequence: group `state`, a word of `means`. `takes` is what else a hook's JSON tells.
    """

    field: str = ""
    prompt: str = "prompt"
    ref: str = ""
    answers: bool = False
    background: str = ""
    unwrap: Pattern | None = None
    osc: Pattern | None = None
    means: dict[str, Meaning] = {}
    takes: tuple[Take, ...] = ()


class Submit(_Part, frozen=True):
    """Keys around a pasted message; `delay` is the seconds between the paste and `keys`."""

    delay: float = 0.3
    keys: tuple[str, ...] = ("Enter",)
    clear: tuple[str, ...] = ("C-u",)


class Protection(_Part, frozen=True):
    """A message that matches is no longer plain text to the composer; prefix and suffix make it so again."""

    match: Pattern
    prefix: str = ""
    suffix: str = ""


class Models(_Part, frozen=True):
    """How the CLI's models become known: `command` asks it, `line` (group `id`) or `json` reads its answer.

    `json` is the path to the list and the field of the id, as in [models, slug]. `known` is what it can run without
    telling; `dated` says when that list was made.
    """

    command: tuple[str, ...] = ()
    line: Pattern | None = None
    json: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    dated: str = ""


class Sessions(_Part, frozen=True):
    """Where the CLI keeps its sessions: `files` (glob) below the directory that the variable `home` names, or `default`
    below the user's home; `id` (group `id`) is found in a file's name or in its text. `told`: the CLI writes it to the
    task's `session` file instead. `takes` is what its lines tell, each a JSON of its own.
    """

    home: str = ""
    default: str = ""
    files: str = ""
    told: bool = False
    id: Pattern | None = None
    takes: tuple[Take, ...] = ()


class Aged(_Part, frozen=True):
    """Words of a command that today's CLI refuses, and what says the same now."""

    words: tuple[str, ...]
    instead: tuple[str, ...] = ()
    why: str = ""


class CauseRule(_Part, frozen=True):
    """What the last lines of a CLI that ended in an error say; `kind` as in `screen.errors`."""

    kind: str
    line: Pattern


Permissions = Literal["", "skip", "ask"]


class Backend(_Part, frozen=True):
    name: str
    executable: str
    argv: tuple[str, ...]
    about: str = ""
    install: str = ""
    verified: Verified = Verified()
    rules: str = ""  # the version of `screen`
    resume: tuple[str, ...] = ()
    sessions: Sessions = Sessions()
    prompt: Literal["argument", "file", "typed", "paste", "none"] = "argument"
    interactive: bool = True
    model_flags: tuple[str, ...] = ()
    prompt_flags: tuple[str, ...] = ("{prompt}",)
    permissions: Permissions = ""
    permission_flags: dict[str, tuple[str, ...]] = {}
    permission_env: dict[str, dict[str, str]] = {}
    batch: tuple[str, ...] = ()
    models: Models = Models()
    aged: tuple[Aged, ...] = ()
    causes: tuple[CauseRule, ...] = ()
    hints: dict[str, str] = {}
    env: dict[str, str] = {}
    env_json: dict[str, dict[str, Any]] = {}
    unset: tuple[str, ...] = AGENT_VARIABLES
    settings: dict[str, Any] = {}
    signals: Signals = Signals()
    queue: tuple[str, ...] = ()
    submit: Submit = Submit()
    protect: tuple[Protection, ...] = ()
    screen: ScreenRules = ScreenRules()

    def protected(self, text: str) -> str:
        """`text` as it may be typed into the composer without being taken for a command (D12)."""
        for rule in self.protect:
            if rule.match.search(text):
                text = f"{rule.prefix}{text}{rule.suffix}"
        return text


def names(folder: Path | None = None) -> list[str]:
    """The backends there are: the built-in ones and those in the user's `folder`."""
    return sorted({name for place in _places(folder) for name in _stems(place)})


def state_of(folder: str) -> tuple[tuple[str, int], ...]:
    """What tells the backend files and kept rules that there are now from others: each path, and when it was written (ns)."""
    found = []
    for place in (folder, kept_rules.folder(), str(BUILT_IN)):
        try:
            with os.scandir(place) as entries:
                found += [(e.path, e.stat().st_mtime_ns) for e in entries if e.name.endswith(".yaml") and e.is_file()]
        except OSError:
            continue
    return tuple(sorted(found))


def file_of(name: str, folder: Path | None = None) -> Path | None:
    """The file that defines the backend `name`, the user's before the built-in one."""
    return next((place / f"{name}.yaml" for place in _places(folder) if name in _stems(place)), None)


def load(name: str, *, user: Mapping[str, Any] | None = None, folder: Path | None = None) -> Backend:
    """The backend `name`: from the user's `folder` or built in, with the user's changes (`user`) laid over it.

    With a `folder`, newer screen rules that the user took (`renewed.py`) count instead of the built-in ones. Mappings are
    merged key by key, everything else is replaced. A `user` with an `argv` of its own may define a new backend. Raises
    DispatchError, naming what exists, for an unknown name; naming file and key for a mistake.
    """
    file = file_of(name, folder)
    if file is None and not (user and "argv" in user):
        raise DispatchError(f"no backend {name!r}", hint=f"there are: {', '.join(names(folder))}")
    data: Mapping[str, Any] = _read(file) if file else {}
    if folder is not None and file is not None and file.parent == BUILT_IN:
        data = renewed.in_force(name, data)[0]
    merged = {"name": name, **_merged(data, user or {})}
    if isinstance(merged.get("screen"), Mapping):  # was documented once, pressed nothing, and would press "No" today
        merged["screen"] = {key: value for key, value in merged["screen"].items() if key != "answers"}
    if "executable" not in merged and merged.get("argv"):
        merged["executable"] = merged["argv"][0]
    try:
        return convert(merged, Backend, dec_hook=compiled)
    except msgspec.ValidationError as problem:
        where = f"{file} or its changes in your config" if file and user else file or "your config"
        raise DispatchError(
            f"backend {name!r}: {problem}", hint=f"see {where}; docs/backends.md has the keys"
        ) from None


def standing(name: str, folder: Path) -> Standing:
    """Which screen rules of the backend `name` are in force, before what the config changes."""
    file = file_of(name, folder)
    if file is None or file.parent != BUILT_IN:
        return Standing("", "own", "")
    return renewed.in_force(name, _read(file))[1]


def screen_of(name: str, folder: Path | None = None) -> dict[str, Any] | None:
    """The screen rules of the built-in backend `name` as data, with the kept ones where there is a `folder`; None for no backend.

    `command` has none of an agent CLI, and the demo worker changes with dispatch only.
    """
    if name in FIXED or name not in _stems(BUILT_IN):
        return None
    data: Mapping[str, Any] = _read(BUILT_IN / f"{name}.yaml")
    if folder is not None:
        data = renewed.in_force(name, data)[0]
    return dict(data.get("screen") or {})


def _places(folder: Path | None) -> list[Path]:
    """Where backend files lie, the user's first: a file there replaces the built-in one of its name."""
    return [place for place in (folder, BUILT_IN) if place is not None]


def _stems(place: Path) -> set[str]:
    """Names are looked up among these, so that a name can never be a path. What is no file (a pipe) is none."""
    return {file.stem for file in place.glob("*.yaml") if file.is_file()}


def _read(file: Path) -> dict[str, Any]:
    import yaml  # 28 ms, and most verbs load no backend

    try:
        data = yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise DispatchError(f"cannot read the backend file {file}: {problem}") from problem
    if not isinstance(data, dict):
        raise DispatchError(f"the backend file {file} holds no mapping", hint="docs/backends.md has an example")
    for part in ("verified", "models"):  # to YAML 1.1 `on` is True, 2026-11-20 a date and 2.1 a number
        if isinstance(data.get(part), dict):
            data[part] = {"on" if k is True else k: _worded(v) for k, v in data[part].items()}
    return data


def _worded(value: Any) -> Any:
    """VALUE as text, also in a list."""
    return [str(v) for v in value] if isinstance(value, list) else str(value)


def _merged(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(data)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
