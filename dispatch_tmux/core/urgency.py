"""The one order in which tasks are listed, whoever lists them: what wants the person first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dispatch_tmux.core.task import State, Task

NEEDS_YOU, WORKING, QUEUED, OVER = "needs you", "working", "queued", "over"  # the headings, in their order
HEADINGS = (NEEDS_YOU, WORKING, QUEUED, OVER)
_STATES = (  # within "needs you", behind what asks
    State.BLOCKED, State.FAILED, State.LOST, State.SUSPENDED, State.LIMITED, State.IDLE,
)  # fmt: skip
_ASKS, _TELLS, _WORKS, _WAITS, _IS_OVER = 0, len(_STATES) + 1, len(_STATES) + 2, len(_STATES) + 3, len(_STATES) + 4
_COUNTED = (
    "waiting for you", "blocked", "failed", "lost", "suspended", "limited", "idle", "working", "queued", "stopped", "done",
)  # fmt: skip
_UNARRIVED = {"held": "a message waits", "undelivered": "a message did not arrive"}
_WORDS = {State.WAITING: "waiting for you", State.STARTING: "working"}


def rank(task: Task) -> int:
    """How much TASK wants the person: the smaller, the more."""
    if task.open_questions or task.state is State.WAITING:
        return _ASKS
    if task.state in _STATES:
        return 1 + _STATES.index(task.state)
    if not task.ended and tells(task):
        return _TELLS
    if task.state is State.QUEUED:
        return _WAITS
    return _IS_OVER if task.ended else _WORKS


def tells(task: Task) -> bool:
    """Whether TASK has something for the person beside its state: a flag, a message that did not arrive, being late."""
    return bool(task.flags or task.late or messages(task))


def messages(task: Task) -> list[str]:
    """What became of messages to TASK that have not arrived: 'a message waits: it is at its usage limit'."""
    return [f"{_UNARRIVED[status]}: {how}" for _, status, how in task.requests if status in _UNARRIVED]


def heading(task: Task) -> str:
    """Under which of HEADINGS TASK stands."""
    place = rank(task)
    return NEEDS_YOU if place <= _TELLS else {_WORKS: WORKING, _WAITS: QUEUED}.get(place, OVER)


def ordered(tasks: Iterable[Task]) -> list[Task]:
    """TASKS in the order in which they are listed. Who has asked longest is first; of what is over, the latest.

    Of the queue those that wait for the same stand together, where their priority is the same.
    """
    found = list(tasks)
    first: dict[tuple[int, str], float] = {}  # when the first of those that wait for the same was made
    for task in found:
        first[task.priority, task.why] = min(task.created, first.get((task.priority, task.why), task.created))
    return sorted(found, key=lambda task: _place(task, first))


def _place(task: Task, first: Mapping[tuple[int, str], float]) -> tuple[int, float, float, str, float, str]:
    place = rank(task)
    if place == _ASKS:
        return place, min((q.asked for q in task.open_questions), default=task.since), task.created, "", 0.0, task.id
    if place == _WAITS:
        return place, -task.priority, first[task.priority, task.why], task.why, task.created, task.id
    return place, task.created if place == _WORKS else -task.since, task.created, "", 0.0, task.id


def counts(tasks: Sequence[Task]) -> str:
    """'1 waiting for you, 2 working, 3 done'; '' without tasks."""
    found = Counter(_WORDS.get(t.state, t.state.value) for t in tasks)
    return ", ".join(f"{found[word]} {word}" for word in _COUNTED if found[word])
