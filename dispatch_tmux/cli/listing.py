"""Tasks as a list that fits: a row each with what it wants beneath it, in the order of core/urgency; what has no room is counted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux import State
from dispatch_tmux.cli import show
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import age, clean, columns, line, padded

if TYPE_CHECKING:
    from dispatch_tmux import Task

RECENT = 15  # tasks that are over that a list shows, the latest of them
QUESTIONS = 3  # of one task that a list shows
NARROW, TIGHT = 60, 50  # columns below which a list has no models, and no words for states
LEAST = 12  # columns that a title is shown in


class Shape(NamedTuple):
    """How wide the columns are; 0: that column is left out. `more`: what is left for the title."""

    name: int
    model: int
    state: int
    more: int


def table(
    tasks: Sequence[Task],
    now: float | None = None,
    used: Mapping[str, str] | None = None,
    most: int | None = None,
    older: Sequence[Task] = (),
) -> list[str]:
    """TASKS, what wants the person first, in MOST lines (None: however many), and a line that counts the others and OLDER ones.

    USED: what each task's CLI tells of its work, as far as there is room.
    """
    if not tasks:
        return []
    now, found = now or time.time(), urgency.ordered(tasks)
    shape = _shape(found, show.width())
    blocks = [[_row(t, shape, now, (used or {}).get(t.id, "")), *wants] for t, wants in _wanted(found)]
    head = [_head(shape)]
    if most is not None and 1 + sum(map(len, blocks)) + bool(older) > most:
        needy = sum(urgency.heading(t) == urgency.NEEDS_YOU for t in found)
        briefly = [_brief(t, shape, now) for t in found]
        kept = fitted(blocks, briefly, needy, max(most - 2, 1))
        if kept[:1] == [briefly[:1]]:  # in one line each there are no columns, and every line is dear
            head, whole = [], fitted(blocks, briefly, needy, most)
            kept = (
                whole if len(whole) == len(blocks) and not older else fitted(blocks, briefly, needy, max(most - 1, 1))
            )
        blocks = kept
    hidden = [*found[len(blocks) :], *older]
    return [*head, *(row for block in blocks for row in block), *rest(hidden, "dispatch status --all")]


def fitted(blocks: Sequence[list[str]], briefly: Sequence[str], needy: int, most: int) -> list[list[str]]:
    """The first of BLOCKS, as many as MOST lines hold.

    Where the first NEEDY ones do not fit, each is cut to two lines, or to the one that BRIEFLY has.
    """
    for cut in (most, 2, 1):
        short = [b[:cut] if cut > 1 or len(b) < 2 else [row] for b, row in zip(blocks, briefly, strict=True)]
        if sum(map(len, short[:needy])) <= most:
            break
    kept = 0
    while kept < len(short) and (most := most - len(short[kept])) >= 0:
        kept += 1
    return short[:kept]


def rest(hidden: Sequence[Task], verb: str) -> list[str]:
    """The line that counts HIDDEN tasks, which VERB shows: none without any."""
    if not hidden:
        return []
    number, _, words = urgency.counts(hidden).partition(" ")
    said = f"… {number} more {words}"
    return [f"{said}: {verb}" if columns(said) + len(verb) + 2 <= show.width() else line(said, show.width())]


def _shape(tasks: Sequence[Task], room: int) -> Shape:
    model = 0 if room < NARROW else min(max(5, *(columns(clean(t.model, 40)) for t in tasks)), 16)
    state = 1 if room < TIGHT else 11
    others = state + 15 + (model + 2 if model else 0)  # two blanks, the state, two, SINCE, two, DONE
    name = min(max(4, *(len(t.id) for t in tasks)), max(8, room - others - 2))
    return Shape(name, model, state, room - name - others - 3)


def _head(shape: Shape) -> str:
    model = f"  {'MODEL':<{shape.model}}" if shape.model else ""
    title = "   TITLE" if shape.more >= LEAST else ""
    return f"{'TASK':<{shape.name}}{model}  {'STATE' if shape.state > 5 else '':<{shape.state}}  SINCE  DONE{title}"


def _row(task: Task, shape: Shape, now: float, used: str) -> str:
    model = f"  {padded(task.model, shape.model)}" if shape.model else ""
    state = show.state(task) if shape.state > 5 else show.glyph(task)
    done = f"{task.done_items}/{len(task.marks)}"
    row = f"{padded(task.id, shape.name)}{model}  {state}  {age(now - task.since):>5}  {done}"
    more = _title(task, used, shape.more)
    return f"{row}{' ' * max(7 - len(done), 2)}{more}" if more else row


def _title(task: Task, used: str, room: int) -> str:
    """The group and the title of TASK, and what its CLI tells of its work, in ROOM columns; that comes first where room is short."""
    if room < LEAST:
        return ""
    title = " · ".join(filter(None, (line(task.group, 20), line(task.title, 200))))
    if not used:
        return line(title, room)
    left = room - columns(line(used, room)) - 2
    return f"{padded(title, left)}  {line(used, room)}" if left >= LEAST and title else line(used, room)


def _wanted(tasks: Sequence[Task]) -> list[tuple[Task, list[str]]]:
    """Each of TASKS with the lines beneath it. A reason that those queued one after another share stands beneath the first."""
    room, before = show.width(), ""
    found = []
    for n, task in enumerate(tasks):
        why = task.why if task.state is State.QUEUED and not task.open_questions else ""
        if why and why == before:
            found.append((task, _waiting(task, room)))
            continue
        alike = 0
        while (
            why
            and n + alike + 1 < len(tasks)
            and (tasks[n + alike + 1].state, tasks[n + alike + 1].why) == (task.state, why)
        ):
            alike += 1
        too = f" · the next {alike}, too" if alike > 1 else " · the next one, too" if alike else ""
        found.append((task, [f"  {line(why, room - 2 - len(too))}{too}"] if why and alike else _wants(task, room)))
        before = why
    return found


def _wants(task: Task, room: int) -> list[str]:
    """What TASK asks, or why it is as it is, and what of the person's waits for it."""
    lines = []
    if asked := task.open_questions:
        lines += [f"  ? {line(q.text, room - 4)}" for q in asked[:QUESTIONS]]
        lines += [f"  … {show.many(len(asked) - QUESTIONS, 'more question')}"] if len(asked) > QUESTIONS else []
    elif task.why and task.state is not State.WORKING:
        lines.append(f"  {line(task.why, room - 2)}")
    if not task.ended:
        lines += [f"  ! {line(text, room - 4)}" for text in (*task.flags[-1:], *task.late[-1:])]
    return lines + _waiting(task, room)


def _waiting(task: Task, room: int) -> list[str]:
    return [] if task.ended else [f"  {line(text, room - 2)}" for text in urgency.messages(task)]


def _brief(task: Task, shape: Shape, now: float) -> str:
    """TASK in one line, with what it wants most."""
    wants = next(iter(_wants(task, 200)), "").strip().removeprefix("? ")
    row = f"{padded(task.id, shape.name)}  {show.glyph(task)} {age(now - task.since):>5}  "
    return row + line(wants, max(show.width() - shape.name - 11, 1))
