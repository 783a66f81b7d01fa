"""A screen as tmux gives it, with SGR escapes, as lines of spans. Pure; nothing but colours and attributes gets through."""

from __future__ import annotations

import re
from functools import lru_cache

from dispatch_tmux.core import sgr
from dispatch_tmux.core.text import clean
from dispatch_tmux.ui.spans import Line, Span

Pen = tuple[str, str, frozenset[str]]  # foreground, background, attributes
FRESH: Pen = ("", "", frozenset())
_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike", 21: "underline"}
_OFF = {22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"}, 27: {"reverse"}, 29: {"strike"}}
_DRAWING = str.maketrans("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")  # the VT100's lines
_DRAWN = re.compile(r"\x0e([^\x0f]*)\x0f?")


def lines(text: str) -> list[Line]:
    """The rows of TEXT, without the empty ones at its end. A style set in one row goes on in the next (tmux tells changes)."""
    found: list[Line] = []
    pen = FRESH
    for row in text.split("\n"):
        spans, pen = _row(row, pen)
        found.append(spans)
    while found and not any(text.strip() or " on " in f" {style}" for text, style in found[-1]):
        found.pop()
    return found


@lru_cache(maxsize=2000)
def _row(raw: str, pen: Pen) -> tuple[Line, Pen]:
    if "\x0e" in raw:
        raw = _DRAWN.sub(lambda found: found[1].translate(_DRAWING), raw)
    spans: list[Span] = []
    for n, part in enumerate(sgr.SGR.split(raw)):
        if n % 2:
            pen = _after(pen, part)
        elif harmless := clean(part, len(part) + 1):
            spans.append((harmless, style(pen)))
    return tuple(spans), pen


def style(pen: Pen) -> str:
    """PEN in rich's words."""
    fore, back, attributes = pen
    return " ".join([*sorted(attributes), *([fore] if fore else []), *([f"on {back}"] if back else [])])


def _after(pen: Pen, params: str) -> Pen:
    """PEN after one SGR sequence."""
    fore, back, attributes = pen
    for code, whole in sgr.codes(params):
        if code == 0:
            fore, back, attributes = FRESH
        elif code in _ON:
            attributes = attributes | {_ON[code]}
        elif code in _OFF:
            attributes = attributes - _OFF[code]
        elif code == 38:
            fore = _colour(whole)
        elif code == 48:
            back = _colour(whole)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            fore = f"color({code - 30 if code < 90 else code - 82})"
        elif 40 <= code <= 47 or 100 <= code <= 107:
            back = f"color({code - 40 if code < 100 else code - 92})"
        elif code == 39:
            fore = ""
        elif code == 49:
            back = ""
    return fore, back, attributes


def _colour(whole: str) -> str:
    """The colour of 38;5;N or 38;2;R;G;B, which may have colons; '' for one that is none."""
    kind, *numbers = [int(number or 0) for number in re.split("[;:]", whole)[1:]] or [0]
    if kind == 5 and numbers and numbers[0] < 256:
        return f"color({numbers[0]})"
    if kind == 2 and len(numbers) >= 3 and max(numbers[-3:]) < 256:
        return "#{:02x}{:02x}{:02x}".format(*numbers[-3:])
    return ""
