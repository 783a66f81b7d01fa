from __future__ import annotations

import os
import shlex
import sys

import click

from dispatch_tmux.cli import common
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.verbs import attach as attaching


@click.command()
@click.argument("task", required=False)
def attach(task: str | None) -> None:
    """Look at TASK live and type to it; without TASK, at the board. Ctrl-b d leaves.

    Inside another tmux the terminal is handed over, and comes back when you leave.

    \b
    dispatch attach auth
    """
    project = common.project()
    id = project.store.find(task) if task else None
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        line = shlex.join(["dispatch", "-C", project.root, "attach", *([id] if id else [])])
        raise DispatchError("this is no terminal", hint=f"in one, run: {line}")
    tmux.check()
    argv = attaching.attach(project, id)
    sys.stdout.flush()
    environment = dict(os.environ)
    if "switch-client" not in argv and "detach-client" not in argv:
        environment.pop("TMUX", None)
    os.execve(argv[0], argv, environment)
