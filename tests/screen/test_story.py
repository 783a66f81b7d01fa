"""What programs that draw their screens tell as a log: each line once, in order, whatever way they draw."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crew import Crew, wait_until
from hypothesis import given
from hypothesis import strategies as st

from dispatch_tmux.core.text import split
from dispatch_tmux.screen.emulator import Terminal
from dispatch_tmux.screen.story import Story, draws

WIDTH, HEIGHT = 60, 12
LINES = [f"line {n} of what it says" for n in range(40)]
SPINNER = itertools.cycle("⠋⠙⠹⠸")


def told(text: str, bits: int = 1 << 20) -> list[str]:
    story, rest, lines = Story(WIDTH, HEIGHT), "", []
    for at in range(0, len(text), bits):
        shown, rest = split(rest + text[at : at + bits])
        lines += story.feed(shown)
    return [*lines, *story.tell(story.shown())]


def composer(n: int) -> list[str]:
    return [f"{next(SPINNER)} Thinking… ({n}s)", "─" * WIDTH, "> ", "─" * WIDTH, f"  {n} tokens"]


def inline() -> Iterator[str]:
    """As Claude Code and the demo worker: what is said scrolls away, the composer below is drawn anew."""
    yield "\r\n".join(composer(0))
    for n, line in enumerate(LINES):
        for k in range(3):
            yield "\x1b[4A\r\x1b[J" + (f"{line}\r\n" if not k else "") + "\r\n".join(composer(n * 3 + k))


def wiping(mark: str) -> Iterator[str]:
    """The whole screen wiped and drawn, frame by frame."""
    for n in range(1, len(LINES) + 1):
        for k in range(3):
            rows = [*LINES[max(0, n - 7) : n], *composer(n * 3 + k)]
            yield mark + "\r\n".join(rows)


def alternate(frame: Callable[[str], str]) -> Iterator[str]:
    """As opencode: rows of the alternate screen, written where they belong, only those that changed."""
    before: list[str] = []
    yield "\x1b[?1049h\x1b[2J"
    for n in range(1, len(LINES) + 1):
        for k in range(3):
            rows = [*LINES[max(0, n - 7) : n], *composer(n * 3 + k)]
            changed = [(y, row) for y, row in enumerate(rows) if y >= len(before) or before[y] != row]
            yield frame("".join(f"\x1b[{y + 1};1H{row}\x1b[K" for y, row in changed))
            before = rows


@pytest.mark.parametrize("bits", [1 << 20, 7])
@pytest.mark.parametrize(
    "frames",
    [
        inline(), wiping("\x1b[2J\x1b[H"), wiping("\x1b[H\x1b[J"), alternate(lambda text: f"\x1b[?2026h{text}\x1b[?2026l"),
        alternate(lambda text: f"\x1b[?25l{text}\x1b[?25h"),
    ],
    ids=["inline", "wiped", "wiped-from-home", "synchronized", "cursor-hidden"],
)  # fmt: skip
def test_each_line_once_and_in_order(frames: Iterator[str], bits: int) -> None:
    text = KEPT.setdefault(id(frames), "") or "".join(frames)
    KEPT[id(frames)] = text
    assert draws(text)
    lines = told(text, bits)
    assert [line for line in lines if line.startswith("line ")] == LINES
    assert len(lines) < len(LINES) + 12, lines  # not a line for each turn of the spinner


KEPT: dict[int, str] = {}  # the frames can be drawn once only


def test_what_is_not_for_the_screen_is_passed_over() -> None:
    shown = told(
        "\x1bPtmux;\x1b\x1b_Gi=31;AAAA\x1b\x1b\\\x1b\\\x1b]0;title\x07\x1b[>4;1m\x1b(Bone\x1b[?2004h\r\n\x1bP+q4d73\x1b\\two"
    )
    assert shown == ["one", "two"]


def test_what_no_program_writes_is_bounded() -> None:
    story = Story(20, 4)
    story.feed("\x1b[?1049h\x1b[1;" + "9" * 5000 + "Ha" + "\u0301" * 50_000)
    assert story.shown()[0].strip() == "a" + "\u0301" * 31


def test_what_was_said_comes_before_what_went_and_what_was_under_way_is_none() -> None:
    """As today's Claude Code: all on the alternate screen, the spinner in many words, a dialogue that goes."""
    said = ["● I look at it", "  ⎿  $ ls", "● done with that"]
    pictures = [
        [*said[:1], "", "✻ Scurrying… (2s · ↓ 14 tokens)"], [*said[:1], "", "✢ Scurrying… (running PostToolUse hook · 3s · ↓ 20 tokens)"],
        [*said[:2], "", "Do you want to go on?", "❯ 1. Yes", "  2. No"], [*said[:2], "● Reading 1 file…", " " * 90 + "◐ medium"],
        [*said, "", "✻ Baked for 2s"],
    ]  # fmt: skip
    text = "\x1b[?1049h"
    for rows in pictures:
        text += "\x1b[?2026h\x1b[2J" + "".join(f"\x1b[{y};1H{row}" for y, row in enumerate(rows, 1)) + "\x1b[?2026l"
    story = Story(120, HEIGHT)
    lines = [*story.feed(text), *story.tell(story.shown())]
    assert lines == [*said[:2], "Do you want to go on?", "❯ 1. Yes", "  2. No", said[2], "✻ Baked for 2s"]


