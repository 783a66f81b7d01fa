"""Starting a batch: all of its tasks, or none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from dispatch_tmux.config import schema as config_schema
from dispatch_tmux.core import batch, schedule
from dispatch_tmux.core.batch import Entry, Refused
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.core.text import GLYPHS, clean, line
from dispatch_tmux.errors import DispatchError, NeedsDecision
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import files, summaries, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import run as starting
from dispatch_tmux.verbs.run import Ready

Choose = Callable[[str, str], Resolution]  # (model, prompt) → what runs; raises DispatchError


def parse(file: str) -> Any:
    """The data of a batch FILE, or of standard input (`-`). Raises DispatchError with the line."""
    if file == "-":
        text: str | None = sys.stdin.read()
    else:
        text = files.read_text(file, 1 << 20)
    if text is None:
        raise DispatchError(f"there is no file {file}")
    try:
        return config_schema.read("the batch" if file == "-" else file, text.removeprefix("\ufeff"))[1]
    except DispatchError as e:
        raise Refused([str(e)]) from None


def start(project: Project, data: Any, choose: Choose, again: bool) -> list[tuple[Task, bool]]:
    """Start the tasks of DATA; each with whether it is new. One that is there already is left as it is.

    AGAIN: a finished task of the same words, but without an id, is no reason not to do it once more.
    """
    store = project.store
    there = {t.id: t for t in summaries.all(store)}

    def known(order: Order) -> list[str]:
        """Tasks that a former run of this batch made for an order without an id."""
        near = [t.id for t in there.values() if t.title == order.name and not (again and t.ended)]
        return [id for id in near if task_file.read(store, id).get("prompt") == order.prompt]

    entries = batch.read(data, there, known, time.time())
    ready = _ready(project, entries, choose, there)
    new = [one for one in ready if one.id not in there]
    for id in _unasked(project, ready, there):
        starting.launch(store, [id])
    started = {t.id: t for t in (starting.start_all(project, new) if new else ())}
    return [(started.get(one.id) or store.task(one.id), one.id in started) for one in ready]


def _ready(project: Project, entries: list[Entry], choose: Choose, there: dict[str, Task]) -> list[Ready]:
    """What can be written. Raises Refused with everything that is in the way, NeedsDecision when only that is."""
    ids = [e.order.id for e in entries]
    wrong: list[str] = []
    undecided: NeedsDecision | None = None
    ready: list[Ready] = []
    for order, model in entries:
        try:
            siblings = [id for id in ids if id != order.id]
            chosen = choose(model, order.prompt)
            mark = order.mark(chosen.name)
            if order.id in there:
                if task_file.read(project.store, order.id).get("mark") != mark:
                    raise DispatchError("there is a task of this id already, with other words")
                cwd, text = there[order.id].cwd, ""
            else:
                cwd, text = starting.check(project, order, siblings)
            ready.append(Ready(order, order.id, cwd, text, chosen, mark))
        except NeedsDecision as e:
            undecided = e
        except DispatchError as e:
            wrong.append(f"{order.id}: {e}")
    if wrong:
        raise Refused(wrong)
    if undecided:
        raise undecided
    return ready


def _unasked(project: Project, ready: list[Ready], there: dict[str, Task]) -> list[str]:
    """Tasks that a former run wrote, and was killed before it asked for their start."""
    store = project.store
    return [
        one.id for one in ready
        if one.id in there and there[one.id].state is State.QUEUED and not there[one.id].attempt and not store.requests(one.id)
    ]  # fmt: skip


def summary(project: Project, started: list[tuple[Task, bool]]) -> list[str]:
    """The lines to show a person, by group: `● id — model (worktree): what`."""
    new = sum(1 for _, fresh in started if fresh)
    lines = [
        f"Dispatched {new} worker{'' if new == 1 else 's'}." if new else "Nothing new: all of it is there already."
    ]
    groups: dict[str, list[str]] = {}
    for task, fresh in started:
        groups.setdefault(task.group, []).append(_line(project, task, fresh))
    for group, listed in sorted(groups.items(), key=lambda pair: bool(pair[0])):
        lines += ["", *([line(group, 60)] if group else []), *listed]
    return lines


def _line(project: Project, task: Task, fresh: bool) -> str:
    asked = task_file.read(project.store, task.id)
    where = " (worktree)" if asked.get("worktree") else ""
    begins = task.state is State.STARTING or task.why == schedule.SOON
    glyph = "●" if begins else GLYPHS[task.state]
    waits = f" [{task.why}]" if task.why and not begins and not task.started else ""
    there = "" if fresh else f" [there already: {task.state.value}]"
    return line(f"{glyph} {task.id} — {task.model}{where}: {task.title}", 100) + clean(waits or there, 200)
