"""`send` and `note`: telling a worker something, and seeing that it arrived."""

from __future__ import annotations

import time
from typing import NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import NotDelivered, UsageProblem
from dispatch_tmux.store import plan_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

OUTCOME = 12.0  # seconds for a delivery
NOTE = 20_000  # characters of a note


class Delivered(NamedTuple):
    """A message that TASK's program has; `proof` says how that was seen."""

    task: str
    proof: str


class Noted(NamedTuple):
    """A note in TASK's plan; `proof` says how its worker was seen to get it, '' when only the plan has it."""

    task: str
    proof: str = ""


def send(project: Project, which: Which, text: str) -> Delivered:
    """Type TEXT into the task's live session as one message, and see that it arrives.

    Raises NotDelivered when the program does not run, and when the message was held, refused, or is not known to have
    arrived within 12 seconds; UsageProblem for an empty text.
    """
    task = tasks.task_of(project, which)
    if not text.strip():
        raise UsageProblem("the message is empty", hint=f'dispatch send {task.id} "…"')
    if not task.started or task.exit_code is not None:
        raise NotDelivered(
            f"{task.id} is {task.state.value}: its program is not running",
            hint=f"`dispatch note {task.id} TEXT` adds to its plan",
        )
    session.ensure(project)
    return Delivered(task.id, proof(project, task.id, project.store.request(task.id, "send", text=text)))


def note(project: Project, which: Which, text: str) -> Noted:
    """Put TEXT at the end of the task's plan, and tell a live worker that has a composer.

    Raises UsageProblem for an empty or too long note; NotDelivered when only the plan has it and its worker should.
    """
    task = tasks.task_of(project, which)
    store = project.store
    text = text.encode("utf-8", "replace").decode()  # as the plan will have it: else it would be found missing there
    if not text.strip():
        raise UsageProblem("the note is empty", hint=f'dispatch note {task.id} "…"')
    if len(text) > NOTE:
        raise UsageProblem(
            f"the note has {len(text)} characters; {NOTE} are the most", hint="put it into a file and name that"
        )
    # First: the supervisor, too, puts what is on record where it is missing.
    plan_file.put_note(store.tree(task.id), text)
    store.append(task.id, "note", f"note:{time.time_ns():x}", text=text)
    if task.ended or not task.started or reads_lines(task):
        return Noted(task.id)
    session.ensure(project)
    return Noted(task.id, proof(project, task.id, store.request(task.id, "note", text=text)))


def reads_lines(task: Task) -> bool:
    """Whether TASK's program has no composer, and reads lines or nothing at all."""
    return not configuration.backend(task.backend).interactive


def proof(project: Project, id: str, rid: str, seconds: float = OUTCOME) -> str:
    """How request RID was seen to arrive. Raises NotDelivered with the reason when it did not, or not within SECONDS."""

    def settled() -> Task | None:
        task = project.store.task(id)
        return task if task.request(rid)[0] in ("delivered", "undelivered", "held") else None

    task = session.until(project, settled, seconds)
    status, how = task.request(rid) if task else ("", "")
    if status == "delivered":
        return how
    if status == "undelivered":
        raise NotDelivered(
            f"not delivered to {id}: {how}", hint=f"look at it: dispatch screen {id} · dispatch attach {id}"
        )
    raise NotDelivered(
        f"not delivered to {id} yet: {how or 'the supervisor has not come to it'}",
        hint=f"it is typed as soon as that is over; `dispatch status {id}` shows whether it waits",
    )
