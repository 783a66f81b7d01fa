"""`PaneSpawn`: pexpect on a live tmux pane, while a person may be attached to it.

    >>> from dispatch_tmux.tmux.pane import PaneSpawn
    >>> with PaneSpawn("%3", socket=Socket("mine")) as pane:   # or a libtmux.Pane
    ...     pane.sendline("2 + 2")
    ...     pane.expect(r"\\n4")

Reads begin with what the pane shows, and go on with what tmux pushes of its output; writes are typed into the pane. The
program runs under tmux, not under us: closing a PaneSpawn leaves it alone.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pexpect.exceptions import EOF, TIMEOUT
from pexpect.spawnbase import SpawnBase

from dispatch_tmux.core.text import columns
from dispatch_tmux.errors import PaneGone, TmuxError
from dispatch_tmux.tmux import buffers
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.control import Control, Notice, raw
from dispatch_tmux.tmux.server import PaneId, Socket, pane_id

if TYPE_CHECKING:
    from dispatch_tmux.tmux.connection import Line

KEPT = 256 * 1024  # bytes of unread output kept; pexpect itself would keep all
MOST_KEYS = 2000  # characters in one send-keys; its -H form fails from 10 000 bytes on
ABOVE = ("-S", "-50")  # with rows that have scrolled away: what a line that wrapped can reach up into
_FACTS = "#{cursor_x},#{cursor_y},#{pane_dead},#{pane_in_mode},#{pane_width},#{pane_height},#{pane_tty},#{pane_title}"


class Rendered(NamedTuple):
    """A pane as a person sees it. `text` has colours as SGR escapes; the cursor counts from 0, 0."""

    text: str
    cursor: tuple[int, int]
    dead: bool
    in_mode: bool
    size: tuple[int, int]
    tty: str
    title: str
    joined: str = ""  # where it was asked for: the same with rows joined that are one line, which wrapped
    at: tuple[int, int] = (0, 0)  # the cursor's place in that


class PaneSpawn(SpawnBase):  # type: ignore[type-arg]  # generic in the stubs only
    """A pexpect spawn whose child is a tmux pane. `expect`, `send`, `sendline` … work as on any pexpect spawn.

    PANE is a pane id ("%3") or a libtmux.Pane. Without CONTROL a connection of its own is opened (and closed by
    `close`), and the text on the screen is the first that is read. With CONTROL, whoever has it feeds us. Raises
    PaneGone for a pane that is not there, TmuxError when tmux does not answer. `EOF` comes when the program has ended
    or the pane is closed.
    """

    _decoder: Any  # pexpect's own
    _log: Any

    def __init__(
        self,
        pane: Any,
        *,
        socket: Socket | None = None,
        control: Line | None = None,
        timeout: float = 30,
        encoding: str | None = "utf-8",
    ) -> None:
        super().__init__(timeout=timeout, maxread=65536, encoding=encoding, codec_errors="replace")
        self.pane: PaneId = pane_id(getattr(pane, "pane_id", pane))
        self.name = f"pane {self.pane}"
        self.delaybeforesend = None
        self._pending = bytearray()
        self._arrived = threading.Condition()
        self._ended = False
        self.tty = ""  # its terminal, as the last look had it
        self.changes = 0  # how many times output has come; to wait for the next
        self._own = control is None
        self._control: Line = control or self._connect(socket or _socket_of(pane))

    def _connect(self, socket: Socket) -> Control:
        found = tmux.run(socket, "display-message", "-p", "-t", self.pane, "#{session_id} #{pane_id}")
        session, _, pane = found.text.partition(" ")
        if not found.ok or pane != self.pane:
            raise PaneGone(f"there is no pane {self.pane} on that tmux server")
        control = Control(socket, session, self.hear, mute=True)
        try:
            self._begin_with_screen(control)
        except TmuxError:
            control.close()
            raise
        control.cmd("refresh-client", "-B", "dead:%*:#{pane_dead}")  # tmux 3.3a: one for a single pane misses its death
        return control

    def _begin_with_screen(self, control: Control) -> None:
        """Put what the pane shows before its output, which tmux tells from that very moment: no byte lost, none twice."""
        facts = f"display-message -p -t {self.pane} '#{{cursor_x}},#{{cursor_y}},#{{pane_height}}'"
        shots = f"capture-pane -p -t {self.pane} ; capture-pane -p -J -t {self.pane}"
        at_once = (
            f"{facts} ; {shots} ; refresh-client -f '!no-output'"  # one list of commands: tmux reads no output within
        )
        head, *lines = self._must(control.cmd("if-shell", "-F", "1", at_once, blocks=5)).lines or ("",)
        x, y, height = (int(word) for word in head.split(","))
        with self._arrived:
            self._pending[:0] = _typed(lines[:height], lines[height:], (x, y)).encode()
            self._arrived.notify_all()

    # --- what comes

    def hear(self, notice: Notice) -> None:
        """Take a notice of the control connection; those of other panes are passed over."""
        if notice.kind == "output" and notice.target == self.pane:
            self.feed(raw(notice.data))
        elif notice.kind == "value" and notice.name == "dead" and notice.text == "1" and notice.target == self.pane:
            self.end()
        elif notice.kind == "paused" and notice.target == self.pane:
            threading.Thread(target=self._continue, daemon=True).start()  # the reader cannot wait for an answer
        elif notice.kind == "closed":
            self.end()

    def _continue(self) -> None:
        try:
            self._control.cmd("refresh-client", "-A", f"{self.pane}:continue")
        except TmuxError:
            self.end()

    def feed(self, data: bytes) -> None:
        with self._arrived:
            self._pending += data
            del self._pending[:-KEPT]
            self.changes += 1
            self._arrived.notify_all()

    def end(self) -> None:
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> Any:
        """Up to SIZE bytes of output as soon as there are any. Raises pexpect's TIMEOUT and EOF."""
        wait = self.timeout if timeout == -1 else timeout
        with self._arrived:
            self._arrived.wait_for(lambda: self._pending or self._ended, wait)
            if not self._pending:
                self.flag_eof = self._ended
                raise EOF(f"{self.name} has ended") if self._ended else TIMEOUT(f"nothing from {self.name}")
            taken = bytes(self._pending[:size])
            del self._pending[:size]
        text = self._decoder.decode(taken, final=False)
        self._log(text, "read")
        return text

    def wait_change(self, since: int, timeout: float) -> bool:
        """Whether output has come after the SINCEth time (see `changes`), within TIMEOUT seconds."""
        with self._arrived:
            self._arrived.wait_for(lambda: self.changes > since or self._ended, timeout)
            return self.changes > since

    # --- what goes

    def send(self, s: str | bytes) -> int:
        """Type S: printable text as it is, control characters as the keys that make them."""
        text = s.decode("utf-8", "replace") if isinstance(s, bytes) else s
        self._log(s, "send")
        for run in re.findall(r"[\x00-\x1f\x7f]+|[^\x00-\x1f\x7f]+", text):
            for start in range(0, len(run), MOST_KEYS):
                part = run[start : start + MOST_KEYS]
                if ord(part[0]) < 32 or part[0] == "\x7f":
                    self._type("-H", *(f"{ord(c):02x}" for c in part))
                else:
                    self._type("-l", "--", part)
        return len(s)

    write = send

    def sendline(self, s: str | bytes = "") -> int:
        """Type S and press Enter."""
        sent = self.send(s)
        self.keys("Enter")
        return sent + 1

    def sendcontrol(self, char: str) -> None:
        self.keys(f"C-{char.lower()}")

    def keys(self, *names: str) -> None:
        """Press keys by their tmux names (Enter, Escape, Up, C-u, …); a lone character is that key."""
        for name in names:
            self._type(*(("-l", "--", name) if len(name) == 1 else ("--", name)))

    def _type(self, *arguments: str) -> None:
        self._must(self._control.cmd("send-keys", "-t", self.pane, *arguments))

    def paste(self, text: str, *, folder: str | None = None, if_still: Callable[[], bool] = lambda: True) -> bool:
        """Paste TEXT in one piece, bracketed if the program asked for it (tmux knows), newlines kept.

        IF_STILL is asked right before; False: nothing is pasted, and that is returned. TEXT goes through a file of mode
        0600 in FOLDER and a tmux buffer of its own that is deleted with the paste. The guard is in tmux: pasting into a
        dead pane kills the server of tmux 3.3a. Raises PaneGone for a dead pane.
        """
        buffer, pasted = buffers.name(), False
        self._load_buffer(buffer, text, folder)
        try:
            if if_still():
                paste = f"paste-buffer -p -r -d -b {buffer} -t {self.pane}"
                dead = "display-message -p dead"
                guarded = ("if-shell", "-F", "-t", self.pane, "#{pane_dead}", dead, paste)
                pasted = not self._must(self._control.cmd(*guarded, blocks=2)).text
                if not pasted:
                    raise PaneGone(f"the program in {self.name} has ended")
        finally:
            if not pasted:
                self._control.cmd("delete-buffer", "-b", buffer)
        return pasted

    def _load_buffer(self, buffer: str, text: str, folder: str | None) -> None:
        fd, path = tempfile.mkstemp(prefix=f"paste-{os.getpid()}-", suffix=".tmp", dir=folder)
        try:
            with open(fd, "w", encoding="utf-8", newline="") as f:
                f.write(text)
            self._must(self._control.cmd("load-buffer", "-b", buffer, path))
        finally:
            os.unlink(path)

    # --- what shows

    def look(self, history: int = 0, *, joined: bool = False) -> Rendered:
        """The pane as rendered now, with HISTORY lines of what has scrolled away above; JOINED: its wrapped lines, too."""
        above = ("-S", f"-{history}") if history else ()
        shot, facts, *whole = self._control.cmds(
            [
                ("capture-pane", "-p", "-e", "-t", self.pane, *above),
                ("display-message", "-p", "-t", self.pane, _FACTS),
                *([("capture-pane", "-p", "-J", "-t", self.pane, *before) for before in ((), ABOVE)] if joined else []),
            ]
        )
        self._must(shot)
        words = facts.text.split(",", 7)
        if not facts.ok or len(words) < 8 or not words[4]:
            raise PaneGone(f"{self.name} is gone")
        x, y, dead, mode, width, height = (int(word or 0) for word in words[:6])
        self.tty = words[6]
        lines, with_above = (self._must(answer).lines for answer in whole) if whole else ((), ())
        lines, at = _begun_above(lines, with_above, _in_lines(lines, (x, y), width))
        whole_text = "\n".join(lines)
        return Rendered(shot.text, (x, y), bool(dead), bool(mode), (width, height), words[6], words[7], whole_text, at)

    def history(self, lines: int = 100) -> str:
        """What the pane shows and, above it, LINES of what has scrolled away; lines that were wrapped are whole."""
        return self._must(
            self._control.cmd("capture-pane", "-p", "-J", "-S", f"-{lines}", "-t", self.pane)
        ).text.rstrip()

    def show(self, message: str) -> None:
        """A line on the status line of whoever is looking at this pane."""
        self._control.cmd("display-message", "-t", self.pane, message.replace("#", "##"))

    def leave_mode(self) -> None:
        """Leave copy mode and whatever other tmux mode covers the program."""
        self._control.cmd("copy-mode", "-q", "-t", self.pane)

    def isalive(self) -> bool:
        """Whether the program runs. Raises TmuxError when tmux does not answer: that is not "no"."""
        try:
            return not self.look().dead
        except PaneGone:
            return False

    def _must(self, answer: tmux.Answer) -> tmux.Answer:
        if not answer.ok:
            kind = PaneGone if tmux.GONE.search(answer.text) else TmuxError
            raise kind(f"{self.name}: {answer.text or 'tmux said no'}")
        return answer

    # --- the end

    def close(self) -> None:
        """Stop reading; the pane and its program go on."""
        self.end()
        self.closed = True
        if self._own:
            self._control.close()

    def __enter__(self) -> PaneSpawn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __str__(self) -> str:
        return f"{self.name}, last output {str(self.before or self.buffer)[-400:]!r}"


