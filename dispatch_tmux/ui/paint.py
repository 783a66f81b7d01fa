"""The inbox as the lines of one screen, and what is where on it. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from dispatch_tmux import Place, State, Task
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import GLYPHS, age
from dispatch_tmux.ui import help, rows
from dispatch_tmux.ui.desk import QUESTION, Desk, Page
from dispatch_tmux.ui.spans import (
    ASKS,
    BAD,
    BOLD,
    DIM,
    WARNS,
    Line,
    fitted,
    plain,
    restyled,
    shifted,
    width_of,
    words,
    wrapped,
)  # fmt: skip

BESIDE_FROM = 100  # columns from which on the task stands beside the list, not below it
LIST = (44, 78)  # columns of the list then, at least and at most
MARGIN = 1


class Spot(NamedTuple):
    """What a click on row Y, from column LEFT up to RIGHT, means: `kind` is task, tab, choice or key."""

    y: int
    left: int
    right: int
    kind: str
    value: str


class Painted(NamedTuple):
    """A screen: its LINES, what can be clicked, the list's first row, how far the page can be scrolled, its height."""

    lines: list[Line]
    spots: list[Spot]
    top: int = 0
    deepest: int = 0
    page_rows: int = 1
    list_rows: int = 1


def due(desk: Desk, painted: Painted, now: float) -> float:
    """Seconds until an age on the screen is another one."""
    seen = {spot.value for spot in painted.spots if spot.kind == "task"} | {desk.selected}
    found = 60.0
    for task in desk.shown:
        if task.id in seen:
            passed = max(0.0, now - task.since)
            unit = 1 if passed < 60 else 60 if passed < 3600 else 3600
            found = min(found, unit - passed % unit)
    return found


class Box(NamedTuple):
    """A part of the screen in cells."""

    x: int
    y: int
    width: int
    height: int


def painted(desk: Desk, width: int, height: int, now: float) -> Painted:
    """DESK in WIDTH columns and HEIGHT rows. NOW: seconds since the epoch."""
    if width < 10 or height < 4:
        return Painted([fitted(plain("dispatch", BOLD), width)] * max(1, height), [])
    if desk.typed:
        above = painted(replace(desk, typed=None), width, height - 2, now)
        about = fitted(plain(f" {desk.typed.about}", ASKS), width)
        line = fitted(((" › ", "bold cyan"), *desk.typed.shown(width - 4)), width)
        return above._replace(lines=[*above.lines[:-1], plain("─" * width, DIM), about, line][-height:])
    head, (foot, spots) = _head(desk, width), _foot(desk, width, height - 1)
    body = Box(0, 1, width, height - 2)
    if desk.places is not None:
        return Painted([head, *_filled(_places(desk, desk.places, width, body.height), body), foot], spots, desk.top)
    if desk.helps:
        told = help.lines(width, body.height)
        deepest = max(0, len(told) - body.height)
        return Painted([head, *_filled(told[min(desk.down, deepest) :], body), foot], spots, desk.top, deepest)
    if not desk.shown:
        return Painted([head, *_filled(_nothing(desk), body), foot], spots)
    if width >= BESIDE_FROM:
        return _beside(desk, body, now, head, foot, spots)
    return _below(desk, body, now, head, foot, spots)


def _filled(lines: list[Line], box: Box) -> list[Line]:
    found = [fitted(line, box.width) for line in lines[: box.height]]
    return found + [plain(" " * box.width)] * (box.height - len(found))


