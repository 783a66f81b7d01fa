"""Before a task begins: it is held, let go, put before others; and whoever comes too late is told so."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from crew import Crew, wait_until

from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.verbs import queue


@pytest.fixture
def full(crew: Crew) -> Crew:
    """A crew of one worker that asks, and two that wait for its room."""
    crew.configure(limits={"max_workers": 1})
    crew.start("-m", "demo", "--id", "first", "--item", "ask: go on?", "x")
    crew.until("first", "question")
    for id in ("second", "third"):
        assert crew.json("run", "-m", "demo", "--id", id, "x")["state"] == "queued"
    return crew


def began(crew: Crew) -> list[str]:
    return [id for _, id in sorted((e.t, id) for id in crew.store.ids() for e in crew.events(id, "starting"))]


def test_a_held_task_lets_others_by_until_it_is_let_go(full: Crew) -> None:
    assert full.run("hold", "second").stdout == "second: held\n"
    assert full.json("status", "second")["why"].startswith("held") and "held" in full.run("status").stdout
    full.run("answer", "first", "yes")
    full.until("third", "done")
    assert full.task("second").state is State.QUEUED and full.task("second").why.startswith("held")
    full.kill_supervisor()  # it outlives that
    full.run("resume-queue")
    said = full.run("unhold", "second").stdout
    assert said.startswith("second: ") and "held" not in said
    full.until("second", "done")


def test_a_held_task_stays_so_after_the_supervisor_died(full: Crew) -> None:
    full.run("hold", "second", "third")
    pid = full.kill_supervisor()
    full.run("answer", "first", "yes")
    full.until("first", "done")
    wait_until(lambda: full.store.supervised() and full.supervisor_pid() != pid)
    full.start("-m", "demo", "--id", "fourth", "x")
    full.until("fourth", "done")  # the queue has had its turn
    assert {full.task(id).state for id in ("second", "third")} == {State.QUEUED}
    assert began(full) == ["first", "fourth"]


def test_the_higher_priority_comes_first_at_once(full: Crew) -> None:
    assert "third: queued" in full.run("priority", "third", "5").stdout
    assert full.json("status", "third")["priority"] == 5
    assert "(priority -1)" in full.run("priority", "second", "-1").stdout
    full.run("answer", "first", "yes")
    full.until("second", "done")
    assert began(full) == ["first", "third", "second"]


def test_a_held_task_does_not_ask_about_what_it_comes_after_before_it_is_let_go(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "a", "--item", "fail", "first")
    crew.start("-m", "demo", "--id", "b", "--after", "a", "second")
    crew.until("b", "question")
    crew.run("hold", "b")
    wait_until(lambda: not crew.task("b").open_questions, lambda: crew.tell("b"))
    assert crew.task("b").why.startswith("held")
    assert "waiting" in crew.run("unhold", "b").stdout
    crew.until("b", "question")
    crew.run("answer", "b", "Do without it")
    crew.until("b", "done")


def test_what_has_begun_or_is_over_is_told_so(full: Crew) -> None:
    for verb in ("hold first", "unhold first", "priority first 3"):
        done = full.run(*verb.split(), ok=None)
        assert done.returncode == 1 and "first has begun already: it is waiting" in done.stderr
    full.run("stop", "second")
    done = full.run("hold", "second", "third", ok=None)
    assert (done.returncode, done.stdout) == (1, "third: held\n") and "second is stopped" in done.stderr
    for wrong in ("", "5", "third high", "third 5.5", "third 9999999999"):
        assert full.run("priority", *wrong.split(), ok=None).returncode == 2


def test_one_that_is_being_changed_waits_and_holds_up_nobody(crew: Crew) -> None:
    crew.run("pause")
    for id in ("first", "second"):
        crew.start("-m", "demo", "--id", id, "x")
    with crew.store.alone("first"):  # as a change that takes long
        crew.run("resume-queue")
        crew.until("second", "done")
        assert not crew.events("first", "starting")
    crew.until("first", "done")


def test_of_a_hold_and_a_start_at_the_same_moment_one_is_first_and_both_know(crew: Crew) -> None:
    """Nothing starts that was told to be held; what was told to have begun does begin."""
    crew.configure(limits={"max_workers": 12})
    crew.run("pause")
    ids = [f"t{n}" for n in range(10)]
    for id in ids:
        crew.start("-m", "demo", "--id", id, "x")
    gate = threading.Barrier(len(ids) + 1)

    def hold(id: str) -> bool:
        gate.wait()
        try:
            return queue.hold(crew.project, id).on_hold
        except DispatchError as e:
            assert "has begun already" in str(e)
            return False

    with ThreadPoolExecutor(len(ids)) as pool:
        told = pool.map(hold, ids)
        gate.wait()
        crew.store.unpause()
        held = dict(zip(ids, told, strict=True))
    for id in ids:
        if not held[id]:
            crew.until(id, "done")
    assert [id for id in ids if held[id] and crew.events(id, "starting")] == []
    if any(held.values()):
        crew.run("unhold", *(id for id in ids if held[id]))
    for id in ids:
        crew.until(id, "done")
