"""inotify(7): what changes in which directory, as Linux tells it. One instance a process, each directory watched by itself.

Every refusal is an error here: a watch that is silently missing is a worker that nobody hears.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import threading

_CREATE, _DELETE, _FROM, _TO, _CLOSE_WRITE, _ATTRIB = 0x100, 0x200, 0x40, 0x80, 0x8, 0x4
_OVERFLOW, _IGNORED, _ISDIR = 0x4000, 0x8000, 0x40000000
_ONLYDIR, _DONT_FOLLOW, _EXCL_UNLINK = 0x01000000, 0x02000000, 0x04000000
_HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name
CHANGES = (
    _CREATE | _DELETE | _FROM | _TO | _CLOSE_WRITE
)  # a file counts when it is whole: renamed, or closed by its writer
TOUCHED = _ATTRIB  # also when the times or the mode of what is in it are set
LOST = ""  # in place of a path: the queue was full (fs.inotify.max_queued_events), and nobody knows what has changed

_libc = ctypes.CDLL(None, use_errno=True)


class Inotify:
    """An inotify instance. Raises OSError (EMFILE: fs.inotify.max_user_instances) when there is none left."""

    def __init__(self) -> None:
        self._fd = _checked(_libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK), "")
        self._folders: dict[int, str] = {}
        self._wanted: dict[str, int] = {}  # folder → what is asked for
        self._lock = threading.Lock()

    def add(self, folder: str, what: int = CHANGES) -> None:
        """Watch FOLDER, no link, for WHAT. Raises OSError (ENOSPC: fs.inotify.max_user_watches)."""
        mask = what | _ONLYDIR | _DONT_FOLLOW | _EXCL_UNLINK
        with self._lock:
            self._wanted[folder] = what
            watch = _checked(_libc.inotify_add_watch(self._fd, os.fsencode(folder), mask), folder)
            self._folders[watch] = folder

    def remove(self, folder: str) -> None:
        """Watch FOLDER no more."""
        with self._lock:
            self._wanted.pop(folder, None)
            for watch in [watch for watch, known in self._folders.items() if known == folder]:
                del self._folders[watch]
                _libc.inotify_rm_watch(self._fd, watch)

    def read(self, seconds: float | None = None) -> list[str]:
        """The paths that have changed, once there are any, in order; [] after SECONDS (None: never). `LOST` may be among them."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if not poll.poll(None if seconds is None else max(0.0, seconds) * 1000):
            return []
        try:
            data = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return []
        found = []
        while data:
            watch, mask, _, length = _HEAD.unpack_from(data)
            name = data[_HEAD.size : _HEAD.size + length].rstrip(b"\0")
            data = data[_HEAD.size + length :]
            if mask & _OVERFLOW:
                found.append(LOST)
            elif mask & _IGNORED:
                with self._lock:
                    self._folders.pop(watch, None)
            elif folder := self._folders.get(watch):
                path = os.path.join(folder, os.fsdecode(name)) if name else folder
                if mask & _ISDIR and mask & (_CREATE | _TO) and path in self._wanted:
                    self._again(path)
                found.append(path)
        return found

    def _again(self, folder: str) -> None:
        """A watched directory was replaced by another one."""
        try:
            self.add(folder, self._wanted[folder])
        except (OSError, KeyError):
            pass  # it is gone already, or its owner adds it again

    def close(self) -> None:
        os.close(self._fd)


def _checked(result: int, path: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result


def knob(error: OSError) -> str:
    """Which setting of the system ERROR comes from; '' for none."""
    known = {
        errno.EMFILE: "fs.inotify.max_user_instances",
        errno.ENOSPC: "fs.inotify.max_user_watches",
        errno.ENOMEM: "memory",
    }
    return known.get(error.errno or 0, "")
