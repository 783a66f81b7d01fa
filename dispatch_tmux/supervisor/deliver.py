"""Typing into a live pane, with proof at each step. The steps are chosen in `delivery.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux.core import delivery, sgr
from dispatch_tmux.core.delivery import Manner, Outcome, Progress, Refused, Seen, Step, Submitted, Unproven
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
    """One look at TARGET. Raises TmuxError when tmux does not answer."""
    try:
        seen = target.pane.look(HISTORY if history else 0)
    except PaneGone:
        return Seen(UNKNOWN, dead=True)
    height = seen.size[1]
    visible = "\n".join(seen.text.split("\n")[-height:]) if history else seen.text
    shown = screen.look(target.rules, visible, title=seen.title, cursor=seen.cursor)
    kernel = terminal.probe(seen.tty, target.launcher)
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
        echoed=delivery.count(body, sgr.plain(seen.text)) if history else 0,
        column=seen.cursor[0],
        typed=_before_cursor(sgr.plain(visible), seen.cursor),
    )


def _before_cursor(visible: str, cursor: tuple[int, int]) -> str:
    """The last of what stands before the cursor, without blanks: wrapped lines are joined that way."""
    rows = visible.split("\n")[: cursor[1] + 1]
    if rows:
        rows[-1] = rows[-1][: cursor[0]]
    return delivery.squeezed("".join(rows[-8:]))[-200:]


def deliver(
    target: Target,
    text: str,
    *,
    before: Callable[[int], None] = lambda echoed: None,
    resumed: int | None = None,
    interrupted: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Type TEXT into TARGET as one message and see that it was taken.

    BEFORE is called with the number of times the text stands on the screen already, right before the first byte is
    typed: write it down. After a crash pass it as RESUMED, with INTERRUPTED. Raises TmuxError when tmux does not answer.
    """
    body = delivery.clean(text)
    return _Delivery(target, body, before, clock).run(resumed, interrupted)


class _Delivery:
    def __init__(self, target: Target, body: str, before: Callable[[int], None], clock: Callable[[], float]) -> None:
        self.target, self.body, self.before, self.clock = target, body, before, clock
        self.began = clock()
        self.pasted_at: float | None = None
        self.seen_at: float | None = None
        self.entered_at = 0.0
        self.bare_since: float | None = None
        self.enters = 0
        self.echoed_before = 0
        self.clears, self.clearing = 0, ""  # the prompt that Escape has put back

    def run(self, resumed: int | None, interrupted: bool) -> Outcome:
        seen = look(self.target, self.body, history=True)
        self.echoed_before = seen.echoed if resumed is None else resumed
        if interrupted:
            step = delivery.after_crash(self.body, seen, resumed, self.target.manner)
            if isinstance(step, Outcome):
                return step
            if step is Step.ENTER:
                self.pasted_at = self.clock()
        while True:
            changes = self.target.pane.changes
            seen = seen._replace(returned=self._is_returned(seen))
            if seen.shown.composer is not None:
                self.bare_since = None
            elif self.bare_since is None:
                self.bare_since = self.clock()
            if self.seen_at is None and self.pasted_at is not None and delivery.holds(self.body, seen.shown):
                self.seen_at = self.clock()
            step = delivery.next_step(self.body, seen, self._progress(), self.target.manner)
            if isinstance(step, Outcome):
                return step
            if step is Step.WAIT:
                self.target.pane.wait_change(changes, self._patience())
            else:
                self._do(step)
            seen = look(self.target, self.body, history=bool(self.enters))

    def _is_returned(self, seen: Seen) -> bool:
        """Whether the composer holds a prompt that was sent before, or what is left of it while we clear it."""
        held = delivery.squeezed(seen.shown.composer.text) if seen.shown.composer else ""
        if not held or self.pasted_at is not None:
            return False
        if not self.clearing and self.target.was_sent(held):
            self.clearing = held
        return bool(self.clearing) and held in self.clearing

    def _patience(self) -> float:
        """Seconds to the next look when nothing changes on the screen."""
        return 0.02 if self.enters else 0.05 if self.pasted_at else 0.25

    def _progress(self) -> Progress:
        now = self.clock()
        return Progress(
            elapsed=now - self.began,
            pasted=self.pasted_at is not None,
            since_paste=now - self.pasted_at if self.pasted_at is not None else 0.0,
            since_seen=now - self.seen_at if self.seen_at is not None else 0.0,
            enters=self.enters,
            since_enter=now - self.entered_at if self.enters else 0.0,
            echoed_before=self.echoed_before,
            bare=now - self.bare_since if self.bare_since is not None else 0.0,
            clears=self.clears,
        )

    def _do(self, step: Step) -> None:
        pane = self.target.pane
        if step is Step.LEAVE_MODE:
            pane.leave_mode()
            pane.show("dispatch left copy mode here, to deliver a message")
        elif step is Step.CLEAR:
            for key in self.target.clear:
                pane.keys(key)
            self.clears += 1
            pane.wait_change(pane.changes, 0.1)
        elif step is Step.PASTE:
            self.before(self.echoed_before)
            pane.paste(self.body, folder=self.target.folder)
            self.pasted_at = self.clock()
        elif step is Step.ENTER:
            pane.keys("Enter")
            self.enters += 1
            self.entered_at = self.clock()


