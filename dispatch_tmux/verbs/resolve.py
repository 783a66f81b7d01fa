"""`resolve`: which model runs, and how. `run`, `retry` and `resume` choose theirs here, too."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.models import choose
from dispatch_tmux.models import resolve as resolving
from dispatch_tmux.models.choose import Shop
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store.project import Project


class Resolved(NamedTuple):
    """What would run: MODEL (an id or a name, '' when none is named) on BACKEND, as ARGV with ENV set and UNSET removed.

    `source` is explicit, alias, default, discovered, or unavailable: then `message` says so, and `near` has names like
    it. `prefix` is said before the prompt. `needs_confirmation`: a default that nobody has confirmed in this project.
    """

    model: str
    backend: str
    alias: str
    source: str
    needs_confirmation: bool
    prefix: str
    argv: tuple[str, ...]
    env: dict[str, str]
    unset: tuple[str, ...]
    fallbacks: tuple[str, ...]
    near: tuple[str, ...]
    message: str = ""
    hint: str = ""


def resolve(project: Project, text: str = "", *, model: str = "") -> Resolved:
    """What `run` would run for the prompt TEXT, or for MODEL whatever the text says. Starts nothing, changes nothing."""
    shop = Shop()
    chosen = resolving.named(model, shop.world) if model else resolving.in_text(text, shop.world)
    name = chosen.model or chosen.name
    if chosen.source == "unavailable":
        why = choose.unavailable(shop, chosen)
        return _resolved(chosen, name, ([], {}, []), False)._replace(message=str(why), hint=why.hint)
    command = choose.command(shop, chosen, os.getcwd())
    return _resolved(chosen, name, command, choose.needs_confirmation(chosen, project.root))


def _resolved(chosen: Resolution, name: str, command: tuple[Any, ...], asks: bool) -> Resolved:
    argv, env, unset = command
    return Resolved(
        name, chosen.backend, chosen.alias, chosen.source, asks, chosen.prefix, tuple(argv), env, tuple(unset),
        chosen.fallbacks, chosen.near,
    )  # fmt: skip


class Chooser:
    """Picks the model of each task; its methods are what a face can do better than a program.

    USE_DEFAULT: run the configured default without asking, and do not ask again in this project.
    """

    def __init__(self, project: Project, use_default: bool = False) -> None:
        self.project, self.use_default = project, use_default
        self._shop: Shop | None = None

    # --- what a face may override

    def begin(self, model: str) -> None:
        """Called once, before the configuration is read; MODEL is the first one asked for, '' when none is named."""

    def agrees(self, default: str, model: str) -> bool:
        """Whether DEFAULT, which is MODEL, may run, when nobody has confirmed it in this project yet."""
        return self.use_default

    def tell(self, text: str) -> None:
        """Called with a line about what was changed on the way, as a model that was added to the config."""

    # --- choosing

    def __call__(self, model: str, prompt: str) -> Resolution:
        """What runs MODEL, or what PROMPT names, or the default. Raises DispatchError, NeedsDecision for the default."""
        shop = self._open(model)
        chosen = choose.for_task(shop, model, prompt)
        if choose.needs_confirmation(chosen, self.project.root):
            if not self.agrees(chosen.name, chosen.model):
                aliases = [name for name in shop.world.aliases if name != chosen.name]
                raise choose.undecided(chosen, [*aliases, *shop.alternatives(chosen.name)])
            choose.confirm(self.project.root, chosen.name)
        return self._added(shop, choose.runnable(shop, chosen))

    def named(self, name: str) -> Resolution:
        """What runs the model NAME, for a task that is begun again. Raises DispatchError."""
        shop = self._open(name)
        chosen = resolving.named(name, shop.world)
        if chosen.source == "unavailable":
            raise choose.unavailable(shop, chosen)
        choose.must_run(shop, chosen)
        return self._added(shop, chosen)

    def confirm(self, default: str) -> None:
        """DEFAULT has just been chosen by a person: nobody asks about it again in this project."""
        choose.confirm(self.project.root, default)

    def _open(self, model: str) -> Shop:
        if self._shop is None:
            self.begin(model)
            self._shop = Shop()
            if self._shop.config and self._shop.config.agents:
                self.tell("the config has the old format; `dispatch config migrate` upgrades it")
        return self._shop

    def _added(self, shop: Shop, chosen: Resolution) -> Resolution:
        if added := choose.add_if_new(shop, chosen):
            self.tell(added)
        return chosen


def is_configured() -> bool:
    """Whether there is a configuration. Raises DispatchError for one that cannot be read."""
    return configuration.text() is not None
