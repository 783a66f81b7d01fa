"""What can be chosen on a rendered screen, whoever drew it: lists with a pointer, bars, boxes, buttons in a row. Pure.

Below the rules of each backend: those say what a dialogue means, this says what stands in it. A list is rows that begin in one
column, one of which a pointer (`❯ › > ● ▶ →`) or a bar (reverse video, a colour behind it) tells from the others. What is
not seen is not made up: a list without a pointer has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.core.text import columns
from dispatch_tmux.screen import buttons
from dispatch_tmux.screen.parts import BORDER, POINTERS, Found, Item, Looks, bare, unlike
from dispatch_tmux.screen.styles import Look

BOXES = "☐☑☒◯◉□■◻◼⬡⬢"  # boxes of one character; ● and ○ are radio buttons
ROW = re.compile(
    rf"^(?P<lead>\s*)(?:(?P<pointer>[{POINTERS}])(?:\s{{1,5}}|(?=[{BOXES}○\[(]))|(?P<arrow>[↑↓])\s{{1,3}}(?=\d{{1,2}}[.)]\s))?"
    rf"(?P<body>\S.*)$"
)
BODY = re.compile(
    rf"^(?:(?P<key>\d{{1,2}})[.)]\s+|[\[(](?P<key2>\d{{1,2}})[\])]\s+)?"
    rf"(?:(?P<box>\[[ xX✓✔*•]?\]|\([ xX*•]?\)|[{BOXES}○●](?=\s))\s*)?(?P<label>.*)$"
)
ON = frozenset("xX✓✔*•☑☒◉■◼⬢●")
MORE = {  # by the side of the list on which it stands
    -1: re.compile(r"^(?:[↑▲⬆⌃…]|\.\.\.)\s*(?:\(?\d+\b.*)?$|^\(?\+?\s?\d+ more\b.*$"),
    1: re.compile(r"^(?:[↓▼⬇⌄…]|\.\.\.)\s*(?:\(?\d+\b.*)?$|^\(?\+?\s?\d+ more\b.*$"),
}
MOST = 60  # rows of one list
GOES_ON = re.compile(r"^[↑▲⬆⌃]\s*(?:\(?\d+ more\b.*)?$")  # above a list: it is no part of what is asked
NEAR = 8  # rows between a list and its buttons


class _Row(NamedTuple):
    """A row taken apart; `column` is where its text begins, number and box included; `mark` where its pointer is."""

    at: int
    column: int
    mark: int
    pointer: str
    key: str
    box: str
    label: str


def find(lines: Sequence[str], looks: Looks = (), *, numbered: bool = True) -> Found | None:
    """The lowest list or row of buttons in LINES, drawn as LOOKS; with NUMBERED also rows numbered from 1 on, without a pointer."""
    rows = [_row(at, line) for at, line in enumerate(lines)]
    listed = _lower(_with_pointer(rows, alone=False), _with_bar(rows, looks))
    pressed = buttons.find(lines, looks)
    if listed and pressed and buttons.BUTTON.search(lines[pressed.items[0].row]) and pressed.end - listed.end <= NEAR:
        return listed  # its buttons
    return _lower(listed, pressed) or (_only_numbered(rows) if numbered else None)


def within(lines: Sequence[str], looks: Looks = (), *, alone: bool) -> Found | None:
    """The list in LINES, which are one dialogue and nothing else; ALONE: one item with a pointer is a list, too."""
    rows = [_row(at, line) for at, line in enumerate(lines)]
    return _with_pointer(rows, alone) or _with_bar(rows, looks) or buttons.find(lines, looks)


def _lower(one: Found | None, other: Found | None) -> Found | None:
    if one is None or other is None:
        return one or other
    return other if other.items[-1].row > one.items[-1].row else one


def _with_pointer(rows: Sequence[_Row | None], alone: bool) -> Found | None:
    for at in range(len(rows) - 1, -1, -1):
        row = rows[at]
        if row is not None and (row.pointer or row.box == "●") and (found := _around(rows, at, alone)):
            return found
    return None


def _row(at: int, line: str) -> _Row | None:
    text = bare(line)
    if not text or BORDER.match(text) or len(text) > 2000:
        return None
    found = ROW.match(text)
    if not found:
        return None
    body, column = found["body"], found.start("body")
    parts = BODY.match(body)
    if parts is None or not parts["label"]:
        return None
    return _Row(
        at,
        column,
        found.start("pointer"),
        found["pointer"] or "",
        parts["key"] or parts["key2"] or "",
        parts["box"] or "",
        parts["label"],
    )


# --- a list with a pointer


def _around(rows: Sequence[_Row | None], at: int, alone: bool) -> Found | None:
    """The list around the pointer in row AT: the rows above and below that begin in the same column."""
    first = rows[at]
    assert first is not None
    if "●" in (first.box, first.pointer) and (found := _radio(rows, at)):
        return found
    if not first.pointer:
        return None
    members, above, below, end = _members(rows, first)
    others = [row for row in members if row is not first]
    if any(row.pointer for row in others) or not (others or alone):
        return None
    items = tuple(_item(row, row is first) for row in members)
    return Found(_labelled(items), above=above, below=below, end=end)


def _radio(rows: Sequence[_Row | None], at: int) -> Found | None:
    """A list in which the filled circle is the pointer, and the others have an empty one."""
    first = rows[at]
    assert first is not None
    if not first.box:
        first = first._replace(column=first.mark, box=first.pointer, pointer="")
    members, above, below, end = _members(rows, first)
    if len(members) < 2 or any(row.box != ("●" if row is first else "○") for row in members):
        return None
    items = tuple(_item(row, row is first)._replace(ticked=None) for row in members)
    return Found(_labelled(items), above=above, below=below, end=end)


def _members(rows: Sequence[_Row | None], first: _Row) -> tuple[list[_Row], bool, bool, int]:
    """The rows of FIRST's list, whether it goes on above and below, and the row after it."""
    up, above, _ = _walk(rows, first, -1)
    down, below, end = _walk(rows, first, 1)
    return [*reversed(up), first, *down], above, below, end