def _typed(rows: list[str], lines: list[str], cursor: tuple[int, int]) -> str:
    """A screen as text that ends at the CURSOR (column, row): LINES are its ROWS with the wrapped ones joined.

    tmux knows no difference between a blank that was printed and one that never was, but before the cursor.
    """
    x, y = cursor
    last = max((n for n, row in enumerate(rows) if row.strip()), default=-1)
    text = "\r\n".join(line.rstrip() for line in lines).rstrip()
    if y > last:
        return text + "\r\n" * (y - max(last, 0)) + " " * x
    return text + " " * (x - columns(rows[last].rstrip())) if y == last else text


def _in_lines(lines: Sequence[str], cursor: tuple[int, int], width: int) -> tuple[int, int]:
    """Where the CURSOR of rows of WIDTH columns stands in LINES, which may take several rows each: (column, line)."""
    x, y = cursor
    for number, line in enumerate(lines):
        rows = max(1, -(-columns(line) // max(width, 1)))
        if y < rows:
            return x + y * width, number
        y -= rows
    return x, len(lines) + y


def _begun_above(
    lines: tuple[str, ...], with_above: tuple[str, ...], at: tuple[int, int]
) -> tuple[tuple[str, ...], tuple[int, int]]:
    """LINES with the whole of a first one that begins above the screen, as WITH_ABOVE has it, and where AT is then."""
    same = with_above[-len(lines) :] if lines else ()
    if len(same) < len(lines) or same[1:] != lines[1:] or not (same and same[0].endswith(lines[0])):
        return lines, at  # it was drawn between the two looks
    column, number = at
    return same, (column + columns(same[0]) - columns(lines[0]) if number == 0 else column, number)


def _socket_of(pane: Any) -> Socket:
    server = getattr(pane, "server", None)
    return Socket(str(getattr(server, "socket_path", None) or getattr(server, "socket_name", None) or "default"))
