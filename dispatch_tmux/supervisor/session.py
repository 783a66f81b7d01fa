"""A project's tmux session and its supervisor: found, or started."""

from __future__ import annotations

import hashlib
import os
import sys
import time

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError, TmuxError
from dispatch_tmux.store import files
from dispatch_tmux.store.project import Project
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.server import Server, Socket

HERE = os.path.dirname(os.path.abspath(__file__))
START = 15.0  # seconds for the supervisor to come up
SIZE = ("-x", "200", "-y", "50")  # of a session that nobody looks at


def ensure(project: Project) -> None:
    """See that the project has a running supervisor. Raises DispatchError that says what is in the way."""
    store = project.store
    if store.supervised():
        return
    tmux.check()
    store.prepare()
    with _one_at_a_time(os.path.join(store.records, "session.lock")):
        if store.supervised():
            return
        server = server_of(project)
        pane = _start(server, project)
        _wait_for_it(server, project, pane)


def server_of(project: Project) -> Server:
    return Server(Socket(configuration.socket(configuration.load())))


def server_for(project: Project, task: Task) -> Server:
    """The server that TASK's pane is on: ours, or for an adopted one the person's."""
    return Server(Socket(task.server)) if task.adopted and task.server else server_of(project)


def _one_at_a_time(path: str) -> files.Lock:
    return files.Lock(path, lambda: print("another dispatch is starting this session, waiting …", file=sys.stderr))


def _start(server: Server, project: Project) -> str:
    """Open window 0, in the project's session if there is one. Returns the supervisor's pane."""
    session = server.session_of(project.root)
    command = ["--", "sh", os.path.join(HERE, "supervise.sh"), sys.executable, project.root]
    for attempt in range(8):
        if session:
            pane = supervisor_pane(server, session)
            if pane:
                answer = server.cmd("respawn-pane", "-k", "-t", pane, *_environment(), *command)
                answer = answer._replace(lines=(pane,)) if answer.ok else answer
            else:
                where = ("-t", f"{session}:", "-n", "dispatch", "-c", _literal(project.root))
                answer = server.cmd("new-window", "-d", "-P", "-F", "#{pane_id}", *_environment(), *where, *command)
        else:
            answer = _new_session(server, project, command)
        if answer.ok:
            pane = answer.lines[0]
            server.cmd("set-option", "-p", "-t", pane, "@dispatch_supervisor", "1")
            return pane
        time.sleep(0.05 * (attempt + 1))  # right after a kill-server tmux refuses a new one 4 times in 10
        session = server.session_of(project.root)
    raise TmuxError(f"tmux does not start a session: {answer.text}", hint="dispatch doctor")


def _new_session(server: Server, project: Project, command: list[str]) -> tmux.Answer:
    name = project.session_name
    if any(taken == name for taken, _ in server.sessions().values()):
        name += "-" + hashlib.sha256(project.root.encode()).hexdigest()[:6]
    made = ("new-session", "-d", "-P", "-F", "#{pane_id}", "-s", name, "-n", "dispatch", *SIZE)
    tagged = (";", "set-option", "-t", f"={name}:", "@dispatch_project", project.root)
    kept = (";", "set-option", "-t", f"={name}:", "destroy-unattached", "off")
    return server.cmd(*made, *_environment(), "-c", _literal(project.root), *command, *tagged, *kept)


def _environment() -> list[str]:
    """The server may be days old. What the supervisor needs is named; secrets never go this way (`ps` shows it)."""
    names = ("PATH", "HOME", "DISPATCH_CONFIG", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE")
    return [word for name in names if name in os.environ for word in ("-e", f"{name}={os.environ[name]}")]


def _literal(path: str) -> str:
    return path.replace("#", "##")  # tmux expands formats in -c


def supervisor_pane(server: Server, session: str) -> str | None:
    """The pane with the supervisor, and the board, in SESSION."""
    answer = server.cmd("list-panes", "-s", "-t", session, "-F", "#{pane_id} #{@dispatch_supervisor}")
    return next((line.split(" ")[0] for line in answer.lines if answer.ok and line.endswith(" 1")), None)


def _wait_for_it(server: Server, project: Project, pane: str) -> None:
    end = time.monotonic() + START
    while not project.store.supervised():
        if time.monotonic() > end:
            seen = server.cmd("capture-pane", "-p", "-t", pane).text.strip().splitlines()
            said = seen[-1] if seen else "it says nothing"
            raise DispatchError(f"the supervisor does not start: {said}", hint="dispatch doctor")
        time.sleep(0.005)
