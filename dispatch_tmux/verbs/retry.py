"""Beginning a task again: by `retry` with the same model or another, by `resume` in its CLI's own session."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import processes, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import retry


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
    if processes.alive(processes.launched(store.own(task.id), task.attempt)):
        raise DispatchError(
            f"{task.id} still runs", hint=f"dispatch attach {task.id}, or dispatch stop {task.id} first"
        )
    if task.state is State.DONE:
        raise DispatchError(f"{task.id} is done", hint=f"dispatch retry {task.id} --fresh does all of it anew")
    if not task.attempt:
        raise DispatchError(f"{task.id} has not begun: {task.why or 'it is queued'}", hint="dispatch status")


def was_cut_off(task: Task) -> bool:
    """Whether TASK's end came from outside: its window, its tmux server or its machine went, or a signal killed it."""
    killed = task.state is State.FAILED and (task.exit_code or 0) > 128
    return bool(task.attempt) and not task.adopted and (task.state is State.LOST or killed)


def resume(project: Project, ids: Sequence[str]) -> list[Task]:
    """Take up the tasks IDS, or all that were cut off. Raises DispatchError before anything is begun."""
    from dispatch_tmux.models import choose as choosing
    from dispatch_tmux.models import resolve
    from dispatch_tmux.store import summaries
    from dispatch_tmux.supervisor import session
    from dispatch_tmux.verbs import run

    store = project.store
    supervised = store.supervised()
    found = [summaries.current(store, store.task(id), supervised) for id in ids]
    for task in found:
        may_resume(store, task)
    if not ids:
        found = [summaries.current(store, t, supervised) for t in summaries.all(store)]
        waiting = any(not t.ended and not t.attempt for t in found)
        found = [
            t for t in found if was_cut_off(t) and not processes.alive(processes.launched(store.own(t.id), t.attempt))
        ]
        if not found and waiting:
            session.ensure(project)
    chosen = []
    for task in found:
        said = task_file.read(store, task.id)
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
    begun = [(t.id, retry.begin_again(store, t, one, env, resume=True)) for t, one in zip(found, chosen, strict=True)]
    return [run.launched(project, id, attempt, soon=True) for id, attempt in begun]
