"""Looking at the one pane of an adopted task, from outside: it lies in a tmux server of the person's."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import TmuxError
from dispatch_tmux.store import files, processes
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux import worker_windows
from dispatch_tmux.tmux.server import Answer, Server, Socket

EVERY = 0.5  # seconds between two looks


class Foreign:
    """A line to the one pane of an adopted task; CHANGED is called, in a thread, when it looks different or has gone."""

    def __init__(self, own: str, task: Task, changed: Callable[[], None]) -> None:
        self._server, self._pane, self._dir, self._changed = Server(Socket(task.server)), task.pane, own, changed
        self._process = processes.launched(own, 1)
        self.closed = threading.Event()
        threading.Thread(target=self._watch, name=f"adopted-{task.id}", daemon=True).start()

    def cmd(self, *command: str, blocks: int = 1, deadline: float = tmux.DEADLINE) -> Answer:
        return self._server.cmd(*command, deadline=deadline)

    def cmds(self, commands: list[tuple[str, ...]], deadline: float = tmux.DEADLINE) -> list[Answer]:
        return [self.cmd(*command, deadline=deadline) for command in commands]

    def close(self) -> None:
        self.closed.set()

    def _watch(self) -> None:
        before = 0
        while not self.closed.wait(EVERY):
            if os.path.exists(os.path.join(self._dir, "exit")) or not os.path.isdir(self._dir):
                break
            if not processes.alive(self._process):
                files.replace(os.path.join(self._dir, "exit"), "1 0\n")  # how it ended only its own shell knows
                break
            try:
                shot = worker_windows.appearance(self, self._pane)
            except TmuxError:
                continue
            now = zlib.crc32(shot.encode()) if shot is not None else -1
            if now != before:
                before = now
                self._changed()
        self.closed.set()
        self._changed()
