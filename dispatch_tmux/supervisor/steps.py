"""The steps of an answer on a screen: each says what it expects to see next, looks, and stops at the first surprise.

Nothing is pressed on trust. The pointer is moved and seen to move; Enter is pressed only while it is seen on the choice that was
asked for, or while the words are seen in the field; a box is changed and seen to change. What stops on the way has confirmed
nothing, and says where the pointer is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dispatch_tmux.core import choosing, echo, sgr
from dispatch_tmux.core.choosing import Labelled
from dispatch_tmux.core.delivery import Outcome, Refused, Seen, Submitted, Unproven
from dispatch_tmux.core.shown import Choice, Shown
from dispatch_tmux.supervisor.target import Target, is_like, is_same, look

MOVES = 80  # presses of an arrow key for one choice
SEEN = 2.0  # seconds for a key to show; a CLI on a loaded machine needs one
STILL = 0.6  # seconds without a change after which no key that was pressed can still be on its way
GONE = 8.0  # seconds for a dialogue to go once it was confirmed
FLICKER = 0.4  # seconds for which a frame that no rule knows may be one that is half drawn
REDRAW = 2.0  # the same where nothing was confirmed: it has no reason to be gone
NEXT = 1.5  # seconds for the page that shows the answers


class Stop(Exception):
    """The answer ends here: `outcome` says with what."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Steps:
    """The dialogue MARK on TARGET's screen, which is to be answered; FIELD: the key of its choice that is a text field.

    Raises Stop, TmuxError when tmux does not answer.
    """

    def __init__(self, target: Target, mark: str, field: str = "") -> None:
        self.target, self.mark, self.field = target, mark, field
        self.pressed = False
        self._missed = False  # a key did not show: it may be on its way still
        self._rows: frozenset[str] | None = None  # what has stood around the choices in every look

    # --- looking

    def begin(self) -> Shown:
        """The dialogue as it is now. Stops when it is not there."""
        seen = look(self.target)
        if seen.dead or seen.shell:
            raise Stop(Refused("the program has ended"))
        if self._is_gone(seen):
            raise Stop(Refused("that dialogue is not on the screen any more"))
        if seen.in_mode:
            self.target.pane.leave_mode()
        return self._take(seen)

    def now(self) -> Shown:
        """The dialogue now. Stops when it has gone without having been confirmed."""
        while True:
            seen = look(self.target)
            if seen.dead:
                raise Stop(Unproven("the program has ended"))
            if not self._is_gone(seen):
                return self._take(seen)
            if self._stays_gone(REDRAW):
                raise self.surprise("the dialogue went away meanwhile", None)

    def _take(self, seen: Seen) -> Shown:
        rows = rows_of(seen.shown)
        self._rows = rows if self._rows is None else self._rows & rows
        return seen.shown

    def _is_gone(self, seen: Seen) -> bool:
        return seen.dead or not (is_same(seen.shown, self.mark, self.field) or self._is_changed(seen.shown))

    def _is_changed(self, shown: Shown) -> bool:
        """Whether it is the same dialogue with other words in its rows: a form that goes on to its next field."""
        return bool(self._rows) and is_like(shown, self.mark) and (self._rows or frozenset()) <= rows_of(shown)

    def _is_another(self, seen: Seen) -> bool:
        """Whether it reads like the dialogue, but what stood in it has gone: the next one that asks alike."""
        return bool(self._rows) and not (self._rows or frozenset()) <= rows_of(seen.shown)

    def _stays_gone(self, seconds: float = FLICKER) -> bool:
        """Whether the dialogue is gone for good; a frame that is half drawn shows nothing for a moment."""
        end = time.monotonic() + seconds
        while True:
            changes = self.target.pane.changes
            seen = look(self.target)
            if not self._is_gone(seen):
                return False
            if seen.dead or seen.shown.shows != "unknown" or time.monotonic() > end:
                return True
            self.target.pane.wait_change(changes, 0.05)

    def comes(self, wanted: Callable[[Shown], bool], seconds: float = SEEN) -> bool:
        """Whether the dialogue shows what is WANTED within so many SECONDS."""
        end = time.monotonic() + seconds
        while True:
            changes = self.target.pane.changes
            if wanted(self.now()):
                return True
            if time.monotonic() > end:
                return False
            self.target.pane.wait_change(changes, 0.1)

    def goes(self, seconds: float = GONE) -> bool:
        """Whether the dialogue goes within so many SECONDS, or makes room for another that asks alike."""
        end = time.monotonic() + seconds
        while True:
            changes = self.target.pane.changes
            seen = look(self.target)
            if (self._is_gone(seen) and self._stays_gone()) or (not self._is_gone(seen) and self._is_another(seen)):
                return True
            if time.monotonic() > end:
                return False
            self.target.pane.wait_change(changes, 0.1)

    def surprise(self, why: str, shown: Shown | None) -> Stop:
        """What ends the answer: WHY, and where the pointer is."""
        on = f"the pointer is on '{shown.pointer[:60]}'; " if shown is not None and shown.pointer else ""
        if self.pressed:
            return Stop(Unproven(f"{why}; {on}nothing was confirmed"))
        return Stop(Refused(f"{why}; {on}nothing was pressed"))

    # --- the pointer

    def press(self, key: str) -> None:
        self.pressed = True
        self.target.pane.keys(key)

    def pause(self) -> None:
        """Between two keys: some lose the second one when it comes at once (an Enter after an arrow key, Gemini)."""
        time.sleep(self.target.manner.pause if self.target.manner.composer else 0.02)

    def point(self, wanted: Labelled) -> Shown:
        """Bring the pointer to the choice WANTED, and see it there."""
        name = wanted.label or (f"choice {wanted.key}" if wanted.key else "the field for own words")
        return self._bring(
            name, lambda s: is_on(s, wanted), lambda s: choosing.towards(s, wanted) or _from_below(s, wanted)
        )

    def point_at_row(self, is_it: Callable[[str], bool], name: str) -> Shown:
        """Bring the pointer down to a row that is no choice: "Submit", "Done"."""
        return self._bring(name, lambda s: is_it(s.pointer), lambda s: "Down" if s.pointer else "")

    def _bring(self, name: str, there: Callable[[Shown], bool], way: Callable[[Shown], str]) -> Shown:
        shown = self.now()
        been: list[str] = []
        for _ in range(MOVES):
            if there(shown):
                return self._rested(shown, there)
            key = way(shown)
            if not key:
                raise self.surprise(f"the pointer is not to be seen, nor how to bring it to '{name[:60]}'", shown)
            before = _place(shown)
            if been.count(before) > 1:
                raise self.surprise(f"'{name[:60]}' is not to be found", shown)
            been.append(before)
            shown = self._move(key, shown, before)
        raise self.surprise(f"'{name[:60]}' is not to be found", shown)

    def _move(self, key: str, shown: Shown, before: str) -> Shown:
        for patience in (SEEN, SEEN):
            self.press(key)
            if self.comes(lambda s: _place(s) != before, patience):
                return self.now()
            self._missed = True
        raise self.surprise("the pointer does not move", shown)

    def _rested(self, shown: Shown, there: Callable[[Shown], bool]) -> Shown:
        """SHOWN, once no key can still be on its way; stops when the pointer has moved on."""
        if self._missed:
            changes = self.target.pane.changes
            while self.target.pane.wait_change(changes, STILL):
                changes = self.target.pane.changes
        self._missed = False
        shown = self.now()
        if not there(shown):
            raise self.surprise("the pointer has moved on", shown)
        return shown

    def confirm(self, there: Callable[[Shown], bool], keys: Sequence[str] = ("Enter",)) -> Outcome:
        """Press KEYS while what is asked for is seen (THERE), and see the dialogue go."""
        self.pause()
        shown = self.now()
        if not there(shown):
            raise self.surprise("something else came onto the screen", shown)
        for key in keys:
            self.press(key)
        if self.goes():
            return Submitted("the dialogue is gone")
        return Unproven("the dialogue is still on the screen")


def rows_of(shown: Shown) -> frozenset[str]:
    """What stands around the choices of a dialogue, row by row without blanks."""
    return frozenset(filter(None, (echo.squeezed(row) for row in f"{shown.question}\n{shown.detail}".split("\n"))))


def is_on(shown: Shown, wanted: Labelled) -> bool:
    """Whether the pointer is seen on the choice WANTED."""
    at = choosing.pointed(shown)
    return at is not None and at is choosing.find(shown, wanted)


def _from_below(shown: Shown, wanted: Labelled) -> str:
    """From a row under the choices, such as "Done", the way back."""
    return "Up" if shown.pointer and choosing.pointed(shown) is None else ""


def _place(shown: Shown) -> str:
    """Where the pointer is, as a word to compare."""
    at = choosing.pointed(shown)
    return f"{at.key}|{at.label}" if at else shown.pointer


def text_on(target: Target) -> str:
    """All that is on the screen, without blanks."""
    return echo.squeezed(sgr.plain(target.pane.look().text))


def box(shown: Shown, wanted: Labelled) -> Choice | None:
    """WANTED's choice when it is seen and has a box."""
    found = choosing.find(shown, wanted)
    return found if found is not None and found.ticked is not None else None
