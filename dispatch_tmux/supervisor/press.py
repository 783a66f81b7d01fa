"""The keys of an answer: which steps it takes to pick, to tick, to write, and to submit a set of pages at its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from dispatch_tmux.core import choosing, delivery, echo
from dispatch_tmux.core.delivery import Outcome, Refused, Submitted, Unproven
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.core.task import Choice, Question
from dispatch_tmux.supervisor import steps as stepping
from dispatch_tmux.supervisor.steps import Steps, Stop
from dispatch_tmux.supervisor.target import look, mark_of

ELSEWHERE = Choice("", "", text=True)  # the field for own words of a list longer than the screen
DIGIT = 1.5  # seconds for a digit to show what it does
ALL = re.compile(r"^(?:select |choose )?all\b", re.IGNORECASE)
ENDS = re.compile(r"^(?:submit|done|ok|next|continue|finish\w*|confirm)\b", re.IGNORECASE)
UNANSWERED = re.compile(r"unanswered|not answered", re.IGNORECASE)


def answer(steps: Steps, q: Question, wanted: Sequence[Choice], text: str) -> Outcome:
    """Answer the dialogue Q: tick or pick what is WANTED, or write TEXT where its field is. Raises Stop."""
    shown = steps.begin()
    if q.kind == "continue":
        return steps.confirm(lambda s: s.kind == q.kind)
    field = next((c for c in wanted if c.text), ELSEWHERE if q.more else None)
    boxes = any(c.ticked is not None and not c.text for c in shown.choices)
    if (
        text
        and (named := [c for c in wanted if c.label and not c.text])
        and (outcome := _pick_if_there(steps, named[0]))
    ):
        pass  # the words were those of a choice beyond the screen
    elif text and boxes and field is not None:
        outcome = _tick_words(steps, q, field, text)
    elif text:
        outcome = _write(steps, field, text)
    elif boxes:
        outcome = _tick(steps, q, wanted)
    elif len(wanted) != 1:
        return Refused("it takes one choice")
    else:
        outcome = _pick(steps, wanted[0])
    if isinstance(outcome, Submitted) and q.kind != "review":
        return _submit_all(steps, [text] if text else [c.label for c in wanted], outcome)
    return outcome


# --- one choice


def _pick(steps: Steps, wanted: Choice) -> Outcome:
    shown = steps.now()
    if keys := _named_keys(shown, wanted):
        return steps.confirm(lambda s: _named_keys(s, wanted) == keys, keys)
    if not shown.pointer:
        if shown.ways.digits:
            return _by_digit(steps, wanted)
        raise steps.surprise("the pointer is not to be seen", shown)
    shown = steps.point(wanted)
    outcome = steps.confirm(lambda s: stepping.is_on(s, wanted))
    if isinstance(outcome, Submitted) and not (wanted.key and wanted.label):
        return outcome._replace(chosen=shown.pointer)
    return outcome


def _pick_if_there(steps: Steps, wanted: Choice) -> Outcome | None:
    """Pick WANTED, should it be a choice of the list; None when it is none of them."""
    try:
        steps.point(wanted)
    except Stop:
        steps.begin()  # stops for good when the dialogue is not there
        return None
    return _pick(steps, wanted)


def _named_keys(shown: Shown, wanted: Choice) -> tuple[str, ...]:
    """The keys that the dialogue's own words name for a choice that has no place on the screen."""
    found = choosing.find(shown, wanted)
    place = shown.choices.index(found) if found else -1
    return shown.ways.keys[place] if 0 <= place < len(shown.ways.keys) else ()


def _by_digit(steps: Steps, wanted: Choice) -> Outcome:
    """Press the number of the choice WANTED in a list without a pointer, which says that a number picks."""
    if choosing.find(steps.now(), wanted) is None:
        raise steps.surprise(f"'{wanted.label[:60]}' is not to be found", None)
    steps.press(wanted.key)
    if steps.goes(DIGIT):
        return Submitted("the dialogue is gone")
    if look(steps.target).typed.endswith(wanted.key):
        return steps.confirm(lambda s: look(steps.target).typed.endswith(wanted.key))
    return steps.confirm(lambda s: stepping.is_on(s, wanted))


