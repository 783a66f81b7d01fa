"""What waits for its turn: whether it may start (all: `pause`, `unpause`; one: `hold`, `unhold`), and which comes first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

SETTLES = 3.0  # seconds until it is clear what a task waits for now
MOST = 1_000_000  # a priority


def pause(project: Project) -> bool:
    """Start no more workers until `unpause`; those that run go on. False when it was paused already."""
    project.store.prepare()
    return project.store.pause()


def unpause(project: Project) -> bool:
    """Let waiting tasks start again. False when it was not paused."""
    paused = project.store.unpause()
    if paused:
        session.ensure(project)
    return paused


def is_paused(project: Project) -> bool:
    """Whether the queue is held back."""
    return project.store.exists() and project.store.paused()


def hold(project: Project, which: Which) -> Task:
    """Let a task that waits for its turn not start before `unhold`; the task then. Raises DispatchError when it has begun."""
    with unbegun(project, which, "dispatch stop {} ends it") as task:
        if not task.on_hold:
            project.store.append(task.id, "hold")
    return project.store.task(task.id)


def unhold(project: Project, which: Which) -> Task:
    """Let a held task have its turn again; the task as soon as it starts, or it is clear what it waits for.

    Raises DispatchError when it has begun.
    """
    with unbegun(project, which) as task:
        if task.on_hold:
            project.store.append(task.id, "unhold")
    session.ensure(project)

    def settled() -> Task | None:
        now = project.store.task(task.id)
        return now if now.why or not now.waits_to_begin else None

    return session.until(project, settled, SETTLES) or project.store.task(task.id)


def priority(project: Project, which: Which, number: int) -> Task:
    """Let a task that waits come before those of a lower priority; the task then. Raises DispatchError when it has begun."""
    check_priority(number)
    with unbegun(project, which) as task:
        if task.priority != number:
            project.store.append(task.id, "priority", priority=number)
    return project.store.task(task.id)


def check_priority(number: int) -> None:
    """Raises UsageProblem for one that is none."""
    if abs(number) > MOST:
        raise UsageProblem(f"priority: {str(number)[:20]} is none", hint=f"a whole number from -{MOST} to {MOST}")


@contextmanager
def unbegun(project: Project, which: Which, instead: str = "") -> Iterator[Task]:
    """The task, which waits for its turn and does not begin meanwhile. Raises DispatchError when it does not wait.

    INSTEAD is what can be done with one that has begun; its id stands for {}.
    """
    id = tasks.id_of(project, which)
    with project.store.alone(id):
        task = project.store.task(id)
        must_wait(task, instead)
        yield task


def must_wait(task: Task, instead: str = "") -> None:
    """Raises DispatchError when TASK does not wait for its turn; INSTEAD is as for `unbegun`."""
    if not task.created:
        raise DispatchError(f"{task.id} has no journal", hint="`dispatch doctor` tells")
    if task.ended:
        raise DispatchError(f"{task.id} is {task.state.value}: it waits for no turn", hint=f"dispatch status {task.id}")
    if not task.waits_to_begin:
        hint = instead.format(task.id) if instead else f"dispatch status {task.id}"
        raise DispatchError(f"{task.id} has begun already: it is {task.state.value}", hint=hint)
