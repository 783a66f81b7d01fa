"""`retry` and `resume`: beginning a task again, with the same model or another, or in its CLI's own session."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store import summaries, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import retry as again
from dispatch_tmux.supervisor import session
from dispatch_tmux.tmux import worker_windows
from dispatch_tmux.verbs import start, tasks
from dispatch_tmux.verbs.resolve import Chooser
from dispatch_tmux.verbs.run import checked_permissions
from dispatch_tmux.verbs.stop import program_lives
from dispatch_tmux.verbs.tasks import Which
from dispatch_tmux.verbs.which import Refused, each

GOING = 3.0  # seconds in which a program ends whose window is gone


def retry(
    project: Project,
    which: Which,
    *,
    model: str = "",
    fresh: bool = False,
    permissions: str = "",
    chooser: Chooser | None = None,
) -> Task:
    """Begin the task again after it failed or stopped, from the first item that is not checked.

    MODEL lets another one go on; FRESH opens every item again and forgets what former attempts left; PERMISSIONS is
    "skip" or "ask". Returns the task as soon as its program runs, or it has to wait. Raises DispatchError when it is
    not to be begun again, or the model cannot run.
    """
    task = tasks.task_of(project, which)
    _may_retry(task, fresh)
    chosen = (chooser or Chooser(project)).named(model or task.model)
    if checked_permissions(permissions):
        chosen = chosen._replace(permissions=permissions)
    session.ensure(project)
    attempt = again.begin_again(project.store, task, chosen, dict(os.environ), fresh=fresh)
    return start.launched(project, task.id, attempt)


def resume(project: Project, *which: Which, every: bool = False, chooser: Chooser | None = None) -> list[Task]:
    """Take up the tasks WHICH, or EVERY one that was cut off (lost, or killed by a signal), in its CLI's own session.

    A CLI without sessions is told what is done and what is open. Returns the tasks as they are then. Raises
    UsageProblem when none is named; DispatchError, before anything is begun, when one of them cannot be taken up.
    """
    if bool(which) == every:
        raise UsageProblem(
            "which task?" if not every else "either tasks, or all", hint="dispatch resume TASK, or --all"
        )
    found = cut_off(project) if every else _resumable(project, which)
    begun = resume_each(project, [task.id for task in found], chooser)
    for one in begun:
        if isinstance(one, Refused):
            raise one.error
    return [one for one in begun if isinstance(one, Task)]


def resume_each(project: Project, ids: Sequence[str], chooser: Chooser | None = None) -> list[Task | Refused]:
    """Take up the tasks IDS: each as it is then, or why it is not taken up."""
    chooser = chooser or Chooser(project)
    return each(ids, lambda id: start.launched(project, id, _begin(project, id, chooser), soon=True))


def _begin(project: Project, id: str, chooser: Chooser) -> int:
    """Begin the next attempt of task ID in its CLI's session; its number. Raises DispatchError."""
    store = project.store
    [task] = _resumable(project, [id])
    said = task_file.read(store, id)
    chosen = chooser.named(task.model)._replace(
        permissions=str(said.get("permissions") or ""), fallbacks=tuple(said.get("fallbacks") or ())
    )
    session.ensure(project)
    return again.begin_again(store, task, chosen, dict(os.environ), resume=True)


def _may_retry(task: Task, fresh: bool) -> None:
    """Raises DispatchError when TASK is not to be begun again, with what to do instead."""
    _refuse_adopted(task)
    if task.state is State.DONE and not fresh:
        raise DispatchError(f"{task.id} is done", hint=f"`dispatch retry {task.id} --fresh` does all of it anew")
    if not task.ended and not task.surfaced:
        raise DispatchError(f"{task.id} is {task.state.value}", hint=f"`dispatch stop {task.id}` ends it first")


def _refuse_adopted(task: Task) -> None:
    if task.adopted:
        raise DispatchError(f"{task.id} was adopted: only you can start it again", hint="dispatch adopt PANE")


def _resumable(project: Project, which: Sequence[Which]) -> list[Task]:
    store = project.store
    found = [summaries.current(store, tasks.task_of(project, one), supervised=False) for one in which]
    for task in found:
        _may_resume(store, task)
    return found


def _may_resume(store: Store, task: Task) -> None:
    """Raises DispatchError when there is nothing of TASK to take up again."""
    _refuse_adopted(task)
    if program_lives(store, task):
        hint = f"dispatch attach {task.id}, or dispatch stop {task.id} first"
        raise DispatchError(f"{task.id} is still running", hint=hint)
    if task.state is State.DONE:
        raise DispatchError(f"{task.id} is done", hint=f"`dispatch retry {task.id} --fresh` does all of it anew")
    if not task.attempt:
        raise DispatchError(f"{task.id} has not begun: {task.why or 'it is queued'}", hint="dispatch status")


def cut_off(project: Project) -> list[Task]:
    """The tasks whose end came from outside; without any, what is queued is let go on."""
    store = project.store
    # Also where somebody supervises: a supervisor that has only just begun, after a kill of the server, say, has not written
    # down yet who is gone, and they were passed over.
    every = _settled(project, summaries.all(store))
    found = [t for t in every if was_cut_off(t) and not program_lives(store, t)]
    if not found and any(not t.ended and not t.attempt for t in every):
        session.ensure(project)
    return found


def _settled(project: Project, every: Sequence[Task]) -> list[Task]:
    """EVERY task as it is now. One whose window is gone is given a moment to end, for its program hears of that a little later."""
    deadline, shown = time.monotonic() + GOING, None
    while True:
        now = [summaries.current(project.store, t, supervised=False) for t in every]
        live = {t.id for t in now if not t.ended and t.attempt and t.started == t.attempt and not t.adopted}
        going = {t.id for t in now if was_cut_off(t) and program_lives(project.store, t)}
        if live and shown is None:
            shown = {pane.task for pane in worker_windows.panes(session.server_of(project)) or ()}
        if not (going | live - (shown or set())) or time.monotonic() > deadline:
            return now
        time.sleep(0.05)


def was_cut_off(task: Task) -> bool:
    """Whether TASK's end came from outside: its window, its tmux server or its machine went, or a signal killed it."""
    killed = task.state is State.FAILED and (task.exit_code or 0) > 128
    return bool(task.attempt) and not task.adopted and (task.state is State.LOST or killed)
