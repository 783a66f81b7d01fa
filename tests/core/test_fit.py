"""Lines fitted to a terminal: never wider than it, broken at words, nothing but blanks and rules lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_tmux.core.fit import cut, fitted, wrapped
from dispatch_tmux.core.sgr import plain
from dispatch_tmux.core.text import columns

ROWS = st.text(st.sampled_from("ab 漢é─│ ."), max_size=120)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("use the new index", 10, ["use the", "new index"]), ("    in a list it goes on", 14, ["    in a list", "    it goes on"]),
        ("x" * 9, 4, ["xxxx", "xxxx", "x"]), ("漢字漢字", 5, ["漢字", "漢字"]), ("", 5, [""]), ("a\n\nb", 5, ["a", "", "b"]),
    ],
)  # fmt: skip
def test_text_is_broken_at_words_and_stays_indented(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


def test_what_goes_on_can_hang() -> None:
    assert wrapped("? auth asks: which one", 16, 4) == ["? auth asks:", "    which one"]


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("─" * 200, ["─" * 20]), (f"╭─ Title {'─' * 90}╮", ["╭─ Title ──────────╮"]), (f"│ a{' ' * 90}│", [f"│ a{' ' * 16}│"]),
        ("left" + " " * 80 + "right", ["left" + " " * 11 + "right"]), ("fits", ["fits"]),
        ("\x1b[31mred words that are long\x1b[0m and plain", ["\x1b[31mred words that are", "long\x1b[0m and plain"]),
    ],
)  # fmt: skip
def test_a_screens_rules_and_gaps_give_way_before_its_words(row: str, shown: list[str]) -> None:
    assert fitted(row, 20) == shown


@given(ROWS, st.integers(20, 60))
def test_nothing_is_wider_and_no_word_is_lost(row: str, width: int) -> None:
    lines = fitted(row, width)
    assert all(columns(line) <= width for line in lines)
    assert columns(cut(row, width)) <= width
    kept = re.sub(r"[ ─│.]", "", row)
    assert re.sub(r"[ ─│.]", "", "".join(lines)) == kept
    colours = "\x1b[1;32m".join(row)
    assert [plain(line).rstrip() for line in fitted(colours, width)] == [line.rstrip() for line in lines]
