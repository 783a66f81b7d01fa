"""Files below a directory in which somebody else may write: a worker in its task's directory, an archive, a former crash.

Whatever lies there is opened without following links, at no step of its path, is read only when it is a regular file, never
blocks (a FIFO, a terminal) and is bounded. What is odd counts as missing, so that it costs its own task only.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files

MOST_NAMES = 10_000  # of a directory; a worker may make as many as it likes
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ODD = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ELOOP,
        errno.EISDIR,
        errno.ENXIO,
        errno.ENODEV,
        errno.EACCES,
        errno.ENAMETOOLONG,
        errno.EAGAIN,  # somebody holds a lease of it (fcntl(2)): an open that waits would wait for 45 s
    }
)


class Tree:
    """What lies below BASE, named by the parts of a path: `tree.read("ipc", "001.question")`."""

    def __init__(self, base: str, *below: str) -> None:
        self._base, self._below = base, below
        self.path = os.path.join(base, *below)

    @classmethod
    def of(cls, task_dir: str) -> Tree:
        """The directory TASK_DIR of a worker. Its project is where trust begins: no link is followed from there on."""
        root = task_dir
        parts: list[str] = []
        for _ in range(3):
            root, _, name = root.rpartition(os.sep)
            parts.insert(0, name)
        return cls(root, *parts) if parts[0] == ".dispatch" else cls(task_dir)

    def at(self, *names: str) -> str:
        """The path, for a message or for a program that is told of it. Nothing is opened."""
        return os.path.join(self.path, *names)

    def read(self, *names: str, most: int = 1 << 20) -> str | None:
        """The file's text, MOST bytes of it, undecodable bytes replaced; None when there is no such regular file."""
        data = self.read_bytes(*names, most=most)
        return None if data is None else data.decode("utf-8", "replace")

    def read_bytes(self, *names: str, most: int = 1 << 20) -> bytes | None:
        """As `read`, undecoded. Raises DispatchError for a file that should be readable and is not (a failing disk)."""
        try:
            with self._opened(names, os.O_RDONLY) as fd:
                parts, left = [], most
                while left > 0 and (data := os.read(fd, min(left, 1 << 20))):
                    parts.append(data)
                    left -= len(data)
                return b"".join(parts)
        except OSError as e:
            if e.errno in _ODD:
                return None
            raise DispatchError(f"cannot read {self.at(*names)}: {e.strerror}") from e

    def names(self, *folder: str) -> list[str]:
        """What is in FOLDER, in no order, at most MOST_NAMES; [] when it is no directory."""
        try:
            with self._parent((*folder, "")) as fd, os.scandir(fd) as entries:
                return [entry.name for _, entry in zip(range(MOST_NAMES), entries, strict=False)]
        except OSError:
            return []

    def times(self, *folder: str) -> dict[str, int]:
        """As `names`, and when each of them changed, in nanoseconds since the epoch: of a link, the link itself."""
        found: dict[str, int] = {}
        try:
            with self._parent((*folder, "")) as fd, os.scandir(fd) as entries:
                for _, entry in zip(range(MOST_NAMES), entries, strict=False):
                    with suppress(OSError):  # it went this moment
                        found[entry.name] = entry.stat(follow_symlinks=False).st_mtime_ns
        except OSError:
            return {}
        return found

    def gather(
        self, *folder: str, most: Mapping[str, int] | Callable[[str], int]
    ) -> dict[str, tuple[bytes, os.stat_result]]:
        """The regular files in FOLDER and their facts, of each as many bytes as MOST says of its name (none of it: left out).

        Raises DispatchError for a file that should be readable and is not (a failing disk).
        """
        found: dict[str, tuple[bytes, os.stat_result]] = {}
        try:
            with self._parent((*folder, "")) as parent:
                wanted = most if isinstance(most, Mapping) else _wanted(parent, most)
                for name, bytes_ in wanted.items():
                    if taken := _taken(parent, name, bytes_):
                        found[name] = taken
        except OSError as e:
            if e.errno not in _ODD:
                raise DispatchError(f"cannot read {self.at(*folder)}: {e.strerror}") from e
        return found

    def stat(self, *names: str) -> os.stat_result | None:
        """The facts of a regular file; None for anything else."""
        try:
            with self._parent(names) as fd:
                found = os.stat(names[-1], dir_fd=fd, follow_symlinks=False)
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def has(self, *names: str) -> bool:
        """Whether there is a regular file of that name."""
        return self.stat(*names) is not None

    def replace(self, *names: str, text: str | bytes, exclusive: bool = False) -> bool:
        """Put TEXT there: readers see the old file or the new one. With EXCLUSIVE an existing one stays, and False comes back."""
        try:
            with self._parent(names) as fd:
                return files.replace_at(fd, names[-1], text, exclusive=exclusive)
        except OSError as e:
            raise DispatchError(f"cannot write {self.at(*names)}: {e.strerror}") from e

    def set_time(self, *names: str, ns: int) -> None:
        """A file there is said to have been written at NS, nanoseconds since the epoch. Raises OSError."""
        with self._parent(names) as fd:
            os.utime(names[-1], ns=(ns, ns), dir_fd=fd, follow_symlinks=False)

    def append(self, *names: str, text: str) -> bool:
        """TEXT at the end of an existing regular file, in one write; False when there is none."""
        try:
            with self._opened(names, os.O_WRONLY | os.O_APPEND) as fd:
                os.write(fd, text.encode("utf-8", "replace"))
                return True
        except OSError as e:
            if e.errno in _ODD:
                return False
            raise DispatchError(f"cannot write {self.at(*names)}: {e.strerror}") from e

    def write_pipe(self, *names: str, data: bytes) -> bool:
        """Give DATA, which a pipe has room for, to whoever waits at a named pipe, and remove that. False: nobody waits there."""
        try:
            with self._parent(names) as parent:
                fd = os.open(
                    names[-1], os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, dir_fd=parent
                )
                try:
                    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
                        return False
                    if data:
                        os.write(fd, data)
                    os.unlink(names[-1], dir_fd=parent)
                finally:
                    os.close(fd)
        except OSError:  # gone, or (ENXIO) not reading yet
            return False
        return True

    def pipe_made(self, *names: str) -> float:
        """When that pipe was made, in seconds since the epoch; for anything else, now."""
        try:
            with self._parent(names) as fd:
                found = os.stat(names[-1], dir_fd=fd, follow_symlinks=False)
        except OSError:
            return time.time()
        return found.st_mtime if stat.S_ISFIFO(found.st_mode) else time.time()

    def remove(self, *names: str) -> bool:
        """Remove a file, or a link itself; False when it is not there, or is a directory."""
        try:
            with self._parent(names) as fd:
                os.unlink(names[-1], dir_fd=fd)
        except OSError:
            return False
        return True

    def rename(self, *names: str, to: str) -> bool:
        """Give a file the name TO in the same directory, in place of one that has it; False when it is not there."""
        try:
            with self._parent(names) as fd:
                os.rename(names[-1], to, src_dir_fd=fd, dst_dir_fd=fd)
        except OSError:
            return False
        return True

    def remove_folder(self, *names: str) -> None:
        """Remove a directory and all in it, as far as that goes; a link in its place is removed itself."""
        if self.remove(*names):
            return
        try:
            with self._parent(names) as parent:  # shutil.rmtree takes a dir_fd since Python 3.11 only
                for _, folders, plain, fd in os.fwalk(names[-1], topdown=False, dir_fd=parent):
                    for name in plain:
                        os.unlink(name, dir_fd=fd)
                    for name in folders:
                        is_link = stat.S_ISLNK(os.lstat(name, dir_fd=fd).st_mode)
                        (os.unlink if is_link else os.rmdir)(name, dir_fd=fd)
                os.rmdir(names[-1], dir_fd=parent)
        except OSError:
            pass

    def make(self, *folder: str) -> None:
        """Make a directory of mode 0700 in one that exists. Raises FileExistsError and other OSErrors."""
        with self._parent(folder) as fd:
            os.mkdir(folder[-1], 0o700, dir_fd=fd)

    def make_all(self, *folder: str) -> bool:
        """Make FOLDER and those it lies in, where they are missing; False where a link or a file is in the way."""
        for n in range(1, len(folder) + 1):
            try:
                self.make(*folder[:n])
            except FileExistsError:
                continue
            except OSError:
                return False
        try:
            with self._parent((*folder, "")):
                return True
        except OSError:
            return False

    def bring(self, source: str, *names: str) -> bool:
        """Copy the regular file SOURCE, with mode and times, or the link SOURCE as a link, to where nothing is. Raises OSError."""
        import shutil  # with bz2 and lzma; few verbs copy

        facts = os.lstat(source)
        with self._parent(names) as parent:
            if stat.S_ISLNK(facts.st_mode):
                os.symlink(os.readlink(source), names[-1], dir_fd=parent)
                return True
            if not stat.S_ISREG(facts.st_mode):
                return False
            fresh = os.open(names[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=parent)
            with open(source, "rb") as given, open(fresh, "wb") as taken:
                shutil.copyfileobj(given, taken)
                taken.flush()  # what is written after the times were set sets them anew
                os.fchmod(fresh, stat.S_IMODE(facts.st_mode))
                os.utime(fresh, ns=(facts.st_atime_ns, facts.st_mtime_ns))
            return True

    def link(self, source: str, *names: str) -> None:
        """A symbolic link to SOURCE, where nothing is. Raises OSError."""
        with self._parent(names) as parent:
            os.symlink(source, names[-1], dir_fd=parent)

    @contextmanager
    def opened(self, *names: str, flags: int) -> Iterator[int]:
        """A descriptor of a regular file; FLAGS as for open(2). Raises OSError, ENOENT also for what is no regular file."""
        with self._opened(names, flags) as fd:
            yield fd

    @contextmanager
    def _parent(self, names: tuple[str, ...]) -> Iterator[int]:
        """The directory that the last of NAMES is in."""
        fd = os.open(self._base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in (*self._below, *names[:-1]):
                deeper = os.open(name, _FOLDER, dir_fd=fd)
                os.close(fd)
                fd = deeper
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def _opened(self, names: tuple[str, ...], flags: int) -> Iterator[int]:
        with self._parent(names) as parent:
            fd = os.open(
                names[-1], flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, 0o600, dir_fd=parent
            )
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise FileNotFoundError(errno.ENOENT, "it is no regular file", self.at(*names))
            yield fd
        finally:
            os.close(fd)


def _wanted(folder: int, most: Callable[[str], int]) -> dict[str, int]:
    """The names in the open directory FOLDER of which MOST wants something, in order."""
    with os.scandir(folder) as entries:
        names = sorted([entry.name for _, entry in zip(range(MOST_NAMES), entries, strict=False)])
    return {name: bytes_ for name in names if (bytes_ := most(name)) > 0}


def _taken(folder: int, name: str, most: int) -> tuple[bytes, os.stat_result] | None:
    """MOST bytes of the regular file NAME in the open directory FOLDER, and its facts; None for anything else. Raises OSError."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, dir_fd=folder)
    except OSError as e:
        if e.errno in _ODD:
            return None
        raise
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            return None
        data, size = b"", min(most, facts.st_size)
        while len(data) < size and (more := os.read(fd, min(size - len(data), 1 << 20))):
            data += more
        return data, facts
    finally:
        os.close(fd)
