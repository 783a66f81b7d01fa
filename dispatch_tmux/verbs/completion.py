"""What may stand where a person is typing: tasks, models, groups, backends. It only looks.

Asked at any press of a key, anywhere: nothing is started, nobody is asked, no file is written, and what cannot be read
(a broken configuration, a project that is not ours) offers nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

from dispatch_tmux.core import urgency
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.core.text import clean, line
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, summaries, trust
from dispatch_tmux.store.project import Project

SAID = 60  # columns of what is told about a candidate


class Candidate(NamedTuple):
    """A word that may stand there, and what it is, in a few words ('' for nothing to say)."""

    text: str
    about: str = ""


def look_only() -> None:
    """From now on this process writes no file of dispatch's: what is kept to be faster next time is not kept."""
    files.look_only()


def tasks(project: Project, verb: str = "") -> list[Candidate]:
    """The project's tasks in the order of lists; for some verbs those only that it is of use for."""
    fits = _USEFUL.get(verb, bool)
    return [Candidate(t.id, _about(t)) for t in urgency.ordered(_tasks(project)) if fits(t)]


_USEFUL: dict[str, Callable[[Task], bool]] = {"answer": lambda t: bool(t.open_questions), "stop": lambda t: not t.ended}


def _about(task: Task) -> str:
    said = task.open_questions[0].text if task.open_questions else task.title
    return line(f"{task.state.value} · {said}", SAID)


def archived(project: Project) -> list[Candidate]:
    """The tasks that `clean` has taken away, by their ids."""
    from dispatch_tmux.store import archive

    try:
        found = sorted(archive.entries(project.store.records), key=lambda e: e.id) if _is_ours(project) else []
    except (DispatchError, OSError):
        return []
    return [Candidate(id, "archived") for id in dict.fromkeys(entry.id for entry in found)]


def groups(project: Project) -> list[Candidate]:
    """The groups of its tasks, and how many each has."""
    members: dict[str, int] = {}
    for task in _tasks(project):
        members[task.group] = members.get(task.group, 0) + 1
    return [
        Candidate(name, f"{count} task{'' if count == 1 else 's'}") for name, count in sorted(members.items()) if name
    ]


def questions(project: Project, id: str) -> list[Candidate]:
    """The open questions of task ID."""
    return [Candidate(q.id, line(q.text, SAID)) for t in _tasks(project) if t.id == id for q in t.open_questions]


def choices(project: Project, id: str) -> list[Candidate]:
    """The choices of its oldest open question."""
    asked = [t.open_questions[0] for t in _tasks(project) if t.id == id and t.open_questions]
    return [Candidate(clean(c.key, 20), line(c.label, SAID)) for q in asked for c in q.choices]


def states() -> list[Candidate]:
    """The states that a task can be in."""
    return [Candidate(state.value) for state in State]


def kinds() -> list[Candidate]:
    """What `wait` can wait for."""
    from dispatch_tmux.verbs.wait import KINDS

    return [Candidate(kind) for kind in KINDS]


def models() -> list[Candidate]:
    """Aliases and models of the configuration, and what the CLIs told when they were last asked."""
    from dispatch_tmux.backends import discovery

    found = {alias.text: alias.about for alias in aliases()}
    if configured := _section("models"):
        found |= {name: str(entry.get("backend", "")) for name, entry in configured.items()}
    elif shutil.which("claude"):
        from dispatch_tmux.models.resolve import STABLE

        found |= dict.fromkeys(STABLE, "claude")
    for listing in discovery.remembered():
        found = {**dict.fromkeys(listing.ids, listing.backend), **found}
    return [
        Candidate(name, line(about, SAID)) for name, about in sorted({"demo": "needs no agent CLI", **found}.items())
    ]


def aliases() -> list[Candidate]:
    """The aliases of the configuration, and the model each stands for."""
    named = _section("aliases").items()
    return [
        Candidate(name, line(f"alias: {alias.get('model') or alias.get('command')}", SAID)) for name, alias in named
    ]


def backends() -> list[Candidate]:
    """The agent CLIs that dispatch knows, the user's own ones included."""
    from pathlib import Path

    from dispatch_tmux.backends import load
    from dispatch_tmux.store import home

    own = _section("backends")
    return [Candidate(name) for name in sorted({*load.names(Path(home.backends_dir())), *own} - {"command"})]


def _section(name: str) -> dict[str, dict[str, Any]]:
    """What has names under NAME in the configuration, as it stands there: to check all of it would take longer than the rest."""
    import yaml

    from dispatch_tmux.config import load

    try:
        data = yaml.load(load.text() or "", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        found = data.get(name) if isinstance(data, dict) else None
    except (DispatchError, yaml.YAMLError, ValueError, RecursionError):
        return {}
    names = found.items() if isinstance(found, dict) else ()
    return {key: entry for key, entry in names if isinstance(entry, dict) and clean(str(key)) == key}


def _tasks(project: Project) -> list[Task]:
    try:
        return summaries.all(project.store) if _is_ours(project) else []
    except (DispatchError, OSError):
        return []


def _is_ours(project: Project) -> bool:
    """Whether PROJECT is ours as it is: an old one is not moved to its new place for this."""
    return trust.standing(project.root, project.store.base).kind == "ours"
