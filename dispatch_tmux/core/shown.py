"""What a screen shows, as records. They are read off it in `screen/read.py`."""

from __future__ import annotations

from dataclasses import dataclass, field

VIEW = "view"  # the kind of a dialogue that a command of a person's own opened over the composer: a picker, settings


@dataclass(frozen=True, slots=True)
class Choice:
    """`key` is what to press; `text`: choosing it lets one type an answer; `ticked`: already on, in a list of many."""

    key: str
    label: str
    text: bool = False
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class Composer:
    """Text typed and not sent: '' when empty, which a suggestion or placeholder in it counts as (D6)."""

    text: str
    collapsed: bool = False  # a paste shown as "[Pasted text #1 +3 lines]"
    beside: str = ""  # what stands beside that
    row: int = field(default=0, compare=False)  # of the screen, its first one


@dataclass(frozen=True, slots=True)
class Shown:
    """What the bottom of the screen says, one of: ready busy question startup error exited unknown."""

    shows: str
    kind: str = ""  # of a question, an error, a start-up dialogue; "background" when only a background task runs
    question: str = ""
    choices: tuple[Choice, ...] = ()
    detail: str = ""  # an error's cause, what a retry waits for, the command that wants permission
    composer: Composer | None = None
    queued: bool = False


UNKNOWN = Shown("unknown")
