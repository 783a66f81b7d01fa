"""`continue`: letting a worker go on whose program was stopped (Ctrl-Z, SIGSTOP)."""

from __future__ import annotations

import time
from typing import NamedTuple

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError, NotDelivered
from dispatch_tmux.store import processes
from dispatch_tmux.store.bell import until
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

RUNS = 3.0  # seconds within which it has to run again
SHOWS = 8.0  # seconds within which its screen has to show that, where that alone told of it
STAYS = 0.3  # seconds for which it has to: one that reads a terminal which is not its own is stopped again at once


class Continued(NamedTuple):
    """The program of TASK runs again; `was_stopped` is False when it had never stopped."""

    task: str
    was_stopped: bool


def carry_on(project: Project, which: Which) -> Continued:
    """Let the worker's program go on (SIGCONT), and see that it does.

    Raises NotDelivered when it does not run, or is stopped again at once; TaskNotFound.
    """
    task = tasks.task_of(project, which)
    if not _pid(project, task) or task.exit_code is not None:
        raise NotDelivered(f"the program of {task.id} is not running", hint=f"dispatch status {task.id}")
    if not is_suspended(project, task):
        return Continued(task.id, False)
    says_so = not _stopped(project, task)  # on its screen only: it waits for the signal
    processes.go_on(processes.in_front(_pid(project, task)))
    deadline, ran_since = time.monotonic() + RUNS, 0.0
    while time.monotonic() < deadline:
        if _stopped(project, task):
            ran_since = 0.0
        elif not ran_since:
            ran_since = time.monotonic()
        elif time.monotonic() - ran_since >= STAYS:
            project.store.append(task.id, "continued", "")
            session.ensure(project)
            if says_so and not until(
                project.store, lambda: project.store.task(task.id).state is not State.SUSPENDED or None, SHOWS
            ):
                raise NotDelivered(f"{task.id} still shows that it is suspended", hint=f"dispatch attach {task.id}")
            return Continued(task.id, True)
        time.sleep(0.02)
    raise NotDelivered(
        f"{task.id} is stopped again at once: another program has its terminal",
        hint=f"dispatch attach {task.id}, and type `fg` there",
    )


def is_suspended(project: Project, task: Task) -> bool:
    """Whether the program of TASK is stopped at this moment, or says that it is."""
    return task.exit_code is None and (task.state is State.SUSPENDED or bool(_stopped(project, task)))


def _stopped(project: Project, task: Task) -> list[int]:
    pid = _pid(project, task)
    return processes.stopped(processes.in_front(pid)) if pid else []


def _pid(project: Project, task: Task) -> int:
    """The first process of TASK's attempt; 0 when there is none that lives."""
    try:
        process = processes.launched(project.store.own(task.id), task.attempt)
    except DispatchError:
        return 0
    if process:
        return process[0] if processes.alive(process) else 0
    return task.pid if task.started == task.attempt else 0
