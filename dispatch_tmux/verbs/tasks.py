"""Which tasks are meant, and how they stand now."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch_tmux.core import plan
from dispatch_tmux.core import state as states
from dispatch_tmux.core.plan import Item
from dispatch_tmux.core.state import Signs
from dispatch_tmux.core.task import Question, Task
from dispatch_tmux.errors import TaskNotFound
from dispatch_tmux.store import question_files, summaries
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.question_files import MOST_QUESTION
from dispatch_tmux.store.store import Store

Which = str | Task  # a task, its id, or the unambiguous beginning of its id


def id_of(project: Project, which: Which) -> str:
    """The id of the task that WHICH means. Raises TaskNotFound when it is none, or several."""
    return project.store.find(which.id if isinstance(which, Task) else which)


def ids_of(project: Project, which: Which | Sequence[Which]) -> list[str]:
    """The ids of one task, or of several."""
    several = [which] if isinstance(which, str | Task) else which  # a Task is a tuple, too
    return [id_of(project, one) for one in several]


def task_of(project: Project, which: Which) -> Task:
    """The task that WHICH means, as its journal has it at this moment. Raises TaskNotFound."""
    return project.store.task(id_of(project, which))


def every(project: Project) -> list[Task]:
    """Every task as it is now, whether or not the supervisor runs; the oldest first."""
    store = project.store
    supervised = store.supervised()
    return [_now(store, t, supervised) for t in summaries.all(store)]


def one(project: Project, which: Which) -> Task:
    """The task that WHICH means as it is now, whether or not the supervisor runs. Raises TaskNotFound."""
    id = id_of(project, which)
    for task in every(project):
        if task.id == id:
            return task
    raise TaskNotFound(
        f"{id} has no journal", hint="it is being made at this moment, or was damaged; `dispatch doctor` tells"
    )


def _now(store: Store, task: Task, supervised: bool) -> Task:
    task = summaries.current(store, task, supervised)
    if supervised or task.ended:
        return task
    text = plan.marks(plan.parse(store.plan(task.id))) or task.marks
    task = task._replace(marks=text, questions=open_questions(store, task))
    asked = next((q.number for q in task.open_questions if q.via == "file"), "")
    done = store.is_marked_done(task.id)
    if not task.attempt or not (asked or done):
        return task  # the rest is on its screen, which nobody reads now
    verdict = states.derive(Signs(alive=True, open_question=asked, marks=text, done_marker=done))
    return task._replace(state=verdict.state, why=verdict.why)


def open_questions(store: Store, task: Task) -> tuple[Question, ...]:
    """The task's open questions, with those that no supervisor has written down yet."""
    fresh = [a.as_question() for a in store.asked(task.id, task.questions) if not a.answered]
    there = question_files.there(store.tree(task.id), task.questions)
    over = {file.id for file in there if file.answered} | {file.former.id for file in there if file.former}
    return tuple(q for q in task.open_questions if q.id not in over) + tuple(fresh)


def items(project: Project, task: Task) -> tuple[Item, ...]:
    """The checklist of TASK as it is now."""
    return plan.parse(project.store.plan(task.id))


def folder(project: Project, task: Task) -> str:
    """The directory of TASK's files."""
    return project.store.path(task.id)


def question_file(store: Store, task: Task, q: Question) -> str:
    """The file that question Q was asked through; '' for one that was asked on the screen or by dispatch."""
    return store.path(task.id, "ipc", f"{q.number}.question") if q.via == "file" else ""


def whole(store: Store, task: Task, q: Question) -> Question:
    """Q with the whole text of its file, which the journal keeps only the beginning of."""
    text = store.tree(task.id).read("ipc", f"{q.number}.question", most=MOST_QUESTION) if q.via == "file" else None
    return q if text is None else q._replace(text=text.strip() or q.text)
