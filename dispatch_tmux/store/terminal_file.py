"""A worker's terminal.log: what its program wrote, bounded, and read without ever waiting. What is no regular file is none."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterator

_BIT = 256 << 10  # bytes that are read at once
_MOST = 64 << 20  # bytes that can come between two looks
_ALTERNATE = re.compile(rb"\x1b\[\?(?:1049|1047|47)([hl])")


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
        self._new_decoder()

    def _new_decoder(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        """What has come. Of one that has grown much meanwhile only the end."""
        try:
            with open(_opened(self.path, os.O_RDONLY), "rb") as f:
                facts = os.fstat(f.fileno())
                begin = self._seen[1] if facts.st_ino == self._seen[0] and facts.st_size >= self._seen[1] else 0
                f.seek(max(begin, facts.st_size - _MOST))
                data = f.read(_MOST)
                self._seen = (facts.st_ino, f.tell())
        except OSError:
            return ""  # none yet, or just being renewed
        return self._decoder.decode(data)

    def size(self) -> int:
        """Bytes of the log, with its older piece."""
        return sum(length for _, length in self._pieces())

    def before(self, size: int) -> Iterator[str]:
        """The last SIZE bytes of what is there now, with the older piece, bit by bit; `read` goes on behind them."""
        self._new_decoder()
        pieces = self._pieces()
        skip = max(0, sum(length for _, length in pieces) - size)
        for path, length in pieces:
            begin, skip = min(skip, length), max(0, skip - length)
            for data in _bits(path, begin, length):
                yield self._decoder.decode(data)
        try:
            self._seen = (os.lstat(self.path).st_ino, pieces[-1][1])
        except OSError:
            pass

    def alternate(self, size: int) -> bool:
        """Whether the program was on the alternate screen where the last SIZE bytes begin."""
        left = self.size() - size
        found = False
        for path, length in self._pieces():
            former = b""
            for data in _bits(path, 0, min(left, length)) if left > 0 else ():
                if modes := _ALTERNATE.findall(former + data):
                    found = modes[-1] == b"h"
                former = data[-16:]
            left -= length
        return found

    def _pieces(self) -> list[tuple[str, int]]:
        """The files that it is in, the older one first, and how many bytes they have."""
        found = []
        for path in (f"{self.path}.1", self.path):
            try:
                facts = os.lstat(path)
                found.append((path, facts.st_size if stat.S_ISREG(facts.st_mode) else 0))
            except OSError:
                found.append((path, 0))
        return found


def _bits(path: str, begin: int, end: int) -> Iterator[bytes]:
    """The bytes from BEGIN to END of the file at PATH, in bits; none of what is no regular file."""
    try:
        with open(_opened(path, os.O_RDONLY), "rb") as f:
            f.seek(begin)
            while begin < end and (data := f.read(min(_BIT, end - begin))):
                begin += len(data)
                yield data
    except OSError:
        return


def _opened(path: str, flags: int) -> int:
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise FileNotFoundError(path)
