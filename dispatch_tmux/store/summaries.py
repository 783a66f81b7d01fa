"""What is known of all tasks, fast: the fold of a journal that has ended is kept beside the tasks and believed as long as
the journal's size and time are the same. The cache may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import stat
from typing import Any

from dispatch_tmux.core import state as states
from dispatch_tmux.core.state import Signs
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files
from dispatch_tmux.store.store import Store
from dispatch_tmux.store.tree import Tree

_KEPT = ("title", "model", "backend", "cwd", "created", "attempt", "since", "why", "states", "entered", "marks", "pane", "window",
         "exit_code", "started", "surfaced", "cause", "hint", "instead", "group", "priority", "after", "worktree",
         "branch", "base", "merged", "merged_into", "conflicts", "ours", "flags",
         "ran", "late", "strayed", "adopted", "released", "restored", "server")  # fmt: skip
_TYPES = [type(getattr(Task(""), name)) for name in _KEPT]
_ENDED = [
    int if name == "exit_code" else kind for name, kind in zip(_KEPT, _TYPES, strict=True)
]  # the other ones have none
_TUPLES = [n for n, kind in enumerate(_TYPES) if kind is tuple]
_FINAL = frozenset({State.DONE, State.FAILED, State.STOPPED, State.LOST})  # blocked tasks have questions: always read


def all(store: Store) -> list[Task]:
    """Every task, the oldest first."""
    path = os.path.join(store.records, "summaries.json")
    cache = _load(path)
    fresh: dict[str, list[Any]] = {}
    tasks = []
    for id in store.ids():
        try:
            facts = os.lstat(store.own(id, "journal.jsonl"))
        except OSError:
            continue  # being made at this moment, or unreadable
        task = _recalled(id, cache.get(id), facts) or store.task(id)
        if task.state in _FINAL and not _wants_more(task):
            fresh[id] = [facts.st_size, facts.st_mtime_ns, task.state.value, [getattr(task, name) for name in _KEPT]]
        tasks.append(task)
    if fresh != cache:
        _save(path, fresh)
    return sorted((t for t in tasks if t.created), key=lambda t: (t.created, t.id))


def _wants_more(task: Task) -> bool:
    """Whether TASK wants something that the cache does not have: then its journal is read each time."""
    return bool(task.open_questions) or any(status in ("held", "undelivered") for _, status, _ in task.requests)


def unreadable(store: Store) -> dict[str, str]:
    """The tasks that nothing can be said of, and why: id → what is wrong with its journal. Looks at names and kinds only."""
    found = {}
    for id in store.ids():
        path = store.own(id, "journal.jsonl")
        try:
            facts = os.lstat(path)
        except OSError:
            if store.is_abandoned(id):
                found[id] = "it has no journal; its making was interrupted"
            continue
        if not stat.S_ISREG(facts.st_mode):
            found[id] = f"{path} is no regular file"
        elif not facts.st_size:
            found[id] = f"{path} is empty"
    return found


def _recalled(id: str, known: list[Any] | None, facts: os.stat_result) -> Task | None:
    """The task as the cache has it; None when that is out of date, damaged, or of another version."""
    try:
        size, time, state, kept = known or (None, None, None, None)
        if size != facts.st_size or time != facts.st_mtime_ns:
            return None
        fields = list(kept or ())
        for n in _TUPLES:  # JSON has made lists of them
            fields[n] = tuple(tuple(v) if isinstance(v, list) else v for v in fields[n]) if fields[n] else ()
        if list(map(type, fields)) not in (_ENDED, _TYPES):
            return None
        return Task(id=id, state=State(state), **dict(zip(_KEPT, fields, strict=True)))
    except (TypeError, ValueError, IndexError):
        return None


def _load(path: str) -> dict[str, list[Any]]:
    try:
        data = json.loads(Tree(os.path.dirname(path)).read(os.path.basename(path), most=1 << 26) or "{}")
        return data if isinstance(data, dict) else {}
    except (ValueError, RecursionError, DispatchError):
        return {}


def _save(path: str, cache: dict[str, list[Any]]) -> None:
    try:
        files.replace(path, json.dumps(cache, separators=(",", ":")))
    except DispatchError:
        pass  # it is only a cache


def unfinished(store: Store) -> list[str]:
    """Ids of the tasks that a supervisor has to take up."""
    return [t.id for t in all(store) if not t.ended or t.state is State.BLOCKED or _has_window(t)]


def _has_window(task: Task) -> bool:
    return bool(task.pane) and task.exit_code is None


def current(store: Store, task: Task, supervised: bool) -> Task:
    """TASK as it is, also when nobody supervises: then its process and its exit file are asked."""
    if supervised or task.ended or not task.attempt:
        return task
    from dispatch_tmux.store import processes

    code = store.exit_code(task.id, task.attempt)
    pid = task.pid if task.started == task.attempt else 0
    if code is None and processes.running(store.own(task.id), task.attempt, pid) is not False:
        return task
    asked = next((q.id for q in task.open_questions if q.via == "file"), "")
    signs = Signs(
        alive=False, exit_code=code, server_gone=True, stopping=task.stopping, open_question=asked, marks=task.marks,
        done_marker=store.is_marked_done(task.id),
    )  # fmt: skip
    verdict = states.ended(signs)
    return task._replace(state=verdict.state, why=verdict.why, exit_code=code, entered=task.states + 1)
