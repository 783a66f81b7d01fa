"""A line of the screen as pieces of text with styles. Pure; a style is named as rich names it ("bold yellow", "color(4)")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dispatch_tmux.core.text import columns, cut_cells, line

Span = tuple[str, str]  # text without anything that a terminal obeys, style
Line = tuple[Span, ...]

DIM, BOLD, ASKS, WARNS, BAD, GOOD, BUSY = "dim", "bold", "bold yellow", "yellow", "red", "green", "cyan"


def plain(text: str, style: str = "") -> Line:
    return ((text, style),)


def width_of(spans: Iterable[Span]) -> int:
    """How many columns SPANS take."""
    return sum(columns(text) for text, _ in spans)


def fitted(spans: Line, width: int, style: str = "") -> Line:
    """SPANS in exactly WIDTH columns: cut with an ellipsis, or filled with blanks in STYLE."""
    room = width - width_of(spans)
    if room == 0:
        return spans
    return (*spans, (" " * room, style)) if room > 0 else _cut(spans, width)


def _cut(spans: Line, width: int) -> Line:
    kept: list[Span] = []
    room = width - 1
    for text, style in spans:
        wide = columns(text)
        if wide > room:
            part = cut_cells(text, room)
            kept.append((f"{part}…{' ' * (room - columns(part))}", style))
            break
        kept.append((text, style))
        room -= wide
    return tuple(kept) if width > 0 else ()


def shifted(spans: Line, left: int) -> Line:
    """SPANS without their first LEFT columns."""
    kept: list[Span] = []
    for text, style in spans:
        wide = columns(text)
        if left >= wide:
            left -= wide
            continue
        while left > 0:
            left -= columns(text[0])
            text = text[1:]
        kept.append((text, style))
    return tuple(kept)


def wrapped(spans: Line, width: int) -> Iterator[Line]:
    """SPANS as lines of at most WIDTH columns, broken between words; further lines are indented as the first one."""
    if width_of(spans) <= width:
        yield spans
        return
    head = "".join(text for text, _ in spans)
    indent = min(len(head) - len(head.lstrip()), width // 3)
    begun: list[Span] = [(" " * indent, "")] if indent else []
    row: list[Span] = []
    room, empty = width, True
    for word, style in _words(spans):
        if columns(word) > room and not empty:
            yield tuple(row)
            row, room, word = list(begun), width - indent, word.lstrip()
        while columns(word) > room:  # a word longer than a line
            part = cut_cells(word, room) or word[0]
            yield (*row, (part, style))
            word = word[len(part) :]
            row, room = list(begun), width - indent
        if word:
            row.append((word, style))
            room, empty = room - columns(word), False
    if row != begun:
        yield tuple(row)


def _words(spans: Line) -> Iterator[Span]:
    """Each word with the blanks before it."""
    for text, style in spans:
        start = at = 0
        while at < len(text):
            while at < len(text) and text[at] == " ":
                at += 1
            while at < len(text) and text[at] != " ":
                at += 1
            yield text[start:at], style
            start = at


def restyled(spans: Line, style: str) -> Line:
    """SPANS, all in STYLE; what is bold stays so."""
    return tuple((text, f"{style} bold" if "bold" in own else style) for text, own in spans)


def words(text: str, width: int = 2000) -> str:
    """A worker's words as one harmless line."""
    return line(text, width)
