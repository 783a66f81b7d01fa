"""Which queued task starts when, as tables; nothing here needs tmux."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from dispatch_tmux.core import order, schedule
from dispatch_tmux.core.fold import fold
from dispatch_tmux.core.schedule import Circumstances, Limits
from dispatch_tmux.core.task import Event, State, Task, needs
from dispatch_tmux.errors import DispatchError

FREE = Circumstances(free=10_000)


def queued(id: str, n: int = 0, **more: object) -> Task:
    return Task(id, backend="claude", created=100.0 + n, **more)  # type: ignore[arg-type]


def running(id: str, backend: str = "claude", group: str = "") -> Task:
    return Task(id, backend=backend, group=group, created=1.0, attempt=1, state=State.WORKING)


def starts(
    tasks: list[Task], live: Sequence[Task] = (), others: dict[str, Task] | None = None, **limits: object
) -> list[str]:
    turns = schedule.turns(tasks, list(live), others or {}, Limits(**limits), FREE)  # type: ignore[arg-type]
    return [id for id, turn in turns.items() if turn.start]


def test_without_limits_all_start_the_oldest_first() -> None:
    assert starts([queued("b", 1), queued("a", 0), queued("c", 2)]) == ["a", "b", "c"]


def test_a_higher_priority_goes_first() -> None:
    assert starts([queued("a", 0), queued("b", 1, priority=5)], workers=1) == ["b"]


@pytest.mark.parametrize(("workers", "live", "expected"), [(2, 0, ["a", "b"]), (2, 1, ["a"]), (2, 2, []), (1, 5, [])])
def test_the_limit_counts_those_that_run(workers: int, live: int, expected: list[str]) -> None:
    assert (
        starts(
            [queued("a", 0), queued("b", 1), queued("c", 2)], [running(f"r{n}") for n in range(live)], workers=workers
        )
        == expected
    )


def test_one_that_must_wait_lets_others_by() -> None:
    tasks = [queued("a", 0, group="x"), queued("b", 1, group="y"), queued("c", 2)._replace(backend="codex")]
    assert starts(tasks, [running("r", group="x")], groups={"x": 1}, backends={"claude": 2}) == ["b", "c"]


@pytest.mark.parametrize(
    ("kind", "state", "start", "failed"),
    [
        ("done", State.DONE, True, ""), ("any", State.DONE, True, ""), ("done", State.WORKING, False, ""),
        ("done", State.FAILED, False, "x"), ("done", State.LOST, False, "x"), ("done", State.STOPPED, False, "x"),
        ("any", State.FAILED, True, ""), ("any", State.STOPPED, True, ""), ("any", State.WAITING, False, ""),
        ("done", State.BLOCKED, False, ""),
    ],
)  # fmt: skip
def test_what_it_comes_after(kind: str, state: State, start: bool, failed: str) -> None:
    other = Task("x", created=1.0, attempt=1, state=state)
    turn = schedule.turns([queued("a", after=(("x", kind),))], [], {"x": other}, Limits(), FREE)["a"]
    assert (turn.start, turn.failed) == (start, failed)
    assert turn.start or "x" in turn.why


def test_a_dependency_that_was_removed_is_said() -> None:
    turn = schedule.turns([queued("a", after=(("x", "done"),))], [], {"x": Task("x")}, Limits(), FREE)["a"]
    assert turn.failed == "x" and "not there any more" in turn.why


def test_what_the_person_waived_or_retries_does_not_wait() -> None:
    failed = {"x": Task("x", created=1.0, attempt=1, state=State.FAILED)}
    assert starts(
        [queued("a", after=(("x", "done"),), waived=("x",)), queued("b", after=(("x", "done"),), attempt=1)],
        others=failed,
    ) == ["a", "b"]


@pytest.mark.parametrize(
    ("now", "word"), [(Circumstances(paused=True), "paused"), (Circumstances(free=100), "100 MB of memory are free")]
)
def test_circumstances_hold_everything_back(now: Circumstances, word: str) -> None:
    turn = schedule.turns([queued("a")], [], {}, Limits(), now)["a"]
    assert not turn.start and word in turn.why


def test_workers_that_have_only_just_begun_count_as_memory_to_come() -> None:
    limits = Limits(memory=300)
    assert schedule.turns([queued("a")], [], {}, limits, Circumstances(free=1000, fresh=10))["a"].start
    held = schedule.turns([queued("a")], [], {}, limits, Circumstances(free=1000, fresh=12))["a"]
    assert not held.start and "12 new workers" in held.why


@pytest.mark.parametrize(
    ("busy", "processors", "seconds"),
    [(0, 2, 0), (1, 2, 0), (4, 2, 0), (14, 2, 0.1), (500, 2, 0.25), (500, 64, 0.11), (30, 64, 0), (None, 2, 0.125), (3, 0, 0.02)],
)  # fmt: skip
def test_starts_are_paced_by_what_the_machine_has_to_do(busy: int | None, processors: int, seconds: float) -> None:
    assert schedule.pause(busy, processors) == pytest.approx(seconds, abs=0.01)


def test_unknown_memory_holds_nothing_back() -> None:
    assert schedule.turns([queued("a")], [], {}, Limits(), Circumstances())["a"].start


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ({"a": ["b"], "b": ["c"], "c": []}, []), ({"a": ["a"]}, ["a", "a"]), ({"a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []), ({"z": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}, ["a", "b", "c", "a"]),
        ({"a": ["nobody"]}, []),
    ],
)  # fmt: skip
def test_circles_are_found(after: dict[str, list[str]], found: list[str]) -> None:
    assert schedule.cycle(after) == found


def test_a_diamond_with_a_limit_is_worked_off_in_the_right_order_whatever_takes_how_long() -> None:
    """Every order in which running tasks may end: no task before its dependencies, never more than two at once."""
    after = {"a": (), "b": ("a",), "c": ("a",), "d": ("a",), "e": ("b", "c", "d")}
    for picks in itertools.product(range(2), repeat=5):
        tasks = {id: queued(id, n, after=tuple((x, "done") for x in after[id])) for n, id in enumerate(after)}
        for pick in picks:
            waiting = [t for t in tasks.values() if not t.attempt]
            live = [t for t in tasks.values() if t.state is State.WORKING]
            for id, turn in schedule.turns(waiting, live, tasks, Limits(workers=2), FREE).items():
                if turn.start:
                    assert all(tasks[x].state is State.DONE for x in after[id])
                    tasks[id] = tasks[id]._replace(attempt=1, state=State.WORKING)
            live = [t for t in tasks.values() if t.state is State.WORKING]
            assert 1 <= len(live) <= 2
            ends = live[pick % len(live)]
            tasks[ends.id] = ends._replace(state=State.DONE)
        assert all(t.state is State.DONE for t in tasks.values())


# --- time


def test_running_time_leaves_out_what_waited_for_the_person() -> None:
    events = [
        Event(0, "created", "created", {}), Event(10, "starting", "", {"attempt": 1}), Event(12, "state", "", {"state": "working"}),
        Event(20, "state", "", {"state": "waiting"}), Event(100, "state", "", {"state": "working"}),
    ]  # fmt: skip
    task = fold("a", events)
    assert task.ran == 10
    assert schedule.late(task, 25.0, 30.0, 115.0).left == 5
    assert schedule.late(task, 30.0, 30.0, 120.0).key == "timeout"
    assert schedule.late(task._replace(timeout=60.0), 30.0, 30.0, 120.0).left == 30


def test_a_deadline_counts_also_while_nothing_runs() -> None:
    task = Task("a", created=1.0, deadline=50.0)
    assert schedule.late(task, 0.0, 0.0, 40.0).left == 10 and schedule.late(task, 0.0, 0.0, 50.0).key == "deadline"


def test_over_time_and_flags_want_the_person_once_each() -> None:
    task = fold(
        "a",
        [
            Event(0, "created", "created", {}),
            Event(1, "flag", "flag:001", {"text": "x"}),
            Event(2, "late", "late:timeout", {"why": "y"}),
        ],
    )
    assert [(n.kind, n.text) for n in needs(task)] == [("flag", "x"), ("late", "y")]


@pytest.mark.parametrize(
    ("text", "value"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604800), ("1.5h", 5400)]
)
def test_lengths_of_time(text: str, value: float) -> None:
    assert order.seconds(text) == value


@pytest.mark.parametrize("text", ["", "m", "-5m", "0", "x", "5 parsecs", "inf", "nan"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(DispatchError, match="length of time"):
        order.seconds(text)


def test_moments() -> None:
    from datetime import datetime

    now = datetime(2026, 11, 21, 12, 0).timestamp()
    assert datetime.fromtimestamp(order.moment("17:30", now)) == datetime(2026, 11, 21, 17, 30)
    assert datetime.fromtimestamp(order.moment("08:00", now)) == datetime(2026, 11, 22, 8, 0)
    assert order.moment("+2h", now) == now + 7200
    assert datetime.fromtimestamp(order.moment("2026-12-01 09:00", now)) == datetime(2026, 12, 1, 9, 0)
    assert datetime.fromtimestamp(order.past("17:30", now)) == datetime(2026, 11, 20, 17, 30)
    assert datetime.fromtimestamp(order.past("08:00", now)) == datetime(2026, 11, 21, 8, 0)
    assert order.past("30m", now) == now - 1800
    assert datetime.fromtimestamp(order.past("2026-11-20", now)) == datetime(2026, 11, 20)
    with pytest.raises(DispatchError, match="is no time"):
        order.moment("tomorrow", now)


def test_a_held_task_does_not_start_and_takes_no_room() -> None:
    tasks = [queued("a", 0, on_hold=True, priority=9), queued("b", 1), queued("c", 2)]
    assert starts(tasks, workers=1) == ["b"]
    turns = schedule.turns(tasks, [], {}, Limits(workers=1), FREE)
    assert turns["a"].why.startswith("held") and not turns["a"].failed


def test_a_hold_outlives_what_happens_to_the_queue_and_ends_with_a_stop() -> None:
    def after(*kinds: str) -> Task:
        events = [("created", {}), ("state", {"state": "queued", "why": "1 of 1 workers run"})]
        events += [
            (kind, {"state": "queued", "why": "after b"} if kind == "state" else {"priority": 7}) for kind in kinds
        ]
        return fold("a", [Event(float(n), kind, "", data) for n, (kind, data) in enumerate(events)])

    assert after("hold").on_hold and after("hold").why.startswith("held") and after("hold").waits_to_begin
    assert after("hold", "state", "priority").on_hold and after("priority").priority == 7
    assert not after("hold", "unhold").on_hold and after("hold", "unhold").why == ""
    assert after("hold", "state", "unhold").why == "after b"  # that is not what the hold said
    assert not after("hold", "stopping").on_hold
