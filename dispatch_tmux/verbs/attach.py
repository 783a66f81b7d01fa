"""Putting a person's terminal in front of a worker."""

from __future__ import annotations

import os
import shlex

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux import session as tmux_session
from dispatch_tmux.tmux.server import Server, Socket


def attach(project: Project, id: str | None) -> list[str]:
    """Select the window of task ID (None: the board) and return the command line that shows it.

    Raises DispatchError when there is no such window.
    """
    if id and project.store.task(id).adopted:
        task = project.store.task(id)
        raise DispatchError(
            f"{id} runs in a tmux of your own", hint=f"tmux -S {task.server} select-window -t {task.pane}"
        )
    server = session.server_of(project)
    found = server.session_of(project.root)
    if found is None:
        session.ensure(project)
        found = server.session_of(project.root)
    where = _window(project, server, id) if id else found and tmux_session.supervisor_pane(server, found)
    if found is None or where is None:
        raise DispatchError(
            f"{id or project.root} has no window any more",
            hint=f"dispatch screen {id} shows its last screen" if id else "",
        )
    inside = os.environ.get("TMUX", "")
    ours = server.cmd("display-message", "-p", "#{socket_path}").text
    server.cmd("select-window", "-t", where)
    home = server.cmd("display-message", "-p", "-t", where, "#{session_id}").text or found
    attach_argv = server.socket.argv("attach-session", "-t", home)
    if not inside:
        return attach_argv
    outer = inside.split(",")[0]
    if os.path.realpath(outer) == os.path.realpath(ours):
        return server.socket.argv("switch-client", "-t", home)
    return _handed_over(Socket(outer), attach_argv)


def _window(project: Project, server: Server, id: str | None) -> str | None:
    """The window in which the task's pane is now, wherever it was moved."""
    pane = project.store.task(str(id)).pane
    answer = server.cmd("display-message", "-p", "-t", pane, "#{@dispatch_task} #{window_id}") if pane else None
    tag, _, window = answer.text.partition(" ") if answer and answer.ok else ("", "", "")
    return window if tag == id and window else None


def _handed_over(outer: Socket, attach_argv: list[str]) -> list[str]:
    """The outer client gives its terminal to our attach, and attaches again when that ends."""
    pane = os.environ.get("TMUX_PANE", "")
    back = tmux.run(outer, "display-message", "-p", "-t", pane, "#{session_id}").text
    again = [tmux.binary(), "-u", "-S", outer.name, "attach-session", "-t", back]
    command = f"env -u TMUX -u TMUX_PANE {shlex.join(attach_argv)}; exec env -u TMUX {shlex.join(again)}"
    return [tmux.binary(), "-u", "-S", outer.name, "detach-client", "-E", command]
