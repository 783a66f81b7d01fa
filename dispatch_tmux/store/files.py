"""How a file changes: by rename, or by one line at its end. Nothing else writes in `.dispatch`."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dispatch_tmux.errors import DispatchError


def private_dir(path: str) -> None:
    """PATH as a directory of mode 0700; a symbolic link in its place is refused (it may lead anywhere)."""
    if os.path.islink(path):
        raise DispatchError(
            f"{path} is a symbolic link", hint="remove it: dispatch keeps its files in a real directory"
        )
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise DispatchError(f"{path} is in the way: it is not a directory", hint="move it away") from None


_only_looks = False


def look_only() -> None:
    """From now on this process puts no text into any file: `replace` raises, as on a medium that cannot be written."""
    global _only_looks
    _only_looks = True


def replace(path: str, text: str, *, exclusive: bool = False) -> bool:
    """Put TEXT into PATH: readers see the old file or the new one, never half of either. Mode 0600.

    With `exclusive` an existing file stays and the answer is False.
    """
    try:
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return replace_at(folder, os.path.basename(path), text, exclusive=exclusive)
        finally:
            os.close(folder)
    except OSError as e:
        raise DispatchError(f"cannot write {path}: {e.strerror}") from e


def replace_at(folder: int, name: str, text: str | bytes, *, exclusive: bool = False) -> bool:
    """`replace` for the file NAME in the open directory FOLDER. Raises OSError."""
    if _only_looks:
        raise OSError(errno.EROFS, "this process only looks")
    fresh = f"{name}.{os.urandom(4).hex()}.tmp"
    try:
        data = text.encode("utf-8", "replace") if isinstance(text, str) else text
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder), "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        if not exclusive:
            os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
            fresh = ""
            return True
        try:
            os.link(fresh, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            return False
        return True
    finally:
        try:
            if fresh:
                os.unlink(fresh, dir_fd=folder)
        except FileNotFoundError:
            pass


def being_written(path: str) -> bool:
    """Whether some process has PATH open for writing, as far as the system tells (Linux grants no read lease then)."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)  # a writer that comes this very moment costs us no signal
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as e:
        return e.errno == errno.EAGAIN
    finally:
        os.close(fd)
    return False


def append_line(fd: int, line: bytes) -> None:
    """One whole line at the end of an O_APPEND file; the half line that a power cut left there is ended first."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        line = b"\n" + line
    write_all(fd, line + b"\n")


def write_all(fd: int, data: bytes) -> None:
    """All of DATA into the open file FD. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync(folder: int) -> None:
    """What was written into files of the open directory FOLDER is on the disk then. Raises OSError."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "syncfs"):  # Linux
        if libc.syncfs(folder):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return
    for name in os.listdir(folder):
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


WAIT = 5.0  # seconds for a lock; whoever holds one longer was stopped in the middle, or is no dispatch


@contextmanager
def locked(fd: int, path: str, seconds: float = WAIT) -> Iterator[None]:
    """Hold the lock of the open file FD. Raises DispatchError that names who holds it, after SECONDS."""
    _lock(fd, path, seconds)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


def _lock(fd: int, path: str, seconds: float) -> None:
    end, pause = time.monotonic() + seconds, 0.0005
    while not _locks(fd):
        if time.monotonic() > end:
            who = holder(fd)
            raise DispatchError(
                f"{path} is locked{f' by process {who}' if who else ''} for over {seconds:g} s",
                hint=f"look at it: ps -fp {who}; end it, or let it go on if it is stopped"
                if who
                else "find it: fuser -v " + path,
            )
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


def _locks(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder(fd: int) -> int:
    """The process that holds the lock of the open file FD; 0 when there is none or the system does not tell (/proc/locks)."""
    facts = os.fstat(fd)
    inode = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    try:
        with open("/proc/locks", encoding="ascii", errors="replace") as f:
            rows = [line.split() for line in f]
    except OSError:
        return 0
    found = [row[4] for row in rows if len(row) >= 6 and row[1] == "FLOCK" and row[5] == inode]
    return int(found[0]) if found and found[0].isdigit() else 0


class Lock:
    """PATH's lock as a context; `on_wait` is called once when another process has it. It is freed by any death."""

    def __init__(self, path: str, on_wait: Callable[[], None], seconds: float = 30.0) -> None:
        self._path, self._on_wait, self._seconds = path, on_wait, seconds

    def __enter__(self) -> None:
        self._fd = _open_lock(self._path)
        if not _locks(self._fd):
            self._on_wait()
            _lock(self._fd, self._path, self._seconds)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _open_lock(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as e:
        raise DispatchError(
            f"cannot open {path}: {e.strerror}", hint="it is a lock file of dispatch's; remove what is there"
        ) from e


def try_lock(path: str) -> int | None:
    """An open descriptor that holds PATH's lock, or None when another process has it. It is freed by any death."""
    fd = _open_lock(path)
    if _locks(fd):
        return fd
    os.close(fd)
    return None


def is_locked(path: str) -> bool:
    """Whether some process holds PATH's lock now."""
    if not os.path.exists(path):
        return False
    fd = try_lock(path)
    if fd is None:
        return True
    os.close(fd)
    return False


def read_text(path: str, most: int = 1 << 20) -> str | None:
    """The file's text, MOST bytes of it, undecodable bytes replaced; None when there is none."""
    data = read_bytes(path, most)
    return None if data is None else data.decode("utf-8", "replace")


def read_bytes(path: str, most: int = 1 << 20) -> bytes | None:
    """MOST bytes of the file; None when there is none."""
    try:
        with open(path, "rb") as f:
            return f.read(most)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as e:
        raise DispatchError(f"cannot read {path}: {e.strerror}") from e


def mark(program: str) -> str:
    """Names the very program that PROGRAM is, or leads to: an update is another one."""
    path = os.path.realpath(program)
    try:
        facts = os.stat(path)
    except OSError:
        return path
    return f"{path} {facts.st_mtime_ns} {facts.st_size}"
