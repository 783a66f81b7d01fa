"""A person's terminal, key by key: raw keys in, lines out, and given back as it was whatever happens. Plain termios."""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[H\x1b[2J", "\x1b[?2004l\x1b[?25h\x1b[0m\x1b[?1049l\r"
_KEYS = {
    "\r": "<enter>", "\n": "<enter>", "\x7f": "<backspace>", "\b": "<backspace>", "\x15": "<clear>", "\x17": "<word>", "\x04": "<eof>",
    "\x1b": "<esc>", "\x1b[A": "<up>", "\x1b[B": "<down>", "\x1bOA": "<up>", "\x1bOB": "<down>", "\x1b[5~": "<up>", "\x1b[6~": "<down>",
}  # fmt: skip
_ONE = re.compile(r"\x1b\[200~(?P<paste>.*?)\x1b\[201~|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|\x1b?.", re.DOTALL)
_BEGUN = re.compile(r"\x1b\[200~(?:(?!\x1b\[201~).)*\Z|\x1b(?:\[[0-?]*[ -/]*|O)?\Z", re.DOTALL)
PASTE = "<paste>"  # what a pasted text begins with; the key of a single character is that character
ESCAPE = 0.05  # seconds after which an escape that has only begun is the key Escape
MOST = 1 << 20  # bytes of a paste


class Terminal:
    """The terminal of this process while it is in `with`: keys come one by one, `draw` shows lines.

    `changed` is set when it has to be drawn anew: its size is another one, or it was away (Ctrl-Z, `away`).
    """

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""
        self._ears, self._mouth = os.pipe()
        for fd in (self._ears, self._mouth):
            os.set_blocking(fd, False)
        self.changed = True

    def __enter__(self) -> Terminal:
        self._before = termios.tcgetattr(self._fd)
        self._handlers = {
            signal.SIGWINCH: signal.signal(signal.SIGWINCH, self._resized),
            signal.SIGTSTP: signal.signal(signal.SIGTSTP, self._stopped),
            signal.SIGTERM: signal.signal(signal.SIGTERM, _ended),
            signal.SIGHUP: signal.signal(signal.SIGHUP, _ended),
        }
        self._wakeup = signal.set_wakeup_fd(self._mouth, warn_on_full_buffer=False)
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _take(self) -> None:
        raw = termios.tcgetattr(self._fd)
        raw[0] &= ~(termios.ICRNL | termios.IXON)
        raw[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        raw[6][termios.VQUIT] = b"\0"  # Ctrl-\ would leave the terminal as it is, and a core file
        termios.tcsetattr(self._fd, termios.TCSAFLUSH, raw)
        _write(_ENTER)
        self.changed = True

    def _give_back(self) -> None:
        """As it was; keys that nobody has read go to nobody else, a shell for one."""
        try:
            _write(_LEAVE)
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, self._before)
        except (OSError, termios.error):
            pass  # it is gone

    @contextmanager
    def away(self) -> Iterator[None]:
        """Another program has the terminal meanwhile."""
        self._give_back()
        try:
            yield
        finally:
            self._take()

    def listen(self, seconds: float) -> None:
        """Wait until `wake` is called, without a look at the keys."""
        if select.select([self._ears], [], [], seconds)[0]:
            os.read(self._ears, 4096)

    def wake(self) -> None:
        """Let `keys` return. May be called in any thread."""
        try:
            os.write(self._mouth, b"\0")
        except BlockingIOError:
            pass  # it will

    def forget(self) -> None:
        """Leave out keys that were pressed before what is shown now was there."""
        self._begun = ""
        try:
            termios.tcflush(self._fd, termios.TCIFLUSH)
        except termios.error:
            pass

    def draw(self, lines: Sequence[str], cursor: tuple[int, int] | None = None) -> None:
        """Show LINES, and the CURSOR at (row, column) of them, or none."""
        shown = f"\x1b[{cursor[0] + 1};{cursor[1] + 1}H\x1b[?25h" if cursor else "\x1b[?25l"
        _write("\x1b[H" + "\r\n".join(f"{line}\x1b[K" for line in lines) + "\x1b[J" + shown)
        self.changed = False

    def keys(self, seconds: float) -> list[str]:
        """The keys pressed within SECONDS, as soon as there are any; [] after that, or when something else wants attention.

        Raises EOFError when the terminal is gone.
        """
        wait = ESCAPE if self._begun else seconds
        ready = select.select([self._fd, self._ears], [], [], max(wait, 0))[0]
        if self._ears in ready:
            os.read(self._ears, 4096)
        if self._fd not in ready:
            late, self._begun = self._begun, ""
            return [] if late.startswith("\x1b[200~") else self._named(late)
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            data = b""
        if not data:
            raise EOFError
        text = self._begun + self._decoder.decode(data)
        begun = _BEGUN.search(text) if len(text) < MOST else None
        self._begun = begun[0] if begun else ""
        return self._named(text[: len(text) - len(self._begun)])

    def _named(self, text: str) -> list[str]:
        found = []
        for one in _ONE.finditer(text):
            key = _KEYS.get(one[0], one[0])
            if one["paste"] is not None:
                key = PASTE + one["paste"].replace("\r\n", "\n").replace("\r", "\n")
            found.append(key)
        return found

    def _resized(self, *_: Any) -> None:
        self.changed = True

    def _stopped(self, *_: Any) -> None:
        """Ctrl-Z: the shell gets its terminal back meanwhile."""
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stopped)
        self._take()


def pause(seconds: float) -> None:
    """Wait for a key, SECONDS at most."""
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    raw = termios.tcgetattr(fd)
    raw[3] &= ~(termios.ICANON | termios.ECHO)
    try:
        termios.tcsetattr(fd, termios.TCSAFLUSH, raw)
        select.select([fd], [], [], seconds)
    finally:
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)


def _ended(number: int, _: Any) -> None:
    raise SystemExit(128 + number)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
