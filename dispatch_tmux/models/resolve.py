"""From what a person says to the model and the backend that run it. Pure; the rules are told in docs/models.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dispatch_tmux.models import mentions, names

STABLE = ("opus", "sonnet", "haiku")  # claude's own aliases: each stands for the newest of its family


class Model(NamedTuple):
    """A model as configured."""

    backend: str
    fallbacks: tuple[str, ...] = ()
    permissions: str = ""


class Alias(NamedTuple):
    """An alias as configured; `backend` is set when it has a command of its own and no model."""

    model: str = ""
    prompt: str = ""
    backend: str = ""
    fallbacks: tuple[str, ...] = ()
    permissions: str = ""


class World(NamedTuple):
    """All that a resolution may look at. `listed` (backend → ids that its CLI tells) is asked only when needed."""

    default: str = ""
    models: Mapping[str, Model] = {}
    aliases: Mapping[str, Alias] = {}
    backends: tuple[str, ...] = ()
    installed: Callable[[str], bool] = lambda backend: False
    listed: Callable[[], Mapping[str, tuple[str, ...]]] = dict


class Resolution(NamedTuple):
    """`name` is what people see, `sent` what the CLI is told ('' = its own default), `prefix` precedes the prompt.

    `source` is explicit, alias, default, discovered or unavailable; `add` says that the config lacks the model.
    """

    name: str
    model: str = ""
    backend: str = ""
    source: str = "explicit"
    alias: str = ""
    prefix: str = ""
    sent: str = ""
    needs_confirmation: bool = False
    fallbacks: tuple[str, ...] = ()
    permissions: str = ""
    add: bool = False
    near: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Why it is unavailable, in a line."""
        asked = self.name or "(none)"
        return f"Model {asked} isn't available" if self.source == "unavailable" else ""


def in_text(text: str, world: World) -> Resolution:
    """The model that TEXT names: of several the last; of none the default, which wants to be confirmed."""
    known = {*world.models, *world.aliases, *(b for b in world.backends if b not in mentions.FAMILY_WORDS)} - {
        "command"
    }
    custom = {b for b in world.backends if b in known and b not in world.models and b not in world.aliases}
    found = [n for n in mentions.scan(text, known - custom, _cheaply(world)) if n]
    if not found:
        return by_default(world)
    return named(found[-1], world)


def by_default(world: World) -> Resolution:
    """What runs when nothing is named. Without a default: claude's own, when its CLI is there."""
    if world.default:
        chosen = named(world.default, world)
        source = "unavailable" if chosen.source == "unavailable" else "default"
        return chosen._replace(source=source, needs_confirmation=source == "default")
    if world.installed("claude"):
        return Resolution("claude", "claude", "claude", "default", needs_confirmation=True)
    return Resolution("", source="unavailable", near=_near("", world))


def named(name: str, world: World) -> Resolution:
    """What the explicit NAME stands for."""
    wanted = name.strip()
    alias = _spelled(wanted, world.aliases)
    if alias:
        return _of_alias(alias, world)
    return _model(wanted, world)


def _of_alias(name: str, world: World) -> Resolution:
    alias = world.aliases[name]
    if alias.backend:
        inner = Resolution(name, name, alias.backend)
    elif alias.model or world.default not in ("", name):
        inner = _model(alias.model or world.default, world)
    else:
        inner = by_default(world._replace(default=""))
    if inner.source == "unavailable":
        return inner._replace(alias=name)
    return inner._replace(
        name=name, alias=name, source="alias", prefix=alias.prompt, needs_confirmation=False,
        fallbacks=alias.fallbacks or inner.fallbacks, permissions=alias.permissions or inner.permissions,
    )  # fmt: skip


def _model(name: str, world: World) -> Resolution:
    configured = _spelled(name, world.models)
    if configured:
        entry = world.models[configured]
        sent = "" if configured == entry.backend else told(configured, entry.backend)
        return Resolution(
            configured, configured, entry.backend, sent=sent, fallbacks=entry.fallbacks, permissions=entry.permissions
        )
    low = name.lower()
    if low in names.CLAUDE_WORDS and not world.installed("claude"):
        of_word = [m for m in world.models if low in m.lower()]
        if of_word:
            return _model(names.best(of_word), world)
    if low == "demo":
        return Resolution("demo", "demo", "demo")
    if low in mentions.FAMILY_WORDS or low in world.backends:
        return _family(low, world)
    return _discovered(name, world)


def told(name: str, backend: str) -> str:
    """What the CLI of BACKEND is told for the model NAME."""
    return names.claude_id(name) if backend == "claude" and names.family(name) == "claude" else name


