"""`models` and `backends`: what can run here."""

from __future__ import annotations

from typing import NamedTuple

from dispatch_tmux.backends import discovery, versions
from dispatch_tmux.backends import load as known
from dispatch_tmux.models import names
from dispatch_tmux.models.choose import Shop
from dispatch_tmux.verbs import rules as screen_rules
from dispatch_tmux.verbs import standing


class Model(NamedTuple):
    """A model that BACKEND runs; `family` is claude, openai, gemini, other or ''.

    `source` is config, listed (by the CLI just asked) or "known list of DATE"; `default`: it runs when none is named.
    """

    id: str
    backend: str
    family: str
    source: str
    installed: bool
    default: bool

    @property
    def configured(self) -> bool:
        """Whether it stands in the config."""
        return self.source == "config"


class Models(NamedTuple):
    """The models, the aliases (name → model, '' for one with a command of its own), and which CLIs could not be asked, and why."""

    models: tuple[Model, ...]
    aliases: dict[str, str]
    problems: dict[str, str]


class Backend(NamedTuple):
    """An agent CLI that dispatch knows. `installed` is its path ('' for none), `version` what it tells of itself.

    `verified` and `verified_on` say against which version the rules were checked, and when; `interactive`: it has a
    composer. `argv`, `dialogues`, `errors` and `composer` are what its file has; `standing` says whether that version was
    verified on this machine, `rules` which screen rules are in force.
    """

    name: str
    about: str
    installed: str
    version: str
    verified: str
    verified_on: str
    interactive: bool
    install: str
    argv: tuple[str, ...]
    dialogues: int
    errors: int
    composer: bool
    built_in: bool
    standing: str = ""
    rules: str = ""


def list_models(*, refresh: bool = False) -> Models:
    """The models that can run here: those in the config, and those that the installed CLIs list.

    What the CLIs said today counts; REFRESH asks them again. Raises DispatchError for a broken config.
    """
    shop = Shop()
    config = shop.config
    listings = shop.listings(refresh)
    found = {(name, m.backend): "config" for name, m in (config.models.items() if config else ())}
    for name, listing in listings.items():
        for id in listing.ids:
            found.setdefault((id, name), f"known list of {listing.dated}" if listing.dated else "listed")
    default = config.default if config else ""
    models = [
        Model(id, backend, names.family(id), source, shop.installed(backend), id == default)
        for (id, backend), source in found.items()
    ]
    aliases = {name: alias.model for name, alias in config.aliases.items()} if config else {}
    problems = {listing.backend: listing.problem for listing in listings.values() if listing.problem}
    return Models(tuple(models), aliases, problems)


def list_backends(name: str = "") -> list[Backend]:
    """The agent CLIs that dispatch knows, or the one called NAME; the installed ones are asked for their versions.

    Raises DispatchError when there is no such backend, or its file is not in order.
    """
    shop = Shop()
    wanted = [shop.backend(n) for n in ([name] if name else [n for n in shop.names if n != "command"])]
    versions = discovery.versions([b for b in wanted if discovery.installed(b) and b.name != "demo"])
    return [_described(backend, versions.get(backend.name, "")) for backend in wanted]


def _described(backend: known.Backend, version: str) -> Backend:
    path, rules = discovery.installed(backend), backend.screen
    return Backend(
        backend.name, backend.about, "built in" if path.startswith("{") else path, version, backend.verified.version,
        backend.verified.on, backend.interactive, backend.install, tuple(backend.argv), len(rules.dialogues), len(rules.errors),
        bool(rules.composer), bool(known.file_of(backend.name)), standing.of(backend.name, versions.number(version)),
        screen_rules.standing(backend.name),
    )  # fmt: skip
