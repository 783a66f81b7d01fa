"""Typing a message into a live pane, with proof at each step. The steps are chosen in `core/delivery.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from dispatch_tmux.core import delivery
from dispatch_tmux.core.delivery import Before, Left, Outcome, Progress, Seen, Step
from dispatch_tmux.core.echo import Holds, holds, squeezed
from dispatch_tmux.supervisor.target import Target, look

HALF_DRAWN = 0.15  # seconds for which a frame may be drawn only in part


class Log(NamedTuple):
    """What to write down of a delivery, so that another can go on with it after a crash."""

    before: Callable[[Before], None] = lambda before: None  # called right before the first byte is typed
    entering: Callable[[], None] = lambda: None  # the message is in the composer, and Enter is next
    unpasted: Callable[[], None] = lambda: None  # after `before`: nothing was typed, somebody else was faster


def deliver(
    target: Target,
    text: str,
    *,
    log: Log | None = None,
    left: Left | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Type TEXT into TARGET as one message and see that it was taken.

    LEFT: what the LOG of a delivery has that a crash interrupted. Raises TmuxError when tmux does not answer.
    """
    return _Delivery(target, delivery.clean(text), log or Log(), clock).run(left)


class _Delivery:
    """One message on its way. Times are seconds on CLOCK, None until it is that far."""

    def __init__(self, target: Target, body: str, log: Log, clock: Callable[[], float]) -> None:
        self.target, self.body, self.log, self.clock = target, body, log, clock
        self.began = clock()
        self.pasted_at: float | None = None
        self.seen_at: float | None = None
        self.entered_at = 0.0
        self.bare_since: float | None = None
        self.mixed_since: float | None = None
        self.mixed = False
        self.enters = 0
        self.before = Before()
        self.clears, self.clearing = 0, ""  # what is to go, of the composer's text

    def run(self, left: Left | None) -> Outcome:
        seen = look(self.target, self.body, history=True)
        self.before = left.before if left else _before(seen)
        while left:
            changes = self.target.pane.changes
            step = delivery.after_crash(self.body, seen, left, self.target.manner, self.clock() - self.began)
            if isinstance(step, Outcome):
                return step
            if step is Step.ENTER:
                self.pasted_at = self.clock()
                break
            if step is Step.PASTE:
                self.before = _before(seen)  # it begins anew
                break
            self.target.pane.wait_change(changes, 0.1)
            seen = look(self.target, self.body, history=True)
        while True:
            changes = self.target.pane.changes
            seen = seen._replace(returned=self._is_returned(seen))
            self._note(seen)
            step = delivery.next_step(self.body, seen, self._progress(), self.target.manner)
            if isinstance(step, Outcome):
                return step
            if step is Step.WAIT:
                self.target.pane.wait_change(changes, self._patience())
            else:
                self._do(step)
            seen = look(self.target, self.body, history=bool(self.enters))

    def _note(self, seen: Seen) -> None:
        """Since when there has been no composer, since when the message has been in it, and whether alone."""
        now = self.clock()
        if seen.shown.composer is not None:
            self.bare_since = None
        elif self.bare_since is None:
            self.bare_since = now
        held = holds(self.body, seen.shown.composer) if self.pasted_at is not None else Holds.NOTHING
        if self.seen_at is None and held in delivery.IN_IT:
            self.seen_at = now
            self.log.entering()
        if not self.enters or held is not Holds.MIXED:
            self.mixed_since = None
        elif self.mixed_since is None:
            self.mixed_since = now
        self.mixed = self.mixed or (self.mixed_since is not None and now - self.mixed_since >= HALF_DRAWN)

    def _is_returned(self, seen: Seen) -> bool:
        """Whether the composer holds what is not wanted there, or what is left of that while we clear it."""
        held = squeezed(seen.shown.composer.text) if seen.shown.composer else ""
        if held and not self.clearing and self.pasted_at is None and self.target.was_sent(held):
            self.clearing = held
        return bool(self.clearing) and bool(held) and held in self.clearing

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
            before=self.before,
            mixed=self.mixed,
            bare=now - self.bare_since if self.bare_since is not None else 0.0,
            clears=self.clears,
        )

    def _do(self, step: Step) -> None:
        pane = self.target.pane
        if step is Step.LEAVE_MODE:
            pane.leave_mode()
            pane.show("dispatch left copy mode here, to deliver a message")
        elif step is Step.CLEAR:
            self._clear()
        elif step is Step.PASTE:
            self._paste()
        elif step is Step.ENTER:
            if not self.target.manner.composer:
                self.log.entering()
            pane.keys("Enter")
            self.enters += 1
            self.entered_at = self.clock()

    def _clear(self) -> None:
        pane = self.target.pane
        if not self.clearing:
            composer = look(self.target).shown.composer
            self.clearing = squeezed(composer.text) if composer else ""
        for key in self.target.clear:
            pane.keys(key)
        self.clears += 1
        pane.wait_change(pane.changes, 0.1)

    def _paste(self) -> None:
        self.log.before(self.before)
        if self.target.pane.paste(self.body, folder=self.target.folder, if_still=self._is_still_free):
            self.pasted_at, self.clears, self.clearing = self.clock(), 0, ""
        else:
            self.log.unpasted()

    def _is_still_free(self) -> bool:
        """Looked at once more: a person may have begun to type while it was written down."""
        return delivery.next_step(self.body, look(self.target), self._progress(), self.target.manner) is Step.PASTE


def _before(seen: Seen) -> Before:
    return Before(seen.echoed, seen.run_on, seen.shown.queued)
