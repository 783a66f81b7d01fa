"""Taking over a `.dispatch` that was not made by this user on this machine: from an archive, a copy, another home."""

from __future__ import annotations

from typing import NamedTuple

from dispatch_tmux.store import migrate
from dispatch_tmux.store import trust as trusts
from dispatch_tmux.store.project import Project


class Brought(NamedTuple):
    """What came with a foreign `.dispatch`: why it is none of ours, and the tasks in it."""

    path: str
    why: str
    tasks: tuple[str, ...]


def look(project: Project) -> Brought | None:
    """What there is to take over; None when the project is ours already. Raises ForeignProject for another user's."""
    store = project.store
    found = trusts.standing(store.root, store.base)
    if found.kind in ("ours", "none") or (found.kind == "old" and migrate.made_here(store.root, store.base)):
        return None
    if not trusts.may_be_taken(store.root):
        raise trusts.refusal(store.root, found)
    return Brought(store.dir, found.why, trusts.task_names(store.root))


def trust(project: Project) -> tuple[str, ...]:
    """Take it over: its tasks become ours, their requests are dropped, nothing starts by itself. Returns the tasks' ids.

    Raises ForeignProject for one that belongs to another user or that others may write.
    """
    migrate.take_over(project.store.root, project.store.base)
    return tuple(project.store.ids())
