"""`attach`: a person's terminal in front of a worker."""

from __future__ import annotations

import os

from dispatch_tmux.core import notices
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import face, session
from dispatch_tmux.tmux import client, windows
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.client import Command
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which


def attach(project: Project, which: Which | None = None) -> Command:
    """Select the task's window (without WHICH the inbox's, window 0), and return the command that shows it in a terminal.

    Run it with its own environment, as in `subprocess.run(command.argv, env=command.env)`; inside another tmux the
    terminal is handed over, and comes back. Raises DispatchError when there is no such window.
    """
    tmux.check()
    task = tasks.task_of(project, which) if which is not None else None
    if task and task.adopted:
        there = client.by_hand(session.server_for(project, task), task.pane)
        raise DispatchError(f"{task.id} is in a tmux of your own", hint=there)
    server = session.server_of(project)
    started = False
    try:
        started = session.ensure(project)
    except DispatchError as e:  # who wants to look may do so where nobody can supervise, and is told
        if server.session_of(project.root) is None:
            raise
        notices.say(f"nobody supervises: {e}")
    found = server.session_of(project.root)
    if started and found:
        session.until_connected(server, found)
    if task:
        pane = windows.facts(server, task.pane) if task.pane else None
        target = pane.pane if pane and pane.task == task.id else None  # wherever it was moved
    else:
        target = face.ensure(server, found, project) if found else None
    if found is None or target is None:
        raise DispatchError(
            f"{task.id if task else project.root} no longer has a window",
            hint=f"`dispatch screen {task.id}` shows its last screen" if task else "",
        )
    return client.show(server, target, found)


def leave(project: Project) -> bool:
    """Let the person's terminal go that shows the window which we run in, as the inbox in window 0 does; False where none does."""
    pane = os.environ.get("TMUX_PANE", "")
    return bool(pane) and client.leave(session.server_of(project), pane)
