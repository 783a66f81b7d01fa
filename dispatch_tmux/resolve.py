"""From the model a person names to the backend that runs it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError

_CLAUDE = re.compile(r"(?:claude-?[\d.-]*)?(?:opus|sonnet|haiku|fable)(?:[-.\d].*)?|claude(?:-.*)?", re.I)


class Resolved(NamedTuple):
    """`model` is what the CLI is told ('' = its own default), `name` what people see; `prefix` precedes the prompt."""

    name: str
    model: str
    backend: str
    prefix: str = ""


def resolve(
    name: str,
    *,
    default: str = "",
    models: Mapping[str, str] = {},
    aliases: Mapping[str, tuple[str, str]] = {},
    installed: Callable[[str], bool] = lambda backend: False,
) -> Resolved:
    """Which backend runs NAME ('' = the default). MODELS: name → backend; ALIASES: name → (model, prompt).

    Raises DispatchError when nothing is known of that name.
    """
    asked = name or default
    if not asked:
        if installed("claude"):
            return Resolved("claude", "", "claude")
        raise DispatchError(
            "no model named, and no default is configured",
            hint="name one with -m (`-m demo` needs no agent CLI), or set `default:` in the config file",
        )
    if asked in aliases:
        model, prefix = aliases[asked]
        inner = resolve(model or default, models=models, installed=installed)
        return inner._replace(name=asked, prefix=prefix)
    if asked in models:
        backend = models[asked]
        return Resolved(asked, "" if asked == backend else asked, backend)
    if asked == "demo":
        return Resolved("demo", "", "demo")
    if _CLAUDE.fullmatch(asked):
        return Resolved(asked, "" if asked == "claude" else asked, "claude")
    known = sorted({*models, *aliases, "demo", "opus", "sonnet", "haiku"})
    raise DispatchError(f"model {asked!r} isn't available", hint=f"there is: {', '.join(known)}")
