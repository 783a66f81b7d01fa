"""`peek`: the last lines of what workers show, without attaching to any of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux.core import urgency
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.core.text import clean
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

if TYPE_CHECKING:
    from dispatch_tmux.backends.rules import ScreenRules
    from dispatch_tmux.tmux.windows import Shot

LINES = 5
ASIDE = " " * 80  # before what stands far to the right, beside all that is said


class Glimpse(NamedTuple):
    """The last lines of what TASK shows, harmless; `live`: as it is now, else as it was kept. No lines: nothing is to be seen."""

    task: Task
    lines: tuple[str, ...]
    live: bool


def peek(project: Project, *which: Which, lines: int = LINES) -> list[Glimpse]:
    """The last LINES lines of each of the tasks WHICH, by default of all that run; who wants the person comes first.

    Blank lines, rules, and a composer with what is beneath it are left out. Raises TaskNotFound, TmuxError.
    """
    wanted = set(tasks.ids_of(project, which))
    found = [t for t in tasks.every(project) if (t.id in wanted if which else _runs(t))]
    shots = _shots(project, found)
    known: dict[str, ScreenRules | None] = {}
    return [_glimpse(project, task, shots.get(task.id), known, lines) for task in urgency.ordered(found)]


def _runs(task: Task) -> bool:
    return not task.ended and task.state is not State.QUEUED and bool(task.pane)


def _shots(project: Project, found: Iterable[Task]) -> dict[str, Shot]:
    """The screens of those of the tasks FOUND that have a window now: task id → screen."""
    from dispatch_tmux.supervisor import session
    from dispatch_tmux.tmux import windows

    by_server: dict[str, list[Task]] = {}
    for task in found:
        if task.pane:
            by_server.setdefault(task.server if task.adopted else "", []).append(task)
    shots: dict[str, Shot] = {}
    for there in by_server.values():
        seen = windows.screens(session.server_for(project, there[0]), [t.pane for t in there])
        for task in there:
            shot = seen.get(task.pane)
            if shot and (shot.pid == task.pid if task.adopted else shot.task == task.id):
                shots[task.id] = shot
    return shots


def _glimpse(
    project: Project, task: Task, shot: Shot | None, known: dict[str, ScreenRules | None], most: int
) -> Glimpse:
    from dispatch_tmux.screen import parts, read

    text = shot.text if shot else project.store.own_tree(task.id).read("screen.txt") or ""
    if task.backend not in known:
        known[task.backend] = _rules(task.backend)
    rules = known[task.backend]
    rows = read.above_composer(rules, text) if rules else text.split("\n")
    told = [
        clean(parts.left_column(row), 2000).rstrip()
        for row in rows
        if not parts.BORDER.match(row) and not row.startswith(ASIDE)
    ]
    return Glimpse(task, tuple([row for row in told if row][-most:]), shot is not None)


def _rules(backend: str) -> ScreenRules | None:
    from dispatch_tmux.config import load as configuration

    try:
        return configuration.backend(backend).screen
    except DispatchError:  # a broken configuration is no reason to show nothing
        return None
