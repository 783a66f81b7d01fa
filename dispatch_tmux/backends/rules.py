"""What a backend file may say about screens: the shapes of its `screen:` section, patterns compiled once.

Every word here is explained for authors in docs/backends.md.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Pattern = re.Pattern[str]


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A typo in a backend file is an error, never a rule that silently does nothing."""


class Verified(_Rule, frozen=True):
    """Against which version of the CLI something was checked, and when."""

    version: str = ""
    on: str = ""


class Take(_Rule, frozen=True):
    """A field of a CLI's JSON and what it tells; `where` (path: value) says which JSON it is. Paths as in usage.values.

    The numbers at several paths are added up.
    """

    what: Literal["said", "tool", "context", "window", "tokens", "cost"]
    path: tuple[str, ...]
    where: dict[str, str] = {}


class ComposerRules(_Rule, frozen=True):
    """Where the composer is. With `above` and `below` it is the last such box; without, the last `prompt` line."""

    prompt: Pattern
    above: Pattern | None = None
    below: Pattern | None = None
    scrolled: Pattern | None = (
        None  # the box's upper border, or a part of its rows, while not all that is typed has room
    )
    room: int = 6  # without a box: how many non-blank lines may stand under the prompt's line
    edge: bool = False  # what stands right of the row `below` is a side bar, and no part of what the CLI shows
    footer: Pattern | None = None  # without a box: the row under the composer, which may then have any number of rows
    margin: Pattern | None = None  # what stands before the text in each of a box's rows
    status: int = 0  # the last rows of a box that are no text
    placeholder: Pattern | None = None
    collapsed: Pattern | None = None


class BusyRule(_Rule, frozen=True):
    line: Pattern
    kind: str = ""


class BusyRules(_Rule, frozen=True):
    title: Pattern | None = None
    above: tuple[BusyRule, ...] = ()
    below: tuple[BusyRule, ...] = ()


class QueuedRules(_Rule, frozen=True):
    composer: Pattern | None = None
    above: Pattern | None = None


class ErrorRule(_Rule, frozen=True):
    kind: str
    line: Pattern
    coloured: bool = False

    def __post_init__(self) -> None:
        _needs_groups("line", self.line, "detail")


class Offer(_Rule, frozen=True):
    """A choice that stands in a row of buttons; or, with `keys`, one that has no place on the screen but in the words of `foot`."""

    label: str
    keys: tuple[str, ...] = ()


class Dialogue(_Rule, frozen=True):
    """A dialogue needs its foot *and* every `has`; and it is one only when no composer is at the bottom."""

    kind: str
    foot: Pattern
    has: tuple[Pattern, ...]
    shows: Literal["question", "startup"] = "question"
    top: Pattern | None = None
    question: Pattern | None = None
    over: bool = False  # it lies over a composer that may still be seen
    numbered: bool = True
    whole: bool = False
    text: Pattern | None = None
    text_from_end: int = 0
    text_before: Pattern | None = None
    offers: tuple[Offer, ...] = ()
    opens: tuple[str, ...] = ()
    toggle: str = "Space"
    done: Pattern | None = None
    submit: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.has:
            raise ValueError("a dialogue needs two signs: `foot` and at least one `has`")


class ExitRule(_Rule, frozen=True):
    foot: Pattern
    has: Pattern | None = None
    kind: str = ""
    detail: Pattern | None = None


class LineQuestion(_Rule, frozen=True):
    ends: Pattern
    kind: str = "text"


class LineRules(_Rule, frozen=True):
    """For programs that print a line and read the next: what the line under the cursor must look like."""

    questions: tuple[LineQuestion, ...] = ()
    ready: Pattern | None = None
    unless: Pattern | None = None
    menu: Pattern | None = None
    menu_prompt: Pattern | None = None

    def __post_init__(self) -> None:
        _needs_groups("menu", self.menu, "key", "label")


class ScreenRules(_Rule, frozen=True):
    composer: ComposerRules | None = None
    gutter: Pattern | None = None  # what stands at the right of rows and is no text: a scroll bar
    notices: tuple[Pattern, ...] = ()  # the first rows of what may stand under everything and says nothing
    busy: BusyRules = BusyRules()
    queued: QueuedRules = QueuedRules()
    skip: tuple[Pattern, ...] = ()
    command: Pattern | None = None  # a person's own command in the transcript: what it says is no turn's end
    errors: tuple[ErrorRule, ...] = ()
    choice: Pattern | None = None
    dialogues: tuple[Dialogue, ...] = ()
    exited: tuple[ExitRule, ...] = ()
    suspended: Pattern | None = None  # what a CLI leaves at the bottom when it was sent to the background with Ctrl-Z
    lines: LineRules | None = None

    def __post_init__(self) -> None:
        _needs_groups("choice", self.choice, "key", "label")


def _needs_groups(name: str, pattern: Pattern | None, *groups: str) -> None:
    if pattern is not None and (missing := [group for group in groups if group not in pattern.groupindex]):
        raise ValueError(f"`{name}` needs a group (?P<{missing[0]}>…)")


def compiled(kind: type, value: object) -> Pattern:
    """msgspec's hook for the one type it does not know. `^` and `$` are a line's ends everywhere."""
    if kind != Pattern or not isinstance(value, str):
        raise ValueError(f"expected a pattern, got {value!r}")
    try:
        return re.compile(value, re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as problem:
        raise ValueError(f"{value[:200]!r} is no pattern: {problem}") from None
