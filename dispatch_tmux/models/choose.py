"""The model for a task, by the user's configuration and what is installed on this machine."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dispatch_tmux.config import load as configuration
from dispatch_tmux.errors import DispatchError, NeedsDecision
from dispatch_tmux.models import names, resolve
from dispatch_tmux.models.resolve import Resolution, World
from dispatch_tmux.store import files, home

if TYPE_CHECKING:
    from dispatch_tmux.backends.discovery import Listing
    from dispatch_tmux.backends.load import Backend
    from dispatch_tmux.config.schema import Config
    from dispatch_tmux.core.task import Task


class Shop:
    """What there is to choose from: configuration and installed CLIs, read once and only as far as asked."""

    def __init__(self) -> None:
        self.config: Config | None = configuration.load()
        self._user = configuration.user_backends(self.config)

    @functools.cached_property
    def names(self) -> list[str]:
        from pathlib import Path

        from dispatch_tmux.backends import load as backends

        return sorted({*backends.names(Path(home.backends_dir())), *self._user})

    @functools.cache  # noqa: B019  # one object for the life of a command
    def backend(self, name: str) -> Backend:
        """The backend NAME with the user's changes. Raises DispatchError."""
        from dispatch_tmux.backends.own import backend_of

        return backend_of(name, self._user, home.backends_dir())

    def installed(self, name: str) -> bool:
        if name not in self.names or name == "command":
            return False
        if self._is_absent(name):
            return False
        from dispatch_tmux.backends import discovery

        return bool(discovery.installed(self.backend(name)))

    def _is_absent(self, name: str) -> bool:
        """Whether a built-in CLI is not on PATH, without reading its file."""
        import shutil

        plain = {"cursor": "agent"}.get(name, name)
        unchanged = name not in self._user and not os.path.exists(os.path.join(home.backends_dir(), f"{name}.yaml"))
        return unchanged and name != "demo" and shutil.which(plain) is None

    def listings(self, refresh: bool = False) -> dict[str, Listing]:
        from dispatch_tmux.backends import discovery

        return discovery.listings([self.backend(n) for n in self.names if self.installed(n)], refresh=refresh)

    @functools.cached_property
    def world(self) -> World:
        config = self.config
        if config is None:
            return World("", {}, {}, tuple(self.names), self.installed, self._listed)
        for name, m in config.models.items():
            if m.backend not in self.names:
                raise DispatchError(
                    f"{configuration.path()}, models.{name}.backend: there is no backend {m.backend!r}",
                    hint=f"there are: {', '.join(n for n in self.names if n != 'command')}",
                )
        models = {n: resolve.Model(m.backend, m.fallbacks, m.permissions) for n, m in config.models.items()}
        aliases = {
            n: resolve.Alias(a.model, a.prompt, n if a.command else "", a.fallbacks, a.permissions)
            for n, a in config.aliases.items()
        }
        aliases.update({n: resolve.Alias(backend=n) for n in config.agents if n not in aliases})
        return World(config.default, models, aliases, tuple(self.names), self.installed, self._listed)

    def _listed(self) -> dict[str, tuple[str, ...]]:
        return {name: listing.ids for name, listing in self.listings().items()}

    def alternatives(self, but: str = "", backend: str = "") -> list[str]:
        """Configured models that can run now, others than BUT; those of another BACKEND first."""
        config = self.config
        models = {n: m.backend for n, m in config.models.items()} if config else {}
        if not models:
            models = dict.fromkeys(resolve.STABLE, "claude")
            models.update({n: n for n in self.names if n not in ("claude", "demo", "command") and self.installed(n)})
        there = [n for n, b in models.items() if n != but and b in self.names and self.installed(b)]
        return sorted(there, key=lambda n: models[n] == backend)


def for_task(shop: Shop, model: str, prompt: str) -> Resolution:
    """The resolution for `run`: MODEL when one is named, else what PROMPT names. Raises DispatchError if unavailable."""
    chosen = resolve.named(model, shop.world) if model else resolve.in_text(prompt, shop.world)
    if chosen.source == "unavailable":
        raise unavailable(shop, chosen)
    return chosen


def unavailable(shop: Shop, chosen: Resolution) -> DispatchError:
    """What is said of a model that is found nowhere."""
    if not chosen.name:
        return DispatchError(
            "no model is named, and no default is configured",
            hint="dispatch init finds what is installed; -m demo needs no agent CLI",
        )
    asked = sorted(n for n in shop.names if n not in ("demo", "command") and shop.installed(n))
    near = f"near: {', '.join(chosen.near)}; " if chosen.near else ""
    where = f"asked: {', '.join(asked)}; " if asked else "no agent CLI is installed; "
    return DispatchError(
        f"{chosen.message}", hint=f"{wanting(shop, chosen.name)}{where}{near}dispatch models lists what there is"
    )


