"""A worker's screen with its colours: they get through, and nothing else that a terminal obeys does."""

from __future__ import annotations

import re

import pytest
from desks import text_of
from rich.style import Style

from dispatch_tmux.core.text import CONTROLS
from dispatch_tmux.ui import ansi


@pytest.mark.parametrize(
    ("written", "style"),
    [
        ("\x1b[1;31mx", "bold color(1)"),
        ("\x1b[97;44mx", "color(15) on color(4)"),
        ("\x1b[38;5;208mx", "color(208)"),
        ("\x1b[38;2;1;2;3mx", "#010203"),
        ("\x1b[1m\x1b[38;2;255;255;255m\x1b[48;2;4;5;6mx", "bold #ffffff on #040506"),
        ("\x1b[7;2mx", "dim reverse"),
        ("\x1b[1m\x1b[22mx", ""),
        ("\x1b[31m\x1b[mx", ""),
        ("\x1b[38;9;9mx", ""),
        ("\x1b[48;5;999mx", ""),
        ("\x1b[1m\x1b[0;4:3mx", "underline"),  # a curly one
        ("\x1b[4m\x1b[58;5;1mx", "underline"),  # a coloured one: 5 and 1 are no styles here
        ("\x1b[58;2;2;0;7;31mx", "color(1)"),
        ("\x1b[38:2::1:2:3mx", "#010203"),
        ("\x1b[38mx", ""),
    ],
)
def test_a_style_is_as_it_was_written(written: str, style: str) -> None:
    (line,) = ansi.lines(written)
    assert line == (("x", style),)
    Style.parse(style)


def test_a_style_goes_on_in_the_next_row_and_empty_rows_at_the_end_are_left_out() -> None:
    assert ansi.lines("\x1b[31ma\nb\x1b[0m\n\n   \n") == [(("a", "color(1)"),), (("b", "color(1)"),)]


def test_nothing_else_gets_through() -> None:
    text = "a\x1b]52;c;eA==\x07b\x1b[2Jc\x1b[5n\x9b6nd\u202ee\x1b[38;5;1"
    (line,) = ansi.lines(text)
    assert text_of(line).startswith("abcde") and not re.search(CONTROLS, text_of(line))


def test_lines_that_were_drawn_with_another_character_set_are_lines() -> None:
    (line,) = ansi.lines("\x0elqqk\x0f ok")
    assert text_of(line) == "┌──┐ ok"