def _family(word: str, world: World) -> Resolution:
    """The best configured model of the family or CLI that WORD names, else the best that can be found."""
    kind = {"gpt": "openai", "chatgpt": "openai", "openai": "openai", "codex": "openai", "o1": "openai", "o3": "openai"}
    wanted = kind.get(word, word)
    of_family = [m for m in world.models if _is_of(m, word, wanted, world)]
    if world.default in of_family and word not in ("o1", "o3"):
        return _model(world.default, world)
    if of_family:
        return _model(names.best(of_family), world)
    if word in ("o1", "o3"):
        return _discovered(word, world)
    native = {"openai": "codex"}.get(wanted, wanted)
    if native in world.backends and world.installed(native) and native != "gemini":
        return Resolution(native, native, native, "discovered")  # the CLI's own default, which is always there
    for backend, ids in _ordered(world):
        of_list = [i for i in ids if names.family(i) == wanted or (wanted in names.OTHERS and wanted in i.lower())]
        if of_list:
            chosen = names.best(of_list)
            return Resolution(chosen, chosen, backend, "discovered", sent=told(chosen, backend), add=True)
    if native in world.backends and world.installed(native):
        return Resolution(native, native, native, "discovered")
    return Resolution(word, source="unavailable", near=_near(word, world))


def _is_of(model: str, word: str, wanted: str, world: World) -> bool:
    if word in ("o1", "o3"):
        return model.lower().startswith(word)
    if wanted in ("claude", "openai", "gemini"):
        return names.family(model) == wanted
    return world.models[model].backend == wanted or (wanted in names.OTHERS and wanted in model.lower())


def _discovered(name: str, world: World) -> Resolution:
    """A model that is not in the config: its family's own CLI, or whichever lists it, Cursor first."""
    kind = names.family(name) if "/" not in name else ""
    native = {"claude": "claude", "openai": "codex"}.get(kind, "")
    known = names.is_versioned(name) or name.lower() in (*names.CLAUDE_WORDS, "o1", "o3")
    if native and known and world.installed(native):
        said = name.lower()
        return Resolution(said, said, native, "discovered", sent=told(said, native), add=True)
    for backend, ids in _ordered(world):
        if chosen := _listed_as(name, ids):
            return Resolution(chosen, chosen, backend, "discovered", sent=told(chosen, backend), add=True)
    if kind == "gemini" and known and world.installed("gemini"):  # it cannot tell what it has
        return Resolution(name.lower(), name.lower(), "gemini", "discovered", sent=name.lower(), add=True)
    return Resolution(name, source="unavailable", near=_near(name, world))


def _listed_as(name: str, ids: tuple[str, ...]) -> str:
    """How a CLI that lists IDS calls NAME; a provider may stand before a slash."""
    wanted = names.canonical(name)
    same = [i for i in ids if i.lower() == name.lower()]
    alike = [i for i in ids if wanted in (names.canonical(i), names.canonical(i.rpartition("/")[2]))]
    of_family = [i for i in ids if name.lower() in names.CLAUDE_WORDS and name.lower() in i.lower()]
    return (same or alike or [names.best(of_family)])[0]


def _ordered(world: World) -> list[tuple[str, tuple[str, ...]]]:
    listed = {b: ids for b, ids in world.listed().items() if world.installed(b)}
    return sorted(listed.items(), key=lambda pair: (pair[0] != "cursor", pair[0]))


def _cheaply(world: World) -> Callable[[str], bool]:
    """Whether an installed CLI lists a name; the lists are asked for only when a word looks like one."""

    def is_listed(name: str) -> bool:
        looks = any(c.isdigit() for c in name) and any(c in "-/." for c in name) and name[0].isalpha()
        return looks and any(_listed_as(name, ids) for _, ids in _ordered(world))

    return is_listed


def _spelled(name: str, known: Mapping[str, object]) -> str:
    """NAME as KNOWN spells it: exactly, without case, or written another way."""
    if name in known:
        return name
    low, alike = name.lower(), names.canonical(name)
    return next((k for k in known if k.lower() == low), "") or next(
        (k for k in known if names.canonical(k) == alike), ""
    )


def _near(name: str, world: World) -> tuple[str, ...]:
    """What is like NAME, else what there is."""
    there = {*world.models, *world.aliases}
    for _, ids in _ordered(world) if name else ():
        there |= set(ids)
    if world.installed("claude"):
        there |= set(STABLE)
    import difflib  # only where a name is wrong

    close = difflib.get_close_matches(name.lower(), sorted(there), 5, 0.5)
    return tuple(close) or tuple(sorted({*world.models, *world.aliases}))[:8] or tuple(sorted(there))[:8]
