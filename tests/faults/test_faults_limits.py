"""Faults S21 and S28: usage limits. What is at its limit goes on by itself, and nothing is started into a limit that is known."""

from __future__ import annotations

import time

import pytest
from crew import Crew, wait_until

PAUSE = 0.4  # seconds, in place of a minute


@pytest.fixture
def limited(crew: Crew) -> Crew:
    crew.configure(times={"limited": PAUSE, "settle": 0.3})
    return crew


@pytest.mark.parametrize("how", ["", " menu"])
def test_S21_a_worker_at_its_usage_limit_goes_on_by_itself_when_that_ends(limited: Crew, how: str) -> None:
    id = limited.start("-m", "demo", "--id", "a", "--item", f"limit 2{how}", "--item", "two", "x")
    limited.until(id, "limited")
    status = limited.json("status", id)
    assert status["resets"] > time.time() - 5 and status["cause"] == "limit"
    assert "goes on by itself after" in limited.run("status", id).stdout
    limited.until(id, "done")
    task = limited.task(id)
    assert task.attempt == 1 and task.marks == "xx"  # the same session
    assert len([e for e in limited.events(id, "delivered") if e.data["rid"].startswith("nudge-limit")]) == 1
    assert "Your usage limit has been reset" in limited.run("logs", id).stdout


def test_S21_what_a_person_has_to_say_waits_for_the_end_of_the_limit_and_is_what_it_goes_on_with(limited: Crew) -> None:
    id = limited.start("-m", "demo", "--item", "limit 3", "x")
    limited.until(id, "limited")
    sent = limited.run("send", id, "mind the vendor directory", ok=False)
    limited.until(id, "done")
    assert sent.returncode in (0, 6)
    assert "mind the vendor directory" in limited.run("logs", id).stdout
    assert "limit has been reset" not in limited.run("logs", id).stdout


def test_S21_the_longer_in_vain_the_longer_it_rests(limited: Crew) -> None:
    """A limit that nobody has told the end of is tried again and again, and no two tries are close."""
    from dispatch_tmux.core.limit import goes_on_at
    from dispatch_tmux.core.task import State, Task

    at = [goes_on_at(Task("a", state=State.LIMITED, since=0.0, told_on=n, told_at=900.0), 60.0) for n in range(9)]
    assert at[:2] == [900.0, 1020.0] and at == sorted(at) and at[-1] == 900.0 + 3600.0
    known = [goes_on_at(Task(f"t{n}", state=State.LIMITED, since=0.0, resets=500.0), 60.0) for n in range(40)]
    assert min(known) >= 530.0 and max(known) <= 590.0 and len({round(when) for when in known}) > 20


def test_S28_nothing_is_started_into_a_limit_and_what_waited_begins_after_it(limited: Crew) -> None:
    first = limited.start("-m", "demo", "--id", "first", "--item", "limit 4", "x")
    limited.until(first, "limited")
    second = limited.start("-m", "demo", "--id", "second", "--item", "one", "x")
    why = wait_until(lambda: limited.json("status", second)["why"])
    assert why.startswith("demo is at its usage limit until ")
    limited.until(second, "done")
    assert limited.task(second).since > limited.events(first, "state")[-1].t - 60 and not limited.events(
        second, "go-on"
    )
    begun = next(e.t for e in limited.events(second, "starting"))
    assert begun >= next(e.data["resets"] for e in limited.events(first, "state") if e.data.get("resets"))


def test_S28_several_at_one_limit_are_one_notice(limited: Crew) -> None:
    ids = [
        limited.start("-m", "demo", "--id", f"t{n}", "--item", "sleep 3", "--item", "limit 60", "x") for n in range(3)
    ]
    for id in ids:
        limited.until(id, "limited")
    said = limited.run("wait", "--for", "limited").stdout
    assert said.count("usage limit is reached: ") == 1 and "2 other tasks of that account, too: t" in said
    assert all(id in said for id in ids)
    assert limited.run("wait", "--timeout", "0.1", ok=False).returncode == 124  # all of them are told


def test_S28_a_fallback_takes_over_at_a_limit_only_where_the_config_says_so(limited: Crew) -> None:
    models = {"one": {"backend": "demo", "fallbacks": ["two"]}, "two": {"backend": "demo"}}
    limited.configure(models=models, times={"limited": PAUSE, "settle": 0.3})
    waits = limited.start("-m", "one", "--id", "waits", "--item", "limit 60", "x")
    limited.until(waits, "limited")
    limited.run("stop", waits)
    limited.configure(models=models, on_limit="fallback", times={"limited": PAUSE, "settle": 0.3})
    falls = limited.start("-m", "one", "--id", "falls", "--item", "limit 60", "x")
    wait_until(lambda: limited.task(falls).model == "two", lambda: limited.tell(falls))
