"""`init`: finding the agent CLIs and their models, and writing a commented config."""

from __future__ import annotations

import os
from typing import NamedTuple

from dispatch_tmux.backends import discovery
from dispatch_tmux.config import edit as config_edit
from dispatch_tmux.config import load as config
from dispatch_tmux.config.yaml_text import scalar
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.models import names, resolve
from dispatch_tmux.models.choose import Shop
from dispatch_tmux.store import files

GROUPS = (("claude", "Claude"), ("openai", "GPT / OpenAI"), ("gemini", "Gemini"), ("other", "Others"), ("", "Others"))
MOST = 120  # models written into the config; the rest is found when it is named


class Found(NamedTuple):
    """An installed CLI: where, its version ('' unknown), what it lists."""

    backend: str
    about: str
    path: str
    version: str
    listing: discovery.Listing


class Written(NamedTuple):
    """The config at PATH, with its DEFAULT model; KEPT is the copy of a former one, '' without."""

    path: str
    default: str
    kept: str


def init(default: str = "", *, force: bool = False) -> Written:
    """Find the installed agent CLIs and their models, and write a config with the DEFAULT model (else the likeliest one).

    FORCE begins anew where there is a config, and keeps a copy of it. Raises DispatchError when there is one, when no
    CLI is found, and when none of them has DEFAULT.
    """
    refuse_existing(force)
    found = look()
    return write(found, default or proposals(found)[0], force=force)


def look() -> list[Found]:
    """The agent CLIs on PATH. Asks them all for their models, with a deadline. Raises DispatchError when there is none."""
    shop = Shop()
    listings = shop.listings()
    versions = discovery.versions([shop.backend(n) for n in listings])
    found = [
        Found(n, shop.backend(n).about, discovery.installed(shop.backend(n)), versions[n], listing)
        for n, listing in listings.items()
    ]
    if not found:
        raise _nothing(shop)
    return found


def _nothing(shop: Shop) -> DispatchError:
    known = ("claude", "codex", "gemini", "opencode", "copilot", "cursor")
    ways = [f"  {n:9} {shop.backend(n).install}" for n in known]
    return DispatchError(
        "no agent CLI found on PATH", hint="install one:\n" + "\n".join(ways) + "\n`dispatch demo` works without any"
    )


def models(found: list[Found]) -> dict[str, str]:
    """Model → backend, each once: Claude's at claude, OpenAI's at codex, what cursor lists at cursor, the rest where it is."""
    there = {f.backend: f.listing.ids for f in found}
    chosen: dict[str, str] = {}
    for backend in sorted(there, key=lambda b: (b not in ("claude", "codex"), b != "cursor", b)):
        for id in there[backend]:
            kind = names.family(id) if "/" not in id else ""
            native = {"claude": "claude", "openai": "codex"}.get(kind, backend)
            if id not in chosen:
                chosen[id] = native if native in there else backend
    for f in found:  # a CLI that lists nothing runs its own default under its own name
        if not f.listing.ids:
            chosen.setdefault(f.backend, f.backend)
    return dict(list(chosen.items())[:MOST])


def proposals(found: list[Found]) -> list[str]:
    """Sensible defaults among the models of FOUND, the best first: the strongest of each family."""
    chosen = models(found)
    picked = [n for n in resolve.STABLE[:2] if n in chosen]
    for kind in ("openai", "gemini", "other", ""):
        best = names.best(n for n in chosen if names.family(n) == kind and "/" not in n)
        if best:
            picked.append(best)
    return (picked or sorted(chosen))[:5]


def offered(found: list[Found]) -> list[str]:
    """Every model of FOUND that can be the default, the proposed ones first."""
    return list(dict.fromkeys([*proposals(found), *models(found)]))


def text(found: list[Found], chosen: dict[str, str], default: str) -> str:
    """The config, commented, models grouped by provider."""
    lines = [
        "# The configuration of dispatch. `dispatch config` shows and edits it; docs/config.md tells all keys.",
        "",
        "# What runs when a task names no model.",
        f"default: {scalar(default)}",
        "",
        "# CLIs run interactively, in a window that you can attach to. A command of your own here wins, as in",
        "#   backends:",
        "#     codex: {command: 'codex exec -C \"$(pwd)\"'}   # a batch worker: it asks through files only",
        "#     claude: {permissions: skip}                  # or ask: its own prompts become questions",
        "# Found:",
        *[f"#   {f.backend}: {f.path} {f.version}".rstrip() for f in found],
        "",
        "models:",
    ]
    for kind, title in GROUPS[:4]:
        of_kind = [n for n in chosen if (names.family(n) or "other") == kind]
        if of_kind:
            lines.append(f"  # {title}")
            lines += [f"  {scalar(n)}: {{backend: {chosen[n]}}}" for n in of_kind]
    lines += [
        "",
        "# Names of your own: a model, and what is said to it first.",
        "aliases: {}",
        "#  security-reviewer:",
        f"#    model: {scalar(default)}",
        "#    prompt: You are a security-focused reviewer. Prioritize OWASP Top 10.",
        "#    fallbacks: []   # models that take over by themselves when this one fails",
        "",
    ]
    return "\n".join(lines)


def write(found: list[Found], default: str, *, force: bool = False) -> Written:
    """Write the config with what was FOUND. Raises DispatchError when there is one (but with FORCE), or for DEFAULT."""
    chosen = models(found)
    if default not in chosen:
        raise DispatchError(
            f"{default!r} is not among the models found", hint=f"there are: {', '.join(list(chosen)[:12])}"
        )
    refuse_existing(force)
    path = os.path.realpath(config.path())
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    kept = config_edit.backup(path) if os.path.exists(path) else ""
    if not files.replace(path, text(found, chosen, default), exclusive=not kept):
        raise _exists()  # it was written at this very moment
    return Written(config.path(), default, kept)


def refuse_existing(force: bool) -> None:
    """Raises DispatchError when there is a config, but with FORCE."""
    if os.path.exists(config.path()) and not force:
        raise _exists()


def _exists() -> DispatchError:
    return DispatchError(
        f"there is a config already: {config.path()}",
        hint="`dispatch config edit` changes it; --force keeps a copy and begins anew",
    )
