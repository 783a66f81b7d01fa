"""Changes to the user's config.yaml: one at a time, whole or not at all, and never one that could not be read back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from dispatch_tmux.config import load as config
from dispatch_tmux.config import schema as config_schema
from dispatch_tmux.config import yaml_text
from dispatch_tmux.config.schema import Config
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, home

_HEAD = "# The configuration of dispatch: docs/config.md tells what may stand here.\n"


def _change(change: Callable[[str, Config], str]) -> None:
    """Apply CHANGE (text, config) → text under the file's lock. A file that is a link stays one."""
    path = os.path.realpath(config.path())
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    lock = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.lock")
    with files.Lock(lock, lambda: None):
        text = config.text()
        before = _HEAD if text is None else text
        after = change(before, config_schema.parse(config.path(), before))
        config_schema.parse(config.path(), after)
        if after != text:
            _write(path, after)


def _write(path: str, text: str) -> None:
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o600
    files.replace(path, text)
    os.chmod(path, mode)


def backup(path: str) -> str:
    """A copy of PATH beside it; its name."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for n in range(100):
        copy = f"{path}.{stamp}{f'-{n}' if n else ''}.bak"
        if files.replace(copy, files.read_text(path, config.MOST) or "", exclusive=True):
            return copy
    raise DispatchError(f"cannot make a copy of {path}")


def set_default(name: str) -> None:
    _change(lambda text, _: yaml_text.put(text, ("default",), name))


def add_model(name: str, backend: str, fallbacks: tuple[str, ...] = ()) -> None:
    entry: dict[str, Any] = {"backend": backend, **({"fallbacks": list(fallbacks)} if fallbacks else {})}
    _change(lambda text, _: yaml_text.put(text, ("models", name), entry))


def add_alias(name: str, model: str, prompt: str = "", fallbacks: tuple[str, ...] = ()) -> None:
    entry: dict[str, Any] = {**({"model": model} if model else {}), **({"prompt": prompt} if prompt else {})}
    if fallbacks:
        entry["fallbacks"] = list(fallbacks)
    _change(lambda text, _: yaml_text.put(text, ("aliases", name), entry))


def remove_alias(name: str) -> None:
    def change(text: str, found: Config) -> str:
        section = next((s for s in ("aliases", "agents") if name in getattr(found, s)), "")
        if not section:
            raise DispatchError(f"there is no alias {name!r}", hint=_there(found.aliases))
        if found.default == name:
            raise DispatchError(f"{name!r} is the default", hint="dispatch config set-default OTHER first")
        return yaml_text.remove(text, (section, name))

    _change(change)


def remove_model(name: str, other: str = "") -> None:
    """Remove a model. What refers to it goes over to OTHER; without one that is refused, naming what refers to it."""

    def change(text: str, found: Config) -> str:
        if name not in found.models:
            raise DispatchError(f"there is no model {name!r}", hint=_there(found.models))
        if other and other not in found.models:
            raise DispatchError(f"there is no model {other!r}", hint=_there(found.models))
        if other == name:
            raise DispatchError(f"{name!r} cannot replace itself")
        users = _users(found, name)
        if users and not other:
            said = ", ".join(".".join(keys) for keys in users)
            raise DispatchError(f"{name!r} is used by {said}", hint=f"dispatch config remove-model {name} --use OTHER")
        for keys in users:
            text = yaml_text.put(text, keys, _replaced(found, keys, name, other))
        return yaml_text.remove(text, ("models", name))

    _change(change)


def _users(found: Config, name: str) -> list[tuple[str, ...]]:
    """The keys that hold the model NAME."""
    users: list[tuple[str, ...]] = [("default",)] if found.default == name else []
    users += [("aliases", alias, "model") for alias, a in found.aliases.items() if a.model == name]
    for section, entries in (("models", found.models), ("aliases", found.aliases)):
        users += [(section, n, "fallbacks") for n, e in entries.items() if n != name and name in e.fallbacks]
    return users


def _replaced(found: Config, keys: tuple[str, ...], name: str, other: str) -> Any:
    if keys[-1] != "fallbacks":
        return other
    entry = getattr(found, keys[0])[keys[1]]
    return list(dict.fromkeys(other if f == name else f for f in entry.fallbacks))


def _there(names: Mapping[str, Any]) -> str:
    return f"there are: {', '.join(names)}" if names else "there are none"


def migrate() -> str:
    """The old `agents:` as backends and aliases; the name of the copy kept, '' when there is nothing to do."""
    kept = ""

    def change(text: str, found: Config) -> str:
        nonlocal kept
        if not found.agents:
            return text
        clash = [name for name in found.agents if name in found.aliases]
        if clash:
            raise DispatchError(f"{clash[0]!r} is an agent and an alias", hint="rename one: dispatch config edit")
        kept = backup(os.path.realpath(config.path()))
        for name, agent in found.agents.items():
            text = yaml_text.put(text, ("aliases", name), {"command": agent.command})
        return yaml_text.remove(text, ("agents",))

    _change(change)
    return kept


def aged(found: Config) -> list[tuple[str, str, str, str]]:
    """Commands that today's CLIs refuse: (backend, the command, the current form, why)."""
    from dispatch_tmux.backends import commands
    from dispatch_tmux.backends.own import backend_of

    result = []
    user = config.user_backends(found)
    for name, entry in user.items():
        command = str(entry.get("command", ""))
        if not command:
            continue
        words = commands.parse(command).argv
        now = command
        for rule in backend_of(name, user, home.backends_dir()).aged:
            if all(word in words for word in rule.words):
                for i, word in enumerate(rule.words):
                    now = now.replace(word, " ".join(rule.instead) if i == 0 else "").replace("  ", " ").strip()
                result.append((name, command, now, rule.why))
    return result


def renew() -> list[tuple[str, str, str, str]]:
    """Put the current form of aged commands into the config; what was changed, as `aged` tells it."""
    done: list[tuple[str, str, str, str]] = []

    def change(text: str, found: Config) -> str:
        done.extend(aged(found))
        for name, _, now, _ in done:
            section = next(s for s in ("backends", "aliases", "agents") if name in getattr(found, s))
            text = yaml_text.put(text, (section, name, "command"), now)
        return text

    _change(change)
    return done
