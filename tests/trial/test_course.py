"""How a step of the course is judged. The CLIs themselves are tried in tests/clients."""

from __future__ import annotations

from typing import Any, cast

import pytest

from dispatch_tmux.trial import clients, course
from dispatch_tmux.trial.clients import Question
from dispatch_tmux.trial.desk import Desk, Refused, Said, Wrong
from dispatch_tmux.trial.script import Heard
from dispatch_tmux.trial.service import Service

ANSWER = Heard("m", ("ask me",), ('Your questions have been answered: "Which?"="PostgreSQL"',), frozenset({"sh"}), True)


class Bench:
    """A desk at which nothing runs: what the steps look at, set by hand."""

    def __init__(self, lacks: tuple[str, ...] = ()) -> None:
        self.client = clients.CLIENTS["claude"]._replace(lacks=frozenset(lacks), patience=0.1)
        self.service, self.size, self.id = Service(), (80, 24), "w1"
        self.service.last = 0.0
        self.begun = self.stopped = 0
        self.screen = "what it shows"
        self.question = None
        self.gets_ready = True

    def begin(self) -> None:
        self.begun += 1

    def is_usable(self) -> bool:
        return bool(self.begun)

    def rests(self) -> bool:
        return self.gets_ready

    def until(self, true: Any, what: str, seconds: float = 0.0) -> None:
        if not true():
            raise Wrong(f"{what} did not come about")

    def dispatch(self, *args: str) -> Said:
        self.stopped += args[0] == "stop"
        return Said(0, "", "")


def taken(bench: Bench, **steps: Any) -> list[course.Result]:
    """The course of STEPS, taken by BENCH, which has a worker already."""
    bench.begun = 1
    before = dict(course.STEPS)
    course.STEPS.clear()
    course.STEPS.update(steps)
    try:
        return list(course.run(cast("Desk", bench)))
    finally:
        course.STEPS.clear()
        course.STEPS.update(before)


def right(desk: Desk) -> None:
    """Nothing to find fault with."""


def wrong(desk: Desk) -> None:
    raise Wrong("the opposite")


def refused(desk: Desk) -> None:
    raise Refused("the pointer is on 'No'")


def test_each_step_has_its_verdict_and_what_is_not_right_its_reason_and_screen() -> None:
    bench = Bench(lacks=("d",))
    found = taken(bench, a=right, b=wrong, c=refused, d=right)
    assert [(r.step, r.verdict, r.why, r.screen) for r in found] == [
        ("a", "right", "", ""), ("b", "wrong", "the opposite", "what it shows"),
        ("c", "refused", "the pointer is on 'No'", "what it shows"), ("d", "absent", "", ""),
    ]  # fmt: skip
    assert bench.stopped == 2, "after what went wrong nobody knows what is on its screen"


def test_a_cli_that_does_not_get_to_its_composer_costs_one_step_and_the_others_are_not_tried() -> None:
    bench = Bench()
    bench.gets_ready = False
    found = taken(bench, a=right, b=right, c=right)
    assert [r.verdict for r in found] == ["wrong", "untried", "untried"]
    assert found[0].why == "it does not get to its composer"


@pytest.mark.parametrize(
    ("wanted", "unwanted", "said"),
    [
        (["PostgreSQL"], ["SQLite"], ""),
        (["MySQL"], [], "the model did not hear 'MySQL'"),
        (["PostgreSQL"], ["Which"], "the model heard 'Which', which nobody chose"),
    ],
)
def test_an_answer_counts_as_what_the_model_heard(wanted: list[str], unwanted: list[str], said: str) -> None:
    bench = Bench()
    bench.service.heard = [ANSWER]
    if not said:
        course._hears(cast("Desk", bench), 0, wanted, unwanted)
        return
    with pytest.raises(Wrong, match=said):
        course._hears(cast("Desk", bench), 0, wanted, unwanted)


def test_a_message_that_arrives_twice_is_wrong() -> None:
    bench = Bench()
    bench.service.heard = [Heard("m", ("use JWT", "use JWT"), (), frozenset({"sh"}))]
    with pytest.raises(Wrong, match="arrived 2 times"):
        course._arrived_once(cast("Desk", bench), "use JWT")


@pytest.mark.parametrize("name", clients.CLIENTS)
def test_each_cli_is_set_up_in_its_home_and_pointed_at_the_model(name: str) -> None:
    client = clients.CLIENTS[name]
    files, env = client.files("http://127.0.0.1:1"), client.env("http://127.0.0.1:1", "/scratch")
    assert all(not path.startswith("/") and ".." not in path for path in files)
    assert "http://127.0.0.1:1" in "".join([*files.values(), *env.values()])
    assert set(client.lacks) <= set(course.STEPS)
    assert client.shell("touch x").arguments and client.ask is not None
    asked = client.ask([Question("Which one?", ("a", "b"), True)])
    assert "Which one?" in str(asked.arguments) and "'b'" in str(asked.arguments)
