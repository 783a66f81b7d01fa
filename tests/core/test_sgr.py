"""Styles on a screen: what is dim is a suggestion and no draft, what is coloured is a banner and no talk about one."""

from __future__ import annotations

import pytest

from dispatch_tmux.core import sgr

DIM, OFF, REVERSE = "\x1b[2m", "\x1b[0m", "\x1b[7m"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m and \x1b[38:2::1:2:3mmore\x1b[m", "red and more"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x07 text", "link text"),
        ("\x1b(0lqk\x1b(B\x0e\x0f", "lqk"),
        ("\x1b[?2004hin\x1b[?2004l", "in"),
        ("日本\x1b[2m語", "日本語"),
    ],
)
def test_what_is_text_of_it(raw: str, text: str) -> None:
    assert sgr.plain(raw) == text


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("> typed", "> typed"),
        (f"> {DIM}a suggestion{OFF}", ">"),
        (f"> typed{DIM} and the rest of it{OFF}", "> typed"),
        (f"> {REVERSE}a{OFF}{DIM} suggestion{OFF}", ">"),  # the cursor stands on its first letter
        (f"> {REVERSE}a{OFF} draft", "> a draft"),  # the cursor stands in a draft
        (f"> {REVERSE}selected{OFF}{DIM} hint{OFF}", "> selected"),
        (f"> {DIM}no\x1b[22m yes", ">  yes"),
        ("> \x1b[38;5;2mtwo is a colour\x1b[m", "> two is a colour"),  # 2 here is no style
        ("> \x1b[38;2;2;2;2mand so are these\x1b[m", "> and so are these"),
        ("> \x1b[38:5:2mwith colons\x1b[m", "> with colons"),
        ("> \x1b[48;5;7mbehind\x1b[m", "> behind"),
        ("> \x1b[1;2;3mbold, dim, italic\x1b[m", ">"),
        ("", ""),
    ],
)
def test_what_is_dim_is_not_written(row: str, text: str) -> None:
    assert sgr.written(row, range(1)) == [text]


def test_a_style_lasts_over_the_ends_of_rows() -> None:
    """tmux writes changes only."""
    raw = f"above {DIM}begins\nstill dim\n\nand{OFF} on\nplain"
    assert sgr.written(raw, range(1, 5)) == ["", "", " on", "plain"]
    assert sgr.written(raw, range(4, 5)) == ["plain"]


@pytest.mark.parametrize(
    ("raw", "row", "column", "is_coloured"),
    [
        ("\x1b[31merror\x1b[39m: why", 0, 0, True),
        ("\x1b[31merror\x1b[39m: why", 0, 4, True),
        ("\x1b[31merror\x1b[39m: why", 0, 5, False),
        ("\x1b[31merror\x1b[0m: why", 0, 7, False),
        ("\x1b[91mbright", 0, 3, True),
        ("\x1b[38;5;9mfrom the palette", 0, 0, True),
        ("\x1b[38:2::255:0:0mtrue colour", 0, 0, True),
        ("\x1b[48;5;9mbehind", 0, 0, False),
        ("\x1b[58;5;9munderlined", 0, 0, False),
        ("\x1b[1mbold only", 0, 0, False),
        ("\x1b[31mabove\nbelow", 1, 2, True),
        ("\x1b[31mabove\x1b[m\nbelow \x1b[2mdim\x1b[m", 1, 2, False),
        ("a \x1b[32mgreen\x1b[m word", 0, 2, True),
        ("a \x1b[32mgreen\x1b[m word", 0, 1, False),
        ("no styles at all", 0, 3, True),  # it may have one: nobody has told
        ("short\x1b[m", 0, 99, False),
    ],
)
def test_whether_a_character_has_a_colour(raw: str, row: int, column: int, is_coloured: bool) -> None:
    assert sgr.coloured(raw, row, column) is is_coloured


@pytest.mark.parametrize(
    "odd",
    [
        "\x1b[",
        "\x1b[999999999999m",
        "\x1b[;;;;m",
        "\x1b[38m",
        "\x1b[38;5m",
        "\x1b[38;2;1m",
        "\x1b[:m",
        "\x1b]never ends",
    ],
)
def test_an_odd_sequence_is_survived(odd: str) -> None:
    raw = f"a{odd}b\n{odd}"
    assert sgr.plain(raw)
    assert len(sgr.written(raw, range(2))) == 2
    assert sgr.coloured(raw, 1, 0) in (True, False)


def test_a_long_screen_is_looked_at_in_no_time() -> None:
    import time

    raw = "\n".join("\x1b[38;5;2mword\x1b[39m " * 60 for _ in range(300))
    began = time.process_time()
    assert len(sgr.written(raw, range(300))) == 300
    assert sgr.coloured(raw, 299, 0)
    assert time.process_time() - began < 1.0
