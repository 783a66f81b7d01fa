"""A live pane that is about to be typed into: what is known of it, and one look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux.core import echo, sgr
from dispatch_tmux.core.delivery import Manner, Seen
from dispatch_tmux.core.shown import UNKNOWN, Shown
from dispatch_tmux.errors import PaneGone
from dispatch_tmux.screen import read as screen
from dispatch_tmux.tmux import tty as terminal

if TYPE_CHECKING:
    from dispatch_tmux.backends.rules import ScreenRules
    from dispatch_tmux.tmux.pane import PaneSpawn

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
        seen = target.pane.look(HISTORY if history else 0)
    except PaneGone:
        return Seen(UNKNOWN, dead=True)
    height = seen.size[1]
    rows = seen.text.split("\n")
    above = max(len(rows) - height, 0) if history else 0
    visible = "\n".join(rows[above:])
    shown = screen.look(target.rules, visible, title=seen.title, cursor=seen.cursor)
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
        bracketed=target.bracketed(),
        reading=kernel.reading,
        unread=kernel.unread,
        receipt=bool(body) and target.receipt(body),
        echoed=echo.count(body, told),
        run_on=echo.run_on(body, told),
        column=seen.cursor[0],
        typed=_before_cursor(sgr.plain(visible), seen.cursor),
    )


def _before_cursor(visible: str, cursor: tuple[int, int]) -> str:
    """The last of what stands before the cursor, without blanks: wrapped lines are joined that way."""
    rows = visible.split("\n")[: cursor[1] + 1]
    if rows:
        rows[-1] = rows[-1][: cursor[0]]
    return echo.squeezed("".join(rows[-8:]))[-200:]


def mark_of(shown: Shown) -> str:
    """What tells one dialogue from another: its kind, question and choices, without blanks, so that a resize keeps it.

    The choice that is a text field is left out: what stands there changes while somebody types.
    """
    fixed = (c.label for c in shown.choices if not c.text)
    return echo.squeezed("|".join([shown.kind, shown.question, *fixed]))[:400]
