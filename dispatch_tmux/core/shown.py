"""What a screen shows, as records. They are read off it in `screen/read.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SUSPENDED = "suspended"  # the kind of a screen that says that the CLI has let go of the keyboard (Ctrl-Z)
VIEW = "view"  # the kind of a dialogue that a command of a person's own opened over the composer: a picker, settings


@dataclass(frozen=True, slots=True)
class Choice:
    """`key`: its number on the screen, or the one we gave it where the CLI has none; `text`: choosing it lets one type an answer.

    `ticked`: already on, in a list of many, None when it has no box; `selected`: the pointer is seen on it. That may be told by
    colour alone, so it makes no two choices different.
    """

    key: str
    label: str
    text: bool = False
    ticked: bool | None = None
    selected: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Ways:
    """What has to be known to answer a dialogue, besides where its pointer is. Keys have tmux's names.

    `toggle` changes the box at the pointer. Many are ended by the row `done`, by the keys `submit`, or by Enter. `opens`: keys
    that open the text field of the choice at the pointer. `keys`: for choices that have no place on the screen, those that
    its words name ("Enter to submit"). `digits`: it is known, or the screen says, that a digit picks.
    """

    toggle: str = "Space"
    done: re.Pattern[str] | None = None
    submit: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    digits: bool = False


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
    across: bool = False  # its choices stand beside each other
    scrolled: bool = False  # there are more choices than the screen shows
    numbered: bool = True  # the choices' keys are their numbers on the screen, not ours
    pointer: str = field(default="", compare=False)  # the words that the pointer is seen on, a choice's or a "Done"'s
    ways: Ways = field(default=Ways(), compare=False)


UNKNOWN = Shown("unknown")
