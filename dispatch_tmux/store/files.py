"""How a file changes: by rename, or by one line at its end. Nothing else writes in `.dispatch`."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
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


def replace(path: str, text: str, *, exclusive: bool = False) -> bool:
    """Put TEXT into PATH: readers see the old file or the new one, never half of either. Mode 0600.

    With `exclusive` an existing file stays and the answer is False.
    """
    fresh = f"{path}.{os.urandom(4).hex()}.tmp"
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="") as f:
            f.write(text)
            f.flush()
            os.fsync(f.fileno())
        if not exclusive:
            os.rename(fresh, path)
            return True
        try:
            os.link(fresh, path)
        except FileExistsError:
            return False
        return True
    except OSError as e:
        raise DispatchError(f"cannot write {path}: {e.strerror}") from e
    finally:
        try:
            os.unlink(fresh)
        except FileNotFoundError:
            pass


def append(path: str, text: str) -> bool:
    """TEXT at the end of the existing file PATH in one write; False when there is none, or a link in its place."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, IsADirectoryError):
        return False
    except OSError as e:
        if e.errno == errno.ELOOP:
            return False
        raise DispatchError(f"cannot write {path}: {e.strerror}") from e
    try:
        os.write(fd, text.encode("utf-8", "replace"))
    except OSError as e:
        raise DispatchError(f"cannot write {path}: {e.strerror}") from e
    finally:
        os.close(fd)
    return True


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
    view = memoryview(line + b"\n")
    while view:
        view = view[os.write(fd, view) :]


@contextmanager
def locked(fd: int) -> Iterator[None]:
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


class Lock:
    """PATH's lock as a context; `on_wait` is called once when another process has it. It is freed by any death."""

    def __init__(self, path: str, on_wait: Callable[[], None]) -> None:
        self._path, self._on_wait = path, on_wait

    def __enter__(self) -> None:
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._on_wait()
            fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def try_lock(path: str) -> int | None:
    """An open descriptor that holds PATH's lock, or None when another process has it. It is freed by any death."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


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
    try:
        with open(path, "rb") as f:
            return f.read(most).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as e:
        raise DispatchError(f"cannot read {path}: {e.strerror}") from e
