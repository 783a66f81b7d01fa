from __future__ import annotations

import os
import shlex
import sys

import click

from dispatch_tmux import DispatchError
from dispatch_tmux.cli import common
from dispatch_tmux.verbs import attach as verb
from dispatch_tmux.verbs.tasks import id_of


@click.command()
@click.argument("task", required=False)
def attach(task: str | None) -> None:
    """Look at TASK live and type to it; without TASK, at the inbox. Ctrl-b d leaves.

    Ctrl-b j: to the next worker that waits. Ctrl-b a: answer what is asked. Ctrl-b D: back to the inbox, window 0.
    Inside another tmux the terminal is handed over, and comes back when you leave.

    \b
    dispatch attach auth
    """
    project = common.project()
    id = None if task is None else id_of(project, task)
    if not common.is_terminal():
        line = shlex.join(["dispatch", "-C", project.root, "attach", *([id] if id else [])])
        raise DispatchError("this is not a terminal", hint=f"in one, run: {line}")
    command = verb.attach(project, id)
    sys.stdout.flush()
    os.execve(command.argv[0], command.argv, dict(command.env))
