"""A task begins again: with the same model or another, from the first item that is not checked."""

from __future__ import annotations

import time

from dispatch_tmux.core import plan
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import plan_file, processes, question_files, task_file
from dispatch_tmux.store.store import Store


def begin_again(
    store: Store,
    task: Task,
    chosen: Resolution,
    env: dict[str, str],
    *,
    fresh: bool = False,
    why: str = "",
    at_once: bool = False,
    resume: bool = False,
) -> int:
    """End what still runs of TASK, open its failed items, and request the next attempt; returns its number.

    FRESH opens every item and forgets what former attempts left, but for their journal. AT_ONCE passes by the queue;
    RESUME takes up the CLI's own session where there is one. Raises DispatchError for a plan that is too long
    to be written, and when somebody else begins it just now.
    """
    plan_file.whole(store.tree(task.id))  # one that is too long is left as it is, before anything ends
    folder, attempt = store.path(task.id), task.attempt + 1
    with store.alone(task.id):
        _refuse_twice(store, task)
        _write(store, task, chosen, attempt if fresh else 0)
        store.append(
            task.id, "switched", f"switched:{attempt}:{time.time_ns()}", model=chosen.name, backend=chosen.backend,
            attempt=attempt, **({"why": why} if why else {}),
        )  # fmt: skip
        processes.end(folder, processes.launched(store.own(task.id), task.attempt))
        for rid, _ in store.requests(task.id):
            store.drop_request(task.id, rid)
        for q in task.open_questions:
            store.append(task.id, "closed", f"closed:{q.id}", q=q.id, how="gone")
        over = (q.number for q in task.questions if q.via == "file" and (q.closed or q.answer is None))
        question_files.put_aside(store.tree(task.id), over)
        _reopen(store, task.id, fresh)
        store.request(task.id, "launch", env=env, attempt=attempt, at_once=at_once, resume=resume)
    return attempt


def _refuse_twice(store: Store, task: Task) -> None:
    """Raises DispatchError when somebody else has begun TASK again."""
    now = store.task(task.id)
    if (now.attempt, now.switched) != (task.attempt, task.switched):
        raise DispatchError(f"{task.id} was begun again a moment ago", hint="dispatch status")


def _write(store: Store, task: Task, chosen: Resolution, fresh: int) -> None:
    """task.yaml with the model that goes on; FRESH is the attempt that knows nothing of former ones."""
    said = {
        **task_file.read(store, task.id),
        "model": chosen.name,
        "backend_model": chosen.sent,
        "backend": chosen.backend,
    }
    said.update(prefix=chosen.prefix or said.get("prefix", ""), fallbacks=list(chosen.fallbacks))
    if chosen.permissions:
        said["permissions"] = chosen.permissions
    if fresh:
        said["fresh"] = fresh
    task_file.write(store, task.id, said)


def _reopen(store: Store, id: str, fresh: bool) -> None:
    tree = store.tree(id)
    text = plan_file.whole(tree) or ""
    opened = plan.reopened(text, every=fresh)
    if opened != text:
        plan_file.write(tree, opened)
    tree.remove("ipc", ".done")
    for name in ("output.md", "context.md") if fresh else ():
        tree.remove(name)
