"""The session of a project: started with the supervisor's window, found again, its program put back."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from crew import Crew, wait_until
from panes import Session

from dispatch_tmux.tmux import session as sessions
from dispatch_tmux.tmux.session import Program

TELLS = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), os.environ.get('GIVEN')])); input()"


def told(session: Session, pane: str) -> list[object]:
    """What a program that runs TELLS has written."""
    text = wait_until(
        lambda: session.server.cmd("capture-pane", "-p", "-J", "-t", pane).text.strip(), lambda: "it wrote nothing"
    )
    found: list[object] = json.loads(text)
    return found


@pytest.mark.parametrize("how", ["start", "open_in", "restart"])
def test_the_program_gets_its_arguments_its_directory_and_its_variables_as_they_are(
    session: Session, shared: Crew, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "a #{pid} $HOME 'b';"
    folder.mkdir()
    words = ["two words", "$HOME", "#{pid}", "a;b", "b;", "c\\;", "", "漢"]
    program = Program([sys.executable, "-c", TELLS, *words], str(folder), {"GIVEN": "x=$PATH #{pid};"})
    server = session.server
    if how == "start":
        made = sessions.start(server, "other", "/other", program)
    elif how == "open_in":
        made = sessions.open_in(server, session.id, program)
    else:
        pane = sessions.open_in(server, session.id, Program(["cat"], str(folder), {})).text
        made = sessions.restart(server, pane, program)
        assert made.lines == (pane,)
    assert made.ok, made.text
    assert told(session, made.text) == [words, str(folder), "x=$PATH #{pid};"]
    if how == "start":
        server.cmd("kill-session", "-t", "other")


def test_a_session_is_tagged_and_large_enough_though_nobody_looks(session: Session, shared: Crew) -> None:
    assert session.server.session_of(str(shared.root)) == session.id
    assert session.tells(session.pane, "#{window_width} #{window_name} #{session_attached}") == f"200 {sessions.NAME} 0"
    assert 45 <= int(session.tells(session.pane, "#{window_height}")) <= 50


def test_a_name_that_is_taken_is_refused_and_the_first_stays(session: Session, shared: Crew) -> None:
    again = sessions.start(session.server, session.name, "/other", Program(["cat"], str(shared.root), {}))
    assert not again.ok and "duplicate session" in again.text
    assert session.server.sessions()[session.id] == (session.name, str(shared.root))


def test_a_project_is_written_on_a_session_that_is_there(session: Session) -> None:
    sessions.tag_project(session.server, session.id, "/moved here")
    assert session.server.session_of("/moved here") == session.id


def test_the_supervisors_pane_is_found_wherever_it_is(session: Session) -> None:
    server = session.server
    assert sessions.supervisor_pane(server, session.id) is None
    pane = session.runs("cat")
    sessions.tag_supervisor(server, pane)
    assert sessions.supervisor_pane(server, session.id) == pane
    server.cmd("move-window", "-s", pane, "-t", f"{session.id}:77")
    assert sessions.supervisor_pane(server, session.id) == pane
    server.cmd("kill-pane", "-t", pane)
    assert sessions.supervisor_pane(server, session.id) is None
    assert sessions.supervisor_pane(server, "$999") is None


def test_a_restart_ends_what_was_there(session: Session, shared: Crew) -> None:
    before = session.tells(session.pane, "#{pane_pid}")
    assert sessions.restart(session.server, session.pane, Program(["sh", "-c", "echo anew; cat"], "/", {})).ok
    session.shows(session.pane, "anew")
    assert session.tells(session.pane, "#{pane_pid}") != before
    assert not sessions.restart(session.server, "%99999", Program(["cat"], "/", {})).ok


def test_the_last_line_says_why_a_program_ended(session: Session) -> None:
    pane = session.runs("sh", "-c", "echo one; echo why it ended; read a")
    session.shows(pane, "why it ended")
    session.server.cmd("send-keys", "-t", pane, "Enter")
    wait_until(lambda: session.tells(pane, "#{pane_dead}") == "1")
    assert sessions.last_line(session.server, pane) == "why it ended"
    assert sessions.last_line(session.server, session.runs("cat")) == ""
