"""`run --batch`: several tasks at once, all of them or none."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dispatch_tmux.config import schema
from dispatch_tmux.core import batch as batches
from dispatch_tmux.core import schedule
from dispatch_tmux.core.batch import Mistake, Read
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.core.text import line
from dispatch_tmux.errors import BatchRefused, DispatchError, NeedsDecision
from dispatch_tmux.store import files, summaries, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import standing, start
from dispatch_tmux.verbs.resolve import Chooser
from dispatch_tmux.verbs.run import Choose
from dispatch_tmux.verbs.start import Ready

MOST = 1 << 20  # bytes of a batch file
ODD = 20  # lines that are no text, which are named


class Started(NamedTuple):
    """A task of a batch as it is now.

    `new`: it was started by this call, and was not there already. `worktree`: it was given one of its own. `begins`: it
    starts now or in a moment, and does not wait for anything.
    """

    task: Task
    new: bool
    worktree: bool
    begins: bool


def batch(
    project: Project,
    tasks: Sequence[Mapping[str, Any] | str] | Mapping[str, Any] | Sheet,
    *,
    use_default: bool = False,
    again: bool = False,
    choose: Choose | None = None,
) -> list[Started]:
    """Start TASKS: a list of prompts or of mappings with the keys of docs/team.md, or what `read` gives; each, in its order.

    What is there already (the same id and words) is left as it is, so that the same batch twice starts only what is
    missing. AGAIN: a finished task of the same words, but without an id, is done once more. USE_DEFAULT and CHOOSE are
    as for `run`. Raises BatchRefused with every mistake, and nothing is started then; NeedsDecision as `run` does.
    """
    store = project.store
    there = {t.id: t for t in summaries.all(store)}

    def known(order: Order) -> list[str]:
        """Tasks that a former run of this batch made for an order without an id."""
        near = [t.id for t in there.values() if t.title == order.name and not (again and t.ended)]
        return [id for id in near if task_file.read(store, id).get("prompt") == order.prompt]

    sheet = tasks if isinstance(tasks, Sheet) else Sheet(tasks)
    found = batches.read(_plain(sheet.tasks), there, known, time.time())
    ready = _ready(project, sheet, found, choose or Chooser(project, use_default), there)
    new = [one for one in ready if one.id not in there]
    for id in _unasked(project, ready, there):
        start.launch(store, [id])
    started = {t.id: t for t in (start.start_all(project, new) if new else ())}
    standing.remark(task.backend for task in started.values())
    return [_started(project, started.get(one.id) or store.task(one.id), one.id in started) for one in ready]


class Sheet(NamedTuple):
    """The tasks of a batch as a text has them, the places of what stands there, and what is odd in that: (line, why)."""

    tasks: Any
    node: Any = None  # of PyYAML
    odd: tuple[tuple[int, str], ...] = ()


def parsed(data: bytes, name: str = "the batch") -> Sheet:
    """The tasks in the YAML of DATA, a batch called NAME. Raises BatchRefused with the line where it is no YAML."""
    if len(data) > MOST:
        raise BatchRefused([f"{name} has over {MOST >> 20} MB"])
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    odd = [
        (number, f"it is not UTF-8 (byte 0x{ord(found[0]) & 0xFF:02x})")
        for number, row in enumerate(text.split("\n"), 1)
        if (found := re.search("[\udc80-\udcff]", row))
    ][:ODD]
    try:
        node, tasks = schema.read(name, re.sub("[\ud800-\udfff]", "\ufffd", text), odd)
    except DispatchError as e:
        raise BatchRefused([*(f"{name}, line {number}: {why}" for number, why in odd), str(e)]) from None
    return Sheet(tasks, node, tuple(odd))


def read(path: str | os.PathLike[str]) -> Sheet:
    """The tasks in the batch file at PATH. Raises DispatchError when there is none, BatchRefused where it is no YAML."""
    data = files.read_bytes(os.fspath(path), MOST + 1)
    if data is None:
        raise DispatchError(f"there is no file {os.fspath(path)}")
    return parsed(data, os.fspath(path))


def _plain(data: Any) -> Any:
    """DATA with lists for tuples: what a program writes is as good as what YAML gives."""
    if isinstance(data, Mapping):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list | tuple) else data


def _started(project: Project, task: Task, new: bool) -> Started:
    worktree = bool(task_file.read(project.store, task.id).get("worktree"))
    return Started(task, new, worktree, task.state is State.STARTING or task.why == schedule.SOON)


def _ready(project: Project, sheet: Sheet, found: Read, choose: Choose, there: dict[str, Task]) -> list[Ready]:
    """What can be written. Raises BatchRefused with everything that is in the way, NeedsDecision when only that is."""
    wrong, places = list(found.wrong), dict[str, tuple[str, str]]()
    for order, _, at in found.entries:
        told = {mistake.at for mistake in found.wrong}
        if order.id in there:
            places[order.id] = there[order.id].cwd, ""
            continue
        siblings = found.ids - {order.id}
        once = order._replace(
            after=tuple(pair for pair in order.after if pair[0] != order.id)
        )  # a circle, and told as one
        problems = [
            (key, e) for key, e in start.problems(project, once, siblings) if key != "prompt" or (*at, key) not in told
        ]
        wrong += [Mistake((*at, key), str(e)) for key, e in problems]
        if not (problems or any(place[: len(at)] == at for place in told)):
            places[order.id] = start.check(project, order, siblings)
    ready: list[Ready] = []
    undecided: NeedsDecision | None = None
    choose = Chooser(project) if wrong or sheet.odd else choose  # nobody is asked about what is refused anyway
    for order, model, at in found.entries:
        try:
            chosen = choose(model, order.prompt)
            if order.id in places:
                cwd, text = places[order.id]
                mark = order.mark(chosen.name)
                if order.id in there and task_file.read(project.store, order.id).get("mark") != mark:
                    raise DispatchError("there is a task with this id already, with other words")
                ready.append(Ready(order, order.id, cwd, text, chosen, mark))
        except NeedsDecision as e:
            undecided = e
        except DispatchError as e:
            if model or all(str(e) != other.text for other in wrong):  # what is wrong with the default is told once
                wrong.append(Mistake((*at, "model" if model else "prompt"), str(e)))
    if wrong or sheet.odd:
        raise BatchRefused(_told(sheet, wrong))
    if undecided:
        raise undecided
    return ready


def _told(sheet: Sheet, wrong: Sequence[Mistake]) -> list[str]:
    """A line a mistake, in the order in which they stand there: its line, the task, what is wrong."""
    if sheet.node is None:
        rows = [(0, _named(sheet.tasks, mistake)) for mistake in sorted(wrong, key=_index)]
        return [text for _, text in rows]
    rows = [(schema.line_of(sheet.node, mistake.at), _named(sheet.tasks, mistake)) for mistake in wrong]
    return [f"line {number}: {text}" for number, text in sorted([*sheet.odd, *rows], key=lambda row: row[0])]


def _index(mistake: Mistake) -> int:
    return next((part for part in mistake.at if isinstance(part, int)), -1)


def _named(data: Any, mistake: Mistake) -> str:
    """The words of MISTAKE behind the number and the id of the task that it is in."""
    number = _index(mistake)
    if number < 0:
        return mistake.text
    raw = (data["tasks"] if isinstance(data, Mapping) else data)[number]
    id = raw.get("id") if isinstance(raw, Mapping) else None
    return f"task {number + 1}{f' ({line(str(id), 64)})' if id else ''}: {line(mistake.text, 150)}"


def _unasked(project: Project, ready: list[Ready], there: dict[str, Task]) -> list[str]:
    """Tasks that a former run wrote, and was killed before it asked for their start."""
    store = project.store
    return [
        one.id for one in ready
        if one.id in there and there[one.id].state is State.QUEUED and not there[one.id].attempt and not store.requests(one.id)
    ]  # fmt: skip
