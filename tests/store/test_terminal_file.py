"""A worker's terminal.log as a file: bounded, followed over its renewal, and never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatch_tmux.store import terminal_file
from dispatch_tmux.store.terminal_file import Tail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "terminal.log"


def add(path: Path, data: bytes, most: int = 1000) -> None:
    terminal_file.append(str(path), data, most)


def test_it_grows_and_its_end_is_read(path: Path) -> None:
    assert terminal_file.end(str(path), 10) == b""
    add(path, b"first ")
    add(path, b"\xff second")
    assert path.read_bytes() == b"first \xff second"
    assert terminal_file.end(str(path), 6) == b"second" and terminal_file.end(str(path), 100) == b"first \xff second"
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_pieces_are_kept_whatever_is_written(path: Path) -> None:
    for n in range(20):
        add(path, b"%02d" % n * 30, most=100)
    kept = (path.parent / "terminal.log.1").read_bytes() + (path.read_bytes() if path.exists() else b"")
    assert kept.endswith(b"19" * 30) and len(kept) <= 2 * 160
    assert set(os.listdir(path.parent)) <= {"terminal.log", "terminal.log.1"}


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "terminal"])
def test_F19_what_is_no_regular_file_is_neither_read_nor_written(path: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "mine").write_text("mine")
    {
        "fifo": lambda: os.mkfifo(path), "link": lambda: path.symlink_to("mine"), "folder": path.mkdir,
        "terminal": lambda: path.symlink_to("/dev/tty"),
    }[kind]()  # fmt: skip
    assert terminal_file.end(str(path), 10) == b"" and Tail(str(path)).read() == ""
    with pytest.raises(OSError):
        add(path, b"x")
    assert (tmp_path / "mine").read_text() == "mine"


def test_F19_nor_is_a_pipe_at_which_somebody_waits(path: Path) -> None:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OSError):
        add(path, b"x")
    assert os.read(reader, 10) == b""
    os.close(reader)


def test_who_follows_gets_each_character_once_and_whole(path: Path) -> None:
    tail = Tail(str(path))
    assert tail.read() == ""
    text = "é日本🙂\n".encode()
    for n in range(len(text)):
        add(path, text[n : n + 1])
        assert "\ufffd" not in tail.read()
    add(path, b"ok")
    assert tail.read() == "ok" and tail.read() == ""
    assert Tail(str(path)).read() == "é日本🙂\nok"


def test_who_follows_goes_on_with_a_new_log_from_its_beginning(path: Path) -> None:
    tail = Tail(str(path))
    add(path, b"old", most=1)  # full at once
    add(path, b"new")
    assert tail.read() == "new"
    path.rename(path.with_name("terminal.log.1"))
    assert tail.read() == ""
    path.write_bytes(b"fresh log")
    assert tail.read() == "fresh log"
    os.truncate(path, 0)
    add(path, b"cut")
    assert tail.read() == "cut"
