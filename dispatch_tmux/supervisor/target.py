"""A live pane that is about to be typed into: what is known of it, and one look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux.core import echo, sgr
from dispatch_tmux.core.delivery import Manner, Seen
from dispatch_tmux.core.shown import UNKNOWN, Shown
from dispatch_tmux.errors import PaneGone
from dispatch_tmux.screen import guess
from dispatch_tmux.screen import read as screen
from dispatch_tmux.tmux import tty as terminal

if TYPE_CHECKING:
    from dispatch_tmux.backends.rules import ScreenRules
    from dispatch_tmux.core.task import Question
    from dispatch_tmux.tmux.pane import PaneSpawn, Rendered

HISTORY = 400  # lines above the screen in which a message is looked for


class Target(NamedTuple):
    """The pane to type into, the rules for its screen, and what else is known about it."""

    pane: PaneSpawn
    rules: ScreenRules
    manner: Manner
    launcher: int  # pid of the pane's first process
    bracketed: Callable[[], bool] = lambda: False
    receipt: Callable[[str], bool] = lambda body: False
    folder: str | None = None  # where a paste's file may lie for a moment
    was_sent: Callable[[str], bool] = lambda text: False
    clear: tuple[str, ...] = ("C-u",)


def look(target: Target, body: str = "", *, history: bool = False) -> Seen:
    """One look at TARGET. Raises TmuxError when tmux does not answer.

    Where it has a composer the screen comes last: it is what the next key rests on, and what was read of the keyboard
    before has had time to show. A line program's kernel is asked last: tmux has written what it was told to by then.
    """
    kernel = None
    if target.manner.composer and target.pane.tty:
        kernel = terminal.probe(target.pane.tty, target.launcher)
    try:
        seen = target.pane.look(HISTORY if history else 0, joined=target.rules.lines is not None)
    except PaneGone:
        return Seen(UNKNOWN, dead=True)
    height = seen.size[1]
    rows = seen.text.split("\n")
    above = max(len(rows) - height, 0) if history else 0
    visible = "\n".join(rows[above:])
    shown = read(target.rules, seen._replace(text=visible))
    told = ""  # by the program: what stands in the composer is not
    if history and body:
        told = sgr.plain("\n".join(rows[: above + shown.composer.row] if shown.composer else rows))
    kernel = kernel or terminal.probe(seen.tty, target.launcher)
    return Seen(
        shown=shown,
        dead=seen.dead,
        in_mode=seen.in_mode,
        shell=kernel.shell,
        canonical=kernel.canonical,
        silent=kernel.silent,
        bracketed=target.bracketed(),
        reading=kernel.reading,
        unread=kernel.unread,
        receipt=bool(body) and target.receipt(body),
        echoed=echo.count(body, told),
        run_on=echo.run_on(body, told),
        column=seen.cursor[0],
        typed=_before_cursor(sgr.plain(visible), seen.cursor),
    )


def read(rules: ScreenRules, seen: Rendered) -> Shown:
    """What is SEEN, by RULES; where they know nothing, a dialogue that its structure gives away.

    A program that prints lines draws none: it has to read keys, as only menus do.
    """
    text, cursor = (seen.joined, seen.at) if seen.joined else (seen.text, seen.cursor)
    shown = screen.look(rules, text, title=seen.title, cursor=cursor)
    if shown.shows != "unknown" or (rules.lines is not None and not terminal.reads_keys(seen.tty)):
        return shown
    return guess.dialogue(seen.text, seen.cursor) or shown


def _before_cursor(visible: str, cursor: tuple[int, int]) -> str:
    """The last of what stands before the cursor, without blanks: wrapped lines are joined that way."""
    rows = visible.split("\n")[: cursor[1] + 1]
    if rows:
        rows[-1] = rows[-1][: cursor[0]]
    return echo.squeezed("".join(rows[-8:]))[-200:]


def mark_of(shown: Shown, field: str = "") -> str:
    """What tells one dialogue from another: its kind, question and choices, without blanks, so that a resize keeps it.

    The choice that is a text field (or has the key FIELD) is left out: what stands there changes while somebody types. So are
    the choices of a list that shows only some of them: others come as the pointer moves.
    """
    fixed = () if shown.scrolled else (c.label for c in shown.choices if not c.text and c.key != field)
    return echo.squeezed("|".join([shown.kind, shown.question, *fixed]))[:400]


def is_same(shown: Shown, mark: str, field: str = "") -> bool:
    """Whether the dialogue SHOWN is the one of MARK; of a list that is longer than the screen, some of its choices may be seen."""
    if shown.shows not in ("question", "startup"):
        return False
    bare = echo.squeezed("|".join([shown.kind, shown.question]))[:400]
    return mark in (mark_of(shown), mark_of(shown, field), bare) or (shown.scrolled and mark.startswith(f"{bare}|"))


def is_like(shown: Shown, mark: str) -> bool:
    """Whether the dialogue SHOWN asks what the one of MARK does, whatever can be chosen."""
    bare = echo.squeezed("|".join([shown.kind, shown.question]))[:400]
    return shown.shows in ("question", "startup") and (mark == bare or mark.startswith(f"{bare}|"))


def field_of(q: Question) -> str:
    """The key of the choice of Q that is a text field."""
    return next((c.key for c in q.choices if c.text), "")
