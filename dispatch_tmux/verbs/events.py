"""`events`: what has happened, from the journals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dispatch_tmux.core.task import Event
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which


class TaskEvent(NamedTuple):
    """An event of TASK: `t` in seconds since the epoch, its kind, its key ('' when it may come again), its own data."""

    task: str
    t: float
    kind: str
    key: str
    data: dict[str, Any]


def events(project: Project, *which: Which, follow: bool = False) -> Iterator[TaskEvent]:
    """What has happened to the tasks WHICH (to all), in the order of time.

    FOLLOW: then also what comes, without end or gap, of new tasks, too. Raises TaskNotFound.
    """
    ids = tasks.ids_of(project, which) if which else None
    return _stream(project.store, ids, follow)


def _stream(store: Store, ids: list[str] | None, follow: bool) -> Iterator[TaskEvent]:
    seen: dict[str, tuple[int, int]] = {}
    if not follow:
        yield from _fresh(store, ids, seen)
        return
    from dispatch_tmux.store.watch import Bell

    bell = Bell(store.records, "bell")  # before the first look, so that nothing falls between
    try:
        while True:
            yield from _fresh(store, ids, seen)
            bell.wait(2.0)
    finally:
        bell.close()


def _fresh(store: Store, ids: list[str] | None, seen: dict[str, tuple[int, int]]) -> list[TaskEvent]:
    """What is new since SEEN (id → bytes and events of its journal), which is brought up to date."""
    found: list[TaskEvent] = []
    for id in store.ids() if ids is None else ids:
        size = store.size(id)
        before, count = seen.get(id, (0, 0))
        if size != before:
            journal = store.events(id)
            found += [_of(id, event) for event in journal[count if size > before else 0 :]]
            seen[id] = (size, len(journal))  # the size from before reading: what was added meanwhile is looked at again
    return sorted(found, key=lambda event: event.t)


def _of(id: str, event: Event) -> TaskEvent:
    return TaskEvent(id, event.t, event.kind, event.key, event.data)