def wanting(shop: Shop, name: str) -> str:
    """A line about the CLI that would run the model or family NAME, and how to get it; '' when it is there, or none is known."""
    native = {"openai": "codex"}.get(kind := names.family(name), kind) or name.lower()
    if native not in shop.names or native in ("command", "demo") or shop.installed(native):
        return ""
    backend = shop.backend(native)
    return f"it runs in {backend.executable}, which is not installed: {backend.install}\n" if backend.install else ""


def command(
    shop: Shop, chosen: Resolution, cwd: str, permissions: str = ""
) -> tuple[list[str], dict[str, str], list[str]]:
    """argv, variables to set and to remove, as `run` would use them; what only a task has stays a {placeholder}."""
    from dispatch_tmux.backends.command_line import command_line

    backend = shop.backend(chosen.backend)
    values = {"model": chosen.sent, "cwd": cwd, "permissions": permissions or chosen.permissions or backend.permissions}
    argv, variables = command_line(backend, values)
    ours = {k: v for k, v in variables.items() if k != "DISPATCH_TASK_DIR"}
    return argv, ours, sorted(set(backend.unset))


def must_run(shop: Shop, chosen: Resolution) -> None:
    """Refuse, before anything is written, a backend that is not there or whose CLI is not installed."""
    backend = shop.backend(chosen.backend)
    program = (backend.argv or ("",))[0]
    if not program:
        raise DispatchError(
            f"the backend {backend.name!r} has no command",
            hint=f"backends: {{{backend.name}: {{command: …}}}} in the config file",
        )
    if not shop.installed(chosen.backend):
        others = shop.alternatives(chosen.name, chosen.backend)[:4]
        instead = f"installed: {', '.join(others)}" if others else "-m demo needs no agent CLI"
        install = f"{backend.install}; " if backend.install else ""
        raise DispatchError(f"{program} is not installed (not on PATH)", hint=f"{install}{instead}")


def runnable(shop: Shop, chosen: Resolution) -> Resolution:
    """CHOSEN when its CLI is there, else the first of its fallbacks that is. Raises DispatchError when none is."""
    if not shop.installed(chosen.backend) and chosen.fallbacks:
        instead = next_fallback({"fallbacks": chosen.fallbacks})
        if instead:
            return instead
    must_run(shop, chosen)
    return chosen


# --- the default, once confirmed for a project, is not asked about again


def confirmed(root: str, model: str) -> bool:
    return _confirmed().get(root) == model


def confirm(root: str, model: str) -> None:
    home.remember("confirmed.json", json.dumps({**_confirmed(), root: model}, indent=1))


def _confirmed() -> dict[str, Any]:
    text = files.read_text(home.path("confirmed.json"))
    try:
        data = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def needs_confirmation(chosen: Resolution, root: str) -> bool:
    return chosen.needs_confirmation and not confirmed(root, chosen.name)


def undecided(chosen: Resolution, others: Sequence[str] = ()) -> NeedsDecision:
    there = f"; there are: {', '.join(others[:6])}" if others else ""
    stands = f" ({chosen.model})" if chosen.model not in ("", chosen.name) else ""
    return NeedsDecision(
        f"no model is named, the default is {chosen.name}{stands}: confirm it with --yes, or name one with -m",
        hint=f"--yes is needed only once in a project{there}",
    )


# --- when a model fails


def instead_of(task: Task) -> list[str]:
    """Models that could take over from a failed TASK's; none when the configuration cannot be read."""
    try:
        return Shop().alternatives(task.model, task.backend)[:4]
    except DispatchError:
        return []


def next_fallback(asked: Mapping[str, Any]) -> Resolution | None:
    """The first of a task's fallbacks (task.yaml's) that can run, with those behind it as its own; None without one."""
    left = [str(name) for name in asked.get("fallbacks") or ()]
    if not left:
        return None
    shop = Shop()
    while left:
        chosen = resolve.named(left.pop(0), shop.world)
        if chosen.source != "unavailable" and shop.installed(chosen.backend):
            return chosen._replace(fallbacks=tuple(left))
    return None


def next_name(asked: Mapping[str, Any], limited: bool = False) -> str:
    """The name of the next fallback, '' without one or when the configuration cannot be read.

    LIMITED: it is for a usage limit, which is waited for unless the configuration says `on_limit: fallback`.
    """
    try:
        if limited and ((config := Shop().config) is None or config.on_limit != "fallback"):
            return ""
        chosen = next_fallback(asked)
    except DispatchError:
        return ""
    return chosen.name if chosen else ""


def add_if_new(shop: Shop, chosen: Resolution) -> str:
    """Put a model that was found but is not in the config into it; the line that says so, '' when nothing was added."""
    if not chosen.add or shop.config is None:
        return ""
    from dispatch_tmux.config import edit as config_edit

    config_edit.add_model(chosen.model, chosen.backend)
    return f"{chosen.model} is new: added to {configuration.path()} (backend {chosen.backend})"
