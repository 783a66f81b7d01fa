"""Files change whole or by a line; locks name who holds them, and end with their holder."""

from __future__ import annotations

import fcntl
import os
import resource
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from threads import at_once

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """As on a full disk: a write ends in the middle, or fails (setrlimit(2); Python ignores SIGXFSZ)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The lock of PATH in another hand; two descriptors of one process are two hands (flock(2))."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


# --- directories


def test_a_directory_is_private_and_one_that_is_there_stays(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        files.private_dir(str(tmp_path / "d"))
    finally:
        os.umask(old)
    (tmp_path / "d" / "f").touch()
    files.private_dir(str(tmp_path / "d"))
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700
    assert os.listdir(tmp_path / "d") == ["f"]


@pytest.mark.parametrize("target", ["real", "nowhere"])
def test_a_link_in_place_of_a_directory_is_refused_with_what_to_do(tmp_path: Path, target: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "d").symlink_to(tmp_path / target)
    with pytest.raises(DispatchError, match="is a symbolic link") as refused:
        files.private_dir(str(tmp_path / "d"))
    assert "remove it" in refused.value.hint
    assert not os.listdir(tmp_path / "real") and not (tmp_path / "nowhere").exists()


def test_a_file_in_place_of_a_directory_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("mine")
    with pytest.raises(DispatchError, match="in the way"):
        files.private_dir(str(tmp_path / "d"))
    assert (tmp_path / "d").read_text() == "mine"


# --- replacing


def test_a_text_that_does_not_fit_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "f"
    files.replace(str(path), "old")
    with no_file_longer_than(1000), pytest.raises(DispatchError, match=r"cannot write .*/f: "):
        files.replace(str(path), "x" * 5000)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]


def test_a_directory_that_is_gone_is_told_by_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(DispatchError, match=r"cannot write .*gone/f: No such file"):
        files.replace(str(tmp_path / "gone" / "f"), "x")


def test_a_plain_name_is_one_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files.replace("f", "x")
    assert (tmp_path / "f").read_text() == "x"


def test_a_file_that_somebody_has_open_keeps_its_text_for_them(tmp_path: Path) -> None:
    path = tmp_path / "f"
    files.replace(str(path), "old")
    with open(path) as reader:
        files.replace(str(path), "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"


def test_a_second_exclusive_text_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "f")
    assert files.replace(path, "first", exclusive=True)
    assert not files.replace(path, "second", exclusive=True)
    assert files.read_text(path) == "first"
    assert os.listdir(tmp_path) == ["f"]


# --- lines


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"new\n"),
        (b"a\n", b"a\nnew\n"),
        (b"a\nhal", b"a\nhal\nnew\n"),
        (b"\n", b"\nnew\n"),
        (b"\0\0", b"\0\0\nnew\n"),
    ],
)
def test_a_line_goes_to_the_end_and_a_half_one_is_ended_first(tmp_path: Path, before: bytes, after: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(before)
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    files.append_line(fd, b"new")
    os.close(fd)
    assert path.read_bytes() == after


def test_lines_of_many_writers_under_the_lock_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"

    def write(n: int) -> None:
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        for _ in range(20):
            with files.locked(fd, str(path)):
                files.append_line(fd, b"%d" % n * 3000)
        os.close(fd)

    at_once(write, range(4))
    lines = path.read_bytes().splitlines()
    assert len(lines) == 80
    assert {len(set(line)) for line in lines} == {1}


# --- who writes


def test_a_file_that_is_being_written_is_told_from_one_that_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "001.question"
    with open(path, "w") as writer:
        writer.write("Whi")
        writer.flush()
        assert files.being_written(str(path))
    assert not files.being_written(str(path))
    with open(path):
        assert not files.being_written(str(path))


def test_what_is_no_file_is_written_by_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "link", "folder", "nothing"):
        assert not files.being_written(str(tmp_path / name))


def test_looking_leaves_no_lease_behind_that_a_writer_would_wait_for(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.touch()
    assert not files.being_written(str(path))
    began = time.monotonic()
    os.close(os.open(path, os.O_WRONLY))
    assert time.monotonic() - began < 5.0  # the kernel breaks a lease after 45 s


# --- locks


def test_a_held_lock_ends_with_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path):
        fd = os.open(path, os.O_RDWR)
        with (
            pytest.raises(DispatchError, match=f"by process {os.getpid()} for over 0.05 s") as told,
            files.locked(fd, str(path), 0.05),
        ):
            pytest.fail("it is locked")
        os.close(fd)
    assert f"ps -fp {os.getpid()}" in told.value.hint


def test_a_lock_that_is_freed_in_time_is_waited_for(tmp_path: Path) -> None:
    path, waited = tmp_path / "lock", threading.Event()
    with held(path):
        taken = threading.Event()

        def take() -> None:
            with files.Lock(str(path), waited.set):
                taken.set()

        thread = threading.Thread(target=take)
        thread.start()
        assert waited.wait(10.0)
        assert not taken.is_set()
    thread.join(10.0)
    assert taken.is_set()


def test_a_free_lock_is_taken_without_a_word_and_given_back_after_an_error(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    for _ in range(2):
        with pytest.raises(KeyError), files.Lock(path, lambda: pytest.fail("nobody has it")):
            assert files.is_locked(path)
            raise KeyError
        assert not files.is_locked(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_lock_has_one_holder_and_ends_with_its_descriptor(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert not files.is_locked(path) and not os.path.exists(path)
    first = files.try_lock(path)
    assert first is not None and files.is_locked(path)
    assert files.try_lock(path) is None
    assert files.holder(first) == os.getpid()
    os.close(first)
    assert not files.is_locked(path)
    fd = os.open(path, os.O_RDONLY)
    assert files.holder(fd) == 0
    os.close(fd)


def test_a_lock_goes_when_its_process_is_killed(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    code = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-S", "-c", code, path], stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdout.readline()
        assert files.is_locked(path)
        fd = os.open(path, os.O_RDONLY)
        assert files.holder(fd) == other.pid
        os.close(fd)
        other.kill()
    assert not files.is_locked(path)


def test_a_lock_file_that_is_a_link_is_refused_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DispatchError, match=r"cannot open .*lock") as refused:
        files.try_lock(str(tmp_path / "lock"))
    assert "remove what is there" in refused.value.hint
    assert not (tmp_path / "elsewhere").exists()


# --- reading


def test_a_text_is_bounded_and_undecodable_bytes_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"ab\xffcd")
    assert files.read_text(str(tmp_path / "f")) == "ab\ufffdcd"
    assert files.read_text(str(tmp_path / "f"), 2) == "ab"


@pytest.mark.parametrize("path", ["nothing", "f/below", "."])
def test_what_is_no_file_has_no_text(tmp_path: Path, path: str) -> None:
    (tmp_path / "f").touch()
    assert files.read_text(str(tmp_path / path)) is None


def test_a_file_that_cannot_be_read_is_told_from_none(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DispatchError, match=r"cannot read .*loop"):
        files.read_text(str(tmp_path / "loop"))
