"""The control-mode connection: one tmux client on a pty, driven with pexpect, through which tmux *pushes* all it knows.

tmux(1), CONTROL MODE: a command is answered by a block `%begin … %end|%error`; between blocks come notifications.
`-CC` on a pty, since plain `-C` on a pty cuts commands at 4 KB.
"""

from __future__ import annotations

import threading
from codecs import escape_decode  # octal escapes to bytes, in C
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import pexpect

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.server import Answer, Socket

PAUSE_AFTER = 5  # seconds that tmux holds output for a stalled reader before it pauses the pane (never the worker)


class Notice(NamedTuple):
    """Something tmux told by itself.

    output, value (a subscription), paused, windows (opened or closed), resized, looked (somebody looks at another
    window), closed.
    """

    kind: str
    target: str = ""  # a pane id (output, paused, value), a session id (looked) or a window id
    name: str = ""  # the subscription's
    text: str = ""
    data: bytes = b""  # as on the wire; `raw` decodes it


class _Waiting:
    """A command on its way: how many blocks its answer has, and what came so far."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self.lines: list[bytes] = []
        self.ok = True
        self.answered = threading.Event()


def raw(data: bytes) -> bytes:
    """A pane's output as the program wrote it; on the wire control bytes and backslashes are octal (`\\033`)."""
    return bytes(escape_decode(data)[0])


def quoted(argument: str) -> str:
    """ARGUMENT for tmux's command parser. Lines end commands there, so a line break is refused."""
    if "\n" in argument or "\r" in argument or "\0" in argument:
        raise TmuxError("a tmux argument cannot hold a line break")
    return "'" + argument.replace("'", "'\\''") + "'"


