"""The checklist a worker works through: parse it, tick it, add to it. Pure.

`- [ ]` open · `- [x]` done (a note may follow —) · `- [?]` blocked · `- [!]` error. Written by people and models, so
`*`, `+`, `1.`, nesting, `[X]`, CRLF, a byte-order mark and a missing last newline are all understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

OPEN, DONE, BLOCKED, ERROR = " ", "x", "?", "!"
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,4}[.)])[ \t]+\[(.)\](?:[ \t]+(.*?))?[ \t]*$")
_FENCE = re.compile(r"^[ \t]*(```|~~~)")


class Item(NamedTuple):
    """A line of the checklist: its line number (0-based), its mark and its words."""

    line: int
    mark: str
    text: str


def parse(text: str) -> tuple[Item, ...]:
    """The items of a plan; what stands in a code fence is not one. A mark nobody defined counts as open."""
    items = []
    fence = ""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines()):
        if found := _FENCE.match(line):
            fence = "" if fence == found[1] else fence or found[1]
        elif not fence and (item := _ITEM.match(line)):
            mark = item[1].lower()
            items.append(Item(number, mark if mark in (DONE, BLOCKED, ERROR) else OPEN, item[2] or ""))
    return tuple(items)


def marks(items: Iterable[Item]) -> str:
    return "".join(item.mark for item in items)


def render(title: str, items: Iterable[str], context: str = "") -> str:
    """A fresh plan. An item's own line breaks would start new lines of the list, so they become blanks."""
    lines = [f"# {' '.join(title.split())}", ""]
    if context.strip():
        lines += ["## Context", "", context.strip(), "", "## Plan", ""]
    lines += [f"- [ ] {' '.join(item.split())}" for item in items]
    return "\n".join(lines) + "\n"


def with_note(text: str, note: str) -> str:
    """TEXT with NOTE at its end, under `## Notes`, indented so that it can never be an item of the list."""
    newline = "\r\n" if "\r\n" in text else "\n"
    body = text if not text or text.endswith("\n") else text + newline
    head = "" if re.search(r"^## Notes[ \t]*\r?$", text, re.M) else f"{newline}## Notes{newline}"
    return f"{body}{head}{newline}{_quoted(note).replace(chr(10), newline)}{newline}"


def has_note(text: str, note: str) -> bool:
    return f"\n{_quoted(note)}\n" in "\n" + text.replace("\r\n", "\n") + "\n"


def _quoted(note: str) -> str:
    return "\n".join(f"> {line}" for line in note.strip().splitlines() or [""])


def reopened(text: str, every: bool = False) -> str:
    """TEXT with its blocked and failed items open again; EVERY: those that are done, too. Notes behind them stay."""
    lines = text.splitlines(keepends=True)
    for item in parse(text):
        if item.mark != OPEN and (every or item.mark != DONE):
            lines[item.line] = re.sub(r"\[.\]", "[ ]", lines[item.line], count=1)
    return "".join(lines)
