"""A worker's output on disk: all of it, bounded, and never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatch_tmux.supervisor import terminal_log
from dispatch_tmux.supervisor.terminal_log import TerminalLog

ON, OFF = rb"\033[?2004h", rb"\033[?2004l"


def log(folder: Path) -> TerminalLog:
    return TerminalLog(str(folder / "terminal.log"))


def test_what_came_is_written_as_the_program_wrote_it_and_in_its_order(tmp_path: Path) -> None:
    kept = log(tmp_path)
    for data in (rb"a\033[31mred", rb"\134 \015\012", "漢".encode()):
        kept.add(data)
    assert kept.waiting and not (tmp_path / "terminal.log").exists()
    kept.flush()
    assert not kept.waiting
    assert (tmp_path / "terminal.log").read_bytes() == b"a\x1b[31mred\\ \r\n" + "漢".encode()
    kept.flush()
    kept.add(b"more")
    assert kept.tail().endswith("more") and not kept.waiting


def test_others_cannot_read_it(tmp_path: Path) -> None:
    kept = log(tmp_path)
    kept.add(b"x")
    kept.flush()
    assert (tmp_path / "terminal.log").stat().st_mode & 0o777 == 0o600


def test_a_log_that_is_full_is_put_aside_and_the_last_two_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_log, "MOST", 10)
    kept = log(tmp_path)
    for data in (b"one one one", b"two two two", b"three"):
        kept.add(data)
        kept.flush()
    assert (tmp_path / "terminal.log.1").read_bytes() == b"two two two"
    assert (tmp_path / "terminal.log").read_bytes() == b"three"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["terminal.log", "terminal.log.1"]


def test_its_end_is_plain_text(tmp_path: Path) -> None:
    kept = log(tmp_path)
    kept.add(b"x" * 10_000 + rb"\015\012\033[1;31mthe end\033[m \377" + "漢".encode() + rb"\015\012")
    assert kept.tail(40).splitlines()[-1].startswith("the end") and "\x1b" not in kept.tail()
    assert len(kept.tail(40)) <= 40


@pytest.mark.parametrize(
    ("written", "bracketed"),
    [
        ([], False), ([ON], True), ([ON, OFF], False), ([ON + b"text" + OFF + b"text" + ON], True), ([rb"\033[?1;2004h"], True),
        ([b"a line about 2004"], False), ([rb"\033[?2004x"], False), ([ON, b"x" * 1000], True),
    ],
)  # fmt: skip
def test_whether_pastes_are_bracketed_is_known_by_the_next_supervisor_too(
    tmp_path: Path, written: list[bytes], bracketed: bool
) -> None:
    kept = log(tmp_path)
    for data in written:
        kept.add(data)
    assert kept.bracketed is bracketed
    kept.flush()
    assert log(tmp_path).bracketed is bracketed


def test_what_lies_in_its_place_is_neither_followed_nor_waited_for(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("precious")
    for put in (lambda p: os.symlink(theirs, p), os.mkfifo, os.mkdir):
        folder = tmp_path / f"f{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        put(folder / "terminal.log")
        kept = log(folder)
        kept.add(b"output")
        kept.flush()  # costs the log, never the worker
        assert kept.tail() == "" and not kept.bracketed and not kept.waiting
    assert theirs.read_text() == "precious"


def test_a_folder_that_is_gone_costs_the_log_only(tmp_path: Path) -> None:
    kept = log(tmp_path / "nowhere")
    kept.add(b"output")
    kept.flush()
    assert kept.tail() == "" and not kept.waiting
