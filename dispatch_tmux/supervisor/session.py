"""A project's tmux session and its supervisor: found, or started. The supervisor runs beside the session, in no window."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import notices
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError, TmuxError
from dispatch_tmux.store import bell, files, log, processes, watchman
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import sandbox
from dispatch_tmux.tmux import lost_socket
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux import session as tmux_session
from dispatch_tmux.tmux.server import Server, Socket

T = TypeVar("T")
CHECK = 1.0  # seconds between looks at whether there still is a supervisor
CONNECTS = 2.0  # seconds for its connection, once it is there
START = 15.0  # seconds for the supervisor to come up
TRIES = 8  # right after a kill-server tmux refuses a new one 4 times in 10


def ensure(project: Project) -> bool:
    """See that the project has a running supervisor; whether one was started. Raises DispatchError that says what is in the way."""
    store = project.store
    if _is_supervised(store):
        return False
    sandbox.refuse()
    tmux.check()
    store.prepare()
    with _one_at_a_time(os.path.join(store.records, "session.lock")):
        if store.supervised():
            return False
        server = server_of(project)
        # else a second server begins, and the first one's workers count as gone
        lost_socket.recover(server.socket.path)
        _replace_one_that_is_no_use(server, project)
        start(server, project)
        _wait_for_it(project)
    return True


def _is_supervised(store: Store) -> bool:
    """Whether a supervisor is at it, and we can leave requests for it. Raises DispatchError in a sandbox where we cannot."""
    try:
        if not store.supervised():
            return False
    except DispatchError:  # its lock cannot be opened for writing
        sandbox.refuse()
        raise
    if not os.access(store.records_dir, os.W_OK):
        sandbox.refuse()
    return True


def until(project: Project, found: Callable[[], T | None], seconds: float) -> T | None:
    """What FOUND() finds, asked anew whenever a journal grows; None after SECONDS.

    Who is to bring it about may end meanwhile, with the tmux server for one: another supervisor is started then. Raises
    DispatchError that says what is in its way.
    """
    look = time.monotonic() + CHECK

    def asked() -> T | None:
        nonlocal look
        if (value := found()) is None and time.monotonic() > look:
            ensure(project)
            look = time.monotonic() + CHECK
        return value

    return bell.until(project.store, asked, seconds)


def _replace_one_that_is_no_use(server: Server, project: Project) -> None:
    """End a supervisor that hangs, is stopped or was left behind by a move, and say so. What it knew is on disk."""
    end = time.monotonic() + watchman.BEAT + 0.5  # after a sleep of the machine it may only be about to give its sign
    while (
        (found := project.store.watchman()) and found.trouble.startswith("has given no sign") and time.monotonic() < end
    ):
        time.sleep(0.05)
    if found is None or not found.trouble:
        return
    notices.say(f"the supervisor {found.trouble}; another one takes over")
    session = server.session_of(found.root) if found.root else None
    if session and found.root != project.root:
        tmux_session.tag_project(server, session, project.root)
    processes.kill(found.pid)
    until = time.monotonic() + START
    while files.is_locked(project.store.lock_path) and time.monotonic() < until:
        again = project.store.watchman()
        if again and not again.trouble:
            return  # its own loop has started it again
        time.sleep(0.01)


def server_of(project: Project) -> Server:
    """The tmux server that the workers of PROJECT are on, by the configuration."""
    return Server(Socket(configuration.socket(configuration.load())))


def server_for(project: Project, task: Task) -> Server:
    """The server that TASK's pane is on: ours, or for an adopted one the person's."""
    return Server(Socket(task.server)) if task.adopted and task.server else server_of(project)


def _one_at_a_time(path: str) -> files.Lock:
    return files.Lock(path, lambda: notices.say("another dispatch is starting this session, waiting …"))


def start(server: Server, project: Project) -> None:
    """Run the supervisor, beside the project's session if there is one, and see that this has a window 0."""
    from dispatch_tmux.supervisor import face  # late: it loads pexpect, which most verbs never need

    programs = face.programs(project)
    for attempt in range(TRIES):
        session = server.session_of(project.root)
        answer = (
            tmux_session.supervise(server, session, programs)
            if session
            else tmux_session.start(server, _free_name(server, project), programs)
        )
        if answer.ok:
            if session:
                face.ensure(server, session, project, old_is_over=True)
            return
        time.sleep(0.05 * (attempt + 1))
    raise TmuxError(f"tmux does not start a session: {answer.text}", hint="dispatch doctor")


def _free_name(server: Server, project: Project) -> str:
    name = project.session_name
    if any(taken == name for taken, _ in server.sessions().values()):
        import hashlib  # two projects of one name are rare

        name += "-" + hashlib.sha256(project.root.encode()).hexdigest()[:6]
    return name


def until_connected(server: Server, session: str) -> None:
    """Wait, for a moment, until a supervisor that was just started has its connection to SESSION.

    tmux 3.3a crashes when a window is selected while a control client is saying who it is.
    """
    end = time.monotonic() + CONNECTS
    while not tmux_session.is_followed(server, session) and time.monotonic() < end:
        time.sleep(0.01)


def _wait_for_it(project: Project) -> None:
    end = time.monotonic() + START
    while not project.store.supervised():
        if time.monotonic() > end:
            said = log.last_line(project.store.log_path) or "it says nothing"
            raise DispatchError(f"the supervisor does not start: {said}", hint="dispatch doctor")
        time.sleep(0.005)
