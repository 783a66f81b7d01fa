"""How long a task has run: on our clock while we look, by the journal before."""

from __future__ import annotations

import pytest

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.supervisor.running_time import RunningTime


def task(state: State, since: float = 0.0, ran: float = 0.0) -> Task:
    return Task("t", created=1.0, state=state, since=since, ran=ran)


def test_only_what_runs_is_counted() -> None:
    ran = RunningTime()
    seen = [
        ran.of(task(state), now, 0.0)
        for state, now in (
            (State.WORKING, 0.0), (State.WORKING, 10.0), (State.WAITING, 20.0), (State.WAITING, 500.0), (State.WORKING, 600.0),
            (State.WORKING, 605.0), (State.DONE, 606.0), (State.DONE, 9000.0),
        )
    ]  # fmt: skip
    assert seen == [0.0, 10.0, 20.0, 20.0, 20.0, 25.0, 26.0, 26.0]


def test_a_supervisor_that_takes_over_goes_on_from_the_journal() -> None:
    assert RunningTime().of(task(State.WORKING, since=1000.0, ran=30.0), 5.0, 1012.0) == 42.0
    assert RunningTime().of(task(State.WAITING, since=1000.0, ran=30.0), 5.0, 1012.0) == 30.0


def test_while_the_machine_sleeps_nothing_runs() -> None:
    ran = RunningTime()
    ran.of(task(State.WORKING, since=1000.0), 5.0, 1000.0)
    assert ran.of(task(State.WORKING, since=1000.0), 6.0, 50_000.0) == pytest.approx(1.0)


def test_a_clock_that_was_set_back_takes_nothing_away() -> None:
    assert RunningTime().of(task(State.WORKING, since=1000.0, ran=7.0), 5.0, 400.0) == 7.0
