"""The list of tasks as lines: what needs the person on top, under headings. Pure."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from dispatch_tmux import CAUSES, Question, State, Task
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import GLYPHS, age, columns, padded
from dispatch_tmux.ui.desk import Desk, Part
from dispatch_tmux.ui.spans import ASKS, BAD, BOLD, BUSY, DIM, GOOD, WARNS, Line, Span, fitted, restyled, words

STYLES = {
    State.WORKING: BUSY, State.STARTING: BUSY, State.WAITING: ASKS, State.IDLE: WARNS, State.LIMITED: WARNS,
    State.SUSPENDED: WARNS, State.DONE: GOOD, State.FAILED: BAD, State.LOST: BAD, State.BLOCKED: ASKS,
}  # fmt: skip
_COUNTED = {"waiting for you": ASKS, "blocked": ASKS, "failed": BAD, "lost": BAD, "working": BUSY, "done": GOOD}
_OF_HEADING = {urgency.NEEDS_YOU: ASKS}
DONE_FROM = 56  # columns from which on a row has its items
TEXT_FROM = 8  # columns that are worth having for words


Item = Part | Task | None  # what a row is about: a heading, a task, nothing


def items(desk: Desk, apart: bool) -> list[Item]:
    """What the rows of DESK's list are about, in order; APART: with an empty row between two parts."""
    found: list[Item] = []
    for part in desk.parts:
        found += [*([None] if apart and found else []), part, *part.tasks]
    return found


def row(desk: Desk, item: Item, width: int, now: float) -> Line:
    """The row of ITEM in WIDTH columns. NOW: seconds since the epoch."""
    if item is None:
        return ()
    if isinstance(item, Part):
        return _heading(item.heading, len(item.tasks), item.reason, width)
    reason = next((part.reason for part in desk.parts if part.heading == urgency.QUEUED), "")
    asked = desk.open_question(item)
    id_width = min(desk.longest, max(10, width * 2 // 5))
    line = _row(
        item,
        asked,
        item.id in desk.marked,
        "" if item.why == reason else item.why,
        id_width,
        width,
        age(now - item.since),
    )
    return restyled(line, "reverse") if item.id == desk.selected else line


def _heading(name: str, count: int, reason: str, width: int) -> Line:
    spans: list[Span] = [(f" {name} ", _OF_HEADING.get(name, BOLD)), (f"{count}", DIM)]
    if reason:
        spans.append((f" · {words(reason)}", DIM))
    return fitted(tuple(spans), width)


@lru_cache(maxsize=1000)
def _row(task: Task, asked: Question | None, marked: bool, why: str, id_width: int, width: int, since: str) -> Line:
    style = ASKS if asked else STYLES.get(task.state, DIM)
    glyph = GLYPHS[State.WAITING if asked else task.state]
    tail = f"{since:>4} "
    if width >= DONE_FROM:
        tail = f"{f'{task.done_items}/{len(task.marks)}' if task.marks else '':>5} {tail}"
    room = width - 4 - id_width - columns(tail)
    said, said_style = _said(task, asked, why)
    text = f"  {padded(said, room - 2)}" if room >= TEXT_FROM else ""
    if not text:
        id_width = width - 4 - columns(tail)
    return fitted(
        (("◆" if marked else " ", "bold magenta"), (glyph, style), (" ", ""), (padded(task.id, id_width), _id_style(task)),
         (text, said_style), (f" {tail}", DIM)), width,
    )  # fmt: skip


def _id_style(task: Task) -> str:
    return BOLD if urgency.heading(task) == urgency.NEEDS_YOU else DIM if task.ended else ""


def _said(task: Task, asked: Question | None, why: str) -> tuple[str, str]:
    """What TASK's row says: what it wants, why it is as it is, or what it is about; and the style of that."""
    if task.open_questions:
        return (words(asked.text, 400), "") if asked else ("answered …", DIM)
    for text in [*(f"flag: {flag}" for flag in task.flags[-1:]), *task.late[-1:], *urgency.messages(task)[:1]]:
        if not task.ended:
            return words(text, 400), WARNS
    if task.cause in CAUSES and task.state in (State.FAILED, State.LOST):
        return CAUSES[task.cause], ""
    if why and task.state not in (State.DONE, State.STOPPED):
        return words(why, 400), "" if urgency.heading(task) == urgency.NEEDS_YOU else DIM
    group = f"{task.group} · " if task.group else ""
    return words(f"{group}{task.title}", 400), DIM


@lru_cache(maxsize=8)
def counted(tasks: tuple[Task, ...], width: int) -> Line:
    """How many tasks are how, in words, or where they have no room by their glyphs."""
    spans: list[Span] = []
    for part in urgency.counts(tasks).split(", ") if tasks else []:
        number, _, word = part.partition(" ")
        spans += [("  " if spans else "", ""), (f"{number} {word}", _COUNTED.get(word, ""))]
    if sum(columns(text) for text, _ in spans) <= width:
        return tuple(spans)
    spans = []
    for state, count in Counter(t.state for t in sorted(tasks, key=urgency.rank)).items():
        spans += [("  " if spans else "", ""), (f"{GLYPHS[state]} {count}", STYLES.get(state, ""))]
    return tuple(spans)
