"""A task begins again: with the same model or another, from the first item that is not checked."""

from __future__ import annotations

import os
import time
from typing import Any

from dispatch_tmux import files, plan, processes
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.resolve import Resolution
from dispatch_tmux.store import Store
from dispatch_tmux.task import State, Task


def may_retry(task: Task, fresh: bool) -> None:
    """Raises DispatchError when TASK is not to be begun again, with what to do instead."""
    if task.state is State.DONE and not fresh:
        raise DispatchError(f"{task.id} is done", hint=f"dispatch retry {task.id} --fresh does all of it anew")
    if not task.ended and not task.surfaced:
        raise DispatchError(f"{task.id} is {task.state.value}", hint=f"dispatch stop {task.id} ends it first")


def asked(store: Store, id: str) -> dict[str, Any]:
    """What task.yaml says, {} when it cannot be read."""
    import yaml

    try:
        data = yaml.safe_load(files.read_text(store.path(id, "task.yaml")) or "")
    except yaml.YAMLError:
        data = None
    return data if isinstance(data, dict) else {}


def begin_again(
    store: Store, task: Task, chosen: Resolution, env: dict[str, str], *, fresh: bool = False, why: str = ""
) -> int:
    """End what still runs of TASK, open its failed items, and request the next attempt; returns its number.

    FRESH opens every item and forgets what former attempts left, but for their journal.
    """
    folder, attempt = store.path(task.id), task.attempt + 1
    _write(store, task, chosen, attempt if fresh else 0)
    store.append(
        task.id, "switched", f"switched:{attempt}:{time.time_ns()}", model=chosen.name, backend=chosen.backend,
        attempt=attempt, **({"why": why} if why else {}),
    )  # fmt: skip
    processes.end(folder, processes.launched(folder, task.attempt))
    for rid, _ in store.requests(task.id):
        store.drop_request(task.id, rid)
    for q in task.open_questions:
        store.append(task.id, "closed", f"closed:{q.id}", q=q.id, how="gone")
    _reopen(store, task.id, fresh)
    store.request(task.id, "launch", env=env, attempt=attempt)
    return attempt


def _write(store: Store, task: Task, chosen: Resolution, fresh: int) -> None:
    """task.yaml with the model that goes on; FRESH is the attempt that knows nothing of former ones."""
    from dispatch_tmux.acting import write_asked

    said = {**asked(store, task.id), "model": chosen.name, "backend_model": chosen.sent, "backend": chosen.backend}
    said.update(prefix=chosen.prefix or said.get("prefix", ""), fallbacks=list(chosen.fallbacks))
    if chosen.permissions:
        said["permissions"] = chosen.permissions
    if fresh:
        said["fresh"] = fresh
    write_asked(store, task.id, said)


def _reopen(store: Store, id: str, fresh: bool) -> None:
    path = store.path(id, "plan.md")
    text = store.plan(id)
    opened = plan.reopened(text, every=fresh)
    if opened != text:
        files.replace(path, opened)
    left = [store.path(id, "ipc", ".done")] + (
        [store.path(id, n) for n in ("output.md", "context.md")] if fresh else []
    )
    for leftover in left:
        try:
            os.unlink(leftover)
        except FileNotFoundError:
            pass