def _beside(desk: Desk, body: Box, now: float, head: Line, foot: Line, spots: list[Spot]) -> Painted:
    wide = min(max(body.width * 45 // 100, LIST[0]), LIST[1])
    left = Box(0, body.y, wide, body.height)
    right = Box(wide + 2, body.y, body.width - wide - 2, body.height)
    listed, top, found = _list(desk, left, now)
    page, more, deepest, rows_of_page = _task(desk, right, now)
    lines = [(*a, ("│ ", DIM), *b) for a, b in zip(listed, page, strict=True)]
    return Painted([head, *lines, foot], [*spots, *found, *more], top, deepest, rows_of_page, left.height)


def _below(desk: Desk, body: Box, now: float, head: Line, foot: Line, spots: list[Spot]) -> Painted:
    needed = len(desk.shown) + len(desk.parts)
    tall = min(needed, max(4, body.height * 45 // 100)) if body.height > 9 else max(2, body.height // 2)
    upper = Box(0, body.y, body.width, tall)
    lower = Box(0, body.y + tall, body.width, body.height - tall)
    listed, top, found = _list(desk, upper, now)
    page, more, deepest, rows_of_page = _task(desk, lower, now, ruled=True)
    return Painted([head, *listed, *page, foot], [*spots, *found, *more], top, deepest, rows_of_page, tall)


# --- the first line and the last


def _head(desk: Desk, width: int) -> Line:
    picture = desk.picture
    name: Line = ((" dispatch ", "bold reverse"), (f" {words(desk.name, 40)}  ", BOLD))
    notes: list[tuple[str, str]] = []
    if desk.filter:
        notes.append((f"/{words(desk.filter, 24)} {len(desk.shown)} of {len(picture.tasks)} ", BOLD))
    if desk.marked:
        notes.append((f"◆ {len(desk.marked)} marked ", "bold magenta"))
    if picture.paused:
        notes.append(("queue paused ", WARNS))
    if not picture.supervised and any(not t.ended for t in picture.tasks):
        notes.append(("nobody supervises ", BAD))
    if width < 60:
        name = ((f" {words(desk.name, 14)} ", "bold reverse"), (" ", ""))
    room = width - width_of(name) - width_of(notes)
    counts = fitted(rows.counted(picture.tasks, room), max(room, 0))
    return fitted((*name, *counts, *notes), width)


def _foot(desk: Desk, width: int, y: int) -> tuple[Line, list[Spot]]:
    if desk.notice:
        style = ASKS if desk.notice.asks else "" if desk.notice.good else BAD
        return fitted(plain(f" {desk.notice.text}{'  y/N' if desk.notice.asks else ''}", style), width), []
    spans: list[tuple[str, str]] = []
    spots = []
    at = 0
    for key, shown, said in _hints(desk):
        part = help.hint(shown, said)
        wide = width_of(part)
        if at + wide > width - 8 and key != "?":
            continue
        spots.append(Spot(y, at, at + wide, "key", key))
        spans += part
        at += wide
    return fitted(tuple(spans), width), spots


def _hints(desk: Desk) -> list[tuple[str, str, str]]:
    """(key, as it is told, its word): what is of use now."""
    if desk.places is not None:
        return [("enter", "Enter", "open"), ("j", "j k", "move"), ("escape", "Esc", "back"), ("q", "q", "quit")]
    if desk.helps:
        return [("escape", "Esc", "back"), ("j", "j k", "scroll"), ("q", "q", "quit")]
    asked, task = desk.asked, desk.current
    if task is None:
        return [("/", "/", "filter"), ("q", "q", "quit"), ("?", "?", "keys")]
    found = []
    if asked and not asked.is_unknown:
        found += [("", "1-9", "pick")] if asked.choices else []
        found += [("enter", "Enter", "answer")]
    if desk.marked:
        found += [("escape", "Esc", "unmark")]
    if task.state in (State.FAILED, State.LOST, State.STOPPED, State.BLOCKED):
        found += [("r", "r", "retry")]
    if task.waits_to_begin and not task.attempt:
        found += [("e", "e", "edit"), ("h", "h", "let go" if task.on_hold else "hold"), ("+", "+ -", "priority")]
    elif not task.ended:
        found += [("s", "s", "send"), ("a", "a", "attach")]
    found += [("d", "d", "diff"), ("m", "m", "merge")] if task.branch else []
    found += [("x", "x", "stop")] if not task.ended else []
    return [
        *found,
        ("tab", "Tab", "turn"),
        (" ", "Space", "mark"),
        ("/", "/", "filter"),
        ("q", "q", "quit"),
        ("?", "?", "keys"),
    ]


def _places(desk: Desk, places: tuple[Place, ...], width: int, height: int) -> list[Line]:
    """Every project of this user, with how its tasks are."""
    lines: list[Line] = [plain(" your projects", BOLD)]
    start, end = window(len(places), height - 1, 0, desk.place)
    name = min(24, width // 3)
    for n in range(start, end):
        place = places[n]
        counts = rows.counted(place.tasks, 60) or plain("no tasks", DIM)
        said: Line = plain(words(place.trouble, 200), BAD) if place.trouble else counts
        where = fitted(((f"  {words(place.root.rpartition('/')[2], 60)}", BOLD),), name)
        line = fitted((*where, (" ", ""), *said, (f"   {words(place.root, 300)}", DIM)), width)
        lines.append(restyled(line, "reverse") if n == desk.place else line)
    return lines


def _nothing(desk: Desk) -> list[Line]:
    if desk.picture.problem:
        return [(), *(plain(f"  {words(row)}", BAD) for row in desk.picture.problem.splitlines())]
    if desk.filter:
        return [(), plain(f"  no task has the words {words(desk.filter, 60)!r}"), plain("  Esc shows all", DIM)]
    return [
        (), plain("  no task has been dispatched here yet", BOLD), (),
        plain('  dispatch run "what to do"    starts a worker, from another terminal', DIM),
        plain("  dispatch demo                shows it at work; needs no agent CLI", DIM),
    ]  # fmt: skip


# --- the list


def _list(desk: Desk, box: Box, now: float) -> tuple[list[Line], int, list[Spot]]:
    """The rows of the list that fit into BOX, which row is the first, and what is where."""
    room = len(desk.shown) + 2 * len(desk.parts) <= box.height  # to set the parts apart
    items = rows.items(desk, apart=room)
    current = desk.current
    place = next((n for n, item in enumerate(items) if item is current), 0)
    start, end = window(len(items), box.height, desk.top if desk.moved else 0, place)
    shown: list[Row] = [_item(desk, item, box.width - MARGIN, now) for item in items[start:end]]
    if start:
        shown = [Row(_beyond(items[:start], "↑", box.width)), *shown]
    if end < len(items):
        shown = [*shown, Row(_beyond(items[end:], "↓", box.width))]
    spots = [Spot(box.y + n, box.x, box.x + box.width, "task", row.id) for n, row in enumerate(shown) if row.id]
    return _filled([row.line for row in shown], box), start, spots


class Row(NamedTuple):
    """A row of the list; `id` is its task's, '' for a heading."""

    line: Line
    id: str = ""


def _item(desk: Desk, item: rows.Item, width: int, now: float) -> Row:
    return Row(rows.row(desk, item, width, now), item.id if isinstance(item, Task) else "")


def _beyond(hidden: list[rows.Item], arrow: str, width: int) -> Line:
    """That there are more rows, and how many of those need the person."""
    tasks = [item for item in hidden if isinstance(item, Task)]
    urgent = sum(urgency.heading(task) == urgency.NEEDS_YOU for task in tasks)
    need = f", {urgent} of them need{'s' if urgent == 1 else ''} you" if urgent else ""
    return fitted(((f" {arrow} {len(tasks)} more", DIM), (need, ASKS)), width)


def window(count: int, height: int, top: int, place: int) -> tuple[int, int]:
    """Which of COUNT rows are seen in HEIGHT, from TOP on if it can be: the row PLACE is among them.

    Where some are not, a row at that end is left for saying so.
    """
    if count <= height:
        return 0, count
    if height < 3:
        start = max(0, place - height + 1)
        return start, start + height
    start = max(0, min(top, count - height + 1))
    for _ in range(4):
        room = height - (start > 0)
        room -= start + room < count
        if place <= start:
            start = max(0, place - 1)
        elif place >= start + room:
            start = place - room + 1
        else:
            break
    start = 0 if start == 1 and place < height - 1 else start
    room = height - (start > 0)
    return start, min(count, start + room - (start + room < count))


# --- the task


def _task(desk: Desk, box: Box, now: float, ruled: bool = False) -> tuple[list[Line], list[Spot], int, int]:
    """The selected task in BOX, what is where, how far its page can be scrolled, and how many rows it has."""
    task = desk.current
    if task is None or box.height < 2:
        return _filled([], box), [], 0, 1
    head = [_title(task, box.width, ruled)]
    if box.height > 6:
        head.append(_facts(task, now))
    tabs, spots = _tabs(desk, box, len(head))
    head.append(tabs)
    if box.height > 16:
        head.append(())
    view = Box(box.x, box.y + len(head), box.width, box.height - len(head))
    lines, more, deepest = _page(desk, view)
    return _filled([*head, *lines], box), [*spots, *more], deepest, view.height


def _title(task: Task, width: int, ruled: bool) -> Line:
    title = words(task.title, 300)
    said = f"  {title}" if title and title != task.id else ""
    if not ruled:
        return fitted(((task.id, BOLD), (said, "")), width)
    line = fitted(
        (("── ", DIM), (task.id, BOLD), (said, ""), (" ", "")), min(width, 5 + width_of([(task.id + said, "")]))
    )
    return (*line, ("─" * (width - width_of(line)), DIM))


def _facts(task: Task, now: float) -> Line:
    style = rows.STYLES.get(task.state, "")
    done = f" · {task.done_items}/{len(task.marks)} done" if task.marks else ""
    more = [words(part, 40) for part in (task.model, task.group, task.branch) if part]
    return (
        (f"{GLYPHS[task.state]} {task.state.value} {age(now - task.since)}", style),
        (f"{done} · {' · '.join(more)}", DIM),
    )


def _tabs(desk: Desk, box: Box, row: int) -> tuple[Line, list[Spot]]:
    spans, spots, at = [], [], 0
    narrow = sum(len(tab) + 3 for tab in desk.tabs) > box.width
    for tab in desk.tabs:
        text = f" {tab[:4] if narrow else tab} "
        spans.append((text, "bold reverse" if tab == desk.tab else ASKS if tab == QUESTION else DIM))
        spots.append(Spot(box.y + row, box.x + at, box.x + at + len(text), "tab", tab))
        at += len(text)
        if not narrow:
            spans.append((" ", ""))
            at += 1
    return tuple(spans), spots


def _page(desk: Desk, view: Box) -> tuple[list[Line], list[Spot], int]:
    """The part of the page that is seen in VIEW, its choices, how far it can be scrolled."""
    page = desk.page
    if (page.task, page.tab) != (desk.selected, desk.tab) or view.height < 1:
        return [], [], 0
    lines, places = _laid_out(page, view.width)
    deepest = max(0, len(lines) - view.height)
    down = min(desk.down, deepest)
    start = deepest - down if page.ends else down
    seen = lines[start : start + view.height]
    if page.ends and len(lines) > view.height and down:
        seen = [*seen[:-1], plain(f"↓ {down} more lines", DIM)]
    if not page.wrap and desk.right:
        seen = [shifted(line, desk.right) for line in seen]
    spots = [
        Spot(view.y + y - start, view.x, view.x + view.width, "choice", digit)
        for y, digit in places
        if start <= y < start + view.height
    ]
    return seen, spots, deepest


@lru_cache(maxsize=8)
def _laid_out(page: Page, width: int) -> tuple[list[Line], tuple[tuple[int, str], ...]]:
    """PAGE's lines in WIDTH columns, and on which of them its choices begin."""
    if not page.wrap:
        return list(page.lines), page.choices
    found: list[Line] = []
    begins = []
    for line in page.lines:
        begins.append(len(found))
        found += wrapped(line, width)
    return found, tuple((begins[n], digit) for n, digit in page.choices)
