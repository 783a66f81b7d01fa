"""Workers' windows: opened, found wherever they are moved, captured, closed. By the supervisor's own line to tmux."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from crew import wait_until
from panes import Session, attached

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.tmux import worker_windows as windows
from dispatch_tmux.tmux.connection import Line, connect
from dispatch_tmux.tmux.control import Notice

TELLS = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd()])); input()"


class Heard(list[Notice]):
    """The notices that came."""

    def of(self, kind: str, name: str = "") -> list[Notice]:
        return [n for n in self if n.kind == kind and n.name == name]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def line(session: Session, heard: Heard) -> Iterator[Line]:
    line = connect(session.server, session.id, heard.append)
    yield line
    line.close()


def opened(line: Line, session: Session, *argv: str, name: str = "auth", cwd: str = "/") -> windows.Opened:
    return windows.open_window(line, session.id, name=name, cwd=cwd, argv=argv, task=name)


def test_a_window_runs_its_program_with_its_words_and_in_its_directory(
    session: Session, line: Line, tmp_path: Path
) -> None:
    folder = tmp_path / "a #{pid} 'b\" $HOME;"
    folder.mkdir()
    words = ["two words", "$HOME", "#{pid}", ";", "b;", "it's", 'a"b', "\\", "", "漢", "~"]
    made = opened(line, session, sys.executable, "-c", TELLS, *words, cwd=str(folder))
    text = wait_until(lambda: line.cmd("capture-pane", "-p", "-J", "-t", made.pane).text.strip())
    assert json.loads(text) == [words, str(folder)]


def test_an_opened_window_tells_its_pane_its_window_and_its_process(session: Session, line: Line) -> None:
    made = opened(line, session, "cat")
    assert session.tells(made.pane, "#{window_id} #{pane_pid} #{window_name}") == f"{made.window} {made.pid} auth"
    assert windows.window_of(line, made.pane) == made.window
    assert windows.session_of(line, made.pane) == session.id
    assert session.tells(session.pane, "#{window_active}") == "1"  # it came in the background


def test_a_window_keeps_its_name_and_stays_when_its_program_ends(session: Session, line: Line) -> None:
    made = opened(line, session, "sh", "-c", r"printf '\033kanother name\033\\'; echo last words; read a")
    session.shows(made.pane, "last words")
    session.server.cmd("send-keys", "-t", made.pane, "Enter")
    wait_until(lambda: session.tells(made.pane, "#{pane_dead}") == "1")
    assert session.tells(made.pane, "#{window_name}") == "auth"
    assert "last words" in (windows.transcript(line, made.pane) or "")


@pytest.mark.parametrize("name", ["#(touch ran)", "a:b.c", "-t", "#{pid}", "x" * 300])
def test_whatever_a_task_is_called_its_window_opens(session: Session, line: Line, tmp_path: Path, name: str) -> None:
    made = opened(line, session, "cat", name=name, cwd=str(tmp_path))
    assert [pane.task for pane in windows.panes(line) or () if pane.id == made.pane] == [name]
    session.tells(made.pane, "#{window_name}")
    assert not (tmp_path / "ran").exists()


def test_no_window_opens_in_a_session_that_is_not_there(line: Line) -> None:
    with pytest.raises(TmuxError, match="opens no window"):
        windows.open_window(line, "$999", name="a", cwd="/", argv=["cat"], task="a")


def test_a_tag_goes_with_its_pane(session: Session, line: Line) -> None:
    pane, other = session.runs("cat"), session.runs("cat")
    windows.tag(line, pane, "auth")
    session.server.cmd("join-pane", "-d", "-s", pane, "-t", other)
    found = {p.id: p for p in windows.panes(line) or ()}
    assert found[pane].task == "auth" and found[other].task == ""
    assert found[pane].pid == int(session.tells(pane, "#{pane_pid}"))


def test_what_is_no_pane_is_in_no_session(session: Session, line: Line) -> None:
    assert windows.session_of(line, "%99999") == ""
    assert windows.transcript(line, "%99999") is None and windows.appearance(session.server, "%99999") is None


def test_no_answer_is_not_no_panes(session: Session) -> None:
    """A line that says no, and one that says nothing."""
    session.server.cmd("new-session", "-d", "-s", "last", "cat")
    line = connect(session.server, "last", lambda notice: None)
    line.close()
    with pytest.raises(TmuxError):
        windows.panes(line)
    session.server.cmd("kill-session", "-t", "last")


def test_a_transcript_has_what_has_scrolled_away(session: Session, line: Line) -> None:
    pane = session.runs(
        "sh", "-c", r"printf '\033[32mfirst\033[m\n'; i=0; while [ $((i += 1)) -lt 90 ]; do echo $i; done; exec cat"
    )
    session.shows(pane, "89")
    text = windows.transcript(line, pane) or ""
    assert "\x1b[32mfirst" in text and text.rstrip().endswith("89")


def test_an_appearance_changes_with_the_screen_its_colours_and_its_title(session: Session) -> None:
    pane = session.runs(
        "sh", "-c", r"printf word; read a; printf '\r\033[31mword'; read a; printf '\033]2;title\007'; exec cat"
    )
    session.shows(pane, "word")
    seen = [windows.appearance(session.server, pane)]
    assert seen[0] and windows.appearance(session.server, pane) == seen[0]
    for _ in range(2):
        session.server.cmd("send-keys", "-t", pane, "Enter")
        seen.append(wait_until(lambda: (now := windows.appearance(session.server, pane)) != seen[-1] and now))
    assert len(set(seen)) == 3 and "title" in (seen[-1] or "")


def test_a_state_stands_beside_the_name(session: Session, line: Line) -> None:
    made = opened(line, session, "cat")
    windows.show_state(line, made.pane, "?")
    assert "auth ?" in session.tells(made.pane, "#{T:window-status-format}")
    windows.show_state(line, made.pane, "")
    assert "?" not in session.tells(made.pane, "#{T:window-status-format}")


def test_ctrl_b_j_goes_round_those_that_wait_and_ctrl_b_d_back_to_the_first(session: Session, line: Line) -> None:
    """It went to the first one, always."""
    panes = [session.pane, *(opened(line, session, "cat").pane for _ in range(5))]
    person = attached(session)

    def press(key: str) -> int:
        before = session.tells(session.id, "#{window_id}")
        person.send(f"\x02{key}")
        wait_until(lambda: session.tells(session.id, "#{window_id}") != before, lambda: person.before)
        return panes.index(session.tells(session.id, "#{pane_id}"))

    try:
        for n in (1, 3, 4):
            windows.show_state(line, panes[n], "?")
        assert [press("j") for _ in range(4)] == [1, 3, 4, 1]
        windows.show_state(line, panes[1], "")
        assert [press("j"), press("D"), press("j")] == [3, 0, 3]
        windows.show_state(line, panes[4], "")
        person.send("\x02j")
        person.expect("nobody else waits")
        assert session.tells(session.id, "#{pane_id}") == panes[3]
    finally:
        person.close(force=True)


def test_at_80_columns_the_status_line_says_who_waits(session: Session, line: Line) -> None:
    person = attached(session)
    try:
        windows.show_all(line, session.id, "", "", "2 working")
        person.expect("2 working  C-b d: leave")
        windows.show_all(line, session.id, "", "add-a-login-pag… +12 wait", "1 waiting for you, 2 working")
        person.expect(r"\? add-a-login-pag… \+12 wait ")
    finally:
        person.close(force=True)


def test_a_person_is_told_from_our_own_connection(session: Session, line: Line, heard: Heard) -> None:
    assert not windows.is_attended(line, session.id)  # only the control client is there
    windows.tell_of_viewers(line, windows.window_of(line, session.pane), "board")
    person = attached(session)
    assert windows.is_attended(line, session.id)
    wait_until(lambda: any(int(n.text) > 1 for n in heard.of("value", "board")))
    person.close(force=True)
    wait_until(lambda: not windows.is_attended(line, session.id))
    wait_until(lambda: heard.of("value", "board")[-1].text == "1")


def test_a_pane_is_closed_whatever_runs_in_it_and_the_others_stay(session: Session, line: Line, heard: Heard) -> None:
    made, other = (
        opened(line, session, "sh", "-c", "trap '' HUP TERM; echo there; while :; do sleep 1; done"),
        session.runs("cat"),
    )
    session.shows(made.pane, "there")
    windows.close_pane(line, made.pane)
    found = {pane.id for pane in windows.panes(line) or ()}
    assert made.pane not in found and other in found
    windows.close_pane(line, made.pane)  # that it is gone already is no error
    wait_until(lambda: heard.of("windows"))
    os.kill(made.pid, signal.SIGKILL)  # it hears of nothing else


def test_the_end_of_a_session_is_the_end_of_its_windows_only(session: Session, line: Line) -> None:
    made = opened(line, session, "cat")
    windows.end_session(session.server, session.id)
    wait_until(line.closed.is_set)
    left = windows.panes(session.server) or []
    assert made.pane not in {pane.id for pane in left} and left
