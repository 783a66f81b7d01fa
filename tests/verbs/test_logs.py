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


FRAME = "\x1b[2A\r\x1b[J{}{} Working… ({}s)\r\n> \r\n  footer"


def frames(lines: int, turns: int = 4) -> bytes:
    """What a program writes that says LINES lines, its spinner turning TURNS times after each."""
    drawn = "".join(
        FRAME.format(f"said {n}\r\n" if not k else "", "⠋⠙⠹⠸"[k % 4], n * turns + k)
        for n in range(lines)
        for k in range(turns)
    )
    return f"\r\n\r\n{drawn}".encode()


def test_what_is_drawn_frame_by_frame_reads_like_a_log(project: Project, log: Path) -> None:
    log.write_bytes(frames(300))
    (shown,) = logs(project, "auth")
    assert shown.splitlines()[-5:] == ["said 298", "said 299", "⠸ Working… (1199s)", ">", "  footer"]
    assert len(shown.splitlines()) == 200 and len(set(shown.splitlines())) == 200
    (whole,) = logs(project, "auth", lines=1000)
    assert [line for line in whole.splitlines() if "said" in line] == [f"said {n}" for n in range(300)]
    (raw,) = logs(project, "auth", lines=1000, raw=True)
    assert raw.count("footer") > 300 and "\x1b" not in raw


def test_the_end_of_a_long_log_is_read_from_where_it_is(project: Project, log: Path) -> None:
    """Also where its older piece was put aside, and a bit begins within a character."""
    written = frames(60_000, 2)
    log.with_name("terminal.log.1").write_bytes(written[:6_000_001])
    log.write_bytes(written[6_000_001:])
    (shown,) = logs(project, "auth", lines=100)
    assert shown.splitlines()[:97] == [f"said {n}" for n in range(60_000 - 97, 60_000)]


def test_what_is_drawn_is_followed(project: Project, log: Path) -> None:
    log.write_bytes(frames(3))
    pieces = logs(project, "auth", follow=True)
    assert next(pieces).startswith("said 0\nsaid 1\nsaid 2\n")
    with open(log, "ab") as f:
        f.write(frames(6).split(b"said 3")[1])
        f.flush()
        came = ""
        while "said 5" not in came:
            came += next(pieces)
    assert came.count("said 4") == came.count("said 5") == 1 and "said 2" not in came
    pieces.close()
