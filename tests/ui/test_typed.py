"""The line that a person types in the inbox: the keys of a shell, pasted text as words, never more columns than there are."""

from __future__ import annotations

import pytest
from desks import text_of

from dispatch_tmux.core.text import columns
from dispatch_tmux.ui.typed import DONE, LEFT, Typed


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("a b c", "abc"),
        ("a b backspace c", "ac"),
        ("a b left X", "aXb"),
        ("a b home X end Y", "XabY"),
        ("a b left delete", "a"),
        ("a ctrl+j b", "a\nb"),
        ("a b ctrl+u c", "c"),
        ("a b ctrl+a ctrl+k", ""),
        ("f1 tab up a", "a"),
        ("left right backspace delete", ""),
    ],
)
def test_keys_do_what_they_do_in_a_shell(keys: str, text: str) -> None:
    typed = Typed("about")
    assert {typed.press(key) for key in keys.split()} == {""}
    assert typed.text == text


def test_words_are_jumped_over_and_taken_out() -> None:
    typed = Typed("about", "one two  three")
    typed.press("ctrl+left")
    typed.press("ctrl+w")
    assert typed.text == "one three"
    typed.press("ctrl+right")
    typed.insert("!")
    assert typed.text == "one three!"


def test_enter_ends_it_and_esc_leaves_it() -> None:
    assert Typed("a").press("enter") == DONE
    assert {Typed("a").press(key) for key in ("escape", "ctrl+c")} == {LEFT}


def test_what_is_pasted_is_words_and_bounded() -> None:
    typed = Typed("about")
    typed.insert("one\r\ntwo\x1b]52;c;eA==\x07\x1b[31m")
    assert typed.text == "one\ntwo"
    typed.insert("x" * 100_000)
    assert len(typed.text) <= 20_000


@pytest.mark.parametrize("width", [6, 20, 80])
@pytest.mark.parametrize("text", ["", "abc", "漢字" * 60, "words " * 90, "a\nb"])
def test_the_cursor_is_always_in_sight(width: int, text: str) -> None:
    typed = Typed("about", text)
    for at in range(len(text) + 1):
        typed.at = at
        before, cursor, after = typed.shown(width)
        assert columns(text_of((before, cursor, after))) <= width and cursor[1] == "reverse"
