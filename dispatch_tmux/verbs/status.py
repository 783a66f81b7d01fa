"""`status`: what every task is doing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, overload

from dispatch_tmux.backends import sessions, usage
from dispatch_tmux.core import plan
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.store import summaries
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

if TYPE_CHECKING:
    from dispatch_tmux.store.watch import Bell

UNTRUSTED = ("title", "why", "items", "questions", "held", "usage")  # keys whose words may come from a worker


@overload
def status(project: Project) -> list[Task]: ...
@overload
def status(project: Project, which: Which) -> Task: ...
def status(project: Project, which: Which | None = None) -> list[Task] | Task:
    """Every task as it is now, the oldest first; or the one that WHICH means. True also when no supervisor runs.

    Raises TaskNotFound.
    """
    return tasks.every(project) if which is None else tasks.one(project, which)


def is_supervised(project: Project) -> bool:
    """Whether the project's supervisor is running."""
    return project.store.supervised()


def unreadable(project: Project) -> dict[str, str]:
    """The tasks that nothing can be said of, and why: id → what is wrong."""
    return summaries.unreadable(project.store)


def changes(project: Project, seconds: float) -> Iterator[bool]:
    """Each time something has happened to a task, or after SECONDS without anything, whether something has; without end.

    At first at once: what happens from then on is told.
    """
    bell: Bell | None = None
    rung = True
    try:
        while True:
            if bell is None and project.store.exists():
                from dispatch_tmux.store import watch

                bell, rung = watch.Bell(project.store.records, "bell"), True
            elif bell is None and not rung:
                time.sleep(seconds)
            yield rung or (bell is not None and bell.wait(seconds))
            rung = False
    finally:
        if bell is not None:
            bell.close()


def used(project: Project, which: list[Task]) -> dict[str, str]:
    """What the CLI of each task of WHICH that is not over tells of its work, in words; those that tell nothing are left out."""
    told = {t.id: usage_of(project, t) for t in which if not t.ended}
    return {id: words for id, words in told.items() if words}


def usage_of(project: Project, task: Task) -> str:
    """What TASK's CLI tells of its work, in words: tokens, cost, the tool it runs; '' for nothing."""
    return usage.words(sessions.kept(project.store.own(task.id)), task.state is State.WORKING)


def as_data(project: Project, task: Task) -> dict[str, Any]:
    """TASK as plain data, as `status --json` prints it (docs/cli.md lists the keys)."""
    store = project.store
    return {
        "id": task.id, "title": task.title, "model": task.model, "backend": task.backend, "state": task.state.value,
        "why": task.why, "since": task.since, "created": task.created, "attempt": task.attempt,
        "exit_code": task.exit_code, "cause": task.cause, "resets": task.resets or None, "zone": task.zone, "instead": list(task.instead),
        "items": [{"text": i.text, "mark": i.mark} for i in plan.parse(store.plan(task.id))],
        "done": task.done_items, "total": len(task.marks), "pane": task.pane, "cwd": task.cwd,
        "questions": [
            {"id": q.id, "via": q.via, "text": q.text, "choices": [c._asdict() for c in q.choices]} for q in task.open_questions
        ],
        "group": task.group, "priority": task.priority, "on_hold": task.on_hold, "after": [list(a) for a in task.after],
        "flags": list(task.flags), "late": list(task.late), "worktree": task.worktree, "branch": task.branch, "merged": task.merged,
        "conflicts": list(task.conflicts), "strayed": list(task.strayed),
        "usage": sessions.kept(store.own(task.id))._asdict(),
        "held": [how for _, status, how in task.requests if status == "held"],
        "dir": store.path(task.id), "untrusted": list(UNTRUSTED),
    }  # fmt: skip
