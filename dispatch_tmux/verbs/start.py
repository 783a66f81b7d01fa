"""Beginning new tasks, one or many: checked whole, written whole, and only then started."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from dispatch_tmux.core import plan, schedule
from dispatch_tmux.core import task as tasks
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import session

START = 20.0  # seconds for a worker's window to open; it takes 0.1
CHECKOUT = 300.0  # the same with a worktree to be made


class Ready(NamedTuple):
    """An order that can be written, with its id, directory, plan and model."""

    order: Order
    id: str
    cwd: str
    plan: str
    chosen: Resolution
    mark: str  # tells it from another order


def start(project: Project, order: Order, chosen: Resolution) -> Task:
    """Write the task, have its window opened, and return when its process has been started, or it has to wait."""
    cwd, text = check(project, order)
    session.ensure(project)
    id = _claim(project.store, order)
    write(project.store, Ready(order, id, cwd, text, chosen, order.mark(chosen.name)))
    launch(project.store, [id])
    return launched(project, id, 1, CHECKOUT if order.worktree else START)


def start_all(project: Project, ready: Sequence[Ready]) -> list[Task]:
    """Write all the tasks, then start them; if one cannot be written, none is there afterwards."""
    session.ensure(project)
    made: list[str] = []
    try:
        for one in ready:
            _claim(project.store, one.order._replace(id=one.id))
            made.append(one.id)
            write(project.store, one)
    except BaseException:
        for id in made:
            project.store.remove(id)
        raise
    urgent = sorted(ready, key=lambda one: -one.order.priority)  # the supervisor begins with what it sees first
    launch(project.store, [one.id for one in urgent])
    return [launched(project, id, 1, START, soon=True) for id in made]


def launch(store: Store, ids: Sequence[str]) -> None:
    """Ask the supervisor to start tasks that are written; the request is the last file, so no half-made task starts."""
    for id in ids:
        store.request(id, "launch", env=dict(os.environ))


def check(project: Project, order: Order, siblings: Collection[str] = ()) -> tuple[str, str]:
    """Where the worker of ORDER will work, and its plan's text. Raises DispatchError when the order is none (UsageProblem
    for what is wrong whatever there is).

    SIBLINGS are tasks that are started with it, which it may come after.
    """
    for _, wrong in problems(project, order, siblings):
        raise wrong
    return _place(project, order), plan_of(order)


def problems(project: Project, order: Order, siblings: Collection[str] = ()) -> Iterator[tuple[str, DispatchError]]:
    """All that is in the way of ORDER: (the field's name, what is wrong), each found when it is asked for."""
    if not order.prompt.strip():
        yield "prompt", UsageProblem("there is no prompt", hint='say what to do: dispatch run "fix the login test"')
    if not all(item.strip() for item in order.items):
        yield "items", UsageProblem("an item of the checklist is empty")
    if order.plan and not plan.parse(order.plan):
        yield "plan", UsageProblem("the plan has no items", hint="its items are lines like `- [ ] what to do`")
    if order.id and (wrong := _raised(lambda: tasks.task_id(order.id))):
        yield "id", wrong
    if order.group and (len(order.group) > 60 or not order.group.isprintable()):
        yield "group", UsageProblem(f"{order.group[:60]!r} cannot be the name of a group")
    for other, _ in order.after:
        if other not in siblings and (wrong := _raised(lambda other=other: _must_be_there(project, other))):  # type: ignore[misc]
            yield "after", wrong
    cwd = _place(project, order)
    if not os.path.isdir(cwd) or not os.access(cwd, os.X_OK):
        yield "cwd", DispatchError(f"{cwd} is not a directory that can be entered", hint="give --cwd another one")
    elif order.worktree and (wrong := _raised(lambda: _check_worktree(project, order, cwd, siblings))):
        yield "base" if order.base else "worktree", wrong
    elif order.base and not order.worktree:
        hint = "add --worktree"
        yield "base", UsageProblem("--base says where a worktree begins, and no worktree is asked for", hint=hint)


def _raised(call: Callable[[], object]) -> DispatchError | None:
    try:
        call()
    except DispatchError as e:
        return e
    return None


def _must_be_there(project: Project, other: str) -> None:
    if not project.store.task(tasks.task_id(other)).created:
        raise DispatchError(f"it comes after {other!r}, and there is no such task", hint="dispatch status lists them")


def _place(project: Project, order: Order) -> str:
    return os.path.realpath(order.cwd or project.here or project.root)


def _check_worktree(project: Project, order: Order, cwd: str, siblings: Collection[str]) -> None:
    from dispatch_tmux.git import checkouts, worktree

    id = order.id or tasks.slug(order.name, project.store.ids())
    to_come = [worktree.PREFIX + other for other in siblings]
    to_come += [project.store.task(other).branch for other, _ in order.after if other not in siblings]
    to_come += [worktree.PREFIX + other for other, _ in order.after]
    home = checkouts.home(project.root, cwd)
    worktree.check(home, worktree.branch_for(id, order.worktree), order.base, to_come)


def plan_of(order: Order) -> str:
    """The text of the plan that ORDER is written down as."""
    prompt = order.prompt.strip()
    if order.plan:
        return order.plan
    title = (order.title or prompt.splitlines()[0])[:120]
    return plan.render(title, order.items or (prompt,), order.context)


def _claim(store: Store, order: Order) -> str:
    if order.id:
        if not store.claim(order.id):
            raise DispatchError(
                f"there is a task {order.id!r} already", hint=f"choose another --id, or: dispatch clean {order.id}"
            )
        return order.id
    while True:
        id = tasks.slug(order.name, store.ids())
        if store.claim(id):
            return id


def write(store: Store, one: Ready) -> None:
    """The task's files, all but the request to start it."""
    order, chosen, id = one.order, one.chosen, one.id
    asked = {
        "prompt": order.prompt.strip(), "prefix": chosen.prefix, "model": chosen.name, "backend_model": chosen.sent,
        "backend": chosen.backend, "cwd": one.cwd, "context": order.context, "fallbacks": list(chosen.fallbacks),
        "permissions": order.permissions or chosen.permissions, "mark": one.mark,
    }  # fmt: skip
    if order.worktree:
        from dispatch_tmux.git import worktree

        asked.update(worktree=worktree.branch_for(id, order.worktree), base=order.base)
    task_file.write(store, id, asked)
    store.tree(id).replace("plan.md", text=one.plan)
    more: dict[str, Any] = {name: getattr(order, name) for name in _RECORDED if getattr(order, name)}
    store.append(
        id, "created", "created", title=order.name, model=chosen.name, backend=chosen.backend, cwd=one.cwd,
        marks=plan.marks(plan.parse(one.plan)), **more,
    )  # fmt: skip


_RECORDED = ("group", "priority", "after", "timeout", "deadline", "stop_late")


def launched(project: Project, id: str, attempt: int, seconds: float = START, soon: bool = False) -> Task:
    """The task as soon as its ATTEMPT has begun, or it is clear that it has to wait (SOON: also for its turn only).

    Raises DispatchError when neither comes about.
    """
    store = project.store

    def there() -> Task | None:
        task = store.task(id)
        if task.started >= attempt or (task.attempt >= attempt and task.ended):
            return task
        waits = task.state in (State.QUEUED, State.WAITING) and task.why and (soon or task.why != schedule.SOON)
        return task if waits or (task.ended and not task.attempt) else None

    task = session.until(project, there, seconds)
    if task is None:
        log = store.log_path
        raise DispatchError(
            f"{id} was not started within {seconds:.0f} s", hint=f"dispatch doctor; {log} has the supervisor's words"
        )
    if not soon and task.state is State.FAILED and task.started < attempt:
        raise DispatchError(f"{id} could not be started: {task.why}", hint=f"dispatch retry {id} tries again")
    return task
