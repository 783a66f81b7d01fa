"""terminal.log: a worker's raw output, bounded, written in batches."""

from __future__ import annotations

import re

from dispatch_tmux.core import sgr
from dispatch_tmux.store import terminal_file
from dispatch_tmux.tmux.control import raw

MOST = 8 << 20  # bytes; then the log becomes terminal.log.1 and a new one begins
_PASTE_MODE = re.compile(rb"\\033\[\?(?:\d+;)*2004(?:;\d+)*([hl])")
_PASTE_MODE_RAW = re.compile(rb"\x1b\[\?(?:\d+;)*2004(?:;\d+)*([hl])")


class TerminalLog:
    """Output as it came over the wire is kept until `flush`. Also knows whether the program wants pastes bracketed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._chunks: list[bytes] = []
        self.bracketed = self._recall()

    def add(self, data: bytes) -> None:
        """Take DATA (octal-escaped, from the control connection). Called in the reader's thread; must be quick."""
        self._chunks.append(data)
        if b"2004" in data:
            for mode in _PASTE_MODE.finditer(data):
                self.bracketed = mode[1] == b"h"

    @property
    def waiting(self) -> bool:
        return bool(self._chunks)

    def flush(self) -> None:
        """Write what has come. A full or vanished disk costs the log, never the worker."""
        chunks, self._chunks = self._chunks, []
        if not chunks:
            return
        try:
            terminal_file.append(self._path, raw(b"".join(chunks)), MOST)
        except OSError:
            pass

    def _recall(self) -> bool:
        """The mode as the log of a former supervisor has it."""
        modes = _PASTE_MODE_RAW.findall(terminal_file.end(self._path, 65536))
        return bool(modes) and modes[-1] == b"h"

    def tail(self, size: int = 8192) -> str:
        """The end of the log as text."""
        self.flush()
        text = terminal_file.end(self._path, size).decode("utf-8", "replace")
        return sgr.plain(text).replace("\r", "").rstrip()
