"""Typing a message into a live pane, with proof at each step. The steps are chosen in `core/delivery.py`."""

from __future__ import annotations

import time
from collections.abc import Callable

from dispatch_tmux.core import delivery
from dispatch_tmux.core.delivery import Outcome, Progress, Seen, Step
from dispatch_tmux.supervisor.target import Target, look


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
    """One message on its way. Times are seconds on CLOCK, None until it is that far."""

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
            self._note_times(seen)
            step = delivery.next_step(self.body, seen, self._progress(), self.target.manner)
            if isinstance(step, Outcome):
                return step
            if step is Step.WAIT:
                self.target.pane.wait_change(changes, self._patience())
            else:
                self._do(step)
            seen = look(self.target, self.body, history=bool(self.enters))

    def _note_times(self, seen: Seen) -> None:
        """Since when there has been no composer, and since when the message has been in it."""
        if seen.shown.composer is not None:
            self.bare_since = None
        elif self.bare_since is None:
            self.bare_since = self.clock()
        if self.seen_at is None and self.pasted_at is not None and delivery.holds(self.body, seen.shown):
            self.seen_at = self.clock()

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
