"""`edit`: what a task is to do, changed before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dispatch_tmux.core import plan as plans
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import plan_file, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import queue, start, tasks
from dispatch_tmux.verbs.resolve import Chooser
from dispatch_tmux.verbs.tasks import Which


class Draft(NamedTuple):
    """What a task is to do. Without ITEMS the prompt is its one item, without a TITLE the prompt's beginning its title.

    PLAN is the whole text of its plan where that is one of its own; ITEMS and CONTEXT are in it then.
    """

    prompt: str
    title: str = ""
    model: str = ""
    items: tuple[str, ...] = ()
    context: str = ""
    plan: str = ""
    group: str = ""
    priority: int = 0


def draft(project: Project, which: Which) -> Draft:
    """What the task is to do. Raises DispatchError when it has begun."""
    task = tasks.task_of(project, which)
    queue.must_wait(task, _INSTEAD)
    _must_be_new(task)
    return _draft(project.store, task)


def edit(
    project: Project,
    which: Which,
    *,
    prompt: str | None = None,
    title: str | None = None,
    model: str | None = None,
    items: Sequence[str] | None = None,
    context: str | None = None,
    plan: str | None = None,
    group: str | None = None,
    priority: int | None = None,
    chooser: Chooser | None = None,
) -> Task:
    """Change what a task that has not begun is to do; None leaves as it is what it stands for (see Draft). The task then.

    Notes stay in the plan. Raises UsageProblem, with the name of what is wrong first, for a change that is none;
    DispatchError when the task has begun. Nothing is changed then.
    """
    given: dict[str, Any] = {
        "prompt": prompt, "title": title, "model": model, "items": None if items is None else tuple(items),
        "context": context, "plan": plan, "group": group, "priority": priority,
    }  # fmt: skip
    changes = {key: value for key, value in given.items() if value is not None}
    chosen = _named(chooser or Chooser(project), model) if model is not None else None
    with queue.unbegun(project, which, _INSTEAD) as task:
        _must_be_new(task)
        before = _draft(project.store, task)
        after = before._replace(**changes)
        if after != before:
            _write(project, task, before, after, chosen if after.model != before.model else None)
    return project.store.task(task.id)


_INSTEAD = "`dispatch send {0}` and `dispatch note {0}` tell its worker something"


def _must_be_new(task: Task) -> None:
    """Raises DispatchError for one that waits for another attempt: its worker has been told what to do."""
    if task.attempt:
        raise DispatchError(
            f"{task.id} has begun already: it waits for attempt {task.attempt + 1}", hint=_INSTEAD.format(task.id)
        )


def _named(chooser: Chooser, model: str) -> Resolution:
    if not model.strip():
        raise UsageProblem("model: no model is named", hint="dispatch models lists what there is")
    try:
        return chooser.named(model)
    except DispatchError as e:
        raise UsageProblem(f"model: {e}", hint=e.hint) from None


def _draft(store: Store, task: Task) -> Draft:
    said = task_file.read(store, task.id)
    prompt, text = str(said.get("prompt") or ""), plan_file.whole(store.tree(task.id)) or ""
    title = "" if task.title == Order(prompt).name else task.title
    items = tuple(item.text for item in plans.parse(text))
    made = Draft(
        prompt, title, task.model, () if items == (" ".join(prompt.split()),) else items, str(said.get("context") or ""),
        group=task.group, priority=task.priority,
    )  # fmt: skip
    if not text or _plan(_order(task, made), task) == text:
        return made
    return made._replace(items=(), context="", plan=text)


def _order(task: Task, wanted: Draft) -> Order:
    return Order(
        wanted.prompt, items=wanted.items, plan=wanted.plan, context=wanted.context, cwd=task.cwd, title=wanted.title,
        group=wanted.group, priority=wanted.priority,
    )  # fmt: skip


def _plan(order: Order, task: Task) -> str:
    """The text of the plan of ORDER, with the notes that TASK has got."""
    text = start.plan_of(order)
    for note in () if order.plan else task.notes:
        text = plans.with_note(text, note)
    return text


def _write(project: Project, task: Task, before: Draft, after: Draft, chosen: Resolution | None) -> None:
    """Raises UsageProblem for what cannot be, before anything is written."""
    store = project.store
    if after.plan and (after.items or after.context):
        key = "items" if after.items else "context"
        raise UsageProblem(
            f"{key}: the plan of {task.id} is a text of its own", hint="change `plan`, which has all of it"
        )
    queue.check_priority(after.priority)
    order = _order(task, after)
    for key, wrong in start.problems(project, order):
        raise UsageProblem(f"{key}: {wrong}", hint=wrong.hint)
    text = _plan(order, task)
    said = {**task_file.read(store, task.id), "prompt": order.prompt.strip(), "context": order.context}
    if chosen:
        said.update(
            model=chosen.name, backend_model=chosen.sent, backend=chosen.backend, prefix=chosen.prefix,
            fallbacks=list(chosen.fallbacks), permissions=chosen.permissions or said.get("permissions", ""),
        )  # fmt: skip
    tree = store.tree(task.id)
    if text != plan_file.whole(tree):
        plan_file.write(tree, text)
    task_file.write(store, task.id, said)
    store.append(
        task.id, "edited", title=order.name, model=chosen.name if chosen else task.model,
        backend=chosen.backend if chosen else task.backend, group=order.group, priority=order.priority,
        marks=plans.marks(plans.parse(text)), changed=[k for k in Draft._fields if getattr(before, k) != getattr(after, k)],
    )  # fmt: skip
