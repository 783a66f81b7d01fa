"""`run --batch`: several tasks at once, all of them or none."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dispatch_tmux.config import schema
from dispatch_tmux.core import batch as batches
from dispatch_tmux.core import schedule
from dispatch_tmux.core.batch import Entry
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import BatchRefused, DispatchError, NeedsDecision
from dispatch_tmux.store import files, summaries, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import standing, start
from dispatch_tmux.verbs.resolve import Chooser
from dispatch_tmux.verbs.run import Choose
from dispatch_tmux.verbs.start import Ready

MOST = 1 << 20  # bytes of a batch file


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
    tasks: Sequence[Mapping[str, Any] | str] | Mapping[str, Any],
    *,
    use_default: bool = False,
    again: bool = False,
    choose: Choose | None = None,
) -> list[Started]:
    """Start TASKS: a list of prompts or of mappings with the keys of docs/team.md; each of them, in its order.

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

    entries = batches.read(_plain(tasks), there, known, time.time())
    ready = _ready(project, entries, choose or Chooser(project, use_default), there)
    new = [one for one in ready if one.id not in there]
    for id in _unasked(project, ready, there):
        start.launch(store, [id])
    started = {t.id: t for t in (start.start_all(project, new) if new else ())}
    standing.remark(task.backend for task in started.values())
    return [_started(project, started.get(one.id) or store.task(one.id), one.id in started) for one in ready]


def parsed(text: str, name: str = "the batch") -> Any:
    """The tasks in the YAML TEXT of a batch called NAME. Raises BatchRefused with the line of a mistake."""
    try:
        return schema.read(name, text.removeprefix("\ufeff"))[1]
    except DispatchError as e:
        raise BatchRefused([str(e)]) from None


def read(path: str | os.PathLike[str]) -> Any:
    """The tasks in the batch file at PATH. Raises DispatchError when there is none, BatchRefused for a mistake in it."""
    text = files.read_text(os.fspath(path), MOST)
    if text is None:
        raise DispatchError(f"there is no file {os.fspath(path)}")
    return parsed(text, os.fspath(path))


def _plain(data: Any) -> Any:
    """DATA with lists for tuples: what a program writes is as good as what YAML gives."""
    if isinstance(data, Mapping):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list | tuple) else data


def _started(project: Project, task: Task, new: bool) -> Started:
    worktree = bool(task_file.read(project.store, task.id).get("worktree"))
    return Started(task, new, worktree, task.state is State.STARTING or task.why == schedule.SOON)


def _ready(project: Project, entries: list[Entry], choose: Choose, there: dict[str, Task]) -> list[Ready]:
    """What can be written. Raises BatchRefused with everything that is in the way, NeedsDecision when only that is."""
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
                    raise DispatchError("there is a task with this id already, with other words")
                cwd, text = there[order.id].cwd, ""
            else:
                cwd, text = start.check(project, order, siblings)
            ready.append(Ready(order, order.id, cwd, text, chosen, mark))
        except NeedsDecision as e:
            undecided = e
        except DispatchError as e:
            wrong.append(f"{order.id}: {e}")
    if wrong:
        raise BatchRefused(wrong)
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