def test_what_is_drawn_again_after_a_clearing_is_not_told_again() -> None:
    again = "\x1b[2J\x1b[3J\x1b[H" + "".join(f"{line}\r\n" for line in LINES)
    assert told(again * 4) == LINES


def test_a_line_that_grows_is_told_whole_and_once() -> None:
    words = "it says one word after the other until it is done".split()
    grown = [f"\x1b[?2026h\x1b[1;1H{' '.join(words[:n])}\x1b[?2026l" for n in range(1, len(words) + 1)]
    lines = told("\x1b[?1049h" + "".join(grown) + "\x1b[?2026h\x1b[1;1H\x1b[2Kgone\x1b[?2026l")
    assert lines == [" ".join(words), "gone"]


def test_a_program_that_prints_does_not_draw() -> None:
    assert not draws("one\r\ntwo\x1b[31m red\x1b[0m\r\n" * 100 + "\x1b[H\x1b[2J")


@given(st.text(st.sampled_from("ab漢é\x1b[];?0123456789HJKLMPSTABCDhlrm\r\n\t\b"), max_size=300))
def test_any_output_has_a_screen(text: str) -> None:
    scrolled: list[str] = []
    terminal = Terminal(9, 4, scrolled.append, lambda lost: None)
    terminal.feed(text)
    assert len(terminal.lines()) == 4
    assert all(len(line) <= 9 for line in terminal.lines())


@pytest.mark.parametrize(
    "drawn",
    [
        "one\r\ntwo\x1b[1;5Hthree\x1b[3;1Hfour\x1b[1K\x1b[2;2Hx\x1b[K", "\r\n".join("abcdefghij") + "\x1b[3;6r\x1b[6;1H\r\nnew\x1b[3;1H\x1bMtop",
        "a" * 45 + "\r\nb\x1b[Ac\x1b[20Dd\x1b[2Pe\x1b[3@f", "漢字" * 12 + "\r\n\te\bf\x1b[2;3H\x1b[2L\x1b[M", "one\x1b[?1049htwo\x1b[?1049lthree\x1b7\x1b[5;5Hx\x1b8y",
    ],
)  # fmt: skip
def test_the_screen_is_what_tmux_makes_of_it(crew: Crew, drawn: str, tmp_path: Path) -> None:
    (tmp_path / "drawn").write_text(drawn)
    crew.tmux(
        "new-session",
        "-d",
        "-x",
        "40",
        "-y",
        "10",
        f"stty raw; cat '{tmp_path}/drawn'; printf '\\033]2;done\\007'; exec cat",
    )
    crew.tmux("set-option", "-g", "status", "off")
    wait_until(lambda: crew.tmux("display-message", "-p", "#{pane_title}").text == "done")
    terminal = Terminal(
        40, int(crew.tmux("display-message", "-p", "#{pane_height}").text), lambda line: None, lambda lost: None
    )
    terminal.feed(drawn)
    assert (
        "\n".join(terminal.lines()).rstrip()
        == "\n".join(row.rstrip() for row in crew.tmux("capture-pane", "-p").lines).rstrip()
    )
