"""`run`: starting a worker on a prompt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dispatch_tmux.core import order, plan, schedule
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import UsageProblem
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import standing, start, tasks
from dispatch_tmux.verbs.resolve import Chooser
from dispatch_tmux.verbs.tasks import Which

PERMISSIONS = ("skip", "ask")
Choose = Callable[[str, str], Resolution]  # (model, prompt) → what runs; raises DispatchError


def run(
    project: Project,
    prompt: str = "",
    *,
    model: str = "",
    id: str = "",
    title: str = "",
    items: Sequence[str] = (),
    plan: str = "",
    context: str = "",
    cwd: str = "",
    worktree: bool | str = False,
    base: str = "",
    after: Which | Sequence[Which] = (),
    after_any: Which | Sequence[Which] = (),
    group: str = "",
    priority: int = 0,
    timeout: float | str = 0.0,
    deadline: float | str = 0.0,
    stop_late: bool = False,
    permissions: str = "",
    use_default: bool = False,
    choose: Choose | None = None,
) -> Task:
    """Start a worker on PROMPT in a tmux window of its own; the task as soon as its program runs, or it has to wait.

    MODEL is a model, an alias or a CLI ("demo" needs none); without it the one that PROMPT names runs, else the
    configured default: USE_DEFAULT allows that where nobody has confirmed it yet (else NeedsDecision is raised).

    ITEMS is the checklist, or PLAN the whole text of one (`- [ ] …` lines); without either the prompt is its one item.
    CWD: where it works, by default the project's root, or the linked worktree of it that PROJECT was found from.
    WORKTREE: in a git worktree of its own, True on the branch dispatch/ID, a text on the branch of that name, begun at
    BASE (the HEAD of where it is given). AFTER: it begins when those are done, AFTER_ANY: when they have ended. TIMEOUT
    is running time in seconds, or "30m"; DEADLINE seconds since the epoch, or "17:30", "+2h"; then the person is told,
    and with STOP_LATE it is stopped. PERMISSIONS: "skip" or "ask". CHOOSE picks the model in place of a `Chooser`.

    Raises UsageProblem and DispatchError for what cannot be started; nothing is left of the task then.
    """
    prompt = prompt if prompt.strip() or not plan else _first_item(plan)
    ordered = Order(
        prompt, id, tuple(items), plan, context, cwd, checked_permissions(permissions), title, group, priority,
        _after(project, after, after_any), _branch(worktree), base,
        order.seconds(timeout) if isinstance(timeout, str) and timeout else float(timeout or 0),
        order.moment(deadline, time.time()) if isinstance(deadline, str) and deadline else float(deadline or 0), stop_late,
    )  # fmt: skip
    start.check(project, ordered)
    task = start.start(project, ordered, (choose or Chooser(project, use_default))(model, prompt))
    standing.remark([task.backend])
    return task


def elsewhere(project: Project, task: Task) -> tuple[str, str]:
    """The directory that TASK works in and the branch there, when that is another checkout than the project's root; else ''."""
    from dispatch_tmux.git import checkouts
    from dispatch_tmux.git import run as git

    own = task.worktree or task_file.read(project.store, task.id).get("worktree")
    if own or task.cwd == project.root or checkouts.home(project.root, task.cwd) == project.root:
        return "", ""
    return task.cwd, git.branch(task.cwd)


def _first_item(text: str) -> str:
    return next((item.text for item in plan.parse(text)), "")


def _after(
    project: Project, done: Which | Sequence[Which], ended: Which | Sequence[Which]
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (id, kind)
        for which, kind in ((done, schedule.DONE), (ended, schedule.ANY))
        for id in tasks.ids_of(project, which)
    )


def _branch(worktree: bool | str) -> str:
    return worktree if isinstance(worktree, str) else "-" if worktree else ""


def checked_permissions(wanted: str) -> str:
    """WANTED itself when it is '', skip or ask. Raises UsageProblem."""
    if wanted and wanted not in PERMISSIONS:
        raise UsageProblem(f"permissions {wanted[:40]!r} mean nothing", hint="'skip', 'ask', or none for the default")
    return wanted
