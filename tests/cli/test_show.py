"""What people see: text from workers made harmless, and tables that fit."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from dispatch_tmux.cli import events, listing, show
from dispatch_tmux.core import text as texts
from dispatch_tmux.core.task import Choice, Question, State, Task
from dispatch_tmux.verbs.events import TaskEvent

LINK = "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\"


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


def question(text: str, *labels: str) -> Question:
    return Question("001", "file", text, tuple(Choice(str(n), label) for n, label in enumerate(labels, 1)), 0.0)


def task(id: str = "auth", **facts: Any) -> Task:
    return Task(id=id, created=1.0, since=1000.0, marks="x ", state=State.WORKING, model="opus")._replace(**facts)


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain", "plain"),
        ("two\nlines", "two\nlines"),
        ("wörd 漢字 👍", "wörd 漢字 👍"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;2;1;2;3mred\x1b[m", "red"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b[?1049hother screen", "other screen"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x1b]52;c;ZXZpbA==\x07x", "x"),
        (LINK, "click"),
        ("\x1bPq#0;2;0;0;0\x1b\\x", "x"),
        ("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\x", "x"),
        ("\x1bc\x1b(0\x1b#8\x1b=x", "x"),
        ("a\x1b", "a"),
        ("\x9b31mred\x9d0;title\x07x", "redx"),
        ("\x90dcs\x9cx", "x"),
        ("safe\rEVIL", "safe\nEVIL"),
        ("dos\r\nlines\r\n", "dos\nlines\n"),
        ("a\x00\x07\x08\x0b\x0c\x7fb", "ab"),
        ("a\x80\x85\x9fb", "ab"),
        ("a\u202eb\u2066c\u200fd\u061c", "abcd"),
        ("a\u200b\u2060\ufeff\U000e0041b", "ab"),
        ("a\ud800b", "ab"),
        ("a\tb", "a       b"),
        ("\x1b\x1b[31mx", "x"),
        ("\x1b[3\x1b[1m1mx", "31mx"),  # an escape in an escape makes no new one
        ("\x1b]\x1b]0;t\x07x", "x"),
    ],
)
def test_X3_what_a_terminal_would_obey_is_gone(text: str, shown: str) -> None:
    assert texts.clean(text) == shown
    assert texts.clean(shown) == shown


def test_X3_words_after_an_escape_without_an_end_are_not_hidden() -> None:
    assert texts.clean("may I?\x1b]0;delete everything?") == "may I?0;delete everything?"


@pytest.mark.parametrize("piece", ["\x1b]", "\x1bP", "\x1b[", "\x9d", "\x1b]x\x1b", "\x1b[1;"])
def test_X3_escapes_that_never_end_cost_no_time(piece: str) -> None:
    begun = time.process_time()
    assert not set(texts.clean(piece * 100_000, 1 << 30)) & {"\x1b", "\x9d"}
    texts.split(piece * 100_000)
    assert time.process_time() - begun < 2.0


def test_long_text_is_cut_and_says_where_the_rest_is() -> None:
    assert texts.clean("x" * 50, 10, "/p/001.question") == "x" * 10 + "… (40 more characters, see /p/001.question)"
    assert texts.clean("x" * 50, 10) == "x" * 10 + "… (40 more characters)"
    assert texts.clean("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize(
    "text, first, rest",
    [
        ("all", "all", ""),
        ("a\x1b", "a", "\x1b"),
        ("a\x1b[3", "a", "\x1b[3"),
        ("a\x1b[31", "a", "\x1b[31"),
        ("a\x1b]0;tit", "a", "\x1b]0;tit"),
        ("a\x1b]0;tit\x1b", "a", "\x1b]0;tit\x1b"),
        ("a\x1b(", "a", "\x1b("),
        ("a\r", "a", "\r"),
        ("a\x1b[31mb", "a\x1b[31mb", ""),
        ("a\x1b]0;t\x07", "a\x1b]0;t\x07", ""),
    ],
)
def test_an_escape_that_has_only_begun_waits_for_its_end(text: str, first: str, rest: str) -> None:
    assert texts.split(text) == (first, rest)


def test_X3_a_stream_cut_anywhere_reads_as_in_one_piece() -> None:
    text = f"a\x1b[31mred\x1b[0m{LINK}\r\nb\x1b]0;title\x07c"
    for at in range(len(text)):
        first, rest = texts.split(text[:at])
        assert texts.clean(first) + texts.clean(rest + text[at:]) == texts.clean(text)


@pytest.mark.parametrize(
    "text, width, shown",
    [
        ("short", 80, "short"),
        ("two\n  lines\tand more", 80, "two lines and more"),
        ("exactly ten", 10, "exactly t…"),
        ("漢字漢字", 5, "漢字…"),
        ("漢字漢字", 4, "漢…"),
        ("e\u0301e\u0301", 2, "e\u0301e\u0301"),
        ("", 5, ""),
    ],
)
def test_a_line_fits_its_columns(text: str, width: int, shown: str) -> None:
    assert texts.line(text, width) == shown
    assert texts.columns(texts.line(text, width)) <= width
    assert texts.columns(texts.padded(text, width)) == width


@pytest.mark.parametrize(
    "seconds, said", [(-3, "0s"), (12.9, "12s"), (60, "1m"), (299, "4m"), (7200, "2h"), (200_000, "2d")]
)
def test_ages_are_short(seconds: float, said: str) -> None:
    assert texts.age(seconds) == said


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_glyph(state: State) -> None:
    assert show.state(task(state=state)).startswith(f"{texts.GLYPHS[state]} {state.value}")


@pytest.mark.parametrize("columns, width", [("120", 120), ("0", 80), ("abc", 80), ("5", 20)])
def test_an_odd_width_is_survived(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.__stdout__", None)  # whatever the terminal that runs the tests says
    assert show.width() == width


def test_the_columns_of_a_table_stand_beneath_their_heads_in_80_columns() -> None:
    listed = [
        task("a", model="漢字"),
        task("a-rather-long-id-made-of-a-prompt-of-many-words-2", model="gpt-" * 9),
        task("waits", state=State.WAITING, questions=(question("Which " + "database " * 30, "SQLite", "PostgreSQL"),)),
        task("failed", state=State.FAILED, why="exit code 3\n" + "because " * 30),
        task("held", requests=(("r", "held", "a draft is in its composer " * 9),)),
    ]
    head, *rows = listing.table(listed, now=1060.0)
    assert all(texts.columns(row) <= 80 for row in [head, *rows])
    of_tasks = [row for row in rows if not row.startswith("  ")]
    assert len(of_tasks) == len(listed)
    for row in of_tasks:
        assert texts.columns(row[: row.index("1m")]) + 2 == head.index("SINCE") + len("SINCE")
    assert any(row.startswith("  ? Which database") for row in rows)


def test_a_table_of_short_names_keeps_its_heads() -> None:
    head, row = listing.table([task("a", model="m")], now=1012.0)
    assert head.index("STATE") == row.index("●")
    assert listing.table([]) == []


def test_no_colour_unless_a_terminal_looks() -> None:
    assert "\x1b" not in "".join(listing.table([task()]))


def test_X3_a_table_and_a_question_obey_no_worker() -> None:
    evil = f"\x1b]0;owned\x07{LINK}\rover\x1b[2J\u202e"
    asked = question(f"{evil}\n1. {evil}", evil)
    held = (("r", "held", evil),)
    odd = task(state=State.WAITING, model=evil, title=evil, why=evil, questions=(asked,), requests=held)
    shown = "\n".join(
        [*listing.table([odd]), *listing.table([odd._replace(questions=())]), *show.question("auth", asked)]
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|owned|evil", shown)
    assert "click" in shown


def test_a_question_lists_its_choices_once_and_keeps_every_other_line() -> None:
    asked = question("How?\n1.5 GB are free\n1. move  it\n2) leave it", "move it", "leave it")
    assert show.question("auth", asked) == [
        "? auth asks (001): How?",
        "    1.5 GB are free",
        "    1. move it",
        "    2. leave it",
        "    answer: dispatch answer auth --choice N",
    ]


def test_how_to_answer_is_told_with_the_choices_own_keys() -> None:
    y_or_n = Question("s1", "screen", "Proceed?", (Choice("y", "y"), Choice("n", "n")), 0.0, "confirm")
    assert show.question("auth", y_or_n)[-1] == "    answer: dispatch answer auth --choice y   (or n)"
    several = question("Which?", "a", "b", "c")._replace(kind="multi")
    assert (
        show.question("auth", several)[-1]
        == "    answer: dispatch answer auth --choice 1,3   (any of them, with commas)"
    )


def test_a_question_without_choices_wants_words() -> None:
    assert show.question("auth", question("Which port?"))[-1] == '    answer: dispatch answer auth "…"'
    assert show.question("auth", question(""))[0] == "? auth asks (001): "


@pytest.mark.parametrize("kind", ["state", "progress", "conflict", "strayed", "question", "late", "exited"])
@pytest.mark.parametrize("value", [5, None, {"a": 1}, ["x", 3], "text"])
def test_F19_an_event_whose_data_is_none_of_ours_is_shown_as_it_stands(kind: str, value: object) -> None:
    data = dict.fromkeys(("why", "state", "changed", "files", "q", "text", "code"), value)
    assert events.words(TaskEvent("t", 1.0, kind, "", data)).split()[1:3] == ["t", kind]
