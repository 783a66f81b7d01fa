"""Which queued tasks may start, and what the others wait for. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dispatch_tmux.core.task import HELD, RUNNING, State, Task

DONE, ANY = "done", "any"  # what a task may wait for of another: that it is done, or that it has ended
FAILED = frozenset({State.FAILED, State.LOST, State.STOPPED})
SOON = "starts in a moment"


class Limits(NamedTuple):
    """How many workers may run; 0 = any number. `stagger`: seconds between two starts at least; `memory`: MB to be free."""

    workers: int = 0
    backends: Mapping[str, int] = {}
    groups: Mapping[str, int] = {}
    stagger: float = 0.0
    memory: int = 300


EACH = 60  # MB that a worker will take which began within GROWS seconds: what is free does not show that yet
GROWS = 5.0
LONGEST = 0.25  # seconds between two starts on a machine that has more to do than it can


class Circumstances(NamedTuple):
    """What holds for all: the queue is paused; MB of memory that are free (None: unknown); how many began a moment ago.

    `spent`: backends whose usage limit is reached, and until when in words ('': nobody has said).
    """

    paused: bool = False
    free: int | None = None
    fresh: int = 0
    spent: Mapping[str, str] = {}


def pause(busy: int | None, processors: int) -> float:
    """Seconds to let pass after a start when BUSY processes want to run (None: unknown) and PROCESSORS can.

    A machine that keeps up gets the next one at once.
    """
    if busy is None:
        return LONGEST / 2
    waiting = busy / max(processors, 1) - 2  # for each processor, beside the one that runs and the next
    return min(LONGEST, max(0.0, waiting * 0.02))


class Turn(NamedTuple):
    """What becomes of a queued task: it starts, or waits for WHY; `failed` is what it waits for in vain."""

    start: bool = False
    why: str = ""
    failed: str = ""


def turns(
    queued: Sequence[Task], running: Iterable[Task], others: Mapping[str, Task], limits: Limits, now: Circumstances
) -> dict[str, Turn]:
    """The turn of each of QUEUED, by id, in the order of their starts. OTHERS has the tasks they depend on.

    Higher priority first, then the older one; one that has to wait lets others by. A task that begins again
    (attempt > 0) asks nothing of its dependencies.
    """
    live = list(running)
    count, by_backend, by_group = len(live), Counter(t.backend for t in live), Counter(t.group for t in live)
    decided: dict[str, Turn] = {}
    for task in sorted(queued, key=lambda t: (-t.priority, t.created, t.id)):
        turn = (
            (Turn(why=HELD) if task.on_hold else None)
            or _dependencies(task, others)
            or _circumstances(task, now, limits)
            or _room(task, count, by_backend, by_group, limits)
        )
        decided[task.id] = turn or Turn(start=True)
        if turn is None:
            count += 1
            by_backend[task.backend] += 1
            by_group[task.group] += 1
    return decided


def _dependencies(task: Task, others: Mapping[str, Task]) -> Turn | None:
    open_: list[str] = []
    for id, wanted in task.after if not task.attempt else ():
        if id in task.waived:
            continue
        other = others.get(id)
        if other is None or not other.created:
            return Turn(why=f"{id}, which it comes after, is not there any more", failed=id)
        if other.state is State.DONE or (wanted == ANY and other.ended):
            continue
        if wanted == DONE and other.state in FAILED and other.switch_to <= other.attempt:
            said = f" ({other.why})" if other.why else ""
            return Turn(why=f"{id}, which it comes after, is {other.state.value}{said}", failed=id)
        open_.append(id)
    return Turn(why=f"after {', '.join(open_)}") if open_ else None


def _circumstances(task: Task, now: Circumstances, limits: Limits) -> Turn | None:
    if now.paused:
        return Turn(why="the queue is paused: dispatch resume-queue")
    if task.backend in now.spent:
        until = now.spent[task.backend]
        return Turn(why=f"{task.backend} is at its usage limit{f' until {until}' if until else ''}")
    free = None if now.free is None else max(now.free - now.fresh * EACH, 0)
    if free is not None and limits.memory and free < limits.memory:
        beside = f" beside what {now.fresh} new workers will take" if now.fresh else ""
        return Turn(why=f"only {free} MB of memory are free{beside}, {limits.memory} have to be (limits: memory)")
    return None


def _room(task: Task, count: int, backends: Counter[str], groups: Counter[str], limits: Limits) -> Turn | None:
    limit = limits.backends.get(task.backend, 0)
    if limits.workers and count >= limits.workers:
        return Turn(why=f"{count} of {limits.workers} workers run")
    if limit and backends[task.backend] >= limit:
        return Turn(why=f"{limit} of {limit} {task.backend} workers run")
    limit = limits.groups.get(task.group, 0) if task.group else 0
    if limit and groups[task.group] >= limit:
        return Turn(why=f"{limit} of {limit} workers of the group {task.group} run")
    return None


class Late(NamedTuple):
    """What TASK is over: `key` is the same for one and the same; `left` seconds until it will be (inf: never)."""

    key: str = ""
    why: str = ""
    left: float = math.inf


def late(task: Task, ran: float, timeout: float, now: float) -> Late:
    """Whether TASK, which has RAN so many seconds, is over its time.

    TIMEOUT (seconds of running, 0: none) counts where it has none of its own.
    """
    left = math.inf
    if task.deadline:
        if now >= task.deadline:
            return Late("deadline", "it is over its deadline")
        left = task.deadline - now
    allowed = task.timeout or timeout
    if allowed and task.state in RUNNING:
        if ran >= allowed:
            return Late("timeout", f"it has run for {_minutes(ran)}, {_minutes(allowed)} were given")
        left = min(left, allowed - ran)
    return Late(left=left)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def cycle(after: Mapping[str, Iterable[str]]) -> list[str]:
    """A circle in AFTER (id → ids it comes after), as [a, b, a]; [] when there is none."""
    done: set[str] = set()
    for first in after:
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(first, False)]
        while stack:
            id, left = stack.pop()
            if left:
                path.pop()
                done.add(id)
            elif id in path:
                return [*path[path.index(id) :], id]
            elif id not in done:
                path.append(id)
                stack.append((id, True))
                stack += [(other, False) for other in after.get(id, ())]
    return []