def _walk(rows: Sequence[_Row | None], first: _Row, step: int) -> tuple[list[_Row], bool, int]:
    """The members on one side of FIRST, nearest first; whether the list goes on there; the row after the last of it."""
    found: list[_Row] = []
    last, blank, end, at = first, 0, first.at + 1, first.at + step
    while 0 <= at < len(rows) and len(found) < MOST:
        row = rows[at]
        if row is None:
            blank += rows[at - step] is not None
            if blank > 2 or not first.key:
                return found, _goes_on(rows, at, step), end
        elif _says_more(row, step):
            return found, True, max(end, at + 1)
        elif _belongs(row, first, last, step):
            found.append(row)
            last, blank, end = row, 0, max(end, at + 1)
        elif not _describes(row, first, step) or (blank and not first.key):
            break
        elif not blank:
            end = max(end, at + 1)
        at += step
    if first.key and step < 0 and last.key.isdigit() and int(last.key) > 1:
        return found, True, end
    return found, False, end


def _goes_on(rows: Sequence[_Row | None], at: int, step: int) -> bool:
    """Whether the next row that is not blank says that there is more."""
    while 0 <= at < len(rows):
        row = rows[at]
        if row is not None:
            return _says_more(row, step)
        at += step
    return False


def _says_more(row: _Row, step: int) -> bool:
    return not row.key and bool(MORE[step].match((row.pointer + row.box + row.label).strip()))


def _belongs(row: _Row, first: _Row, last: _Row, step: int) -> bool:
    if row.column != first.column and not (
        first.key and abs(row.column - first.column) == 1 and len(row.key) != len(first.key)
    ):
        return False
    if not first.key:
        return not row.key and bool(row.box) == bool(first.box)
    return row.key.isdigit() and int(row.key) == int(last.key) + step


def _describes(row: _Row, first: _Row, step: int) -> bool:
    """Whether it is a line about an item, or the rest of its words: it begins further right, or has no number."""
    if first.key:
        return not row.key and row.column >= first.column - 2 and not row.pointer
    return row.column > first.column


def _item(row: _Row, pointed: bool) -> Item:
    return Item(row.at, row.column, row.label.rstrip(), row.key, _ticked(row.box), pointed)


def _ticked(box: str) -> bool | None:
    return any(c in ON for c in box) if box else None


def _labelled(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The labels without the column of descriptions beside them: it begins in the same place in every item that has one."""
    gaps = [re.search(r"\s{2,}(?=\S)", item.label) for item in items]
    starts = {columns(item.label[: gap.end()]) for item, gap in zip(items, gaps, strict=True) if gap}
    if len(items) > 1 and sum(gap is not None for gap in gaps) > len(items) / 2 and len(starts) <= 2:
        return tuple(
            item._replace(label=item.label[: gap.start()]) if gap else item
            for item, gap in zip(items, gaps, strict=True)
        )
    return items


# --- a list with a bar


def _with_bar(rows: Sequence[_Row | None], looks: Looks) -> Found | None:
    """The lowest run of rows that begin in one column, of which exactly one is drawn in another way."""
    at = len(rows) - 1
    while at >= 0:
        row = rows[at]
        if row is None or not _styled(looks, row):
            at -= 1
            continue
        members, above, below, end = _members(rows, row)
        pointed = _odd_one([_look_of(looks, m) for m in members], strict=not row.key)
        if pointed is None and len(row.box) == 3:  # some show it in the box only
            pointed = _odd_one([_look_of(looks, m, within=1) for m in members], strict=True)
        if len(members) > 1 and pointed is not None and not any(m.pointer for m in members):
            items = tuple(_item(m, n == pointed) for n, m in enumerate(members))
            return Found(_labelled(items), above=above, below=below, end=end)
        at = min(members[0].at, at) - 1
    return None


def _styled(looks: Looks, row: _Row) -> bool:
    return row.at < len(looks) and row.column + 1 < len(looks[row.at])


def _look_of(looks: Looks, row: _Row, within: int = 0) -> Look | None:
    return looks[row.at][row.column + within] if _styled(looks, row) else None


def _odd_one(found: Sequence[Look | None], *, strict: bool) -> int | None:
    """Which of them is drawn in another way than all the others, which are drawn alike. STRICT: by what is behind it only.

    Of two, the one with a ground of its own or in reverse: the other could as well be the odd one.
    """
    if len(found) < 2 or any(look is None for look in found):
        return None
    drawn = [look for look in found if look is not None]
    behind = unlike([look.behind for look in drawn], ("", False))
    if behind is not None or strict:
        return behind
    return unlike([(look.text, look.bold) for look in drawn], None)


# --- numbered rows without a pointer


def _only_numbered(rows: Sequence[_Row | None]) -> Found | None:
    """The lowest rows numbered 1, 2, …, without anything that shows which of them is chosen."""
    for row in reversed(rows):
        if row is not None and row.key:
            members, above, below, end = _members(rows, row)
            if len(members) > 1 and members[0].key in ("0", "1"):
                return Found(_labelled(tuple(_item(m, False) for m in members)), above=above, below=below, end=end)
    return None
