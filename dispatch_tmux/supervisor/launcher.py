"""Starting a worker's next attempt: its prompt, its window, and what the launch line there becomes.

tmux runs our launch line (`launch.py`) in the window, which waits for a file that says what to start, and becomes that.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from dispatch_tmux.backends import briefing, command_line, commands, door, sessions
from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.task import State
from dispatch_tmux.store import files, processes, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor.windows import Windows
from dispatch_tmux.supervisor.worker import Worker
from dispatch_tmux.tmux import worker_windows as tmux
from dispatch_tmux.tmux.connection import Connection

HERE = os.path.dirname(os.path.abspath(__file__))
LAUNCH, LAUNCH_SH = os.path.join(HERE, "launch.py"), os.path.join(HERE, "launch.sh")


class _Start(NamedTuple):
    """What an attempt starts, and what is typed as its first message, where the command line does not say that."""

    argv: list[str]
    env: dict[str, str]
    typed: str


class Launcher:
    """Opens windows in the session of CONNECTION for the tasks of PROJECT."""

    def __init__(self, project: Project, connection: Connection, windows: Windows) -> None:
        self._root, self._store = project.root, project.store
        self._connection, self._windows = connection, windows

    def carry_out(self, worker: Worker, rid: str, request: Mapping[str, Any]) -> None:
        """Start what the request RID asks for.

        It stays until the start is on record: it holds the environment for another try after a crash. Raises
        DispatchError when the worker cannot be started.
        """
        task = worker.task
        first = task.attempt == 0 or task.started < task.attempt
        again = int(request.get("attempt", 0)) > task.started  # a retry
        if first or again or (task.state is State.BLOCKED and task.exit_code is not None):
            self.launch(worker, dict(request.get("env") or os.environ), bool(request.get("resume")))
        self._store.drop_request(worker.id, rid)

    def launch(self, worker: Worker, env: dict[str, str], resume: bool = False) -> None:
        """Start the next attempt of WORKER, or the one whose start a crash interrupted; RESUME: in its CLI's session.

        Raises DispatchError when it cannot be started.
        """
        task = worker.task
        following = task.attempt if task.started < task.attempt else task.attempt + 1
        attempt = max(following, task.switch_to)  # a start that failed is not taken up where a new one was asked for
        worker.record.append("starting", f"starting:{attempt}", attempt=attempt, **({"resume": True} if resume else {}))
        if processes.launched(worker.own, attempt):
            self._windows.find()  # it lives: only the record was interrupted
            if worker.sight.pane:
                self._write_started(worker, attempt, worker.sight.pane, "", worker.sight.pid)
            return
        self._windows.close(worker)
        door.clear(worker.dir)
        worker.sight.use(configuration.backend(task.backend))
        start = self._prepare(worker, attempt, env, resume)
        argv = [sys.executable, "-I", "-S", LAUNCH, worker.own, str(attempt)]
        opened = tmux.open_window(
            self._connection.line, self._connection.session, name=worker.id, cwd=task.cwd, argv=argv, task=worker.id
        )
        self._windows.take(worker, opened.pane, opened.pid)
        if start.typed:
            self._request_prompt(worker, attempt, start.typed)
        _tell_launch_line(worker, attempt, opened.pane, start)
        self._write_started(worker, attempt, opened.pane, opened.window, opened.pid)

    def _prepare(self, worker: Worker, attempt: int, env: dict[str, str], resume: bool) -> _Start:
        task, backend = worker.task, worker.backend
        asked = task_file.read(self._store, worker.id)
        session = sessions.of(backend, worker.dir, env) if resume and backend.resume else ""
        prompt = self._prompt(worker, asked, attempt, bool(session))
        if not session:  # that has been told to read it, and may do so again
            self._store.tree(worker.id).replace("prompt.md", text=prompt)
        values = command_line.values_for(
            backend, id=worker.id, task_dir=worker.dir, cwd=task.cwd, prompt=prompt,
            model=str(asked.get("backend_model") or ""), permissions=str(asked.get("permissions") or ""),
            resumes=bool(session),
        )  # fmt: skip
        if session:
            values["session"] = session
        argv, variables = command_line.command_line(backend, values, bool(session))
        own = {"DISPATCH_TASK": worker.id, "DISPATCH_TASK_DIR": worker.dir}
        words = backend.resume if session else backend.argv
        typed = command_line.to_type(backend, prompt, worker.dir, words, bool(session))
        return _Start(argv, command_line.environment(backend, env, variables, own), typed)

    def _request_prompt(self, worker: Worker, attempt: int, text: str) -> None:
        """Have the first prompt typed: one request an attempt, whoever leaves it again after a crash, before all others."""
        began = next((e.t for e in worker.record.events() if e.key == f"starting:{attempt}"), 0.0)
        self._store.request(worker.id, "send", rid=f"{int((began + 0.001) * 1e9):x}-prompt", text=text)

    def _prompt(self, worker: Worker, asked: Mapping[str, Any], attempt: int, resumed: bool) -> str:
        prompt, prefix = str(asked.get("prompt", worker.task.title)), str(asked.get("prefix", ""))
        around = self._around(worker)
        if attempt == 1 or asked.get("fresh") == attempt:
            return briefing.briefing(worker.dir, prompt, prefix, around)
        if resumed:
            return briefing.resumed(worker.dir)
        answers = [(q.text, q.answer) for q in worker.task.questions if q.answer is not None]
        context = self._store.tree(worker.id).read("context.md") or ""
        return briefing.resumption(worker.dir, prompt, context, answers, prefix, around)

    def _around(self, worker: Worker) -> str:
        """Where it works, and what the tasks before it have left."""
        task = worker.task
        others = []
        for id, _ in task.after:
            other = self._store.task(id)
            output = self._store.path(id, "output.md")
            has_output = self._store.tree(id).has("output.md")
            others.append((id, other.state.value, output if has_output else "", other.branch))
        where = briefing.worktree(task.worktree, task.branch, self._root) if task.worktree else ""
        return "\n\n".join(filter(None, [where, briefing.before(others)]))

    def _write_started(self, worker: Worker, attempt: int, pane: str, window: str, pid: int) -> None:
        server = self._connection.server.socket.name
        worker.record.append(
            "started", f"started:{attempt}", attempt=attempt, pane=pane, window=window, pid=pid, server=server
        )
        for q in [q for q in worker.task.questions if not q.closed and attempt > 1]:
            if q.via == "file" and q.answer is not None:
                self._store.tree(worker.id).replace("ipc", f"{q.number}.done", text="")


def _tell_launch_line(worker: Worker, attempt: int, pane: str, start: _Start) -> None:
    """Tell the launch line that waits in PANE what to become, and what to run before."""
    launch = {
        "argv": start.argv, "env": start.env, "cwd": worker.task.cwd, "sh": LAUNCH_SH, "setup": _setup(worker),
    }  # fmt: skip
    files.replace(os.path.join(worker.own, f"launch-{attempt}-{pane.lstrip('%')}.json"), json.dumps(launch))


def _setup(worker: Worker) -> list[str]:
    """The user's command that makes a worktree fit for work."""
    config = configuration.load() if worker.task.worktree else None
    return list(commands.parse(config.worktree.setup).argv) if config and config.worktree.setup else []
