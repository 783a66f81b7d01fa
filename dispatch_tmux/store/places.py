"""Where this user's projects are: each has its records in `~/.dispatch/projects`, and they name its directory."""

from __future__ import annotations

import os
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import trust
from dispatch_tmux.store.tree import Tree


class Registered(NamedTuple):
    """The project whose records are called NAME, at ROOT; `why` it is none of ours now ('' where it is), `gone`: no directory."""

    name: str
    root: str
    why: str = ""
    gone: bool = False


def all(base: str) -> list[Registered]:
    """Every project that has records below BASE (`~/.dispatch`), and whether its directory still has the proof that it is ours."""
    return [_registered(base, name) for name in sorted(Tree(base, "projects").names()) if trust.is_name(name)]


def _registered(base: str, name: str) -> Registered:
    records = os.path.join(base, "projects", name)
    try:
        root = (Tree(records).read("root", most=5000) or "").removesuffix("\n")
        if not root:
            return Registered(name, "", "its records do not say where it is", gone=True)
        if not os.path.lexists(os.path.join(root, ".dispatch")):
            return Registered(name, root, "it is not there any more", gone=True)
        found = trust.standing(root, base)
    except (DispatchError, OSError, ValueError) as e:
        return Registered(name, name, str(e))
    if found.kind != "ours":
        return Registered(name, root, f"it is foreign: it {found.why}" if found.why else "it is foreign")
    if found.records != records:
        return Registered(name, root, "its directory has other records now", gone=True)
    return Registered(name, root)
