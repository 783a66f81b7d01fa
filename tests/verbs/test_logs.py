"""What a worker's program has written, harmless, also while it grows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from crew import wait_until
from made import made, over

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs.logs import logs


@pytest.fixture
def log(store: Store) -> Path:
    made(store, "auth", *over("done"))
    return Path(store.own("auth", "terminal.log"))


@pytest.mark.parametrize(
    ("written", "lines", "shown"),
    [
        (b"one\r\ntwo\r\nthree\r\n", 2, "two\nthree\n"), (b"one\r\ntwo", 5, "one\ntwo"), (b"one\n", 0, ""), (b"", 5, ""),
        (b"\x1b[31mred\x1b[0m\r\n", 5, "red\n"), (b"\x1b]0;title\x07x\n", 5, "x\n"), (b"a\xffb\n", 5, "a\ufffdb\n"),
        ("漢字\n".encode(), 5, "漢字\n"), (b"cut\x1b[3", 5, "cut3"),
    ],
)  # fmt: skip
def test_the_last_lines_as_text(project: Project, log: Path, written: bytes, lines: int, shown: str) -> None:
    log.write_bytes(written)
    assert list(logs(project, "auth", lines=lines)) == [shown]


def test_nothing_written_yet_is_said(project: Project, log: Path) -> None:
    with pytest.raises(DispatchError, match="auth has written nothing yet"):
        logs(project, "auth")


def test_what_comes_is_told_in_whole_characters_and_whole_escapes(project: Project, log: Path) -> None:
    log.write_bytes(b"first\n")
    pieces = logs(project, "auth", follow=True)
    assert next(pieces) == "first\n"
    whole = "漢\x1b[31mred\x1b[m\n".encode()
    for cut in (1, 5):  # within the character, within the escape
        with open(log, "ab") as f:
            f.write(whole[:cut])
            f.flush()
            f.write(whole[cut:])
        told = ""
        while not told.endswith("\n"):
            told += next(pieces)
        assert told == "漢red\n"
    pieces.close()


def test_a_log_that_is_begun_anew_is_followed(project: Project, log: Path) -> None:
    log.write_bytes(b"first\n")
    pieces = logs(project, "auth", follow=True)
    next(pieces)
    os.replace(log, log.with_suffix(".log.1"))
    log.write_bytes(b"second\n")
    assert wait_until(lambda: next(pieces)) == "second\n"
    pieces.close()


def test_one_that_is_not_there_yet_is_waited_for_only_when_followed(project: Project, log: Path) -> None:
    pieces = logs(project, "auth", follow=True)
    assert next(pieces) == ""
    log.write_bytes(b"at last\n")
    assert next(pieces) == "at last\n"
    pieces.close()


def test_a_link_in_its_place_is_not_followed(project: Project, log: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    log.symlink_to(tmp_path / "secret")
    assert list(logs(project, "auth")) == [""]
