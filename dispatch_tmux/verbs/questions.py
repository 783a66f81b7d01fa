"""`questions`: what is asked."""

from __future__ import annotations

from typing import NamedTuple

from dispatch_tmux.core import urgency
from dispatch_tmux.core.task import Question, Task
from dispatch_tmux.core.text import clean, line, lines_of
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which


class Asked(NamedTuple):
    """An open question of a task, whole; `path` is the file that it was asked through, '' for none."""

    task: Task
    question: Question
    path: str = ""


def questions(project: Project, *which: Which) -> list[Asked]:
    """Every open question of the project (of the tasks WHICH), that of who has asked longest first. Raises TaskNotFound."""
    wanted = tasks.ids_of(project, which)
    found = [t for t in tasks.every(project) if t.open_questions and (not which or t.id in wanted)]
    return [asked for t in urgency.ordered(found) for asked in of(project, t)]


def of(project: Project, task: Task) -> list[Asked]:
    """The open questions of TASK, the oldest first."""
    store = project.store
    return [Asked(task, tasks.whole(store, task, q), tasks.question_file(store, task, q)) for q in task.open_questions]


def words(q: Question, most: int, path: str = "") -> list[str]:
    """The lines of Q's text, harmless, but for those that are its choices; beyond MOST characters PATH is named instead."""
    choices = {f"{line(c.key, 20)}{sign} {line(c.label, 4000)}" for c in q.choices for sign in ".)"}
    return [row for row in lines_of(clean(q.text, most, path)) if line(row, 4030) not in choices]
