"""Who supervises: told from one that hangs, was stopped, is another project's, or is no supervisor at all."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from crew import wait_until

from dispatch_tmux.store import files, watchman
from dispatch_tmux.store.watchman import Signs, Watchman


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    """The held lock of the supervisor whose records are in tmp_path."""
    fd = files.try_lock(str(tmp_path / watchman.NAME))
    assert fd is not None
    yield fd
    os.close(fd)


def find(records: Path, root: str = "/p") -> Watchman | None:
    return watchman.find(str(records), root)


def silent_for(records: Path, seconds: float) -> None:
    os.utime(records / watchman.NAME, (0, time.time() - seconds))


def test_without_a_holder_nobody_supervises_whatever_the_file_says(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    (tmp_path / watchman.NAME).write_text(f"{os.getpid()}\n/p\n\n")
    assert find(tmp_path) is None


def test_one_that_works_is_known_with_its_process_and_its_remark(tmp_path: Path, lock: int) -> None:
    signs = Signs(lock, "/p")
    assert find(tmp_path) == Watchman(os.getpid(), "/p")
    signs.remark = "fs.inotify.max_user_watches is used up"
    assert find(tmp_path) == Watchman(os.getpid(), "/p", remark="fs.inotify.max_user_watches is used up")
    signs.remark = ""
    assert find(tmp_path) == Watchman(os.getpid(), "/p")


def test_what_the_last_one_left_in_the_file_is_gone(tmp_path: Path, lock: int) -> None:
    os.write(lock, b"1\n/a/very/long/place\na remark of long ago\n")
    Signs(lock, "/p")
    assert find(tmp_path) == Watchman(os.getpid(), "/p")


def test_one_that_gives_no_sign_of_life_hangs_until_it_gives_one(tmp_path: Path, lock: int) -> None:
    signs = Signs(lock, "/p")
    silent_for(tmp_path, watchman.SILENT - 3)
    assert find(tmp_path) == Watchman(os.getpid(), "/p")
    silent_for(tmp_path, watchman.SILENT + 100)
    found = find(tmp_path)
    assert found and f"no sign of life for 120 s (process {os.getpid()})" in found.trouble
    signs.beat()
    assert find(tmp_path) == Watchman(os.getpid(), "/p")


def test_a_clock_that_was_set_back_is_no_silence(tmp_path: Path, lock: int) -> None:
    Signs(lock, "/p")
    silent_for(tmp_path, -10_000)
    assert find(tmp_path) == Watchman(os.getpid(), "/p")


def test_one_that_is_left_at_the_former_place_is_told_from_one_that_got_there_by_another_way(
    tmp_path: Path, lock: int
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "way").symlink_to("there")
    Signs(lock, str(tmp_path / "there"))
    same = find(tmp_path, str(tmp_path / "way"))
    assert same and not same.trouble
    (tmp_path / "there").rename(tmp_path / "moved")
    left = find(tmp_path, str(tmp_path / "moved"))
    assert left and f"still at the place that the project was moved from, {tmp_path}/there" in left.trouble


def test_a_stopped_process_is_told_and_goes_on(tmp_path: Path, lock: int) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            os.write(lock, f"{other.pid}\n/p\n\n".encode())
            assert find(tmp_path) == Watchman(other.pid, "/p")
            other.send_signal(signal.SIGSTOP)
            stopped = wait_until(lambda: (found := find(tmp_path)) and found.trouble)
            assert stopped == f"is stopped (process {other.pid})"
            other.send_signal(signal.SIGCONT)
            wait_until(lambda: find(tmp_path) == Watchman(other.pid, "/p"))
        finally:
            other.kill()


@pytest.mark.parametrize(
    "said", [b"", b"\n", b"x\n/p\n", "²\n/p\n".encode(), "٣\n/p\n".encode(), b"\xff\xfe\n", b"9" * 5000, b"-1\n/p\n"]
)
def test_a_holder_that_says_nothing_sensible_still_holds_the_lock(tmp_path: Path, lock: int, said: bytes) -> None:
    """One that has just begun, or a file that was damaged: it is not replaced before it is silent."""
    os.write(lock, said)
    found = find(tmp_path)
    assert found is not None and not found.trouble
    assert 0 <= found.pid < 1 << 31
