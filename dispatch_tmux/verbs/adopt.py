"""`adopt` and `release`: taking a CLI that a person runs in their own tmux under supervision, and giving it back.

Its pane stays where it is, untouched: it is looked at twice a second from outside. It has no plan, so it is working, waiting
or idle, and done when its program ends.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.core import task as names
from dispatch_tmux.core.task import Task
from dispatch_tmux.core.text import line
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.models.choose import Shop
from dispatch_tmux.store import files, processes
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import session
from dispatch_tmux.tmux import tty, windows
from dispatch_tmux.tmux.server import Server, Socket
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which


class Found(NamedTuple):
    """A pane of the person's: its server, its first process, and the program that runs in it."""

    socket: str
    pane: str
    pid: int
    program: int
    argv: tuple[str, ...]
    cwd: str


def adopt(project: Project, pane: str, *, id: str = "", backend: str = "", socket: str = "") -> Task:
    """Make a task of the agent CLI in PANE ("%5", "work:2.1") of a tmux of your own; the supervisor looks after it.

    That tmux is the one that we are in, else your default one, or SOCKET (a path or a name). BACKEND is found out by the
    program's command line. Raises DispatchError when there is no such pane, or no known agent runs in it.
    """
    found = find(pane, socket)
    shop = Shop()
    executables = {name: shop.backend(name).executable for name in shop.names if name not in ("command", "demo")}
    backend = backend or backend_of(found.argv, executables)
    if not backend:
        said = line(" ".join(found.argv), 80)
        raise DispatchError(f"no backend is known for {said!r}", hint="--backend NAME says which it is")
    shop.backend(backend)
    session.ensure(project)
    return _made(project.store, found, backend, id)


def release(project: Project, which: Which) -> Task:
    """Give an adopted CLI back: it goes on, and nobody looks at it. Raises DispatchError for what is not adopted."""
    task, store = tasks.task_of(project, which), project.store
    if not task.adopted:
        raise DispatchError(f"{task.id} was not adopted", hint=f"`dispatch stop {task.id}` ends it")
    if task.ended:
        raise DispatchError(f"{task.id} is over: {task.why or task.state.value}")
    for q in task.open_questions:
        store.append(task.id, "closed", f"closed:{q.id}", q=q.id, how="left")
    store.append(task.id, "released", "released")
    return store.task(task.id)


def find(target: str, socket: str = "") -> Found:
    """The pane TARGET on the tmux that we are in, the person's default one, or SOCKET.

    Raises DispatchError when there is none, or nothing runs in it but a shell.
    """
    server = Server(Socket(socket or os.environ.get("TMUX", "").split(",")[0] or "default"))
    seen = windows.facts(server, target)
    if seen is None:
        raise DispatchError(
            f"there is no pane {target!r} on that tmux server",
            hint=f"`{windows.LISTED_BY}` lists them; --socket names another server",
        )
    if seen.task:
        raise DispatchError(f"{seen.pane} is the window of the task {seen.task}")
    program = None if seen.dead else tty.program(seen.tty, seen.pid)
    if program is None:
        raise DispatchError(f"no agent runs in {seen.pane}, only a shell", hint="start it there first")
    return Found(seen.socket, seen.pane, seen.pid, program[0], tuple(program[1]), seen.cwd)


def backend_of(argv: Sequence[str], executables: dict[str, str]) -> str:
    """The backend whose executable (EXECUTABLES: backend → its name) ARGV runs, directly or through its interpreter; ''."""
    words = {os.path.basename(word).removesuffix(".js") for word in argv[:3]}
    return next((name for name, executable in executables.items() if os.path.basename(executable) in words), "")


def _made(store: Store, found: Found, backend: str, wanted: str) -> Task:
    """The task of FOUND; the supervisor takes it up from there."""
    store.prepare()
    for id in store.ids():
        other = store.task(id)
        if other.adopted and not other.ended and (other.server, other.pane) == (found.socket, found.pane):
            raise DispatchError(f"{found.pane} is the task {id} already", hint=f"`dispatch release {id}` gives it back")
    id = names.task_id(wanted) if wanted else names.slug(f"{backend} {os.path.basename(found.cwd)}", store.ids())
    if not store.claim(id):
        raise DispatchError(f"there is a task {id!r} already", hint="choose another --id")
    title = f"{backend} in {found.cwd}, adopted"
    store.tree(id).replace("plan.md", text=f"# {title}\n")
    files.replace(store.own(id, "process-1"), f"{found.program} {processes.started(found.program)}\n")
    store.append(
        id, "created", "created", title=title, model=backend, backend=backend, cwd=found.cwd, marks="", adopted=True
    )
    store.append(id, "starting", "starting:1", attempt=1)
    store.append(id, "started", "started:1", attempt=1, pane=found.pane, window="", pid=found.pid, server=found.socket)
    return store.task(id)
