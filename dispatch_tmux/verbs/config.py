"""`config`: showing and changing the user's configuration. Comments, order and layout of the file stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dispatch_tmux.config import edit
from dispatch_tmux.config import load as configuration
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.models import choose
from dispatch_tmux.models import resolve as resolving
from dispatch_tmux.models.choose import Shop


class Aged(NamedTuple):
    """A command in the config that today's CLI refuses, and its current form."""

    backend: str
    command: str
    now: str
    why: str


class Shown(NamedTuple):
    """The configuration file, what is old in it: the format (`old_format`), commands (`aged`), and what is `wrong`, a line each."""

    text: str
    old_format: bool
    aged: tuple[Aged, ...]
    wrong: tuple[str, ...] = ()


class Added(NamedTuple):
    """A model that is in the config now, and the backend that runs it."""

    model: str
    backend: str


def path() -> str:
    """Where the configuration lies."""
    return configuration.path()


def exists() -> bool:
    """Whether there is one."""
    return configuration.text() is not None


def show() -> Shown:
    """The file as it is, and what is wrong with it. Raises DispatchError when there is none."""
    text = _text()
    try:
        found = configuration.load()
    except DispatchError as e:
        return Shown(text, False, (), (f"{e}{f' ({e.hint})' if e.hint else ''}",))
    return Shown(text, bool(found and found.agents), tuple(aged()), tuple(_wrong(text)))


def _wrong(text: str) -> Iterator[str]:
    """What in the configuration, whose shape is right, names something that is not there."""
    from dispatch_tmux.config import schema

    shop = Shop()
    if (found := shop.config) is None:
        return
    at = schema.places(configuration.path(), text)
    known = ", ".join(name for name in shop.names if name != "command")
    backends: dict[tuple[str, ...], str] = {
        ("models", name, "backend"): model.backend for name, model in found.models.items()
    }
    backends |= {("limits", "per_backend", name): name for name in found.limits.per_backend}
    odd = {keys: name for keys, name in backends.items() if name not in shop.names}
    for keys, name in odd.items():
        yield at(keys, f"there is no backend {name!r}; there are: {known}")
    if any(keys[0] == "models" for keys in odd):
        return  # what a name stands for cannot be told before that is mended
    named: dict[tuple[str, ...], Sequence[str]] = {("default",): [found.default]}
    named |= {("aliases", name, "model"): [alias.model] for name, alias in found.aliases.items()}
    named |= {("aliases", name, "fallbacks"): alias.fallbacks for name, alias in found.aliases.items()}
    named |= {("models", name, "fallbacks"): model.fallbacks for name, model in found.models.items()}
    for keys, names in named.items():
        for name in filter(None, names):
            missing = name not in found.models and resolving.named(name, shop.world).source == "unavailable"
            if missing and not choose.wanting(shop, name):  # one whose CLI is not installed here is in order
                yield at(keys, f"{name!r} is no model or alias of this file, and no installed CLI has it")


def check() -> None:
    """Raises DispatchError that names file, line and key of what is wrong in it."""
    configuration.load()


def set_default(model: str) -> str:
    """Let MODEL (or an alias) run when a task names none; the line that says what was added on the way, '' for nothing."""
    _refuse_nameless(model)
    added = _known(model)
    edit.set_default(model)
    return added


def add_model(model: str, backend: str = "", fallbacks: Sequence[str] = ()) -> Added:
    """Add MODEL, or change its BACKEND, which is found out when it is ''; FALLBACKS take over when it fails."""
    shop = Shop()
    _refuse_nameless(model)
    if backend and backend not in shop.names:
        listed = ", ".join(n for n in shop.names if n != "command")
        raise DispatchError(f"there is no backend {backend!r}", hint=f"there are: {listed}")
    if not backend:
        chosen = resolving.named(model, shop.world)
        if chosen.source == "unavailable":
            raise choose.unavailable(shop, chosen)
        if chosen.alias:
            raise DispatchError(f"{model!r} is an alias", hint="with --backend it becomes a model, too")
        model, backend = chosen.model, chosen.backend
    edit.add_model(model, backend, tuple(fallbacks))
    return Added(model, backend)


def remove_model(model: str, use: str = "") -> None:
    """Remove MODEL; USE takes its place in default, aliases and fallbacks. Raises DispatchError while it is used."""
    edit.remove_model(model, use)


def add_alias(name: str, model: str, prompt: str = "", fallbacks: Sequence[str] = ()) -> str:
    """Let NAME stand for MODEL, with PROMPT said before the worker's; what was added on the way, as `set_default` tells."""
    _refuse_nameless(model)
    added = _known(model)
    edit.add_alias(name, model, prompt, tuple(fallbacks))
    return added


def remove_alias(name: str) -> None:
    """Remove the alias NAME. Raises DispatchError when there is none, or it is the default."""
    edit.remove_alias(name)


def migrate() -> str:
    """Turn the old `agents:` into aliases; the copy of the file that is kept, '' when there was nothing to do."""
    return edit.migrate()


def aged() -> list[Aged]:
    """Commands that today's CLIs refuse."""
    found = configuration.load()
    return [Aged(*one) for one in edit.aged(found)] if found else []


def renew() -> None:
    """Change those to their current form."""
    edit.renew()


def _text() -> str:
    text = configuration.text()
    if text is None:
        raise DispatchError(f"there is no config at {configuration.path()}", hint="`dispatch init` writes one")
    return text


def _refuse_nameless(model: str) -> None:
    if not model.strip():
        raise UsageProblem("the model has no name", hint="dispatch models lists what there is")


def _known(name: str) -> str:
    """Refuse a NAME that nothing could run. Returns the line about a model that was added."""
    shop = Shop()
    chosen = resolving.named(name, shop.world)
    if chosen.source == "unavailable":
        raise choose.unavailable(shop, chosen)
    return choose.add_if_new(shop, chosen)