class Control:
    """An open connection to the session SESSION on SOCKET. `heard` is called in the reader's thread, and must be quick.

    MUTE: no output is told until `refresh-client -f '!no-output'`. Raises TmuxError when tmux does not let a control
    client in (a wedged server answers `%exit` at once).
    """

    def __init__(self, socket: Socket, session: str, heard: Callable[[Notice], None], *, mute: bool = False) -> None:
        self._heard = heard
        self._waiting: deque[_Waiting] = deque()
        self._sending = threading.Lock()
        self._block: list[bytes] | None = None
        self._guard = (
            b""  # time, number and flags of the open block: a worker's screen may hold lines that look like %end
        )
        self._ready = threading.Event()
        self.closed = threading.Event()
        flags = f"ignore-size,pause-after={PAUSE_AFTER}" + (",no-output" if mute else "")
        argv = socket.argv("-CC", "attach-session", "-t", session, "-f", flags)
        client: Any = pexpect.spawn(  # its stubs know half of it
            argv[0],
            argv[1:],
            env=dict(tmux.environment()),
            maxread=65536,
            timeout=None,
            use_poll=True,
            dimensions=(50, 200),
        )
        client.delaybeforesend = None
        client.delayafterclose = client.delayafterterminate = 0.01
        client.ptyproc.delayafterclose = client.ptyproc.delayafterterminate = 0.01
        self._client = client
        threading.Thread(target=self._read, name="tmux-control", daemon=True).start()
        if not self._ready.wait(tmux.DEADLINE) or self.closed.is_set():
            self.close()
            raise TmuxError("tmux refuses control clients", hint="dispatch falls back to asking tmux once a second")

    def cmd(self, *command: str, blocks: int = 1, deadline: float = tmux.DEADLINE) -> Answer:
        """Run one tmux command, from any thread. BLOCKS: how many the answer has (`if-shell` answers with two)."""
        (waiting,) = self._start([command], blocks)
        return self._finish(waiting, command, deadline)

    def cmds(self, commands: list[tuple[str, ...]], deadline: float = tmux.DEADLINE) -> list[Answer]:
        """Run several commands on one round trip."""
        started = self._start(commands, 1)
        return [self._finish(waiting, command, deadline) for waiting, command in zip(started, commands, strict=True)]

    def _start(self, commands: list[tuple[str, ...]], blocks: int) -> list[_Waiting]:
        """Send COMMANDS, all in one write, each of which is answered with so many BLOCKS."""
        lines = [
            command[0] + "".join(" " + quoted(argument) for argument in command[1:]) + "\n" for command in commands
        ]
        waiting = [_Waiting(blocks) for _ in commands]
        with self._sending:
            if self.closed.is_set():
                raise TmuxError("the control connection is closed")
            self._waiting.extend(waiting)
            try:
                self._client.send("".join(lines))
            except OSError as e:
                raise TmuxError("the control connection is closed") from e
        return waiting

    def _finish(self, waiting: _Waiting, command: tuple[str, ...], deadline: float) -> Answer:
        if not waiting.answered.wait(deadline):
            raise TmuxError(f"tmux does not answer (waited {deadline:g} s for {command[0]})")
        if self.closed.is_set() and waiting.blocks > 0:
            raise TmuxError("the control connection is closed")
        return Answer(waiting.ok, tuple(line.decode("utf-8", "replace") for line in waiting.lines))

    def close(self) -> None:
        """Leave; the session and its windows stay."""
        self.closed.set()
        try:
            self._client.close(force=True)
        except (OSError, pexpect.ExceptionPexpect):
            pass
        self._fail_waiters()

    # --- the reader's thread

    def _read(self) -> None:
        rest = b""
        try:
            while True:
                rest += self._client.read_nonblocking(65536, timeout=None)
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    self._take(line.rstrip(b"\r"))
        except (pexpect.EOF, OSError, ValueError):
            pass
        finally:
            self.closed.set()
            self._ready.set()
            self._fail_waiters()
            self._heard(Notice("closed"))

    def _fail_waiters(self) -> None:
        with self._sending:
            while self._waiting:
                self._waiting.popleft().answered.set()

    def _take(self, line: bytes) -> None:
        if self._block is not None:
            if line in (b"%end " + self._guard, b"%error " + self._guard):
                self._end_block(line, self._guard.endswith(b" 1"))
            else:
                self._block.append(line)
        elif line.startswith(b"%extended-output "):
            head, _, data = line.partition(b" : ")
            self._heard(Notice("output", head.split(b" ", 2)[1].decode(), data=data))
        elif line.startswith((b"%begin ", b"\x1bP1000p%begin ")):
            self._block, self._guard = [], line.partition(b"%begin ")[2]
        else:
            self._notify(line)

    def _end_block(self, line: bytes, ours: bool) -> None:
        lines, self._block = self._block or [], None
        if not self._ready.is_set() and line.startswith(b"%error"):
            self.closed.set()  # that was the answer to our attaching; `%exit` is on its way
        self._ready.set()
        if not ours or not self._waiting:
            return
        waiting = self._waiting[0]
        waiting.lines += lines
        waiting.ok = waiting.ok and line.startswith(b"%end")
        waiting.blocks -= 1
        if waiting.blocks <= 0 or not waiting.ok:
            waiting.blocks = 0
            self._waiting.popleft()
            waiting.answered.set()

    def _notify(self, line: bytes) -> None:
        kind, _, rest = line.decode("utf-8", "replace").partition(" ")
        if kind == "%output":
            pane, _, data = line[8:].partition(b" ")
            self._heard(Notice("output", pane.decode(), data=data))
        elif kind == "%subscription-changed":  # NAME $session @window index %pane : value
            head, _, value = rest.partition(" : ")
            words = head.split(" ")
            if len(words) >= 5:
                target = words[4] if words[4].startswith("%") else words[2]
                self._heard(Notice("value", target, words[0], value))
        elif kind == "%pause":
            self._heard(Notice("paused", rest.strip()))
        elif kind in ("%window-add", "%window-close", "%unlinked-window-close", "%window-pane-changed"):
            self._heard(Notice("windows", rest.split(" ")[0]))
        elif kind == "%layout-change":
            self._heard(Notice("resized", rest.split(" ")[0]))
        elif kind == "%session-window-changed":
            self._heard(Notice("looked", rest.split(" ")[0]))
        elif kind == "%client-session-changed":  # CLIENT $session NAME; the client may be called anything
            self._heard(Notice("looked", next((word for word in rest.split(" ") if word.startswith("$")), "")))
        elif kind == "%exit":
            self.closed.set()
