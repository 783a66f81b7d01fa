"""Lines brought to the width of a terminal: wrapped at words, long rules cut, measured in columns. Pure."""

from __future__ import annotations

import re

from dispatch_tmux.core.text import COLOUR, columns, cut_cells

_COLOUR = re.compile(COLOUR)
_LONG = re.compile(r"(?<=[^ ])( {4,})(?=[^ ])|([─━═╌┄╍┅▁▂▔▀▄█_=~*.·-])\2{3,}")  # gaps within a row, and rules
_FRAMED = re.compile(r"\s+[│┃║▐|]$")
_KEPT = 2  # cells that are left of a gap or a rule

Cell = tuple[str, str]  # colours that begin with it, and its character


def wrapped(text: str, width: int, hang: int = 0) -> list[str]:
    """TEXT, harmless, in lines of at most WIDTH columns, broken at blanks where there are any.

    A line goes on indented as it is, and HANG columns more.
    """
    return [part for row in text.split("\n") for part in _wrapped(row, width, hang)]


def cut(row: str, width: int) -> str:
    """ROW, harmless, in WIDTH columns at most; its blanks stay, and an ellipsis says that there was more."""
    return row.rstrip() if columns(row.rstrip()) <= width else cut_cells(row, width - 1) + "…"


def fitted(row: str, width: int) -> list[str]:
    """A screen's ROW, with the colours that it has, in lines of at most WIDTH columns: its gaps and rules give way, then it is wrapped."""
    row = row.rstrip()
    bare = _COLOUR.sub("", row)
    over = columns(bare) - width
    if over <= 0:
        return [row]
    runs = sorted((found.span() for found in _LONG.finditer(bare)), key=lambda span: span[0] - span[1])
    gone: set[int] = set()
    for start, end in runs:
        less = min(over, end - start - _KEPT)
        gone.update(range(start, start + less))
        if not (over := over - less):
            break
    cells, rest = _cells(row)
    kept: list[Cell] = []
    colours = ""
    for n, (before, char) in enumerate(cells):
        colours += before
        if n not in gone:
            kept.append((colours, char))
            colours = ""
    if over <= 0:
        return [_joined(kept) + colours + rest]
    return _wrapped(_FRAMED.sub("", _joined(kept)) + colours + rest, width)


def _cells(row: str) -> tuple[list[Cell], str]:
    """The characters of ROW with the colours that begin at each, and those that begin behind the last one."""
    cells: list[Cell] = []
    before = ""
    for n, part in enumerate(_COLOUR.split(row)):
        if n % 2:
            before += part
        elif part:
            cells += [(before, part[0]), *(("", char) for char in part[1:])]
            before = ""
    return cells, before


def _joined(cells: list[Cell]) -> str:
    return "".join(before + char for before, char in cells)


def _wrapped(row: str, width: int, hang: int = 0) -> list[str]:
    if "\x1b" not in row and columns(row) <= width:
        return [row]
    cells, rest = _cells(row)
    places, indent = breaks("".join(char for _, char in cells), width, hang)
    lines: list[str] = []
    begun = 0  # behind the line before: what colours the blanks between have is not lost
    for start, end in places:
        colours = "".join(before for before, _ in cells[begun:start])
        lines.append((" " * indent if start else "") + colours + _joined(cells[start:end]))
        begun = end
    colours = "".join(before for before, _ in cells[begun:])
    return [*lines[:-1], lines[-1] + colours + rest] if lines else [rest]


def breaks(text: str, width: int, hang: int = 0) -> tuple[list[tuple[int, int]], int]:
    """Where in TEXT the lines of at most WIDTH columns begin and end that it is broken into, and how far all but the first are indented."""
    bare = text.lstrip(" ")
    indent = (len(text) - len(bare) if bare else 0) + hang
    indent = indent if indent <= width // 2 else 0
    places = []
    start = 0
    while start < len(text):
        end = _end(text, start, width - (indent if start else 0))
        places.append((start, end))
        start = end
        while start < len(text) and text[start] == " ":
            start += 1
    return places, indent


def _end(text: str, start: int, room: int) -> int:
    """Where the line that begins at START ends."""
    at, blank = start, 0
    while at < len(text) and (room := room - columns(text[at])) >= 0:
        if text[at] == " " and text[start:at].strip(" "):
            blank = at
        at += 1
    if at == len(text) or text[at] == " ":
        return at
    return blank or max(at, start + 1)
