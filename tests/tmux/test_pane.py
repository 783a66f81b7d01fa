"""PaneSpawn: pexpect on a live tmux pane."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from crew import Crew, wait_until
from panes import Session

from dispatch_tmux.errors import PaneGone
from dispatch_tmux.tmux.pane import PaneSpawn
from dispatch_tmux.tmux.server import Socket


@pytest.fixture
def python(crew: Crew) -> PaneSpawn:
    """Python's own prompt in a pane."""
    made = crew.tmux("new-session", "-d", "-s", "x", "-P", "-F", "#{pane_id}", sys.executable, "-E", "-i", "-q")
    assert made.ok, made.text
    pane = PaneSpawn(made.text, socket=Socket(crew.socket), timeout=10)
    yield pane
    pane.close()


def test_expect_and_sendline_work_as_on_any_pexpect_child(python: PaneSpawn) -> None:
    python.sendline("6 * 7")
    python.expect(r"\n42\r")
    python.sendline("input('name? ') + '!'")
    python.expect_exact("name? ")
    python.sendline("Ünï 漢;")
    python.expect_exact("'Ünï 漢;!'")


def test_the_end_of_the_program_is_eof(python: PaneSpawn) -> None:
    python.sendline("exit()")
    python.expect(pexpect.EOF)
    assert not python.isalive()


def test_a_timeout_shows_what_was_seen_and_looked_for(python: PaneSpawn) -> None:
    python.sendline("'so far'")
    with pytest.raises(pexpect.TIMEOUT) as told:
        python.expect_exact("never printed", timeout=0.5)
    assert "so far" in str(told.value) and "never printed" in str(told.value)


def test_a_paste_keeps_a_trailing_semicolon_and_presses_nothing_else(python: PaneSpawn) -> None:
    python.paste("print('a;', 1);")
    wait_until(lambda: "print('a;', 1);" in python.look().text, lambda: python.look().text)
    assert "a; 1" not in python.look().text
    python.keys("Enter")
    python.expect_exact("a; 1")


@pytest.mark.parametrize(("asks", "gets"), [("\\033[?2004h", "^[[200~two words;^[[201~"), ("", "two words;")])
def test_T22_a_paste_has_marks_where_the_program_asked_for_them_and_nowhere_else(
    session: Session, asks: str, gets: str
) -> None:
    pane = session.runs("sh", "-c", f"stty -echo; printf '{asks}ready '; exec cat -v")
    session.shows(pane, "ready")
    spawn = PaneSpawn(pane, socket=session.server.socket)
    spawn.paste("two words;")
    spawn.keys("Enter")
    shown = session.shows(pane, "words")
    spawn.close()
    assert shown.replace("ready ", "").strip() == gets


def test_closing_leaves_the_program_alone(python: PaneSpawn, crew: Crew) -> None:
    python.close()
    assert crew.tmux("display-message", "-p", "-t", python.pane, "#{pane_dead}").text == "0"
    assert crew.tmux("list-clients").lines == ()


PRINTED = """
printf 'one line\n\033[31mred and 漢字 \033[0m%s\nname> ' "$(printf '%0250d' 7)"
touch drawn; exec cat
"""


def test_what_stands_on_the_screen_already_is_read_first(crew: Crew) -> None:
    crew.script("w.sh", PRINTED)
    made = crew.tmux("new-session", "-d", "-x", "80", "-c", str(crew.root), "-P", "-F", "#{pane_id}", "sh", "w.sh")
    wait_until(lambda: "name>" in crew.tmux("capture-pane", "-p", "-t", made.text).text)
    with PaneSpawn(made.text, socket=Socket(crew.socket), timeout=10) as pane:
        pane.expect_exact("name> ")
        assert pane.before == "one line\r\nred and 漢字 " + "7".zfill(250) + "\r\n"
        pane.sendline("Ann")
        pane.expect_exact("Ann\r\nAnn\r\n")  # echoed, and said by cat
        assert pane.before == ""