def mark_of(shown: Shown) -> str:
    """What tells one dialogue from another: its kind, question and choices, without blanks, so that a resize keeps it.

    The choice that is a text field is left out: what stands there changes while somebody types.
    """
    fixed = (c.label for c in shown.choices if not c.text)
    return delivery.squeezed("|".join([shown.kind, shown.question, *fixed]))[:400]


def answer(target: Target, mark: str, keys: tuple[str, ...], text: str, *, patience: float = 5.0) -> Outcome:
    """Answer the dialogue MARK on the screen: press KEYS, type TEXT (and Enter) if any, see the dialogue go.

    Safe to repeat after a crash: a dialogue that is gone was answered, one that is there was not.
    """
    seen = look(target)
    if seen.dead or seen.shell:
        return Refused("the program has ended")
    if _is_gone(seen, mark):
        return Refused("that dialogue is not on the screen any more")
    pane = target.pane
    if seen.in_mode:
        pane.leave_mode()
    try:
        for n, key in enumerate(keys):
            if n:
                _pause(target)
            pane.keys(key)
        if text:
            if keys and not _settled(target, lambda s: s.shown.shows == "question", 2.0):
                return Unproven("no place to type the answer showed")
            pane.paste(delivery.clean(text).replace("\n", " "), folder=target.folder)
            pane.wait_change(pane.changes, 0.15)
            time.sleep(target.manner.pause if target.manner.composer else 0)
            pane.keys("Enter")
    except PaneGone:
        return Refused("the program has ended")
    if gone(target, mark, patience):
        return Submitted("the dialogue is gone")
    return Unproven("the dialogue is still on the screen")


def tick(target: Target, mark: str, wanted: tuple[str, ...]) -> bool:
    """Leave just WANTED ticked in the list MARK on the screen, whatever is ticked there now. False: it does not take it."""
    for _ in range(3):
        seen = look(target)
        wrong = [c.key for c in seen.shown.choices if not c.text and bool(c.ticked) != (c.key in wanted)]
        if not wrong or _is_gone(seen, mark):
            return not wrong
        for key in wrong:
            target.pane.keys(key)
            _pause(target)
    return False


def _pause(target: Target) -> None:
    """Between two keys: some lose the second one when it comes at once (an Enter after an arrow key, Gemini)."""
    time.sleep(target.manner.pause if target.manner.composer else 0.02)


def on_screen(target: Target, mark: str) -> bool:
    """Whether the dialogue MARK is there now."""
    seen = look(target)
    return not seen.dead and not _is_gone(seen, mark)


def gone(target: Target, mark: str, patience: float = 5.0) -> bool:
    """Whether the dialogue MARK goes within PATIENCE seconds."""
    return _settled(target, lambda s: s.dead or _is_gone(s, mark), patience)


def _is_gone(seen: Seen, mark: str) -> bool:
    return seen.shown.shows not in ("question", "startup") or mark_of(seen.shown) != mark


def _settled(target: Target, wanted: Callable[[Seen], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while True:
        changes = target.pane.changes
        if wanted(look(target)):
            return True
        if time.monotonic() > end:
            return False
        target.pane.wait_change(changes, 0.1)
