"""`report`: what came of tasks: their states over time, items, questions, results, the sizes of their changes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.core import plan, urgency
from dispatch_tmux.core.plan import Item
from dispatch_tmux.core.task import Event, State, Task
from dispatch_tmux.git.merge import Size
from dispatch_tmux.store import files
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import merge, tasks
from dispatch_tmux.verbs.tasks import Which

OUTPUT = 100_000  # bytes of a result that are read


class Report(NamedTuple):
    """What came of the tasks of PROJECT (its directory's name), as of the time AT (seconds since the epoch)."""

    project: str
    rows: tuple[Row, ...]
    at: float


class Span(NamedTuple):
    """A state from `begin` to `end`, seconds since the epoch."""

    state: State
    begin: float
    end: float


class Row(NamedTuple):
    """What came of a task: its states, its items, its result (the text, and the file's path), the size of its changes."""

    task: Task
    spans: tuple[Span, ...]
    items: tuple[Item, ...] = ()
    output: str = ""
    path: str = ""
    size: Size | None = None


def spans(events: Sequence[Event], now: float) -> tuple[Span, ...]:
    """The states that EVENTS tell of, one after another; a task that is not over goes on until NOW."""
    found: list[Span] = []
    state, since = State.QUEUED, 0.0
    for event in events:
        if event.kind == "created":
            since = event.t
        if event.kind == "starting":
            new = State.STARTING
        elif event.kind == "state":
            try:
                new = State(event.data["state"])
            except (KeyError, ValueError):
                continue
        else:
            continue
        if new is not state:
            if since and event.t > since and state not in _OVER:
                found.append(Span(state, since, event.t))
            state, since = new, event.t
    if since and state not in _OVER:
        found.append(Span(state, since, max(now, since)))
    return tuple(found)


_OVER = frozenset({State.DONE, State.FAILED, State.STOPPED, State.LOST, State.BLOCKED})


def at_work(row: Row) -> float:
    """Seconds in which it was at work."""
    return sum(s.end - s.begin for s in row.spans if s.state in (State.STARTING, State.WORKING, State.IDLE))


def report(project: Project, *which: Which, group: str = "") -> Report:
    """What came of the tasks WHICH (by default of all), or of those of GROUP; what wants the person first. Raises TaskNotFound."""
    wanted = tasks.ids_of(project, which)
    found = [t for t in tasks.every(project) if (not wanted or t.id in wanted) and (not group or t.group == group)]
    now = time.time()
    return Report(os.path.basename(project.root), tuple(_row(project, t, now) for t in urgency.ordered(found)), now)


def save(page: str, path: str) -> str:
    """Put PAGE, made of a report, into the file PATH, whole or not at all; its whole path."""
    files.replace(path, page)
    return os.path.abspath(path)


def _row(project: Project, task: Task, now: float) -> Row:
    store = project.store
    path = store.path(task.id, "output.md")
    whole = store.task(task.id)._replace(state=task.state, why=task.why)
    size = merge.diff_size(project, task) if task.worktree else None
    output = store.tree(task.id).read("output.md", most=OUTPUT) or ""
    return Row(whole, spans(store.events(task.id), now), plan.parse(store.plan(task.id)), output, path, size)