# --- several


def _tick(steps: Steps, q: Question, wanted: Sequence[Choice]) -> Outcome:
    """Leave just WANTED ticked, whatever is ticked now; then end the list."""
    _set_boxes(steps, q, wanted)
    return _end_ticks(steps, wanted)


def _tick_words(steps: Steps, q: Question, field: Choice, text: str) -> Outcome:
    """Leave nothing ticked but TEXT, written into the FIELD among the boxes; most tick it as one types."""
    _set_boxes(steps, q, ())
    _type(steps, field, text)
    ticked = (b.ticked if (b := stepping.box(steps.now(), field)) else None) is not False
    if not ticked:
        steps.press("Enter")
        if not steps.comes(lambda s: (b := stepping.box(s, field)) is not None and b.ticked is True):
            raise steps.surprise("what was written is not ticked", steps.now())
    return _end_ticks(steps, (field,))


def _set_boxes(steps: Steps, q: Question, wanted: Sequence[Choice]) -> None:
    keys = {c.key for c in wanted}
    for c in (*wanted, *(c for c in q.choices if c.key not in keys)):  # a radio button goes off as another one goes on
        shown = steps.now()
        if c.text or (c.key not in keys and ALL.match(c.label)) or not (shown.scrolled or stepping.box(shown, c)):
            continue
        if shown.scrolled and stepping.box(shown, c) is None:
            if not _has_box(c, shown):
                continue
            shown = steps.point(c)
        box = stepping.box(shown, c)
        if box is not None and box.ticked != (c.key in keys):
            _toggle(steps, c, c.key in keys)


def _has_box(c: Choice, shown: Shown) -> bool:
    """Whether a choice that is not to be seen is likely to be one of the list's."""
    return c.key.isdigit() and shown.numbered


def _toggle(steps: Steps, c: Choice, on: bool) -> None:
    shown = steps.point(c)
    key = shown.ways.toggle
    steps.pause()
    steps.press(key)
    if not steps.comes(lambda s: (b := stepping.box(s, c)) is not None and b.ticked == on):
        raise steps.surprise(f"'{c.label[:60]}' is not {'ticked' if on else 'cleared'} by {key}", steps.now())


def _end_ticks(steps: Steps, wanted: Sequence[Choice]) -> Outcome:
    shown = steps.now()
    if missing := [c.label for c in wanted if (b := stepping.box(shown, c)) is not None and not b.ticked]:
        raise steps.surprise(f"'{missing[0][:60] or 'a choice'}' is not ticked any more", shown)
    done = shown.ways.done
    if done is not None:
        there = lambda s: bool(done.search(s.pointer))  # noqa: E731
        steps.point_at_row(lambda label: bool(done.search(label)), "Submit")
        return steps.confirm(there)
    ticked = _ticks(shown)
    keys = shown.ways.submit or ("Enter",)
    return steps.confirm(lambda s: _ticks(s) == ticked, keys)


def _ticks(shown: Shown) -> list[str]:
    return [c.label for c in shown.choices if c.ticked and not c.text]


# --- words


def _write(steps: Steps, field: Choice | None, text: str) -> Outcome:
    """Type TEXT into the choice FIELD, or into the dialogue's only field, and see it there before Enter."""
    return steps.confirm(_type(steps, field, text))


def _type(steps: Steps, field: Choice | None, text: str) -> Callable[[Shown], bool]:
    """Type TEXT, and see it; returns what tells whether it is there still."""
    body = delivery.clean(text).replace("\n", " ")
    shown = steps.point(field) if field is not None else steps.now()
    for key in shown.ways.opens if field is not None else ():
        before = stepping.text_on(steps.target)
        steps.press(key)
        if not steps.comes(lambda s: stepping.text_on(steps.target) != before):  # noqa: B023
            raise steps.surprise(f"no place to type showed after {key}", steps.now())
    before = stepping.text_on(steps.target)
    steps.pressed = True
    steps.target.pane.paste(body, folder=steps.target.folder)
    if not steps.comes(lambda s: _has(steps, before, body)):
        raise steps.surprise("the words do not show", steps.now())

    def still_there(s: Shown) -> bool:
        at = choosing.pointed(s)
        if (
            field is not None
            and not s.ways.opens
            and (at is None or (field.key and at.key != field.key) or not _is(at.label, body))
        ):
            return False
        return _has(steps, before, body)

    return still_there


