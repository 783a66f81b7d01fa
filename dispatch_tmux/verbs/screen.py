"""`screen`: a worker's screen as it is, and what is seen on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux.core.task import Task
from dispatch_tmux.core.text import clean, printable
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

if TYPE_CHECKING:
    from dispatch_tmux.core.shown import Shown


MOST = 200_000  # characters of a screen
SIZE = (200, 50)  # of a window that nobody looks at


class Look(NamedTuple):
    """A pane at this moment: its text with colours as SGR escapes, its title, its size in cells, and what it shows."""

    text: str
    title: str
    size: tuple[int, int]
    dead: bool
    shown: Shown


def screen(project: Project, which: Which, *, colours: bool = False) -> str:
    """The task's screen as it is now, or the last one that was kept; harmless text. Raises DispatchError without one.

    COLOURS: with the colours that it has, as SGR escapes; one holds until the next, over the ends of lines, too.
    """
    task = tasks.task_of(project, which)
    if task.pane:
        from dispatch_tmux.supervisor import session
        from dispatch_tmux.tmux import windows

        shot = windows.screen(session.server_for(project, task), task.pane, colours=colours)
        if shot is not None and has_window(project, task):
            return (
                "\n".join(map(printable, shot[:MOST].split("\n"))).rstrip() if colours else clean(shot, MOST).rstrip()
            )
    kept = project.store.own_tree(task.id).read("screen.txt")
    if kept is None:
        raise DispatchError(f"{task.id} has no screen now", hint=f"`dispatch logs {task.id}` has its output")
    return clean(kept, MOST).rstrip()


def size(project: Project, task: Task) -> tuple[int, int]:
    """Columns and rows of TASK's window; of one that is gone those that windows have when they are opened."""
    from dispatch_tmux.supervisor import session
    from dispatch_tmux.tmux import windows

    try:
        found = windows.facts(session.server_for(project, task), task.pane) if task.pane else None
    except DispatchError:
        found = None
    return found.size if found else SIZE


def has_window(project: Project, task: Task) -> bool:
    """Whether the pane on record is there, and still is TASK's."""
    from dispatch_tmux.supervisor import session
    from dispatch_tmux.tmux import windows

    found = windows.facts(session.server_for(project, task), task.pane) if task.pane else None
    return found is not None and (found.pid == task.pid if task.adopted else found.task == task.id)


def look(project: Project, task: Task) -> Look | None:
    """One look at TASK's window, by its backend's rules; None when it has none. Raises DispatchError."""
    from dispatch_tmux.config import load as configuration
    from dispatch_tmux.screen import read
    from dispatch_tmux.supervisor import session
    from dispatch_tmux.tmux import windows

    if not task.pane or not has_window(project, task):
        return None
    server = session.server_for(project, task)
    text, found = windows.screen(server, task.pane, colours=True), windows.facts(server, task.pane)
    if text is None or found is None:
        return None
    rules = configuration.backend(task.backend).screen
    shown = read.look(rules, text, title=found.title, cursor=found.cursor)
    return Look(text, found.title, found.size, found.dead, shown)
