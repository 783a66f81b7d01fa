"""From signs to a verdict: what a worker is doing, and what dispatch does about it. Pure.

No sign is believed alone. Precedence: process > stopped process > unanswered question file > dialogue on the screen > finished plan >
screen busy or idle > silence.
"""

from __future__ import annotations

import signal
from typing import NamedTuple

from dispatch_tmux.core.task import LIMIT, NOBODY_KNOWS, State


class Limits(NamedTuple):
    """Seconds. They count time in which the supervisor ran, so that a laptop's sleep expires nothing."""

    settle: float = 2.0  # a turn over this long counts as over
    nudge: float = 60.0  # between the first and the second nudge, and from it to giving up
    quiet: float = 1800.0  # a screen that has not changed this long is mentioned
    limited: float = 60.0  # from the end of a usage limit until it is told to go on, on average
    finish: float = 60.0  # for which a turn may go on after the worker has called its plan done


class Signs(NamedTuple):
    """All that may be looked at. Ages are in seconds."""

    alive: bool | None = None  # None: cannot tell
    exit_code: int | None = None
    server_gone: bool = False
    stopping: bool = False
    suspended: bool = False  # its process is stopped: Ctrl-Z, SIGSTOP
    open_question: str = ""  # the id of an unanswered question file
    marks: str = ""
    done_marker: bool = False
    marked: float = 0.0  # seconds since the marker was seen first
    shows: str = "unknown"  # as screen.Shown.shows
    kind: str = ""
    detail: str = ""
    said: str = ""  # its last words, once it ended in an error
    cause: str = ""  # what they tell
    resets: str = ""  # when its usage limit ends, in the CLI's words
    background: str = ""  # what the CLI says that it has in the background
    has_screen_rules: bool = True
    settled: float = 0.0  # how long the screen has shown this
    quiet: float = 0.0  # since the pane last changed
    age: float = 0.0  # since the attempt began
    nudges: int = 0
    begun: bool = True  # it has taken up its prompt
    rested: float | None = None  # as `settled`, when no signal is taken into account


NOT_KNOWN = "nothing moves on its screen, and no rule knows what it shows"


class Verdict(NamedTuple):
    state: State
    why: str = ""
    surfaced: bool = False
    cause: str = ""


def derive(signs: Signs, limits: Limits = Limits()) -> Verdict:
    """What SIGNS amount to."""
    if signs.exit_code is not None or signs.alive is False:
        return ended(signs)
    if signs.suspended:
        return Verdict(State.SUSPENDED, "it was stopped (Ctrl-Z, or a signal); `dispatch continue` lets it go on")
    if signs.open_question:
        return Verdict(State.WAITING, f"asks through {signs.open_question}.question")
    if signs.shows in ("question", "startup") and signs.kind != LIMIT:
        known = f"a {signs.kind or signs.shows} dialogue is on its screen"
        return Verdict(State.WAITING, NOT_KNOWN if signs.kind == NOBODY_KNOWS else known)
    if (signs.done_marker and not _finishes(signs, limits)) or _all_checked_and_at_rest(signs, limits):
        return Verdict(*finished_as(signs.marks))
    if signs.kind == LIMIT and signs.shows in ("question", "error"):
        when = f": {signs.resets}" if signs.resets else "; when it resets is not said"
        return Verdict(State.LIMITED, f"its usage limit is reached{when}", cause=LIMIT)
    if signs.shows == "error":
        return Verdict(State.FAILED, signs.detail or "its screen shows an error", cause=signs.kind or "api")
    if signs.shows == "busy":
        return _silence(signs, limits)
    if signs.shows == "ready":
        if not signs.begun:
            return Verdict(
                State.STARTING
            )  # its composer is there before its first turn; on a loaded machine for seconds
        if signs.background:
            return _silence(signs, limits, f"in the background: {signs.background}")
        if signs.settled < limits.settle:
            return Verdict(State.STARTING if signs.age < limits.settle else State.WORKING)
        return _idle(signs, limits)
    if signs.shows == "unknown" and signs.quiet > limits.quiet:
        return _silence(signs, limits)
    return Verdict(State.WORKING if not signs.has_screen_rules or signs.age > limits.settle else State.STARTING)


