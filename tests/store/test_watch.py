"""Being told of file changes: what is told, what was missed, and that nothing is silently not watched."""

from __future__ import annotations

import errno
import os
import queue
import sys
from pathlib import Path

import pytest

from dispatch_tmux.store import inotify
from dispatch_tmux.store.watch import Bell, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Heard:
    """A watch of ROOT and what it tells."""

    def __init__(self, root: Path) -> None:
        self.said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.watch = Watch([str(root)], self.said.put, lambda: self.said.put("lost"))

    def until(self, path: object) -> None:
        while self.said.get(timeout=10) != str(path):
            pass


def test_a_file_that_is_made_renamed_or_written_is_told(tmp_path: Path) -> None:
    heard = Heard(tmp_path)
    (tmp_path / "a.tmp").write_text("x")
    (tmp_path / "a.tmp").rename(tmp_path / "a")
    heard.until(tmp_path / "a")
    with (tmp_path / "a").open("a") as f:
        f.write("y")
    heard.until(tmp_path / "a")
    (tmp_path / "a").unlink()
    heard.until(tmp_path / "a")
    assert heard.watch.trouble == ""


def test_a_new_time_counts_among_the_roots_only(tmp_path: Path) -> None:
    task, other = tmp_path / "task", tmp_path / "other"
    task.mkdir()
    other.mkdir()
    (other / "file").touch()
    heard = Heard(tmp_path)
    heard.watch.add([str(other)])
    os.utime(other / "file")
    os.utime(task)
    assert heard.said.get(timeout=10) == str(task)
    heard.watch.remove([str(other)])
    (other / "second").touch()
    os.utime(task)
    assert heard.said.get(timeout=10) == str(task)


def test_a_folder_that_is_replaced_by_another_one_is_watched_on(tmp_path: Path) -> None:
    task, ipc = tmp_path / "task", tmp_path / "task" / "ipc"
    ipc.mkdir(parents=True)
    heard = Heard(tmp_path)
    heard.watch.add([str(task), str(ipc)])
    ipc.rmdir()
    heard.until(ipc)
    ipc.mkdir()
    heard.until(ipc)  # and from now on what is in it
    (ipc / "001.question").write_text("which?")
    heard.until(ipc / "001.question")


def test_what_is_no_directory_or_a_link_is_no_trouble_and_is_not_watched(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "file").touch()
    heard = Heard(tmp_path)
    heard.watch.add([str(tmp_path / name) for name in ("link", "file", "missing")])
    (tmp_path / "elsewhere" / "x").touch()
    (tmp_path / "end").touch()
    assert heard.said.get(timeout=10) == str(tmp_path / "end")
    assert heard.watch.trouble == ""


def test_F21_a_queue_that_overflowed_is_told(tmp_path: Path) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 1 << 17:
        pytest.skip(f"a queue of {most} events is too long to fill here")
    told = inotify.Inotify()
    told.add(str(tmp_path))
    for n in range(most // 3 + 10):  # made, closed, removed: three events
        (tmp_path / f"{n % 2}").touch()
        (tmp_path / f"{n % 2}").unlink()
    found: list[str] = []
    while inotify.LOST not in found:
        more = told.read(5)
        assert more, "no overflow was told"
        found += more
    told.close()


def test_F21_which_setting_a_refusal_comes_from() -> None:
    assert inotify.knob(OSError(errno.EMFILE, "")) == "fs.inotify.max_user_instances"
    assert inotify.knob(OSError(errno.ENOSPC, "")) == "fs.inotify.max_user_watches"
    assert inotify.knob(OSError(errno.ENOENT, "")) == ""


def test_a_bell_rings_for_the_names_it_was_given(tmp_path: Path) -> None:
    bell = Bell(str(tmp_path), "bell")
    (tmp_path / "other").touch()
    assert not bell.wait(0.05)
    (tmp_path / "bell").touch()
    assert bell.wait(5)
    bell.close()
    missing = Bell(str(tmp_path / "missing"), "bell")
    assert missing.trouble and missing.wait(0.01)  # whoever waits looks for himself
    missing.close()
