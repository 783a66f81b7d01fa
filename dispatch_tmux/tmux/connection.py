"""The supervisor's line to tmux: the control connection, or, where tmux lets no control client in, asking once a second.

Both have `cmd`, `cmds`, `closed` and `close`, and tell the same notices.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable
from typing import Protocol

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.tmux import lost_socket
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.control import Control, Notice
from dispatch_tmux.tmux.server import Answer, Server, Tmux

FACTS = "#{pane_dead},#{pane_in_mode},#{pane_title}"
EVERY = 1.0  # seconds between two looks of the fallback


class Line(Tmux, Protocol):
    """What the supervisor needs of tmux."""

    closed: threading.Event

    def cmd(self, *command: str, blocks: int = 1, deadline: float = tmux.DEADLINE) -> Answer: ...
    def cmds(self, commands: list[tuple[str, ...]], deadline: float = tmux.DEADLINE) -> list[Answer]: ...
    def close(self) -> None: ...


def connect(server: Server, session: str, heard: Callable[[Notice], None]) -> Line:
    """The best line there is. Raises TmuxError when tmux does not answer at all."""
    lost_socket.recover(server.socket.path)
    try:
        control = Control(server.socket, session, heard)
    except TmuxError:
        if not server.running():
            raise
        return Polling(server, session, heard)
    control.cmd("refresh-client", "-B", f"facts:%*:{FACTS}")
    return control


class Connection:
    """The supervisor's line to its own SESSION: `line`, there once it is open. HEARD: see `Control`."""

    line: Line

    def __init__(self, server: Server, session: str, heard: Callable[[Notice], None]) -> None:
        self.server, self.session, self._heard = server, session, heard

    def open(self) -> None:
        """Connect, or connect again: `line` is another one then. Raises TmuxError when tmux does not answer at all."""
        self.line = connect(self.server, self.session, self._heard)


class Polling:
    """The fallback: one tmux client a second for all panes. Sees what panes show, not the bytes they write."""

    def __init__(self, server: Server, session: str, heard: Callable[[Notice], None]) -> None:
        self._server, self._session, self._heard = server, session, heard
        self._seen: dict[str, tuple[str, int]] = {}
        self.closed = threading.Event()
        threading.Thread(target=self._poll, name="tmux-polling", daemon=True).start()

    def cmd(self, *command: str, blocks: int = 1, deadline: float = tmux.DEADLINE) -> Answer:
        return self._server.cmd(*command, deadline=deadline)

    def cmds(self, commands: list[tuple[str, ...]], deadline: float = tmux.DEADLINE) -> list[Answer]:
        return [self.cmd(*command, deadline=deadline) for command in commands]

    def close(self) -> None:
        self.closed.set()

    def _poll(self) -> None:
        while not self.closed.wait(EVERY):
            try:
                if not self._look():
                    break
            except TmuxError:
                continue  # no answer is not "gone": ask again
        self.closed.set()
        self._heard(Notice("closed"))

    def _look(self) -> bool:
        """Tell what changed; False when the session is gone."""
        listed = self.cmd("list-panes", "-s", "-t", self._session, "-F", f"#{{pane_id}} {FACTS}")
        if not listed.ok:
            return False
        facts = dict(line.split(" ", 1) for line in listed.lines)
        if facts.keys() != self._seen.keys():
            self._heard(Notice("windows"))
        shots = self._shots(list(facts))
        for pane, fact in facts.items():
            before = self._seen.get(pane, ("", 0))
            if fact != before[0]:
                self._heard(Notice("value", pane, "facts", fact))
            if shots.get(pane) != before[1]:
                self._heard(Notice("output", pane))
        self._seen = {pane: (fact, shots.get(pane, 0)) for pane, fact in facts.items()}
        return True

    def _shots(self, panes: list[str]) -> dict[str, int]:
        """A checksum of each pane's screen, all in one tmux client."""
        mark = f"dispatch-pane {os.urandom(8).hex()} "  # that no screen has
        commands: list[str] = []
        for pane in panes:  # its id comes from tmux: in `%5` as a text it would see a time's format
            commands += ["display-message", "-p", "-t", pane, mark + "#{pane_id}", ";"]
            commands += ["capture-pane", "-p", "-t", pane, ";"]
        text = "\n".join(self.cmd(*commands[:-1]).lines) if commands else ""
        parts = (part.split("\n", 1) for part in text.split(mark)[1:])
        return {part[0]: zlib.crc32(part[-1].encode()) for part in parts}
