"""`usage`: the time that tasks took, and the tokens and the cost that their CLIs have told of, live and archived ones."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeVar

from dispatch_tmux.backends import sessions
from dispatch_tmux.backends.usage import Usage as Told
from dispatch_tmux.backends.usage import count as count
from dispatch_tmux.core import order
from dispatch_tmux.core.task import RUNNING, Task
from dispatch_tmux.errors import UsageProblem
from dispatch_tmux.store import archive_index
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks

By = Literal["model", "day", "group", "task"]
Number = TypeVar("Number", int, float)
WAYS = ("model", "day", "group", "task")


class Used(NamedTuple):
    """What the tasks of NAME (a model, a day, a group, a task's id) took, all in all.

    `seconds`: at work. `tokens` and `cost` (US dollars) are None where no CLI of theirs told any; `without_tokens` and
    `without_cost` say of how many of the `tasks` these are not known.
    """

    name: str
    tasks: int = 0
    seconds: float = 0.0
    tokens: int | None = None
    cost: float | None = None
    without_tokens: int = 0
    without_cost: int = 0


def usage(project: Project, *, by: By = "model", since: float | str = 0.0) -> list[Used]:
    """What was used by each model, day (on which a task ended, or changed last), group or task: days and tasks in order of
    time, models and groups by their time at work. Of a task that began more than once it is what its last session's CLI tells.

    SINCE as for `history`. Raises UsageProblem.
    """
    if by not in WAYS:
        raise UsageProblem(f"{by!r} is nothing to add up by", hint=f"there is: {', '.join(WAYS)}")
    now = time.time()
    begin = order.past(since, now) if isinstance(since, str) and since else float(since or 0)
    found: dict[str, Used] = {}
    for task, told in sorted(_all(project, begin), key=lambda one: one[0].since):
        name = {"model": task.model, "group": task.group, "task": task.id, "day": _day(task.since)}[by]
        found[name] = _added(found.get(name, Used(name)), task, told, now)
    if by in ("day", "task"):
        return list(found.values())
    return sorted(found.values(), key=lambda used: -used.seconds)


def total(found: Iterable[Used]) -> Used:
    """All of it together."""
    whole = Used("total")
    for one in found:
        whole = Used(
            "total", whole.tasks + one.tasks, whole.seconds + one.seconds, _sum(whole.tokens, one.tokens), _sum(whole.cost, one.cost),
            whole.without_tokens + one.without_tokens, whole.without_cost + one.without_cost,
        )  # fmt: skip
    return whole


def _all(project: Project, begin: float) -> Iterator[tuple[Task, Told]]:
    """Each task since BEGIN, with what its CLI told; one that a killed `clean` left in both places once."""
    if not project.store.exists():
        return
    there = set()
    for task in tasks.every(project):
        there.add((task.id, round(task.created * 1000)))
        if task.since >= begin:
            yield task, sessions.kept(project.store.own(task.id))
    for line in archive_index.lines(project.store.records):
        if line.task.since < begin:
            return
        if (line.task.id, round(line.task.created * 1000)) not in there:
            yield line.task, sessions.of_data(line.used)


def _added(used: Used, task: Task, told: Told, now: float) -> Used:
    seconds = task.ran + (max(0.0, now - task.since) if task.state in RUNNING else 0.0)
    tokens, cost = told.tokens or None, told.cost or None
    return Used(
        used.name, used.tasks + 1, used.seconds + seconds, _sum(used.tokens, tokens), _sum(used.cost, cost),
        used.without_tokens + (tokens is None), used.without_cost + (cost is None),
    )  # fmt: skip


def _sum(one: Number | None, other: Number | None) -> Number | None:
    return other if one is None else one if other is None else one + other


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
