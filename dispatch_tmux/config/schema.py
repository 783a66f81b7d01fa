"""The shape of config.yaml. An error names the file, the line, the key and what is allowed there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec
import yaml

from dispatch_tmux.backends import commands
from dispatch_tmux.backends.converting import convert
from dispatch_tmux.config import notifying
from dispatch_tmux.core.alerts import Entry
from dispatch_tmux.errors import DispatchError

MOST_NODES = 50_000  # values after aliases (`*x`) are followed: a few lines of YAML can stand for billions
DEEPEST = 50
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Key = tuple[str | int, ...]
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that nobody knows is an error: it is a typo."""


class Model(_Part, frozen=True):
    backend: str
    fallbacks: tuple[str, ...] = ()
    fallback: Literal["ask", ""] = "ask"
    permissions: Literal["skip", "ask", ""] = ""


class Alias(_Part, frozen=True):
    model: str = ""
    prompt: str = ""
    command: str = ""
    fallbacks: tuple[str, ...] = ()
    fallback: Literal["ask", ""] = "ask"
    permissions: Literal["skip", "ask", ""] = ""


class Agent(_Part, frozen=True):
    """An entry of the old format: a name and the command that runs it."""

    command: str


class Tmux(_Part, frozen=True):
    socket: str = "dispatch"


class Times(_Part, frozen=True):
    """Seconds; see state.Limits. `linger`: how long a session without workers and onlookers stays.

    `timeout`: running time after which a task is brought to the person; 0 = never.
    """

    settle: _Seconds = 2.0
    nudge: _Seconds = 60.0
    quiet: _Seconds = 1800.0
    linger: _Seconds = 600.0
    limited: _Seconds = 60.0
    timeout: _Seconds = 0.0


class Limits(_Part, frozen=True):
    """How many workers may run at once (0: any number), and when one may start; see schedule.Limits.

    `archive_days`, `archive_mb`: how long, and up to which size a project, tasks stay in the archive; 0: for ever.
    """

    max_workers: _Count = 0
    per_backend: dict[str, _Count] = {}
    per_group: dict[str, _Count] = {}
    stagger: _Seconds = 0.0
    memory: _Count = 300
    archive_days: _Count = 0
    archive_mb: _Count = 0


class Worktree(_Part, frozen=True):
    """`dir`: where worktrees go, from the project's root; `setup`: a command run in a fresh one, in the worker's window;
    `link`: paths of the main checkout that are linked into it.
    """

    dir: str = ".dispatch/worktrees"
    setup: str = ""
    link: tuple[str, ...] = ()


Verify = Literal["say", "auto", "never"]
OnLimit = Literal["wait", "fallback"]


class Config(_Part, frozen=True):
    default: str = ""
    backends: dict[str, dict[str, Any]] = {}
    models: dict[str, Model] = {}
    aliases: dict[str, Alias] = {}
    agents: dict[str, Agent] = {}
    tmux: Tmux = Tmux()
    times: Times = Times()
    limits: Limits = Limits()
    worktree: Worktree = Worktree()
    on_limit: OnLimit = "wait"  # whether a usage limit is waited for, or a fallback takes over
    verify: Verify = "say"  # what is done about a new version of an agent CLI
    notify: tuple[Entry, ...] = ()  # who is told of what when nobody looks


_ENTRIES: dict[str, type] = {"models": Model, "aliases": Alias, "agents": Agent}
_PLAIN = {  # msgspec's words and ours
    "`str`": "text", "`object`": "keys and values", "`int` >= 0": "a whole number, 0 or more",
    "`float` >= 0.0": "a number, 0 or more", "`": "",
}  # fmt: skip
_PARTS: dict[str, Any] = {
    "tmux": Tmux,
    "times": Times,
    "limits": Limits,
    "worktree": Worktree,
    "default": str,
    "on_limit": OnLimit,
    "verify": Verify,
}


def parse(path: str, text: str) -> Config:
    """TEXT of the file PATH as a Config. Raises DispatchError with line and key."""
    node, data = read(path, text)
    where = _Where(path, node)
    if data is None:
        return Config()
    if not isinstance(data, dict):
        raise where.error((), "expected keys and values", f"allowed keys: {', '.join(Config.__struct_fields__)}")
    made: dict[str, Any] = {}
    for key, value in data.items():
        if key not in Config.__struct_fields__:
            raise where.error((key,), "unknown key", f"allowed keys: {', '.join(Config.__struct_fields__)}", key=True)
        if value is None:
            continue  # a section whose entries are all commented out
        if key in _ENTRIES:
            made[key] = {name: _entry(where, (key, name), v, _ENTRIES[key]) for name, v in _items(where, (key,), value)}
        elif key == "notify":
            made[key] = notifying.entries(value, where.error)
        elif key == "backends":
            made[key] = {name: _backend(where, (key, name), v) for name, v in _items(where, (key,), value)}
        else:
            made[key] = _converted(where, (key,), value, _PARTS[key])
    config = Config(**made)
    if config.worktree.setup:
        _command(where, ("worktree", "setup"), config.worktree.setup)
    _refer(where, config)
    return config


