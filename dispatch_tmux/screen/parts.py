"""What the readers of lists and of buttons share: what they find, and a row without its frame. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.screen.styles import Look

_GAP = " " * 20  # between columns
Looks = Sequence[Sequence[Look]]
POINTERS = "❯›>●▶→➜▸►▹»◆➤⮕‣•*✦☞"
BORDER = re.compile(r"^[\s─━╌┄═▔▁╭╮╰╯┌┐└┘├┤┬┴│┃║+|-]*$")
FRAME = re.compile(r"^(\s*[│┃║▌|])(.*?)([│┃║▐|]?\s*)$")
ASIDE = re.compile(r"\s{2,}[┌│└╭╰┃├].*$")  # a box that stands to the right of the list


class Item(NamedTuple):
    """Something that can be chosen; `key` is its number on the screen, '' where it has none. `row` counts from 0."""

    row: int
    column: int
    label: str
    key: str = ""
    ticked: bool | None = None
    pointed: bool = False


class Found(NamedTuple):
    """A list, or buttons beside each other (`across`). `above`, `below`: it goes on there, beyond the screen."""

    items: tuple[Item, ...]
    across: bool = False
    above: bool = False
    below: bool = False
    end: int = 0  # the row after its last one, descriptions included

    @property
    def pointed(self) -> Item | None:
        """The one that the pointer is seen on; None when it is not seen, or on several."""
        found = [item for item in self.items if item.pointed]
        return found[0] if len(found) == 1 else None


def bare(line: str) -> str:
    """LINE without the frame around it and what stands in a box beside it; columns stay."""
    for _ in range(2):
        if found := FRAME.match(line):
            line = " " * len(found[1]) + found[2]
    return ASIDE.sub("", line).rstrip()


def left_column(line: str) -> str:
    """LINE without what stands far to the right of its words: a side bar, a notice, a frame's other edge."""
    if _GAP not in line:
        return line
    at = line.find(_GAP, len(line) - len(line.lstrip()))
    return line[:at] if at > 0 else line


def unlike(values: Sequence[object], plain: object) -> int | None:
    """Which of VALUES is unlike all the others, which are alike; of two, the one that is not PLAIN."""
    for n, value in enumerate(values):
        others = {*values[:n], *values[n + 1 :]}
        if len(others) == 1 and value not in others and (len(values) > 2 or others == {plain}):
            return n
    return None
