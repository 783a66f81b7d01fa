"""A task begins again: with the same model or another, from the first item that is not checked."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from dispatch_tmux import files, plan, processes
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.project import Project
from dispatch_tmux.resolve import Resolution
from dispatch_tmux.store import Store
from dispatch_tmux.task import State, Task


def may_retry(task: Task, fresh: bool) -> None:
    """Raises DispatchError when TASK is not to be begun again, with what to do instead."""
    if task.adopted:
        raise DispatchError(f"{task.id} was adopted, only you can start it again", hint="dispatch adopt PANE")
    if task.state is State.DONE and not fresh:
        raise DispatchError(f"{task.id} is done", hint=f"dispatch retry {task.id} --fresh does all of it anew")
    if not task.ended and not task.surfaced:
        raise DispatchError(f"{task.id} is {task.state.value}", hint=f"dispatch stop {task.id} ends it first")


def may_resume(store: Store, task: Task) -> None:
    """Raises DispatchError when there is nothing of TASK to take up again."""
    if task.adopted:
        raise DispatchError(f"{task.id} was adopted, only you can start it again", hint="dispatch adopt PANE")
    if processes.alive(processes.launched(store.path(task.id), task.attempt)):
        raise DispatchError(f"{task.id} still runs", hint=f"dispatch attach {task.id}, or dispatch stop {task.id} first")
    if task.state is State.DONE:
        raise DispatchError(f"{task.id} is done", hint=f"dispatch retry {task.id} --fresh does all of it anew")
    if not task.attempt:
        raise DispatchError(f"{task.id} has not begun: {task.why or 'it is queued'}", hint="dispatch status")


def was_cut_off(task: Task) -> bool:
    """Whether TASK's end came from outside: its window, its tmux server or its machine went, or a signal killed it."""
    killed = task.state is State.FAILED and (task.exit_code or 0) > 128
    return bool(task.attempt) and not task.adopted and (task.state is State.LOST or killed)


def asked(store: Store, id: str) -> dict[str, Any]:
    """What task.yaml says, {} when it cannot be read."""
    import yaml

    try:
        data = yaml.safe_load(files.read_text(store.path(id, "task.yaml")) or "")
    except yaml.YAMLError:
        data = None
    return data if isinstance(data, dict) else {}


def begin_again(
    store: Store, task: Task, chosen: Resolution, env: dict[str, str], *, fresh: bool = False, why: str = "",
    at_once: bool = False, resume: bool = False,
) -> int:
    """End what still runs of TASK, open its failed items, and request the next attempt; returns its number.

    FRESH opens every item and forgets what former attempts left, but for their journal. AT_ONCE passes by the queue;
    RESUME takes up the CLI's own session where there is one.
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
    store.request(task.id, "launch", env=env, attempt=attempt, at_once=at_once, resume=resume)
    return attempt


def _write(store: Store, task: Task, chosen: Resolution, fresh: int) -> None:
    """task.yaml with the model that goes on; FRESH is the attempt that knows nothing of former ones."""
    from dispatch_tmux.starting import write_asked

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


def resume(project: Project, ids: Sequence[str]) -> list[Task]:
    """Take up the tasks IDS, or all that were cut off. Raises DispatchError before anything is begun."""
    from dispatch_tmux import choosing, resolve, session, starting, summaries

    store = project.store
    supervised = store.supervised()
    found = [summaries.current(store, store.task(id), supervised) for id in ids]
    for task in found:
        may_resume(store, task)
    if not ids:
        found = [summaries.current(store, t, supervised) for t in summaries.all(store)]
        waiting = any(not t.ended and not t.attempt for t in found)
        found = [t for t in found if was_cut_off(t) and not processes.alive(processes.launched(store.path(t.id), t.attempt))]
        if not found and waiting:
            session.ensure(project)
    chosen = []
    for task in found:
        said = asked(store, task.id)
        shop = choosing.Shop()
        one = resolve.named(task.model, shop.world)
        if one.source == "unavailable":
            raise choosing.unavailable(shop, one)
        choosing.must_run(shop, one)
        permissions = str(said.get("permissions") or "")
        chosen.append(one._replace(permissions=permissions, fallbacks=tuple(said.get("fallbacks") or ())))
    if found:
        session.ensure(project)
    env = dict(os.environ)
    begun = [(t.id, begin_again(store, t, one, env, resume=True)) for t, one in zip(found, chosen, strict=True)]
    return [starting.launched(project, id, attempt, soon=True) for id, attempt in begun]