def places(path: str, text: str) -> Callable[[tuple[str, ...], str], str]:
    """What says of a key of TEXT, the file PATH, what is wrong with it: 'PATH, line 3: models.x.backend: …'."""
    where = _Where(path, read(path, text)[0])
    return lambda keys, said: str(where.error(keys, said))


def read(path: str, text: str, odd: list[tuple[int, str]] | None = None) -> tuple[yaml.Node | None, Any]:
    """The YAML nodes of TEXT (they know their places) and its data. Raises DispatchError with the line.

    ODD, if given, takes the keys that stand there twice or are no text instead: (line, what is wrong), and reading goes on.
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            _mean_words(node)
            _bounded(path, node, odd)
            return node, loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None) or getattr(e, "context_mark", None)
        line = mark.line + 1 if mark else text[: getattr(e, "position", 0) or 0].count("\n") + 1
        line = min(line, text.rstrip().count("\n") + 1)  # what ends too early is missing in the last line
        said = getattr(e, "problem", None) or getattr(e, "reason", None) or getattr(e, "context", None) or "no YAML"
        raise DispatchError(f"{path}, line {line}: {said}", hint="dispatch config edit") from None
    except (RecursionError, ValueError) as e:
        raise DispatchError(f"{path}: {'nested too deeply' if isinstance(e, RecursionError) else e}") from None


def _mean_words(node: yaml.Node | None) -> None:
    """`on`, which is true for YAML 1.1, is a word where it is a key of an entry of `notify`."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "notify" and isinstance(value, yaml.CollectionNode):
            entries = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for inner in [each for entry in entries if isinstance(entry, yaml.MappingNode) for each, _ in entry.value]:
                if inner.value == "on":
                    inner.tag = "tag:yaml.org,2002:str"


def _bounded(path: str, node: yaml.Node | None, odd: list[tuple[int, str]] | None) -> None:
    """Refuse what is too big, repeats a key, or has one that is not text. Raises DispatchError."""
    sizes: dict[int, int] = {}

    def walk(n: yaml.Node, depth: int) -> int:
        if id(n) in sizes:
            return sizes[id(n)]
        if depth > DEEPEST:
            raise DispatchError(f"{path}, line {n.start_mark.line + 1}: nested too deeply")
        sizes[id(n)] = MOST_NODES + 1  # an alias inside of what it stands for
        size = 1
        if isinstance(n, yaml.MappingNode):
            for line, said, hint in _odd_keys(n):
                if odd is None:
                    raise DispatchError(f"{path}, line {line}: {said}", hint=hint)
                odd.append((line, said))
            size += sum(1 + walk(v, depth + 1) for _, v in n.value)
        elif isinstance(n, yaml.SequenceNode):
            size += sum(walk(v, depth + 1) for v in n.value)
        if size > MOST_NODES:
            raise DispatchError(f"{path}, line {n.start_mark.line + 1}: aliases (`*name`) make it too big to read")
        sizes[id(n)] = size
        return size

    if node is not None:
        walk(node, 0)


def _odd_keys(node: yaml.MappingNode) -> Iterator[tuple[int, str, str]]:
    """Its keys that are no text or stand there twice: (line, what is wrong, what to do)."""
    seen: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
            said = repr(key.value)[:80] if isinstance(key, yaml.ScalarNode) else "this"
            yield line, f"the key {said} is not text", "put it into quotes"
        elif key.value in seen:
            yield line, f"the key {key.value[:80]!r} stands here and in line {seen[key.value]}", "remove one of the two"
        else:
            seen[key.value] = line


