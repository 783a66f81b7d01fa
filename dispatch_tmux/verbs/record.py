"""`record`: a worker's screen saved without secrets, to report one that was read wrongly."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from dispatch_tmux.core import sgr
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import classify, screen, tasks
from dispatch_tmux.verbs.tasks import Which


class Recorded(NamedTuple):
    """The files that were written, and what is seen on the screen in them."""

    paths: tuple[str, ...]
    backend: str
    size: tuple[int, int]
    title: str
    shown: Shown


def record(project: Project, which: Which, name: str = "screen") -> Recorded:
    """Save the task's screen as NAME.ansi and NAME.txt in the working directory, without secrets and names.

    Raises DispatchError when it has no window or there is such a file, UsageProblem when NAME is no file's name.
    """
    from dispatch_tmux.screen import scrub

    task = tasks.task_of(project, which)
    if not re.fullmatch(r"[\w.-]{1,80}", name):
        raise UsageProblem(f"{name[:60]!r} cannot be a file's name", hint="use letters, digits, '.', '_' and '-'")
    seen = screen.look(project, task)
    if seen is None:
        raise DispatchError(f"{task.id} has no window now", hint=f"`dispatch screen {task.id}` has its last screen")
    private = _private(project)
    raw, title = scrub.scrub(seen.text, private), scrub.scrub(seen.title, private)
    paths = (f"{name}.ansi", f"{name}.txt")
    for path, text in zip(paths, (raw, sgr.plain(raw)), strict=True):
        try:
            with open(path, "x", encoding="utf-8") as f:
                f.write(text.rstrip("\n") + "\n")
        except FileExistsError:
            raise DispatchError(f"there is a file {path} already", hint="choose another name") from None
    return Recorded(paths, task.backend, seen.size, title, classify.classify(task.backend, raw, title=title))


def _private(project: Project) -> list[str]:
    """Words that say whose machine it is."""
    import getpass
    import socket

    home, root = os.path.expanduser("~"), project.root
    return [root, home, getpass.getuser(), socket.gethostname(), os.path.basename(root)]
