"""`events`: what has happened, from the journals."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dispatch_tmux.core import fold, order
from dispatch_tmux.core.task import Event
from dispatch_tmux.errors import UsageProblem
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


def events(
    project: Project,
    *which: Which,
    follow: bool = False,
    since: float | str = 0.0,
    last: int | None = None,
    kinds: str | Sequence[str] = (),
) -> Iterator[TaskEvent]:
    """What has happened to the tasks WHICH (to all), in the order of time.

    SINCE: from that time on, in seconds since the epoch or as in "30m" (ago), "17:30", "2026-11-21 17:30". KINDS: only those
    (docs/files.md has them all). LAST: of what is there only that many, the latest. FOLLOW: then also what comes, without
    end or gap, of new tasks, too. Raises TaskNotFound, and UsageProblem for a time or a kind that is none.
    """
    ids = tasks.ids_of(project, which) if which else None
    begin = order.past(since, time.time()) if isinstance(since, str) else since
    wanted = _checked(kinds.split(",") if isinstance(kinds, str) else kinds)
    return _wanted(_stream(project.store, ids, follow), begin, last, wanted)


def _checked(kinds: Sequence[str]) -> frozenset[str]:
    wanted = frozenset(kind.strip() for kind in kinds if kind.strip())
    if wrong := sorted(wanted - {*fold.KINDS}):
        raise UsageProblem(f"{wrong[0]!r} is no kind of event", hint=f"there is: {', '.join(fold.KINDS)}")
    return wanted


def _wanted(
    stream: Iterator[list[TaskEvent]], since: float, last: int | None, kinds: frozenset[str]
) -> Iterator[TaskEvent]:
    for n, found in enumerate(stream):
        kept = [event for event in found if event.t >= since and (not kinds or event.kind in kinds)]
        yield from kept if n or last is None else kept[len(kept) - min(last, len(kept)) :]


def _stream(store: Store, ids: list[str] | None, follow: bool) -> Iterator[list[TaskEvent]]:
    """What is there, then each time what is new."""
    seen: dict[str, tuple[int, int]] = {}
    if not follow:
        yield _fresh(store, ids, seen)
        return
    from dispatch_tmux.store.watch import Bell

    bell = Bell(store.records, "bell")  # before the first look, so that nothing falls between
    try:
        while True:
            yield _fresh(store, ids, seen)
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
