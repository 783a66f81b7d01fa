"""The next step of a delivery, chosen from what is seen. Pure; `deliver.py` carries the steps out.

    look ─▶ leave mode ─▶ paste ─▶ body seen, a pause ─▶ Enter ─▶ composer empty and turn begun ─▶ Submitted
       ╰─▶ Refused (no program, a shell)  ╰─▶ Held (draft, dialogue, not ready)   ╰─▶ Enter again ─▶ Unproven

A body is pasted once. Only Enter is repeated, and only while the body is seen to be in the composer.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from dispatch_tmux.core.echo import Holds, holds, squeezed
from dispatch_tmux.core.shown import VIEW, Shown

CANONICAL_LINE = 4095  # bytes; the kernel's line editor (N_TTY_BUF_SIZE - 1) cuts longer lines in silence
MOST = 1 << 20  # bytes of one message
ENTERS = 6
BARE = 1.0  # seconds for which a frame without a composer may be one that is only half drawn
CLEARS = 40  # some clear a line at a time
NO_TURN = "the composer is empty, but no turn has begun"
IN_IT = (Holds.WHOLE, Holds.PART)


class Step(Enum):
    WAIT = "wait"
    LEAVE_MODE = "leave the tmux mode"
    CLEAR = "clear the composer"
    PASTE = "paste"
    ENTER = "press Enter"


class Submitted(NamedTuple):
    """The program has it; `how` is the proof. `chosen`: the words of the choice that was seen to be picked, where they were not known."""

    how: str
    chosen: str = ""


class Held(NamedTuple):
    """Nothing was sent, and it may be tried again; what was typed already is found there."""

    why: str


class Refused(NamedTuple):
    """Nothing was typed, and trying again will not help."""

    why: str


class Unproven(NamedTuple):
    """It was typed, and whether it arrived is not known: a person has to look."""

    why: str


Outcome = Submitted | Held | Refused | Unproven


class Seen(NamedTuple):
    """One look at the pane."""

    shown: Shown
    dead: bool = False
    in_mode: bool = False
    shell: bool = False
    canonical: bool = False  # the kernel's line editor reads
    silent: bool = False  # … and does not show what is typed
    bracketed: bool = False  # the program asked for bracketed paste
    reading: bool = False  # a line program waits for its next line
    unread: int = 0
    returned: bool = False  # the composer holds what was typed or sent before, and is not wanted there (D18, D25)
    receipt: bool = False  # the CLI's own signal names this very text
    echoed: int = 0  # how often the text stands above the composer, on the screen and in its history
    run_on: int = 0  # how often it does so with something right behind it
    column: int = 0  # the cursor's
    typed: str = ""  # what stands before the cursor, without blanks


class Before(NamedTuple):
    """What was there before the first byte was typed, else it would be taken for proof."""

    echoed: int | None = 0  # None: nobody has written it down
    run_on: int = 0
    queued: bool = False


class Progress(NamedTuple):
    """How far the delivery is. Seconds are since that step."""

    elapsed: float = 0.0
    pasted: bool = False
    since_paste: float = 0.0
    since_seen: float = 99.0  # since the body was first seen in the composer: a large paste takes its time to get there
    enters: int = 0
    since_enter: float = 0.0
    before: Before = Before()
    mixed: bool = False  # since the paste the composer held something beside the body
    bare: float = 0.0  # since there was a composer
    clears: int = 0  # how often the keys that clear the composer were pressed


class Manner(NamedTuple):
    """How a backend takes text: whether it has a composer, and the pause between body and Enter in seconds."""

    composer: bool
    pause: float = 0.3
    patience: float = 10.0  # for a pane that is not ready for text
    proof: float = 4.0  # for the proof, after Enter
    watched: bool = False  # since its program began, so that it is known whether that takes pastes
    redraw: float = 1.0  # for a paste that a dispatcher which died may have sent to show


def clean(text: str) -> str:
    """TEXT without anything that presses a key, ends a paste early or turns the line around (D11)."""
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.?", "", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]", "", text
    )
    return text.strip("\n")


def objection(body: str, seen: Seen, manner: Manner) -> str:
    """Why BODY cannot be typed here at all; '' when it can. Said before the first byte is."""
    size = len(body.encode())
    if not body.strip():
        return "there is no text to send"
    if size > MOST:
        return f"{size} bytes are more than the {MOST} that can be typed; put it into a file and name the file"
    if manner.composer or (seen.bracketed and not seen.canonical):
        return ""
    if "\n" in body:
        return "this program reads line by line and would take each line as a message of its own; send one line"
    if seen.canonical and size > CANONICAL_LINE:
        return f"this program reads lines of {CANONICAL_LINE} bytes at most, and this one has {size}"
    return ""


def next_step(body: str, seen: Seen, done: Progress, manner: Manner) -> Step | Outcome:
    """What to do now."""
    if seen.dead or seen.shell or seen.shown.shows == "exited":
        why = "a shell is at the prompt, not the agent" if seen.shell else "the program has ended"
        return Unproven(f"{why}; the text was on its way") if done.pasted else Refused(why)
    if done.enters:
        return _after_enter(body, seen, done, manner)
    if done.pasted:
        return _before_enter(body, seen, done, manner)
    if why := objection(body, seen, manner):
        return Refused(why)
    if seen.returned and not seen.in_mode and done.clears < CLEARS:
        return Step.CLEAR
    why = _not_ready(seen, manner)
    if not why and manner.composer and manner.watched and "\n" in body and not seen.bracketed:
        why = "it does not take pastes yet, and would take each line as a message of its own"
    if why or (manner.composer and seen.unread):  # somebody has typed what the screen does not show yet
        return Step.WAIT if done.elapsed < manner.patience else Held(why or "the program does not read its keyboard")
    return Step.LEAVE_MODE if seen.in_mode else Step.PASTE


def _not_ready(seen: Seen, manner: Manner) -> str:
    shown = seen.shown
    if not manner.composer:
        if shown.shows in ("question", "ready") or (seen.reading and not seen.column):
            return ""
        return "there is text on its input line" if seen.reading else "the program is not reading its terminal"
    if shown.shows == "question" and shown.kind == VIEW:
        return "a view that somebody opened lies over its composer; it is sent when that is closed"
    if shown.shows in ("question", "startup"):
        return "a dialogue is open, and a message must not answer it"
    if shown.composer is None:
        return "its composer is not there yet"
    if shown.composer.text or shown.composer.collapsed:
        return "somebody's draft is in the composer"
    return ""


def _before_enter(body: str, seen: Seen, done: Progress, manner: Manner) -> Step | Outcome:
    if manner.composer and seen.shown.composer is None and seen.shown.shows in ("question", "startup"):
        return Held("a dialogue opened over it; it is sent when that is answered")
    if not manner.composer:
        if done.since_paste < min(manner.pause, 0.05):
            return Step.WAIT
        return Step.LEAVE_MODE if seen.in_mode else Step.ENTER
    held = holds(body, seen.shown.composer)
    if seen.unread and done.since_paste < manner.proof:
        return Step.WAIT  # of the paste, or of somebody who types: the screen does not show it yet
    pause = manner.pause if held is Holds.WHOLE else max(manner.pause, BARE)  # a part: the rest may be on its way
    if held in IN_IT and min(done.since_paste, done.since_seen) >= pause:
        return Step.LEAVE_MODE if seen.in_mode else Step.ENTER
    if held in IN_IT or done.since_paste < manner.proof:
        return Step.WAIT
    if held is Holds.NOTHING:
        return Unproven("it was pasted and does not show in the composer")
    return Unproven("other text got into the composer with it")


def _after_enter(body: str, seen: Seen, done: Progress, manner: Manner) -> Step | Outcome:
    held, shown = holds(body, seen.shown.composer), seen.shown
    gone = held in (Holds.NOTHING, Holds.OTHER)
    if seen.receipt and gone:  # else it may be for the same words, sent a moment before
        return Submitted("the CLI's own receipt")
    in_time = done.since_enter < manner.proof
    if not manner.composer:
        if not seen.unread:
            return Submitted("the program has read the line")
        return Step.WAIT if in_time else Unproven("the program has not read the line yet")
    if shown.composer is None and done.bare < BARE and shown.shows not in ("question", "startup"):
        return Step.WAIT
    if held in IN_IT or seen.returned:
        return _enter_again(seen, done)
    if held is Holds.MIXED or done.mixed or seen.run_on > done.before.run_on:
        return Step.WAIT if in_time else Unproven("somebody's words got into the composer with it")
    if not done.clears and (proof := _proof(seen, done)):
        return proof
    if in_time:
        return Step.WAIT
    why = f"{ENTERS} times Enter did not send it; it was taken out again" if done.clears else NO_TURN
    return Unproven(why)


def _enter_again(seen: Seen, done: Progress) -> Step | Outcome:
    """The body is in the composer still: Enter once more, and at last take it out, or nothing else could be sent."""
    lag = max(0.0, done.since_paste - done.since_seen)  # what it took to show the paste it may take for Enter, too
    if done.since_enter < max(0.4 * min(done.enters, ENTERS), min(2 * lag, 3.0)):
        return Step.WAIT
    if done.enters < ENTERS:
        return Step.LEAVE_MODE if seen.in_mode else Step.ENTER
    return Step.CLEAR if done.clears < CLEARS else Unproven(f"it is still in the composer after {ENTERS} times Enter")


def _proof(seen: Seen, done: Progress) -> Submitted | None:
    """What tells that the program has taken what the composer holds no more; None: nothing does."""
    shown = seen.shown
    if shown.composer is None and shown.shows in ("question", "startup"):
        return Submitted("a dialogue opened in its place")
    if shown.queued and not done.before.queued:
        return Submitted("queued by the CLI")
    if shown.composer and seen.echoed > (done.before.echoed or 0):
        return Submitted("it shows in the transcript")
    return Submitted("the composer is empty and a turn has begun") if shown.shows == "busy" else None


class Left(NamedTuple):
    """What a dispatcher that died has written down of a delivery."""

    before: Before
    entering: bool  # the body was in the composer, and Enter was next


def after_crash(body: str, seen: Seen, left: Left, manner: Manner, elapsed: float) -> Step | Outcome:
    """Where a delivery stands whose dispatcher died in the middle of it: the screen decides, or nobody can.

    ELAPSED: seconds since it was looked at first. It is pasted anew only where Enter was certainly not pressed.
    """
    if seen.dead or seen.shell:
        return Unproven("dispatch was interrupted while typing, and the program has ended since")
    if seen.receipt:
        return Submitted("the CLI's own receipt")
    before = left.before.echoed
    if before is None or (not manner.composer and seen.shown.kind == "secret"):
        return Unproven("dispatch was interrupted while typing it")
    if not manner.composer:
        if seen.typed.endswith(squeezed(body)[-60:]):
            return Step.ENTER  # the terminal's echo of it stands before the cursor: it waits for Enter
        if seen.echoed > before:
            return Submitted("it shows on the screen")
        return Unproven("dispatch was interrupted while typing it") if left.entering else Step.PASTE
    return _after_crash_in_composer(body, seen, left, manner, elapsed)


def _after_crash_in_composer(body: str, seen: Seen, left: Left, manner: Manner, elapsed: float) -> Step | Outcome:
    held, composer = holds(body, seen.shown.composer), seen.shown.composer
    if held in IN_IT:
        return Step.ENTER  # it was pasted: go on from there
    if composer is None:
        if not left.entering and seen.shown.shows in ("question", "startup"):
            return Step.PASTE  # which waits for a composer
        return Step.WAIT if elapsed < manner.patience else Held(_not_ready(seen, manner))
    if held is Holds.MIXED or seen.run_on > left.before.run_on:
        return Unproven("dispatch was interrupted while typing it, and somebody's words are with it")
    if seen.echoed > (left.before.echoed or 0):
        return Submitted("it shows in the transcript")
    if left.entering:
        why = "dispatch was interrupted right before Enter or after it, and the message is not to be seen"
        return Step.WAIT if elapsed < manner.proof else Unproven(why)
    if elapsed < manner.redraw + len(body) / 100_000:
        return Step.WAIT
    return Step.PASTE if held is Holds.NOTHING else Held("somebody's draft is in the composer")
