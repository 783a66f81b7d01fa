"""The demo worker's terminal: a transcript that scrolls, a live region beneath it, and keys."""

from __future__ import annotations

import codecs
import os
import re
import select
import sys
import termios
import tty
import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is slow to import
    from collections.abc import Generator, Iterator, Sequence
    from typing import Any

    Key = tuple[str, str]  # ("text", what was typed), ("paste", what was pasted) or ("key", its name)

PASTE, PASTED = "\x1b[200~", "\x1b[201~"
NAMES = {
    "\r": "enter", "\n": "enter", "\x03": "c-c", "\x15": "c-u", "\x7f": "back", "\x08": "back", "\x04": "c-d",
}  # fmt: skip


def columns(text: str) -> int:
    """How many columns of a terminal TEXT takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, width: int) -> list[str]:
    """TEXT's rows on a terminal of WIDTH columns."""
    rows = []
    for line in text.split("\n"):
        row, room = "", width
        for c in line:
            size = columns(c)
            if size > room:
                rows.append(row)
                row, room = "", width
            row, room = row + c, room - size
        rows.append(row)
    return rows


class Terminal:
    """The terminal on standard input and output, in raw mode until `restore`."""

    def __init__(self) -> None:
        self._old: list[Any] = termios.tcgetattr(0)
        tty.setraw(0)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._drawn = 0  # rows of the live region above the cursor's row
        self._pending = ""  # the beginning of an escape sequence
        self._paste: list[str] | None = None  # what has come of a paste
        self.write("\x1b[?2004h")

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            try:
                data = data[os.write(1, data) :]
            except BlockingIOError:
                select.select([], [1], [])

    def title(self, text: str) -> None:
        self.write(f"\x1b]2;{text}\x07")

    def restore(self) -> None:
        termios.tcsetattr(0, termios.TCSADRAIN, self._old)
        self.write("\x1b[?2004l\r\n")

    @property
    def width(self) -> int:
        try:
            return max(os.get_terminal_size(1).columns, 20)
        except OSError:
            return 80

    def show(self, transcript: Sequence[str], rows: Sequence[str], cursor: tuple[int, int]) -> None:
        """Add TRANSCRIPT above, and redraw the live region ROWS with the cursor at CURSOR (row, column)."""
        out = "\x1b[?25l\r" + (f"\x1b[{self._drawn}A" if self._drawn else "") + "\x1b[J"
        out += "".join(line + "\r\n" for line in transcript)
        out += "\r\n".join(rows)
        up = len(rows) - 1 - cursor[0]
        out += (f"\x1b[{up}A" if up else "") + "\r" + (f"\x1b[{cursor[1]}C" if cursor[1] else "") + "\x1b[?25h"
        self._drawn = cursor[0]
        self.write(out)

    def keys(self, timeout: float | None) -> list[Key]:
        """Keys that came within TIMEOUT seconds (None: until some come)."""
        try:
            ready = select.select([0], [], [], timeout)[0]
        except InterruptedError:
            return []
        if not ready:
            return []
        data = os.read(0, 65536)
        if not data:
            sys.exit(0)
        return list(self._parse(self._decoder.decode(data)))

    def _parse(self, text: str) -> Iterator[Key]:
        text, self._pending = self._pending + text, ""
        while text:
            if self._paste is not None:
                text = yield from self._parse_paste(self._paste, text)
            elif text.startswith(PASTE):
                self._paste, text = [], text[len(PASTE) :]
            elif text[0] == "\x1b" and PASTE.startswith(text) and len(text) > 1:
                self._pending, text = text, ""
            elif found := re.match(r"\x1b\[([A-DHF])", text):
                text = text[found.end() :]
                yield "key", {"A": "up", "B": "down"}.get(found[1], "")
            elif text[0] == "\x1b":
                text = text[1:]
                yield "key", "escape"
            elif text[0] in NAMES:
                key, text = text[0], text[1:]
                yield "key", NAMES[key]
            else:
                run = (re.match(r"[^\x00-\x1f\x7f]+", text) or text)[0]
                text = text[len(run) :]
                if run >= " ":
                    yield "text", run

    def _parse_paste(self, parts: list[str], text: str) -> Generator[Key, None, str]:
        """Take what belongs to a paste; its end may be cut in two by a read. Returns what comes after it."""
        whole = (parts.pop()[-5:] if parts and len(parts[-1]) < 6 else "") + text
        end = whole.find(PASTED)
        if end >= 0:
            parts.append(whole[:end])
            self._paste = None
            yield "paste", "".join(parts).replace("\r\n", "\n").replace("\r", "\n")
            return whole[end + len(PASTED) :]
        keep = next((n for n in range(5, 0, -1) if whole.endswith(PASTED[:n])), 0)
        parts.append(whole[: len(whole) - keep])
        if keep:
            parts.append(whole[-keep:])
        return ""
