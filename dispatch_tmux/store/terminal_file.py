"""A worker's terminal.log: what its program wrote, bounded, and read without ever waiting. What is no regular file is none."""

from __future__ import annotations

import codecs
import os
import stat


def append(path: str, data: bytes, most: int) -> None:
    """DATA at its end; one that has more than MOST bytes then becomes the older piece, PATH.1. Raises OSError."""
    fd = _opened(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(fd, data)
        full = os.fstat(fd).st_size > most
    finally:
        os.close(fd)
    if full:
        os.replace(path, path + ".1")


def end(path: str, size: int) -> bytes:
    """Its last SIZE bytes; none when there is no log."""
    try:
        with open(_opened(path, os.O_RDONLY), "rb") as f:
            f.seek(max(0, os.fstat(f.fileno()).st_size - size))
            return f.read(size)
    except OSError:
        return b""


class Tail:
    """What has been added to the log at PATH since the last look, also when a new one has taken its place."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._seen = (0, 0)  # inode, bytes read
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        try:
            with open(_opened(self.path, os.O_RDONLY), "rb") as f:
                facts = os.fstat(f.fileno())
                f.seek(self._seen[1] if facts.st_ino == self._seen[0] and facts.st_size >= self._seen[1] else 0)
                data = f.read()
                self._seen = (facts.st_ino, f.tell())
        except OSError:
            return ""  # none yet, or just being renewed
        return self._decoder.decode(data)


def _opened(path: str, flags: int) -> int:
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise FileNotFoundError(path)
