"""Buttons beside each other, and which of them is the one that Enter presses. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from dispatch_tmux.screen.parts import POINTERS, Found, Item, Looks, bare, unlike
from dispatch_tmux.screen.styles import Look

BUTTON = re.compile(
    r"<\s{0,4}[^<>\s](?:[^<>]{0,38}[^<>\s])?\s{0,4}>|\[\s{1,4}[^\[\]\s](?:[^\[\]]{0,38}[^\[\]\s])?\s{1,4}\]"
)
KEYS = re.compile(r"(?i)^(?:ctrl|alt|shift)\W|[⇆↑↓↵⏎]|^(?:enter|esc|tab|space)\s")
WIDE_GAP = re.compile(r"\s{2,}|\s/\s")
APART = 12  # columns between two buttons


def find(lines: Sequence[str], looks: Looks = (), labels: Sequence[str] = ()) -> Found | None:
    """The lowest row with two or more buttons: `< Yes >`, `[ OK ]`, `❯ Yes   No`, `● Yes / ○ No`; or with the words LABELS."""
    for at in range(len(lines) - 1, -1, -1):
        text = bare(lines[at])
        on = looks[at] if at < len(looks) else ()
        spans = _named(text, labels) if labels else _buttons_in(text)
        if len(spans) < 2:
            continue
        pointed, stand_out = _pressed(text, spans, on)
        items = tuple(Item(at, a, _words(text[a:b]), pointed=n == pointed) for n, (a, b) in enumerate(spans))
        drawn = any(BUTTON.fullmatch(text[a:b]) for a, b in spans)
        if labels or drawn or pointed is not None or stand_out:
            return Found(items, across=True, end=at + 1)
    return None


def _named(text: str, labels: Sequence[str]) -> list[tuple[int, int]]:
    spans, begin = [], 0
    for label in labels:
        at = text.find(label, begin)
        if at < 0:
            return []
        spans.append((at, at + len(label)))
        begin = at + len(label)
    return spans


def _buttons_in(text: str) -> list[tuple[int, int]]:
    if spans := [found.span() for found in BUTTON.finditer(text)]:
        return spans
    words, begin = [], len(text) - len(text.lstrip())
    if len(text) - begin > 160:
        return []
    for gap in [*WIDE_GAP.finditer(text, begin), None]:
        end = gap.start() if gap else len(text)
        if KEYS.search(text[begin:end]):
            break  # what follows says which keys there are
        if end > begin:
            words.append((begin, end))
        begin = gap.end() if gap else end
    near = all(later[0] - one[1] <= APART for one, later in pairwise(words))
    return words if near and 2 <= len(words) <= 6 and all(b - a <= 30 for a, b in words) else []


def _words(button: str) -> str:
    return button.strip(" <>[]" if BUTTON.fullmatch(button) else " " + POINTERS + "○").strip()


def _pressed(text: str, spans: Sequence[tuple[int, int]], on: Sequence[Look]) -> tuple[int | None, bool]:
    """Which of the buttons in TEXT has the pointer: by a mark of its own, else by what is behind it; and whether all stand out."""
    marked = [n for n, (a, _) in enumerate(spans) if text[a] in POINTERS]
    if marked:
        return (marked[0] if len(marked) == 1 else None), False
    inner = [next((on[at] for at in range(a, min(b, len(on))) if text[at].isalnum()), None) for a, b in spans]
    if any(look is None for look in inner):
        return None, False
    behind = [look.behind for look in inner if look is not None]
    raised = [
        n for n, (a, b) in enumerate(spans) if {behind[n]} != {_beside(on, text, a, -1), _beside(on, text, b - 1, 1)}
    ]
    odd = unlike(behind, ("", False))
    if odd is None and len(raised) == 1:
        odd = raised[0]
    return odd, len(raised) == len(spans)


def _beside(on: Sequence[Look], text: str, at: int, step: int) -> tuple[str, bool]:
    """What is behind the first character beside the button that is no blank of its own colour."""
    mine = on[at].behind if at < len(on) else ("", False)
    padding = 0 if text[at] in "<>[]" else 2
    for _ in range(padding + 1):
        at += step
        if not 0 <= at < len(on) or at >= len(text) or text[at] != " " or on[at].behind != mine:
            break
    return on[at].behind if 0 <= at < len(on) else mine
