"""The order of every list: what wants the person is first, and nothing is left out."""

from __future__ import annotations

from dispatch_tmux.core import urgency
from dispatch_tmux.core.task import Question, State, Task


def task(id: str, state: State, **more: object) -> Task:
    return Task(id=id, state=state, created=1.0, since=1.0, **more)  # type: ignore[arg-type]


def asks(id: str, at: float, state: State = State.WAITING) -> Task:
    return task(id, state, questions=(Question("001", "file", "which?", (), at),))


def test_what_wants_the_person_is_first_and_who_asked_first_is_first_of_it() -> None:
    tasks = [
        task("done", State.DONE), task("queued", State.QUEUED), task("working", State.WORKING), task("idle", State.IDLE),
        task("failed", State.FAILED), asks("later", 9.0), asks("first", 5.0), task("flag", State.WORKING, flags=("a key",)),
        asks("blocked", 7.0, State.BLOCKED), task("late", State.WORKING, late=("deadline",)),
        task("held", State.STARTING, requests=(("r", "held", "a draft"),)),
    ]  # fmt: skip
    listed = urgency.ordered(tasks)
    assert [t.id for t in listed] == "first blocked later failed idle flag held late working queued done".split()
    assert [urgency.heading(t) for t in listed] == [urgency.NEEDS_YOU] * 8 + list(urgency.HEADINGS[1:])


def test_of_what_is_over_the_latest_is_first_and_the_queue_is_in_its_order() -> None:
    old, new = task("old", State.DONE), task("new", State.STOPPED)._replace(since=5.0)
    low, high = task("low", State.QUEUED), task("high", State.QUEUED, priority=3)
    assert [t.id for t in urgency.ordered([old, new, low, high])] == ["high", "low", "new", "old"]


def test_what_a_task_that_is_over_has_once_told_wants_nobody() -> None:
    over = task("over", State.DONE, flags=("a key",), late=("deadline",))
    assert urgency.heading(over) == urgency.OVER


def test_every_state_is_counted_under_one_word() -> None:
    tasks = [task(state.value, state) for state in State]
    said = urgency.counts(tasks)
    assert sum(int(part.split()[0]) for part in said.split(", ")) == len(tasks)
    assert said.startswith("1 waiting for you, ") and "2 working" in said
    assert urgency.counts([]) == ""
