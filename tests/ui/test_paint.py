"""The inbox as lines: every size is filled exactly, what waits for the person is always in sight, words of workers are harmless."""

from __future__ import annotations

import re

import pytest
from desks import NOW, asking, desk, question, screen, task, text_of

from dispatch_tmux import State
from dispatch_tmux.core.text import CONTROLS, columns
from dispatch_tmux.ui import help, paint
from dispatch_tmux.ui.desk import PLAN, QUESTION, Notice, Page
from dispatch_tmux.ui.spans import fitted, plain, width_of, wrapped

SIZES = [(80, 24), (40, 24), (200, 60), (100, 30), (24, 10), (12, 5)]
HOSTILE = "\x1b[31mred\x1b]52;c;eA==\x07 [bold]x[/bold] \u202eleft 漢字\r\nnext \x9b2J" * 20


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("moved", [0, 17, 60])
def test_each_line_fills_the_width_and_all_lines_the_height(width: int, height: int, moved: int) -> None:
    many = [asking(f"asks-{n}", question("001", HOSTILE, "a", HOSTILE)) for n in range(5)]
    many += [
        task(f"t-{n}-{'x' * (n % 40)}", [*State][n % len(State)], why=HOSTILE, title=HOSTILE, group="g")
        for n in range(60)
    ]
    at = desk(*many, paused=True, supervised=False)
    at.move(moved)
    at.page = Page(at.selected, at.tab, tuple(plain("word " * 40) for _ in range(80)))
    lines = paint.painted(at, width, height, NOW).lines
    assert [columns(text_of(line)) for line in lines] == [width] * height
    assert not any(re.search(CONTROLS, text_of(line)) for line in lines)
    at.helps = True
    assert [columns(text_of(line)) for line in paint.painted(at, width, height, NOW).lines] == [width] * height


def test_markup_in_a_workers_words_stays_words() -> None:
    assert "[bold]x[/bold]" in "\n".join(screen(desk(asking("asks", question("001", "[bold]x[/bold] [red]?")))))


def test_what_needs_the_person_is_on_top_and_what_is_hidden_is_counted() -> None:
    at = desk(*(task(f"t{n:02}") for n in range(30)), asking("urgent"))
    lines = screen(at)
    assert lines[1].strip() == "needs you 1" and "urgent" in lines[2]
    assert "1 waiting for you  30 working" in lines[0]
    assert any(re.search(r"↓ 2\d more", line) for line in lines)
    at.move(30)
    lines = screen(at)
    assert any(re.search(r"↑ \d+ more, 1 of them needs you", line) for line in lines)
    assert any("t29" in line for line in lines)


def test_the_head_says_what_is_out_of_the_ordinary() -> None:
    at = desk(task("a"), paused=True, supervised=False)
    at.look_for("a")
    at.mark_all()
    assert all(words in screen(at, 160)[0] for words in ("queue paused", "nobody supervises", "1 marked", "/a 1 of 1"))
    assert "nobody supervises" not in screen(desk(task("a", State.DONE), supervised=False))[0]


def test_queued_tasks_with_one_reason_say_it_once() -> None:
    lines = screen(
        desk(
            *(task(f"q{n}", State.QUEUED, why="2 of 2 workers run") for n in range(4)),
            task("odd", State.QUEUED, why="after q1"),
        )
    )
    assert sum("2 of 2 workers run" in line for line in lines[:12]) == 1
    assert any("odd" in line and "after q1" in line for line in lines)


def test_where_there_is_nothing_it_says_what_to_do() -> None:
    assert any("dispatch run" in line for line in screen(desk()))
    at = desk(task("a"))
    at.look_for("zzz")
    assert any("no task has the words" in line for line in screen(at))
    assert any("not yours" in line for line in screen(desk(problem="it is not yours\ndispatch trust")))


def test_the_task_stands_beside_the_list_where_there_is_room_else_below() -> None:
    at = desk(task("works"))
    assert any("works" in line and "│ works" in line for line in screen(at, 120)[:3])
    below = screen(at, 80)
    assert next(n for n, line in enumerate(below) if line.startswith("── works")) > 2


@pytest.mark.parametrize("count", [1, 5, 12, 13, 40])
@pytest.mark.parametrize("height", [2, 4, 12])
def test_the_selected_row_is_always_among_those_seen(count: int, height: int) -> None:
    for top in range(count):
        for place in range(count):
            start, end = paint.window(count, height, top, place)
            assert 0 <= start < end <= count
            assert end - start + ((start > 0) + (end < count) if height > 2 else 0) <= height
            assert start <= place < end, (count, height, top, place, start, end)


def test_a_click_finds_what_is_there() -> None:
    at = desk(asking("asks", question("001", "Which?", "red", "blue")), task("works"))
    at.page = Page(
        "asks", QUESTION, (plain("Which?"), plain("  1  red"), plain("  2  blue")), choices=((1, "1"), (2, "2"))
    )
    painted = paint.painted(at, 80, 24, NOW)
    for spot in painted.spots:
        assert (
            spot.value.strip() in ("", "enter", "tab")
            or spot.value in text_of(painted.lines[spot.y])[spot.left : spot.right]
        )
    assert {spot.kind for spot in painted.spots} == {"task", "tab", "choice", "key"}


def test_a_page_that_ends_is_seen_from_its_end_and_scrolls_back() -> None:
    at = desk(task("works"))
    at.page = Page("works", at.tab, tuple(plain(f"row {n}") for n in range(100)), wrap=False, ends=True)
    assert "row 99" in screen(at)[-2]
    at.down = 10
    assert "10 more lines" in screen(at)[-2]
    at.down = 10_000
    assert any(line.startswith("row 0 ") for line in screen(at))


def test_long_lines_of_words_are_wrapped_between_words() -> None:
    found = [text_of(line) for line in wrapped(plain("  one two three 漢字漢字漢字 abcdefghijklmnopqrstuvwxyz"), 12)]
    assert all(columns(line) <= 12 for line in found)
    assert found[0] == "  one two" and found[1].startswith("  three")
    assert "".join("".join(found).split()) == "onetwothree漢字漢字漢字abcdefghijklmnopqrstuvwxyz"


def test_a_long_line_without_blanks_is_wrapped_at_once() -> None:
    found = [*wrapped(plain("漢" * 60_000), 80)]
    assert len(found) == 1500 and {width_of(line) for line in found} == {80}


def test_a_line_is_cut_where_a_wide_character_would_stand_half_outside() -> None:
    assert text_of(fitted(plain("漢字漢字"), 6)) == "漢字… "
    assert text_of(fitted(plain("ab"), 4)) == "ab  " and fitted(plain("ab"), 0) == ()


def test_the_keys_are_told_in_every_size() -> None:
    for width, height in SIZES:
        text = "\n".join(text_of(line) for line in help.lines(width, height))
        assert all(entry.shown in text for entries in help.GROUPS.values() for entry in entries) or width < 20


def test_an_outcome_and_a_question_take_the_last_line() -> None:
    at = desk(task("a"))
    at.notice = Notice("stop a?", asks=True)
    assert screen(at)[-1].strip() == "stop a?  y/N"
    at.picked = PLAN
    at.notice = None
    assert "? keys" in screen(at)[-1]
