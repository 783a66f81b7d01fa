"""The list of tasks as lines: what needs the person on top, under headings. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dispatch_tmux import CAUSES, State, Task
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import GLYPHS, age, columns, padded
from dispatch_tmux.ui.desk import Desk
from dispatch_tmux.ui.spans import ASKS, BAD, BOLD, BUSY, DIM, GOOD, WARNS, Line, Span, fitted, restyled, words

STYLES = {
    State.WORKING: BUSY, State.STARTING: BUSY, State.WAITING: ASKS, State.IDLE: WARNS, State.LIMITED: WARNS,
    State.SUSPENDED: WARNS, State.DONE: GOOD, State.FAILED: BAD, State.LOST: BAD, State.BLOCKED: ASKS,
}  # fmt: skip
_COUNTED = {"waiting for you": ASKS, "blocked": ASKS, "failed": BAD, "lost": BAD, "working": BUSY, "done": GOOD}
_OF_HEADING = {urgency.NEEDS_YOU: ASKS}
DONE_FROM = 56  # columns from which on a row has its items
TEXT_FROM = 8  # columns that are worth having for words


class Entry(NamedTuple):
    """A row of the list; `id` is its task's, '' for a heading."""

    line: Line
    id: str = ""


def listed(desk: Desk, width: int, now: float) -> list[Entry]:
    """The rows of DESK's list, each in WIDTH columns. NOW: seconds since the epoch."""
    longest = max((len(t.id) for t in desk.shown), default=4)
    id_width = min(longest, max(10, width * 2 // 5))
    entries: list[Entry] = []
    for heading, tasks in _parts(desk.shown):
        common = _common_reason(tasks) if heading == urgency.QUEUED else ""
        entries.append(Entry(_heading(heading, len(tasks), common, width)))
        for task in tasks:
            row = _row(task, desk, id_width, width, now, "" if task.why == common else task.why)
            entries.append(Entry(restyled(row, "reverse") if task.id == desk.selected else row, task.id))
    return entries


def _parts(tasks: Sequence[Task]) -> Iterator[tuple[str, list[Task]]]:
    for heading in urgency.HEADINGS:
        if found := [t for t in tasks if urgency.heading(t) == heading]:
            yield heading, found


def _common_reason(tasks: Sequence[Task]) -> str:
    """The reason that most of TASKS have, where more than one has it."""
    (reason, count), *_ = Counter(t.why for t in tasks).most_common(1)
    return reason if count > 1 else ""


def _heading(name: str, count: int, reason: str, width: int) -> Line:
    spans: list[Span] = [(f" {name} ", _OF_HEADING.get(name, BOLD)), (f"{count}", DIM)]
    if reason:
        spans.append((f" · {words(reason)}", DIM))
    return fitted(tuple(spans), width)


def _row(task: Task, desk: Desk, id_width: int, width: int, now: float, why: str) -> Line:
    is_asking = desk.open_question(task) is not None
    style = ASKS if is_asking else STYLES.get(task.state, DIM)
    glyph = GLYPHS[State.WAITING if is_asking else task.state]
    mark = "◆" if task.id in desk.marked else " "
    tail = f"{age(now - task.since):>4} "
    if width >= DONE_FROM:
        tail = f"{f'{task.done_items}/{len(task.marks)}' if task.marks else '':>5} {tail}"
    room = width - 4 - id_width - columns(tail)
    said, said_style = _said(task, desk, why)
    text = f"  {padded(said, room - 2)}" if room >= TEXT_FROM else ""
    if not text:
        id_width = width - 4 - columns(tail)
    return fitted(
        ((mark, "bold magenta"), (glyph, style), (" ", ""), (padded(task.id, id_width), _id_style(task)),
         (text, said_style), (f" {tail}", DIM)), width,
    )  # fmt: skip


def _id_style(task: Task) -> str:
    return BOLD if urgency.heading(task) == urgency.NEEDS_YOU else DIM if task.ended else ""


def _said(task: Task, desk: Desk, why: str) -> tuple[str, str]:
    """What TASK's row says: what it wants, why it is as it is, or what it is about; and the style of that."""
    if task.open_questions:
        asked = desk.open_question(task)
        return (words(asked.text, 400), "") if asked else ("answered …", DIM)
    for text in [*(f"flag: {flag}" for flag in task.flags[-1:]), *task.late[-1:], *_messages(task)[:1]]:
        if not task.ended:
            return words(text, 400), WARNS
    if task.cause in CAUSES and task.state in (State.FAILED, State.LOST):
        return CAUSES[task.cause], ""
    if why and task.state not in (State.DONE, State.STOPPED):
        return words(why, 400), "" if urgency.heading(task) == urgency.NEEDS_YOU else DIM
    group = f"{task.group} · " if task.group else ""
    return words(f"{group}{task.title}", 400), DIM


def _messages(task: Task) -> list[str]:
    """What became of the person's messages that have not arrived."""
    said = {"held": "a message waits", "undelivered": "a message did not arrive"}
    return [
        f"{said[status]}: {how}" for _, status, how in task.requests if status in said and not how.startswith("told:")
    ]


def counted(tasks: Sequence[Task], width: int) -> Line:
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