def _finishes(signs: Signs, limits: Limits) -> bool:
    """Whether it has called its plan done before the turn in which it ticks the last items is over."""
    return " " in signs.marks and signs.shows == "busy" and signs.kind != "background" and signs.marked < limits.finish


def _all_checked_and_at_rest(signs: Signs, limits: Limits) -> bool:
    if not signs.marks or " " in signs.marks or signs.background:
        return False
    rest = {"ready": signs.settled, "unknown": signs.quiet}.get(signs.shows, 0.0)
    return rest >= limits.settle


def finished_as(marks: str) -> tuple[State, str]:
    """How a plan that its worker calls finished ends: each leftover is said."""
    if "?" in marks and " " not in marks and "x" not in marks:
        return State.BLOCKED, "every item is blocked"
    left = [f"{marks.count(mark)} {word}" for mark, word in ((" ", "unchecked"), ("?", "blocked"), ("!", "in error"))
            if mark in marks]  # fmt: skip
    return State.DONE, f"with {', '.join(left)}" if left else ""


def ended(signs: Signs) -> Verdict:
    """Which end it was, once the process is gone. An exit code above 128 is a signal's (as sh reports it)."""
    code = signs.exit_code
    if signs.done_marker and signs.stopping:
        return Verdict(*finished_as(signs.marks))
    if signs.stopping:
        return Verdict(State.STOPPED)
    if signs.done_marker or (signs.marks and " " not in signs.marks and "?" not in signs.marks):
        state, why = finished_as(signs.marks)
        return Verdict(state, "; ".join(filter(None, [why, f"exit code {code}" if code else ""])))
    if code is None or code == 128 + signal.SIGHUP:
        return Verdict(State.LOST, "the tmux server is gone" if signs.server_gone else "its window was closed")
    if code > 128:
        return Verdict(State.FAILED, f"killed by {_signal_name(code - 128)}")
    if signs.open_question or "?" in signs.marks:
        return Verdict(State.BLOCKED, "it ended without an answer to its question")
    if code:
        said = signs.said or signs.detail
        return Verdict(State.FAILED, f"exit code {code}{f': {said}' if said else ''}", cause=signs.cause)
    if not signs.marks:
        return Verdict(State.DONE, "its program has ended")  # adopted: there never was a plan
    if "x" not in signs.marks:
        return Verdict(State.FAILED, "it ended (exit code 0) with nothing checked off")
    return Verdict(State.FAILED, f"it ended (exit code 0) with {_open(signs.marks)}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _open(marks: str) -> str:
    left = marks.count(" ")
    return f"{left} item{'' if left == 1 else 's'} open"


def _idle(signs: Signs, limits: Limits) -> Verdict:
    left = _open(signs.marks)
    if signs.nudges >= 2 and signs.settled >= limits.nudge:
        return Verdict(State.IDLE, f"stopped early: {left}, reminded twice", surfaced=True)
    if (
        " " in signs.marks and signs.settled >= 2 * limits.nudge
    ):  # a draft, a view over the composer, one that takes no pastes
        return Verdict(State.IDLE, f"stopped early: {left}, and it could not be reminded", surfaced=True)
    return Verdict(State.IDLE, f"its turn is over, {left}")


def _silence(signs: Signs, limits: Limits, why: str = "") -> Verdict:
    if signs.quiet > limits.quiet:
        long = limits.quiet
        said = f"{int(long // 60)} minutes" if long >= 120 else f"{int(long)} seconds"
        return Verdict(State.WORKING, f"its screen has not changed for {said}", True)
    return Verdict(State.WORKING, why)


def nudge_due(signs: Signs, state: State, limits: Limits = Limits()) -> bool:
    """Whether an idle worker with items open is to be told to go on now: at once, then once more after a while."""
    if state is not State.IDLE or signs.nudges >= 2 or " " not in signs.marks:
        return False
    # By the screen alone: between a turn's last word and the dialogue of its tool, Gemini calls itself ready, too.
    rested = signs.settled if signs.rested is None else signs.rested
    return rested >= (limits.settle if signs.nudges == 0 else limits.nudge)
