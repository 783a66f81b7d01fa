"""`brief`: what a session that knows nothing yet must know, in few words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import urgency
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks

RECENT = 24 * 3600.0  # seconds for which an ended task is of interest


class Brief(NamedTuple):
    """What may be used, and the tasks of interest: what wants the person first, what ended a day ago left out.

    `configured`: there is a config, with a default model ('' for none), models and aliases; `problem` says why it cannot
    be read. `at` is the time of it, in seconds since the epoch; `ever`: a task was dispatched in this project before.
    """

    configured: bool
    default: str
    models: tuple[str, ...]
    aliases: tuple[str, ...]
    tasks: tuple[Task, ...]
    at: float
    ever: bool = True
    problem: str = ""


def brief(project: Project) -> Brief:
    """How things stand."""
    now = time.time()
    found = tasks.every(project) if project.store.exists() else []
    recent = tuple(of_interest(found, now))
    try:
        config = configuration.load()
    except DispatchError as e:
        return Brief(False, "", (), (), recent, now, bool(found), str(e))
    if config is None:
        return Brief(False, "", (), (), recent, now, bool(found))
    aliases = (*config.aliases, *config.agents)
    return Brief(True, config.default, tuple(config.models), aliases, recent, now, bool(found))


def of_interest(found: Sequence[Task], now: float) -> list[Task]:
    """Tasks that are not over and those that ended lately; what wants the person first."""
    recent = [t for t in found if not t.ended or now - t.since < RECENT]
    return urgency.ordered(recent)
