"""A dialogue that no rule knows: read off its structure alone. Pure.

Only what stands at the bottom counts, and only with a second sign beside the list: words that say which keys there are, or buttons.
What it means nobody can tell, so its kind is `menu` (one is picked), `multi` (boxes), `field` (words are typed) or `continue`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dispatch_tmux.core import sgr
from dispatch_tmux.core.shown import Choice, Shown, Ways
from dispatch_tmux.core.text import columns
from dispatch_tmux.screen import buttons, structure, styles
from dispatch_tmux.screen.parts import BORDER, Found, bare

UNDER = 6  # rows that may stand under a list: hints, a frame, buttons
OVER = 14  # rows above it that are looked at for what is asked
HINT = re.compile(
    r"(?i)\b(?:enter|return|space(?:bar)?|tab|esc(?:ape)?|arrows?|arrow keys?|ctrl)\b|[↑↓←→↵⏎⇆]|\bup/down\b|\bj/k\b"
    r"|<\s?(?:ok|yes|no|select|cancel)\s?>|\b(?:to|use) (?:select|navigate|move|choose|confirm|toggle)\b"
)
WORKS = re.compile(
    r"(?i)\b(?:esc|ctrl.?c) to (?:interrupt|stop)\b"
)  # it does something; what looks like a list is its talk
PROMPT = re.compile(r"^\s*[❯›>»](?:\s|$)")  # under a list: a composer
TREE = "⎿└↳├│╰"
ASKS = re.compile(r"\?\s*$|:\s*$|(?i:\b(?:select|choose|pick|which)\b)")
DIGITS = re.compile(
    r"(?i)\b(?:press|type|enter|choose|select|pick|hit)\b[^.\n]{0,24}(?:\bnumber\b|\bdigit\b|[\[(]?\b1\s?(?:-|–|to|\.\.|/|,)\s?\d)|[\[(]1\s?[-–/]\s?\d[\])]"
)
FREE = re.compile(
    r"(?i)^(?:other\b.*|type (?:something|your own.*|here.*)|custom\b.*|something else\b.*"
    r"|(?:enter|write|type) (?:a|your|my|an) (?:own|custom|different)\b.*)$"
)
GO_ON = re.compile(r"(?i)\bpress (?:the )?\[?<?(?:enter|return|any key|space)\b.{0,40}$")
SENDS = re.compile(
    r"(?i)(?:\b(?:enter|return)\b|[↵⏎])\s*(?:to |: ?|= ?|- ?)?(?:submit|confirm|save|continue|send|accept|done|ok)\b"
)
FIELD = re.compile(r"^\s*(?:[❯›>»?✎]|[│┃|]\s?[❯›>]?)\s?(?P<text>.*)$")
ENTER_TOGGLES = re.compile(r"(?i)(?:\b(?:enter|return)\b|[↵⏎])\s*(?:to |: ?|= ?|/ ?)?(?:toggle|check|tick|mark)")


def dialogue(rendered: str, cursor: tuple[int, int] | None = None) -> Shown | None:
    """What the screen RENDERED (`capture-pane -p -e`) asks at its bottom; None when there is nothing that surely does."""
    raw = rendered.rstrip()
    lines = [line.rstrip(" \r") for line in sgr.plain(raw).split("\n")]
    if not raw or len(lines) > 400:
        return None
    looks = styles.of(raw) if "\x1b[" in raw else ()
    found = structure.find(lines, looks)
    if found and found.across and cursor:
        found = _agreed(lines, found, cursor)
    if found and _is_at_the_bottom(lines, found) and (shown := _menu(lines, found)):
        return shown
    return _field(lines) or _go_on(lines)


def _agreed(lines: Sequence[str], found: Found, cursor: tuple[int, int]) -> Found:
    """FOUND without its pointer where the cursor stands on another of the buttons: two signs that differ are none."""
    column, row = cursor
    line = lines[found.items[0].row]
    under = [i for i in found.items if i.row == row and 0 <= column - columns(line[: i.column]) < columns(i.label) + 4]
    if not under or found.pointed is None or found.pointed in under:
        return found
    return found._replace(items=tuple(item._replace(pointed=False) for item in found.items))


def _is_at_the_bottom(lines: Sequence[str], found: Found) -> bool:
    under = [bare(line) for line in lines[found.end :] if not BORDER.match(line)]
    talk = any(item.label[:1] in TREE for item in found.items)
    return len(under) <= UNDER and not talk and not any(PROMPT.match(row) or WORKS.search(row) for row in under)


def _menu(lines: Sequence[str], found: Found) -> Shown | None:
    first = found.items[0].row
    above, below = _paragraphs(lines[max(0, first - OVER) : first]), " ".join(bare(line) for line in lines[found.end :])
    question = above[-1] if above else ""
    near = f"{question}\n{lines[first] if found.across else ''}\n{below}"
    boxes = [item.ticked is not None for item in found.items]
    pointed = found.pointed is not None
    digits = not pointed and bool(DIGITS.search(near))
    pressed = found.across and (not pointed or buttons.BUTTON.search(lines[first]) is not None)
    said = HINT.search(f"{near}\n{found.items[-1].label}") or digits
    asked = ASKS.search(question) and (pressed or (pointed and found.items[0].key))
    if not (said or asked):
        return None
    if not pointed and not digits and not pressed:
        return None
    numbered = not found.across and all(item.key for item in found.items)
    choices = tuple(
        Choice(item.key if numbered else str(n), item.label, bool(FREE.match(item.label)), item.ticked, item.pointed)
        for n, item in enumerate(found.items, 1)
    )
    kind = "multi" if sum(boxes) >= 2 and sum(boxes) >= len(boxes) - 1 else "menu"
    ways = Ways(toggle="Enter" if ENTER_TOGGLES.search(near) else "Space", digits=digits and not found.across)
    on = found.pointed
    return Shown(
        "question", kind, question, choices, "\n".join(above[:-1][-6:]), across=found.across,
        scrolled=found.above or found.below, numbered=numbered, pointer=on.label if on else "", ways=ways,
    )  # fmt: skip


def _field(lines: Sequence[str]) -> Shown | None:
    """A line to type on, with the words that Enter sends it under it."""
    rows = [row for row in range(len(lines)) if not BORDER.match(lines[row])][-UNDER:]
    hint = next((row for row in rows if SENDS.search(lines[row]) and not FIELD.match(lines[row])), None)
    if hint is None:
        return None
    field = next((row for row in reversed(rows) if row < hint and re.match(r"^[\s│┃|]*[❯›>»]\s?", lines[row])), None)
    if field is None:
        return None
    above = _paragraphs(lines[max(0, field - OVER) : field])
    return Shown("question", "field", above[-1], (), "\n".join(above[:-1][-6:])) if above else None


def _go_on(lines: Sequence[str]) -> Shown | None:
    last = [bare(line).strip() for line in lines if not BORDER.match(line)][-2:]
    if not any(GO_ON.search(line) for line in last):
        return None
    return Shown("question", "continue", last[-1] if GO_ON.search(last[-1]) else last[0], (), "\n".join(last))


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """The paragraphs in LINES, each as one line; frames and blank rows part them."""
    groups: list[list[str]] = [[]]
    for line in lines:
        text = bare(line).strip()
        if not text or BORDER.match(text) or structure.GOES_ON.match(text):
            groups.append([])
        else:
            groups[-1].append(text)
    return [" ".join(group) for group in groups if group]