def _has(steps: Steps, before: str, body: str) -> bool:
    """Whether the screen shows more of BODY than BEFORE: its end, or its beginning, or that it was folded."""
    text, words = stepping.text_on(steps.target), echo.squeezed(body)
    composer = steps.target.rules.composer
    if (
        composer
        and composer.collapsed
        and len(composer.collapsed.findall(text)) > len(composer.collapsed.findall(before))
    ):
        return True
    return any(text.count(part) > before.count(part) for part in (words[-24:], words[:24]) if part)


def _is(label: str, body: str) -> bool:
    """Whether a field that reads LABEL holds BODY and nothing else; a long one shows its beginning, or its end."""
    shown, words = choosing.folded(label).strip("…"), choosing.folded(body)
    return (
        shown == words
        or (len(shown) >= 12 and (words.startswith(shown) or words.endswith(shown)))
        or "[pasted" in shown
    )


# --- a set of pages


def _submit_all(steps: Steps, given: Sequence[str], outcome: Submitted) -> Outcome:
    """Where the page that shows all answers has come, and shows what was GIVEN: submit it. Else it is a question of its own."""
    shown = look(steps.target).shown
    if shown.kind != "review":
        return outcome
    review = Steps(steps.target, mark_of(shown))
    shown = review.begin()
    told = choosing.folded(f"{shown.question}\n{shown.detail}")
    submit = choosing.by_word(shown.choices, "yes")
    if submit is None or UNANSWERED.search(told) or not all(choosing.folded(g)[:40] in told for g in given):
        return outcome
    done = _pick(review, Choice(submit.key, submit.label))
    if isinstance(done, Submitted):
        return Submitted("the page of all answers had it and was submitted")
    return Unproven(f"the answer was taken, and the page of all answers is still open: {getattr(done, 'why', '')}")


# --- a program that reads lines


def line(steps: Steps, q: Question, text: str) -> Outcome:
    """Type TEXT behind the prompt of Q, see it there, and press Enter; nothing more where the program takes single keys."""
    steps.begin()
    pane, target = steps.target.pane, steps.target
    if q.kind == "continue":
        return _enter(steps, untyped=True)
    before = look(target)
    body = delivery.clean(text).replace("\n", " ")
    if why := delivery.objection(body, before, target.manner):
        return Refused(why)
    pane.paste(body, folder=target.folder)
    if q.kind == "secret" or before.silent or _echoed(steps, before.typed, echo.squeezed(body)[-60:]):
        return _enter(steps)
    if not before.canonical and len(body) == 1 and look(target).typed != before.typed:
        return Submitted("the prompt is gone")
    return Unproven("what was typed does not show behind the prompt; Enter was not pressed")


def _echoed(steps: Steps, before: str, words: str) -> bool:
    end = time.monotonic() + stepping.SEEN
    while True:
        changes = steps.target.pane.changes
        typed = look(steps.target).typed
        if typed != before and typed.endswith(words):
            return True
        if time.monotonic() > end:
            return False
        steps.target.pane.wait_change(changes, 0.05)


def _enter(steps: Steps, *, untyped: bool = False) -> Outcome:
    """Press Enter and see the cursor move on; UNTYPED: nothing else was, so that the prompt's going is a sign, too."""
    pane = steps.target.pane
    at = pane.look().cursor
    pane.keys("Enter")
    end = time.monotonic() + stepping.GONE
    while time.monotonic() < end:
        changes = pane.changes
        seen = pane.look()
        if seen.dead or seen.cursor != at or (untyped and steps.goes(0.0)):
            return Submitted("the prompt is gone")
        pane.wait_change(changes, 0.05)
    return Unproven("Enter was pressed, and the prompt is still there")
