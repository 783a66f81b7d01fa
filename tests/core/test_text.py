"""Text for a terminal's columns, for a person's eye, and by nobody obeyed."""

from __future__ import annotations

import pytest

from dispatch_tmux.core import notices, text
from dispatch_tmux.core.task import State


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("日本", 4),
        ("ｆｕｌｌ", 8),
        ("a\u200db", 2),
        ("…✓", 2),
        ("안녕", 4),
        ("ไม้", 2),
    ],
)
def test_how_wide_it_is(words: str, columns: int) -> None:
    assert text.columns(words) == columns


@pytest.mark.parametrize(
    ("words", "width", "shown"),
    [
        ("short", 10, "short"), ("exactly", 7, "exactly"), ("too long", 7, "too lo…"), ("日本語", 6, "日本語"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"),
        ("two\n lines\t and  blanks", 40, "two lines and blanks"), ("x" * 50, 1, "…"), ("\x1b[31mred\x1b[m", 10, "red"), ("e\u0301" * 5, 3, "e\u0301e\u0301…"),
        ("a" * 9000, 5, "aaaa…"), ("", 5, ""), (" \n ", 5, ""),
    ],
)  # fmt: skip
def test_one_line_of_a_width(words: str, width: int, shown: str) -> None:
    assert text.line(words, width) == shown
    assert text.columns(text.line(words, width)) <= width
    assert text.columns(text.padded(words, width)) == width


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_399, "23h"), (86_400, "1d"), (10**7, "115d"), (-5, "0s")],
)  # fmt: skip
def test_an_age_in_one_word(seconds: float, said: str) -> None:
    assert text.age(seconds) == said


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b[31mred\x1b[2J\x1b[H\x1b]0;title\x07 on", "\x1b[31mred on"),
        ("\x1b[" + "1;" * 40 + "31mlong", "long"),
        ("hid\u200bden \u202ebidi", "hidden bidi"),
        ("\x1b[?25l\x1b[31m\x9b2Jx", "\x1b[31mx"),
        ("日本 é ok", "日本 é ok"),
    ],
)
def test_X3_a_screen_keeps_its_colours_and_nothing_else(raw: str, shown: str) -> None:
    assert text.printable(raw) == shown


def test_every_state_has_a_sign_of_one_column() -> None:
    assert set(text.GLYPHS) == set(State)
    assert {text.columns(sign) for sign in text.GLYPHS.values()} == {1}


def test_a_notice_reaches_who_listens_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "listener", None)
    notices.say("into the void")
    heard: list[str] = []
    monkeypatch.setattr(notices, "listener", heard.append)
    notices.say("the merge waits for another one")
    assert heard == ["the merge waits for another one"]