def test_no_byte_is_lost_or_doubled_between_the_screen_and_what_follows(crew: Crew) -> None:
    """Each start falls into another moment of a program that counts aloud."""
    counting = "i=100; while [ $i -lt 9999 ]; do i=$((i + 1)); echo $i; done; exec cat"
    for _ in range(8):
        made = crew.tmux("new-session", "-d", "-P", "-F", "#{pane_id}", "sh", "-c", counting)
        with PaneSpawn(made.text, socket=Socket(crew.socket), timeout=20) as pane:
            pane.expect_exact("9999\r\n")
            seen = [int(line) for line in pane.before.split()]
        assert seen == list(range(seen[0], 9999)), seen[:5]


@pytest.mark.parametrize(
    ("shown", "read"),
    [("", ""), ("a\\n\\n\\n", "a\r\n\r\n\r\n"), ("  a  b   ", "  a  b   "), ("a\\nb\\033[H", "a\r\nb")],
)
def test_a_screen_reads_up_to_its_cursor(crew: Crew, shown: str, read: str) -> None:
    made = crew.tmux(
        "new-session",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "sh",
        "-c",
        f"printf '{shown}'; printf '\\033]2;drawn\\007'; exec cat",
    )
    wait_until(lambda: crew.tmux("display-message", "-p", "-t", made.text, "#{pane_title}").text == "drawn")
    with PaneSpawn(made.text, socket=Socket(crew.socket), timeout=10) as pane:
        pane.sendline("x")
        pane.expect_exact("x\r\nx\r\n")
        assert pane.before == read


def test_T17_a_paste_into_a_dead_pane_is_refused_and_the_server_lives(crew: Crew) -> None:
    pane_id = crew.tmux("new-session", "-d", "-s", "x", "-P", "-F", "#{pane_id}", "cat").text
    crew.tmux("set-option", "-g", "remain-on-exit", "on")
    with PaneSpawn(pane_id, socket=Socket(crew.socket)) as pane:
        pane.sendcontrol("d")
        wait_until(lambda: not pane.isalive())
        for _ in range(20):
            with pytest.raises(PaneGone):
                pane.paste("text")
        assert crew.tmux("list-buffers").lines == ()
    assert crew.tmux("has-session", "-t", "x").ok


def test_the_documented_example_runs() -> None:
    example = Path(__file__).parents[2] / "docs" / "examples" / "pane_spawn.py"
    done = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("lines", "above", "at", "found"),
    [
        (("ue? [y/N] ",), ("old", "Continue? [y/N] "), (10, 0), (("Continue? [y/N] ",), (16, 0))),
        (("ue? [y/N] ", "x"), ("Continue? [y/N] ", "x"), (1, 1), (("Continue? [y/N] ", "x"), (1, 1))),
        (("whole",), ("old", "whole"), (5, 0), (("whole",), (5, 0))),
        (("now", "other"), ("old", "else"), (5, 1), (("now", "other"), (5, 1))),  # drawn between the two looks
        ((), (), (0, 0), ((), (0, 0))),
    ],
)
def test_D27_a_line_that_begins_above_the_screen_is_read_whole(
    lines: tuple[str, ...], above: tuple[str, ...], at: tuple[int, int], found: tuple[tuple[str, ...], tuple[int, int]]
) -> None:
    from dispatch_tmux.tmux.pane import _begun_above

    assert _begun_above(lines, above, at) == found


@pytest.mark.parametrize(
    ("lines", "cursor", "width", "where"),
    [
        (["Proceed? [y/N]"], (14, 0), 80, (14, 0)),
        (["x" * 60 + "Proceed? "], (9, 1), 60, (69, 0)),
        (["one", "x" * 130, "last "], (5, 4), 60, (5, 2)),
        (["one", "", "three"], (2, 2), 60, (2, 2)),
        (["one"], (0, 3), 60, (0, 3)),
        ([], (0, 0), 60, (0, 0)),
    ],
)
def test_D27_where_the_cursor_stands_in_lines_that_wrapped(
    lines: list[str], cursor: tuple[int, int], width: int, where: tuple[int, int]
) -> None:
    from dispatch_tmux.tmux.pane import _in_lines

    assert _in_lines(lines, cursor, width) == where
