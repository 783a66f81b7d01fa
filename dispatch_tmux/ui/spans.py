"""A line of the screen as pieces of text with styles. Pure; a style is named as rich names it ("bold yellow", "color(4)")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dispatch_tmux.core.fit import breaks
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
    places, indent = breaks("".join(text for text, _ in spans), width)
    for start, end in places:
        yield (*([(" " * indent, "")] if indent and start else ()), *_between(spans, start, end))


def _between(spans: Line, start: int, end: int) -> Iterator[Span]:
    """The characters of SPANS from START up to END."""
    for text, style in spans:
        if part := text[max(start, 0) : max(end, 0)]:
            yield part, style
        start, end = start - len(text), end - len(text)


def restyled(spans: Line, style: str) -> Line:
    """SPANS, all in STYLE; what is bold stays so."""
    return tuple((text, f"{style} bold" if "bold" in own else style) for text, own in spans)


def words(text: str, width: int = 2000) -> str:
    """A worker's words as one harmless line."""
    return line(text, width)
