"""Every project of this user: what its tasks do, and what waits."""

from __future__ import annotations

from typing import NamedTuple

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import home, places
from dispatch_tmux.store import project as projects
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import questions, tasks
from dispatch_tmux.verbs.questions import Asked


class Place(NamedTuple):
    """A project of this user at ROOT, with its tasks as they are now. `trouble` says what is wrong with it ('' for nothing):
    its directory is `gone`, it is foreign, or it cannot be read; then it has no tasks here.
    """

    name: str
    root: str
    project: Project | None = None
    tasks: tuple[Task, ...] = ()
    supervised: bool = False
    trouble: str = ""
    gone: bool = False


def everywhere() -> list[Place]:
    """Every project in `~/.dispatch/projects`, by directory. Nothing in a foreign one is read; a broken one costs only itself."""
    base = home.path()
    return sorted((_place(found, base) for found in places.all(base)), key=lambda place: (place.root, place.name))


def asked(place: Place) -> list[Asked]:
    """Every open question of PLACE, whole."""
    try:
        found = [questions.of(place.project, task) for task in place.tasks] if place.project else []
    except (DispatchError, OSError):
        return []
    return [one for several in found for one in several]


def _place(found: places.Registered, base: str) -> Place:
    if found.why:
        return Place(found.name, found.root, trouble=found.why, gone=found.gone)
    try:
        project = projects.at(found.root, base)
        return Place(found.name, found.root, project, tuple(tasks.every(project)), project.store.supervised())
    except (DispatchError, OSError, ValueError) as e:
        return Place(found.name, found.root, trouble=str(e))
