"""All about one task, and what its state is based on: `status TASK`, `status TASK --why`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch_tmux.core import plan
from dispatch_tmux.core.plan import Item
from dispatch_tmux.core.task import Event, Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.screen import parts
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import questions, screen, standing, status, tasks
from dispatch_tmux.verbs.questions import Asked
from dispatch_tmux.verbs.tasks import Which

if TYPE_CHECKING:
    from dispatch_tmux.verbs.screen import Look


class Attempt(NamedTuple):
    """One attempt at a task: when it began (seconds since the epoch), by which model, and its exit code (None: unknown)."""

    number: int
    began: float
    model: str
    resumed: bool
    ended: bool = False
    code: int | None = None


class Details(NamedTuple):
    """All about one task.

    `usage` are words about tokens and cost, `screen` the last lines that it shows, `damage` the number of lines of its
    journal that cannot be read, `output` the path of its result ('' for none yet), `log` that of its whole output.
    """

    task: Task
    items: tuple[Item, ...]
    questions: tuple[Asked, ...]
    usage: str
    screen: tuple[str, ...]
    damage: int
    attempts: tuple[Attempt, ...]
    folder: str
    output: str
    log: str


class Evidence(NamedTuple):
    """What a state is based on.

    `signs` are those at its last `change` (seconds since the epoch; 0 for none on record), by the names of
    `core.state.Signs`; the rest is what there is to see now. `look` is None without a window.
    """

    task: Task
    change: float
    signs: Mapping[str, Any]
    marks: str
    supervised: bool
    look: Look | None
    standing: str = ""  # whether its CLI's version was verified here
    rules: str = ""  # which screen rules are in force


def details(project: Project, which: Which) -> Details:
    """All about one task. Raises TaskNotFound."""
    task, store = tasks.one(project, which), project.store
    output = store.path(task.id, "output.md")
    return Details(
        task=task,
        items=plan.parse(store.plan(task.id)),
        questions=tuple(questions.of(project, task)),
        usage=status.usage_of(project, task),
        screen=_last_lines(project, task),
        damage=store.damage(task.id),
        attempts=_attempts(store.events(task.id)),
        folder=store.path(task.id),
        output=output if store.tree(task.id).has("output.md") else "",
        log=store.own(task.id, "terminal.log"),
    )


def _last_lines(project: Project, task: Task, most: int = 8) -> tuple[str, ...]:
    try:
        rows = screen.screen(project, task).split("\n")
        return tuple([row for row in rows if not parts.BORDER.match(row)][-most:])  # nor blank ones
    except DispatchError:
        return ()


def _attempts(events: list[Event]) -> tuple[Attempt, ...]:
    found: dict[int, Attempt] = {}
    model = ""
    for e in events:
        try:
            if e.kind in ("created", "switched"):
                model = str(e.data["model"])
            elif e.kind == "starting":
                number = int(e.data["attempt"])
                found[number] = Attempt(number, e.t, model, bool(e.data.get("resume")))
            elif e.kind == "exited" and (number := int(e.data["attempt"])) in found:
                found[number] = found[number]._replace(ended=True, code=e.data.get("code"))
        except (KeyError, ValueError, TypeError):
            continue  # damaged
    return tuple(found.values())


def result(project: Project, which: Which, most: int = 200_000) -> str:
    """What the task has left as its result, the first MOST bytes of it; '' for nothing. Raises TaskNotFound."""
    return project.store.tree(tasks.id_of(project, which)).read("output.md", most=most) or ""


def evidence(project: Project, which: Which) -> Evidence:
    """What the state of the task is based on: the signs at its last change, and what there is to see now."""
    from dispatch_tmux.verbs import rules  # which loads what reads configurations

    task, store = tasks.one(project, which), project.store
    last = next((e for e in reversed(store.events(task.id)) if e.kind == "state"), None)
    return Evidence(
        task=task,
        change=last.t if last else 0.0,
        signs=dict(last.data.get("signs") or {}) if last else {},
        marks=plan.marks(plan.parse(store.plan(task.id))),
        supervised=store.supervised(),
        look=screen.look(project, task),
        standing=standing.of_installed(task.backend),
        rules=rules.standing(task.backend),
    )
