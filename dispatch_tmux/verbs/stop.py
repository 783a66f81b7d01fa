"""`stop`: ending workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store import processes, summaries
from dispatch_tmux.store.bell import until
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which
from dispatch_tmux.verbs.which import Refused

BEGINS = 3.0  # seconds for a launch line that has only just begun
ENDS = 5.0  # seconds until the end is on record


def stop(project: Project, *which: Which, every: bool = False) -> list[Task]:
    """End the workers of the tasks WHICH, or EVERY worker of the project: all their processes, and their windows.

    Returns those tasks as they are then; with EVERY only the ones that were running. Their files stay. Raises
    UsageProblem when none is named; after the others have ended DispatchError for an adopted one, and when a process is
    left running.
    """
    if not which and not every:
        raise UsageProblem("no task is named", hint="dispatch stop TASK, or --all")
    ended = stop_each(project, running(project) if every else tasks.ids_of(project, which))
    for one in ended:
        if isinstance(one, Refused):
            raise one.error
    return [one for one in ended if isinstance(one, Task)]


def running(project: Project) -> list[str]:
    """The tasks whose worker is to be ended where every one is: not those of programs that were adopted."""
    return [t.id for t in summaries.all(project.store) if not t.adopted and is_running(project, t.id)]


def stop_each(project: Project, ids: Sequence[str]) -> list[Task | Refused]:
    """End the workers of the tasks IDS, all at once: each task as it is then, or why it still runs."""
    store, ending, refused = project.store, list[str](), dict[str, DispatchError]()
    for task in map(store.task, ids):
        try:
            _refuse_adopted(task)
            if task.adopted and program_lives(store, task):
                raise DispatchError(f"the program of {task.id} is yours", hint="end it where it runs")
            ending.append(task.id)
        except DispatchError as e:
            refused[task.id] = e
    for id, left in end(project, ending).items():
        said = ", ".join(f"process {pid}" for pid in left)
        refused[id] = DispatchError(f"still running: {id}: {said}", hint="they may belong to another user")
    return [Refused(id, refused[id]) if id in refused else store.task(id) for id in ids]


def _refuse_adopted(task: Task) -> None:
    if task.adopted and not task.ended:
        raise DispatchError(
            f"{task.id} is a program of yours, adopted", hint=f"`dispatch release {task.id}` gives it back"
        )


def is_running(project: Project, id: str) -> bool:
    """Whether task ID is not over, or its program still lives (a finished agent sits at its composer)."""
    task = project.store.task(id)
    return not task.ended or program_lives(project.store, task)


def program_lives(store: Store, task: Task) -> bool:
    """Whether the program of TASK's last attempt is still there."""
    return processes.alive(processes.launched(store.own(task.id), task.attempt))


def end(project: Project, ids: Sequence[str]) -> dict[str, Sequence[int]]:
    """End the workers' processes, all of them, but never those of an adopted one, which are the person's.

    Returns what is left running, normally nothing: id → process ids. Raises DispatchError for an adopted task that is
    not over.
    """
    store = project.store
    found = [store.task(id) for id in ids]
    for task in found:
        _refuse_adopted(task)
    ending = {store.path(task.id): process for task in found if (process := _to_be_ended(store, task)) is not False}
    left = processes.end_all(ending) if ending else {}
    for task in found:
        if store.path(task.id) in ending and task.created and (not task.attempt or task.state is State.QUEUED):
            store.append(task.id, "state", f"state:{task.states + 1}", state=State.STOPPED.value)
    for id in (task.id for task in found if task.created):
        until(store, lambda id=id: _is_over(store, id) or None, ENDS)  # type: ignore[misc]
    return {task.id: pids for task in found if (pids := left.get(store.path(task.id), ()))}


def _is_over(store: Store, id: str) -> bool:
    """Whether task ID has ended and its exit code, if there is one, is on record; where no supervisor does it, we write."""
    task = store.task(id)
    if not store.supervised():  # not any more, perhaps
        _write_down(store, task)
        return True
    return task.ended and (task.exit_code is not None or store.exit_code(id, task.attempt) is None)


def _to_be_ended(store: Store, task: Task) -> tuple[int, str] | Literal[False] | None:
    """The launch line of TASK, which is told that it is to stop, if there is one; False when nothing is to be ended."""
    id, own = task.id, store.own(task.id)
    if not task.created:
        return None  # nothing can be read or written of it; what carries its mark is its
    process = processes.launched(own, task.attempt)
    if process is None and task.attempt and not task.ended:
        process = until(store, lambda: processes.launched(own, task.attempt), BEGINS)
    if task.adopted or (task.ended and not processes.alive(process)):
        return False
    store.append(id, "stopping", f"stopping:{task.attempt}", by="person")
    for rid, _ in store.requests(id):
        store.drop_request(id, rid)
    return process


def _write_down(store: Store, task: Task) -> None:
    """Record TASK's end where no supervisor does."""
    if not task.created:
        return
    code = store.exit_code(task.id, task.attempt) if task.attempt else None
    if code is not None:
        store.append(task.id, "exited", f"exited:{task.attempt}", code=code, attempt=task.attempt)
    now = summaries.current(store, task, supervised=False)
    if now.state is not task.state:
        store.append(task.id, "state", f"state:{task.states + 1}", state=now.state.value, why=now.why)
