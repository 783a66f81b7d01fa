"""`diff`: what tasks have changed, in their worktrees, or in the checkout that they work in since they began there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.core import urgency
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import begun
from dispatch_tmux.git import merge as branches
from dispatch_tmux.git import pager as git_pager
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import merge, tasks
from dispatch_tmux.verbs.tasks import Which


class Changes(NamedTuple):
    """What TASK has changed in the checkout PLACE: a patch, or a list of files; '' for nothing.

    `since`: without a worktree of its own all counts that has changed there since that time (seconds since the epoch),
    whoever changed it, as `others` may have: tasks of the same checkout. 0 for a worktree.
    """

    task: Task
    text: str
    place: str
    since: float = 0.0
    others: tuple[str, ...] = ()


def diff(project: Project, which: Which, *, stat: bool = False) -> str:
    """All that the task has changed, as a patch (STAT: as a list of files): committed or not, new files, too.

    Bytes that are no UTF-8 are surrogates. '' without changes. Raises DispatchError when that is not known.
    """
    return changes(project, which, stat=stat).text


def changes(project: Project, which: Which, *, stat: bool = False, width: int = 100, colours: bool = False) -> Changes:
    """The same with where, and since when. WIDTH: columns of a list of files; COLOURS: with SGR escapes."""
    task = tasks.task_of(project, which)
    return _changes(project, task, [] if task.worktree else _every(project), _shape(stat, width, colours))


def all_changes(
    project: Project, *, stat: bool = False, width: int = 100, colours: bool = False
) -> tuple[list[Changes], list[tuple[str, str]]]:
    """Of every task that has changed something, and of which task it is not known and why.

    Of several tasks in one checkout it is told once, since the first of them began.
    """
    found: list[Changes] = []
    unknown: list[tuple[str, str]] = []
    told: set[str] = set()
    for task in urgency.ordered(there := _every(project)):
        if not (task.worktree or task.begun) or task.id in told:
            continue
        one = task if task.worktree else _first(there, task)
        try:
            made = _changes(project, one, there, _shape(stat, width, colours))
        except DispatchError as e:
            unknown.append((task.id, str(e)))
            continue
        told.update((one.id, *made.others))
        found += [made] if made.text else []
    return found, unknown


def pager(project: Project) -> str:
    """The command that shows a diff, as the person has set it for git; '' for none."""
    return git_pager.command(project.root)


def _every(project: Project) -> list[Task]:
    """Every task, with how its checkout was when it began."""
    return [project.store.task(t.id) for t in tasks.every(project)]


def _beside(there: Sequence[Task], task: Task) -> list[Task]:
    """Those of THERE that have begun in the checkout of TASK without a worktree, as TASK itself has."""
    return [t for t in there if not t.worktree and t.begun and t.begun[:1] == task.begun[:1]]


def _first(there: Sequence[Task], task: Task) -> Task:
    """Of the tasks in TASK's checkout the one that began first, as far as that is known."""
    return min((t for t in _beside(there, task) if t.begun[1]), key=lambda t: t.begun_at, default=task)


def _shape(stat: bool, width: int, colours: bool) -> list[str]:
    return [*([f"--stat={width}"] if stat else []), *(["--color=always"] if colours else [])]


def _changes(project: Project, task: Task, there: Sequence[Task], shape: list[str]) -> Changes:
    if task.worktree:
        return Changes(task, branches.diff(merge.work_of(project, task), shape), task.worktree)
    return _since_it_began(project, task, shape, there)


def _since_it_began(project: Project, task: Task, shape: list[str], there: Sequence[Task]) -> Changes:
    """Raises DispatchError with the time, where nothing was kept of how it was then."""
    top, tree, why = task.begun or ("", "", "")
    if not tree:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(task.created))
        what = (
            f"how its checkout was when it began was not kept: {why}" if why else "it began outside of a git repository"
        )
        raise DispatchError(
            f"{task.id} has no worktree, and {what if task.begun else 'it is not known how its checkout was when it began'}",
            hint=f"it was dispatched at {when}, in {task.cwd or project.root}\n`dispatch run --worktree …` gives a task a worktree",
        )
    text = begun.changed(top, tree, project.store.own(task.id, "begun-objects"), shape)
    others = tuple(t.id for t in _beside(there, task) if t.id != task.id)
    return Changes(task, text, top, task.begun_at, others)
