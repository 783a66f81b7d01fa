"""What is selected, marked, filtered and answered in the inbox."""

from __future__ import annotations

import pytest
from desks import asking, desk, question, task

from dispatch_tmux import Choice, State
from dispatch_tmux.ui.desk import PLAN, QUESTION, RESULT, SCREEN, Desk, Picture, choice_at, digit_of


def three() -> Desk:
    return desk(task("done", State.DONE), task("works"), asking("asks"))


def test_what_needs_the_person_is_selected_until_they_move() -> None:
    at = three()
    assert at.selected == "asks"
    at.take(Picture((task("works"), task("done", State.DONE), task("failed", State.FAILED))))
    assert at.selected == "failed"
    at.move(1)
    assert at.selected == "works"
    at.take(Picture((asking("new"), task("works"), task("done", State.DONE))))
    assert at.selected == "works"


def test_where_the_selected_task_is_gone_the_one_in_its_place_is_selected() -> None:
    at = three()
    at.move(1)
    at.take(Picture((asking("asks"), task("done", State.DONE))))
    assert at.selected == "done"
    at.take(Picture())
    assert at.selected == "" and at.current is None and at.tab == ""


def test_moving_stops_at_both_ends() -> None:
    at = three()
    at.move(-5)
    assert at.selected == "asks"
    at.move(99)
    assert at.selected == "done"


def test_the_filter_wants_all_words_in_any_of_what_a_row_tells() -> None:
    at = desk(task("auth", group="sweep"), task("docs", title="Describe AUTH"), task("ui", model="opus"))
    for words, ids in {
        "auth": ["auth", "docs"],
        "SWEEP auth": ["auth"],
        "opus": ["ui"],
        "nothing": [],
        "": ["auth", "docs", "ui"],
    }.items():
        at.look_for(words)
        assert [t.id for t in at.shown] == ids
    at.look_for("nothing")
    assert at.current is None and at.targets == []


def test_keys_act_on_the_marked_ones_else_on_the_selected_one() -> None:
    at = three()
    assert [t.id for t in at.targets] == ["asks"]
    at.mark()
    at.mark()
    assert at.selected == "done" and {t.id for t in at.targets} == {"asks", "works"}
    at.mark_all()
    assert len(at.targets) == 3
    at.take(Picture((task("works"),)))
    assert at.marked == {"works"}
    at.mark_all()
    assert at.marked == set()


def test_the_tab_in_front_tells_most_of_the_task_until_one_is_picked() -> None:
    at = desk(asking("asks"), task("works"), task("done", State.DONE), task("failed", State.FAILED))
    seen = {}
    for _ in range(4):
        seen[at.selected] = at.tab
        at.move(1)
    assert seen == {"asks": QUESTION, "failed": PLAN, "works": SCREEN, "done": RESULT}
    at.move(-9)
    at.turn(1)
    assert at.tab == SCREEN
    at.turn(-1)
    assert at.tab == QUESTION
    at.move(1)
    assert at.tab == PLAN and QUESTION not in at.tabs


def test_an_answer_on_its_way_makes_room_for_the_next_question() -> None:
    at = desk(asking("a", question("001"), question("002")), asking("b"))
    at.answering.add(("a", "001"))
    assert at.asked and at.asked.id == "002"
    at.answering.add(("a", "002"))
    assert at.asked is None
    assert at.next_that_asks() and at.selected == "b"
    at.answering.add(("b", "001"))
    assert not at.next_that_asks()
    at.take(Picture((asking("c"),)))
    assert at.answering == set()


@pytest.mark.parametrize(
    ("keys", "digits"),
    [
        (("1", "2", "3"), ("1", "2", "3")),
        (("3", "4", "12"), ("3", "4", "")),
        (("y", "n"), ("1", "2")),
        (tuple("abcdefghijk"), (*"123456789", "", "")),
    ],
)
def test_a_digit_picks_the_choice_that_it_stands_beside(keys: tuple[str, ...], digits: tuple[str, ...]) -> None:
    asked = question()._replace(choices=tuple(Choice(key, f"the {key}") for key in keys))
    assert tuple(digit_of(asked, n) for n in range(len(keys))) == digits
    for n, digit in enumerate(digits):
        assert not digit or choice_at(asked, digit) == n
    assert choice_at(asked, "0") is None
