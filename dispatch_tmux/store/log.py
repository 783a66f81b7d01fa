"""The supervisor's own log: what happened to it, never what was said to a worker."""

from __future__ import annotations

import os
import time

MOST = 1 << 20  # bytes


class Log:
    def __init__(self, path: str) -> None:
        self._path = path

    def write(self, line: str) -> None:
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with open(fd, "ab") as f:
                f.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n".encode("utf-8", "replace"))
                if f.tell() > MOST:
                    os.replace(self._path, self._path + ".1")
        except OSError:
            pass


def last_line(path: str) -> str:
    """The last line of the log at PATH; '' when there is none."""
    try:
        with open(path, "rb") as f:
            f.seek(max(0, os.fstat(f.fileno()).st_size - 4000))
            lines = f.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line for line in reversed(lines) if line.strip()), "")
