"""Line programs: does the line under the cursor ask for something? Pure.

Such a program has no dialogue to recognise, only the shape of its last line, so the cursor is the second sign: it
stands right behind the prompt. After a line that ended in a newline it stands elsewhere, and nothing is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch_tmux.core.text import columns

if TYPE_CHECKING:
    from dispatch_tmux.backends.rules import LineRules, Pattern

SLACK = 2  # blanks a prompt may end in that the screen does not show
LONGEST = 1000  # characters of a prompt; a program that paints without line ends makes one line of all its screen


@dataclass(frozen=True, slots=True)
class Prompt:
    ready: bool = False  # a shell or REPL waits for any command: nothing is asked
    kind: str = ""
    text: str = ""
    choices: tuple[tuple[str, str], ...] = ()


def read(rules: LineRules, lines: list[str], column: int, row: int) -> Prompt | None:
    """The prompt that the cursor stands behind, or None."""
    if row != len(lines) - 1 or len(lines[row]) > LONGEST or not _stands_behind(lines[row], column):
        return None
    line = lines[row]
    menu = _menu_above(rules.menu, lines[:-1]) if rules.menu else ()
    if len(menu) > 1 and rules.menu_prompt and rules.menu_prompt.search(line):
        return Prompt(kind="choice", text=line.strip(), choices=menu)
    if rules.unless and rules.unless.search(line):
        return None
    for rule in rules.questions:
        if found := rule.ends.search(line):
            return Prompt(kind=rule.kind, text=line.strip(), choices=_choices(found))
    if rules.ready and rules.ready.search(line):
        return Prompt(ready=True)
    return None


def _stands_behind(line: str, column: int) -> bool:
    width = columns(line)
    return width <= column <= width + SLACK


def _choices(found: re.Match[str]) -> tuple[tuple[str, str], ...]:
    """A match's group `words` ("y/N", "yes/no/[fingerprint]") as choices; what stands in brackets is no literal."""
    words = found.groupdict().get("words") or ""
    keys = [word.lower() if len(word) == 1 else word for word in re.split(r"[/|,]", words) if word.isalnum()]
    return tuple((key, key) for key in keys)


def _menu_above(pattern: Pattern, lines: list[str]) -> tuple[tuple[str, str], ...]:
    """The rows right above the prompt, numbered from 1 on, a last 0 allowed; one other row may stand between."""
    items: list[tuple[str, str]] = []
    start = len(lines) if lines and pattern.search(lines[-1]) else len(lines) - 1
    for line in reversed(lines[: max(start, 0)]):
        found = pattern.search(line)
        if found is None or (items and items[-1][0] not in ("0", str(int(found["key"]) + 1))):
            return ()
        items.append((found["key"], found["label"].strip()))
        if found["key"] == "1":
            return tuple(reversed(items))
    return ()
