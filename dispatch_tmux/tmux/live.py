"""Following one pane from outside: tmux tells at once when its program writes, and one round trip shows what it looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.tmux import windows, worker_windows
from dispatch_tmux.tmux.control import Control, Notice
from dispatch_tmux.tmux.server import Server

_FACTS = "#{pane_id}\t#{@dispatch_task}\t#{pane_pid}\t#{pane_dead}\t#{pane_width}\t#{pane_height}"


class Sight(NamedTuple):
    """A pane at this moment: its text with colours as SGR escapes, whose it is, its first process, its size in cells."""

    text: str
    task: str
    pid: int
    dead: bool
    size: tuple[int, int]


class Follower:
    """Tells of what one pane of SERVER writes: CHANGED is called in a thread of its own, and must be quick.

    The connection is a control client without a size of its own: no window changes for it. While nothing is followed
    there is none.
    """

    def __init__(self, server: Server, changed: Callable[[], None]) -> None:
        self._server, self._changed = server, changed
        self._control: Control | None = None
        self._session = self._pane = ""
        self._paused = False

    @property
    def hears(self) -> bool:
        """Whether tmux tells us; else only looking again helps."""
        return self._control is not None and not self._control.closed.is_set()

    def look(self, pane: str) -> Sight | None:
        """What PANE shows now; it is followed from here on. None when it is not there. Raises TmuxError without an answer."""
        if pane != self._pane or not self.hears:
            self._follow(pane)
        if self._paused and self._control:
            self._paused = False
            worker_windows.go_on(self._control, pane)
        commands: list[tuple[str, ...]] = [
            ("display-message", "-p", "-t", pane, _FACTS),
            ("capture-pane", "-p", "-e", "-t", pane),
        ]
        if self._control and self.hears:
            facts, shot = self._control.cmds(commands)
        else:
            facts, shot = (self._server.cmd(*command) for command in commands)
        words = facts.text.split("\t")
        if not (facts.ok and shot.ok) or len(words) != 6 or words[0] != pane:
            return None
        _, task, pid, dead, width, height = words
        return Sight(shot.text, task, int(pid or 0), dead == "1", (int(width), int(height)))

    def close(self) -> None:
        """Follow nothing. It is not muted instead: what tmux 3.3a holds for a client then stands before its answers for good."""
        self._pane = ""
        if self._control:
            self._control.close()
            self._control = None

    def _follow(self, pane: str) -> None:
        found = windows.facts(self._server, pane)
        if found is None:
            return
        if not self.hears or found.session != self._session:
            self.close()
            try:
                self._control = Control(self._server.socket, found.session, self._hear)
            except TmuxError:  # it lets no control client in: whoever asks looks again after a while
                return
            self._session = found.session
        self._pane = pane

    def _hear(self, notice: Notice) -> None:
        """Called in the reader's thread: of the output of all panes of the session only ours counts."""
        if notice.kind == "output":
            if notice.target == self._pane:
                self._changed()
        elif notice.kind == "paused":
            self._paused = self._paused or notice.target == self._pane
            self._changed()
        elif notice.kind in ("resized", "windows", "closed"):
            self._changed()