def line_of(node: yaml.Node | None, place: Sequence[str | int]) -> int:
    """The line (from 1) of the value that the keys and numbers of PLACE lead to, or of what it stands in."""
    line = node.start_mark.line + 1 if node else 1
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = next(((k, v) for k, v in pairs if k.value == part), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


class _Where:
    """The places of keys in a file, for errors."""

    def __init__(self, path: str, node: yaml.Node | None) -> None:
        self.path, self.node = path, node

    def error(self, keys: _Key, said: str, hint: str = "", key: bool = False) -> DispatchError:
        name = ".".join(str(key + 1) if isinstance(key, int) else key for key in keys)
        what = f"{said} {name!r}" if key else f"{name}: {said}" if name else said
        return DispatchError(f"{self.path}, line {line_of(self.node, keys)}: {what}", hint=hint)


def _items(where: _Where, keys: _Key, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise where.error(
            keys, f"expected names with values, got {_kind(value)}", "as in `models: {opus: {backend: claude}}`"
        )
    for name in value:
        if not name.strip() or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in name) or len(name) > 200:
            raise where.error((*keys, name), "is no name")
    return list(value.items())


def _entry(where: _Where, keys: _Key, value: Any, kind: type) -> Any:
    if isinstance(value, str) and kind is not Agent:
        example = "backend" if kind is Model else "model"
        raise where.error(keys, f"expected keys, got {value!r}", f"write {{{example}: {value}}}")
    if isinstance(value, dict):  # `fallback: sonnet` is what people write for a list of one
        one = value.get("fallback")
        if isinstance(one, str) and one not in ("ask", "") and "fallbacks" not in value:
            value = {**{k: v for k, v in value.items() if k != "fallback"}, "fallbacks": [one]}
    made = _converted(where, keys, value, kind)
    command = getattr(made, "command", "")
    if command:
        _command(where, (*keys, "command"), command)
    return made


def _backend(where: _Where, keys: _Key, value: Any) -> dict[str, Any]:
    from dispatch_tmux.backends.load import Backend

    if not isinstance(value, dict):
        raise where.error(keys, f"expected keys, got {_kind(value)}", 'as in `codex: {command: "codex exec"}`')
    allowed = ("command", *(f for f in Backend.__struct_fields__ if f != "name"))
    for key in value:
        if key not in allowed:
            raise where.error((*keys, key), "unknown key", f"allowed keys: {', '.join(allowed)}", key=True)
    if "command" in value:
        if not isinstance(value["command"], str) or not value["command"].strip():
            raise where.error((*keys, "command"), f"expected a command line, got {_kind(value['command'])}")
        _command(where, (*keys, "command"), value["command"])
    if value.get("permissions", "") not in ("", "skip", "ask"):
        raise where.error((*keys, "permissions"), f"expected skip or ask, got {value['permissions']!r}")
    return value


def _command(where: _Where, keys: _Key, command: str) -> None:
    try:
        commands.parse(command)
    except DispatchError as e:
        raise where.error(keys, str(e), e.hint) from None


def _converted(where: _Where, keys: _Key, value: Any, kind: type) -> Any:
    try:
        return convert(value, kind)
    except msgspec.ValidationError as e:
        said, _, at = str(e).partition(" - at ")
        inner = tuple(re.findall(r"\.(\w+)", at))
        allowed = getattr(kind, "__struct_fields__", ())
        unknown = re.search(r"unknown field `(.+)`", said)
        if unknown:
            raise where.error(
                (*keys, unknown[1]), "unknown key", f"allowed keys: {', '.join(allowed)}", key=True
            ) from None
        missing = re.search(r"missing required field `(.+)`", said)
        if missing:
            raise where.error(keys, f"{missing[1]!r} is missing", f"allowed keys: {', '.join(allowed)}") from None
        words = said[:1].lower() + said[1:]
        for theirs, ours in _PLAIN.items():
            words = words.replace(theirs, ours)
        hint = f"allowed keys: {', '.join(allowed)}" if allowed else ""
        raise where.error((*keys, *inner), words, hint) from None


def _refer(where: _Where, config: Config) -> None:
    """What names something else: an alias its model, not another alias."""
    for name, alias in config.aliases.items():
        if alias.model in config.aliases and alias.model not in config.models:
            raise where.error(("aliases", name, "model"), f"{alias.model!r} is an alias, too", "name a model")
        if not (alias.model or alias.command or alias.prompt):
            raise where.error(("aliases", name), "names no model", "as in `quick: {model: sonnet}`")
        if alias.command and alias.model:
            raise where.error(("aliases", name), "has a model and a command", "keep one of the two")
        if alias.command and name in config.backends:
            raise where.error(
                ("aliases", name, "command"), f"there is a backend {name!r} with its own command", "rename the alias"
            )


def _kind(value: Any) -> str:
    names = {dict: "keys and values", list: "a list", str: repr(value), bool: str(value).lower(), type(None): "nothing"}
    return names.get(type(value), repr(value))
