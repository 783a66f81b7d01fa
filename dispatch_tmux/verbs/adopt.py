"""Taking a CLI that a person runs in their own tmux under supervision, and giving it back.

Its pane stays where it is, untouched: it is looked at twice a second from outside. It has no plan, so it is working, waiting
or idle, and done when its program ends.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.core import task as tasks
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, processes
from dispatch_tmux.store.store import Store
from dispatch_tmux.tmux import tty as terminal
from dispatch_tmux.tmux.server import Server, Socket

_FACTS = "#{socket_path}\t#{pane_id}\t#{pane_pid}\t#{pane_tty}\t#{@dispatch_task}\t#{pane_dead}\t#{pane_current_path}"


class Found(NamedTuple):
    """A pane of the person's: its server, its first process, and the program that runs in it."""

    socket: str
    pane: str
    pid: int
    program: int
    argv: tuple[str, ...]
    cwd: str


def find(target: str, socket: str = "") -> Found:
    """The pane TARGET (`%5`, `work:2.1`) on the tmux that we are in, the person's default one, or SOCKET.

    Raises DispatchError when there is none, or nothing runs in it but a shell.
    """
    server = Server(Socket(socket or os.environ.get("TMUX", "").split(",")[0] or "default"))
    answer = server.cmd("display-message", "-p", "-t", target, _FACTS)
    facts = answer.text.split("\t")
    if not answer.ok or len(facts) != 7 or not facts[1] or not facts[2].isdigit():
        raise DispatchError(
            f"there is no pane {target!r} on that tmux server",
            hint="tmux list-panes -a lists them; --socket names another server",
        )
    path, pane, pid, tty, tag, dead, cwd = facts
    if tag:
        raise DispatchError(f"{pane} is the window of the task {tag}")
    program = None if dead == "1" else terminal.program(tty, int(pid))
    if program is None:
        raise DispatchError(f"no agent runs in {pane}, only a shell", hint="start it there first")
    return Found(path, pane, int(pid), program[0], tuple(program[1]), cwd)


def backend_of(argv: Sequence[str], executables: dict[str, str]) -> str:
    """The backend whose executable (EXECUTABLES: backend → its name) ARGV runs, directly or through its interpreter; ''."""
    words = {os.path.basename(word).removesuffix(".js") for word in argv[:3]}
    return next((name for name, executable in executables.items() if os.path.basename(executable) in words), "")


def adopt(store: Store, found: Found, backend: str, wanted: str) -> Task:
    """Make a task of FOUND; the supervisor takes it up from there."""
    store.prepare()
    for id in store.ids():
        other = store.task(id)
        if other.adopted and not other.ended and (other.server, other.pane) == (found.socket, found.pane):
            raise DispatchError(f"{found.pane} is the task {id} already", hint=f"dispatch release {id} gives it back")
    id = tasks.task_id(wanted) if wanted else tasks.slug(f"{backend} {os.path.basename(found.cwd)}", store.ids())
    if not store.claim(id):
        raise DispatchError(f"there is a task {id!r} already", hint="choose another --id")
    title = f"{backend} in {found.cwd}, adopted"
    files.replace(store.path(id, "plan.md"), f"# {title}\n")
    files.replace(store.own(id, "process-1"), f"{found.program} {processes.started(found.program)}\n")
    store.append(
        id, "created", "created", title=title, model=backend, backend=backend, cwd=found.cwd, marks="", adopted=True
    )
    store.append(id, "starting", "starting:1", attempt=1)
    store.append(id, "started", "started:1", attempt=1, pane=found.pane, window="", pid=found.pid, server=found.socket)
    return store.task(id)


def release(store: Store, task: Task) -> None:
    """Give an adopted CLI back: nobody looks at it any more. Raises DispatchError for what is not adopted."""
    if not task.adopted:
        raise DispatchError(f"{task.id} was not adopted", hint=f"dispatch stop {task.id} ends it")
    if task.ended:
        raise DispatchError(f"{task.id} is over: {task.why or task.state.value}")
    for q in task.open_questions:
        store.append(task.id, "closed", f"closed:{q.id}", q=q.id, how="left")
    store.append(task.id, "released", "released")
