"""The choices that a question asked through a file offers. Pure."""

from __future__ import annotations

import re

_CHOICE = re.compile(r"[ \t]*(\d{1,2})[.)][ \t]+(\S.*?)[ \t]*")


def choices_of(text: str) -> tuple[tuple[str, str], ...]:
    """The numbered lines (`1. JWT`) at the end of a question, two at least, counted from 1."""
    found: list[tuple[str, str]] = []
    for line in reversed(text.splitlines()):
        if match := _CHOICE.fullmatch(line):
            found.insert(0, (match[1], match[2]))
        elif line.strip():
            break
    return tuple(found) if len(found) > 1 and [k for k, _ in found] == [str(i + 1) for i in range(len(found))] else ()
