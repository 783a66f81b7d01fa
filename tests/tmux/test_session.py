"""The session of a project: started with the supervisor's window, found again, its program put back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from crew import Crew, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st
from panes import Session, attached

from dispatch_tmux.tmux import session as sessions
from dispatch_tmux.tmux.connection import connect
from dispatch_tmux.tmux.session import Programs

TELLS = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), os.environ.get('GIVEN')])); input()"


def told(session: Session, pane: str) -> list[object]:
    """What a program that runs TELLS has written."""
    text = wait_until(
        lambda: session.server.cmd("capture-pane", "-p", "-J", "-t", pane).text.strip(), lambda: "it wrote nothing"
    )
    found: list[object] = json.loads(text)
    return found


WORDS = [
    "two words",
    "$HOME",
    "#{pid}",
    "a;b",
    "b;",
    "c\\;",
    "",
    "漢",
    "it's",
    '"q"',
    "%d ##[x] #(date)",
    "\\0101",
    "`id`",
]


def programs(root: Path, argv: list[str], **env: str) -> Programs:
    return Programs(str(root), env, argv, ["true"], ["echo", "dispatch"])


@pytest.mark.parametrize("how", ["start", "open_face", "restart_face"])
def test_the_face_gets_its_arguments_its_directory_and_its_variables_as_they_are(
    session: Session, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "a #{pid} $HOME 'b';"
    folder.mkdir()
    made = programs(folder, [sys.executable, "-c", TELLS, *WORDS], GIVEN="x=$PATH #{pid};")
    server = session.server
    if how == "start":
        assert sessions.start(server, "other", made).ok
        found = sessions.face(server, "=other:")
    else:
        server.cmd("set-option", "-p", "-u", "-t", session.pane, "@dispatch_face")  # as if it had none
        assert sessions.supervise(server, session.id, made).ok  # which has the variables
        if how == "open_face":
            assert sessions.open_face(server, session.id, made).ok
        else:
            pane = session.runs("cat")
            assert sessions.restart_face(server, pane, made.face, sessions.WAITS).ok
        found = sessions.face(server, session.id)
    assert found and not found.dead and found.kind == sessions.WAITS
    at = os.getcwd() if how == "restart_face" else str(folder)  # that keeps the directory of the window
    assert told(session, found.pane) == [WORDS, at, "x=$PATH #{pid};"]
    server.cmd("kill-session", "-t", "other") if how == "start" else server.cmd("kill-pane", "-t", found.pane)


def test_the_supervisor_runs_beside_the_session_with_its_words_as_they_are_and_no_terminal(
    session: Session, tmp_path: Path
) -> None:
    out = tmp_path / "it's told"
    tells = (
        "import json, os, sys; print(json.dumps([sys.argv[1:], [os.environ.get(n) for n in ('GIVEN', 'TMUX_PANE')]])); "
    )
    tells += "open('/dev/tty')"
    shell = ["sh", "-c", 'exec "$@" >"$0" 2>&1', str(out), sys.executable, "-c", tells, *WORDS]
    made = Programs(str(tmp_path), {"GIVEN": "here"}, ["cat"], shell, ["true"])
    assert sessions.supervise(session.server, session.id, made).ok
    wait_until(lambda: out.exists() and "Error" in out.read_text(), lambda: out.exists() and out.read_text())
    first, _, rest = out.read_text().partition("\n")
    assert json.loads(first) == [WORDS, ["here", None]]
    assert "No such device or address" in rest


@given(st.lists(st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), max_size=20), max_size=4))
@settings(max_examples=20, deadline=None)
def test_a_command_line_is_its_words_to_a_shell(words: list[str]) -> None:
    argv = [sys.executable, "-IS", "-c", "import sys; sys.stdout.buffer.write(ascii(sys.argv[1:]).encode())", *words]
    done = subprocess.run(["sh", "-c", sessions.command(argv)], capture_output=True, text=True, check=True)
    assert done.stdout == ascii(words)
    assert not set(sessions.command(argv)) & set("#'\n`;")


def test_a_session_is_tagged_and_large_enough_though_nobody_looks(session: Session, shared: Crew) -> None:
    assert session.server.session_of(str(shared.root)) == session.id
    assert session.tells(session.pane, "#{window_width} #{window_name} #{session_attached}") == f"200 {sessions.NAME} 0"
    assert 45 <= int(session.tells(session.pane, "#{window_height}")) <= 50


def test_a_name_that_is_taken_is_refused_and_the_first_stays(session: Session, shared: Crew) -> None:
    again = sessions.start(session.server, session.name, programs(shared.root / "other", ["cat"]))
    assert not again.ok and "duplicate session" in again.text
    assert session.server.sessions()[session.id] == (session.name, str(shared.root))


def test_a_project_is_written_on_a_session_that_is_there(session: Session) -> None:
    sessions.tag_project(session.server, session.id, "/moved here")
    assert session.server.session_of("/moved here") == session.id


def test_window_0_is_found_wherever_it_is(session: Session) -> None:
    server = session.server
    found = sessions.face(server, session.id)
    assert found and (found.pane, found.kind) == (session.pane, sessions.WAITS)
    server.cmd("new-window", "-d", "-t", f"{session.id}:", "cat")
    server.cmd("move-window", "-s", session.pane, "-t", f"{session.id}:77")
    assert sessions.face(server, session.id) == found
    server.cmd("kill-pane", "-t", session.pane)
    assert sessions.face(server, session.id) is None
    assert sessions.face(server, "$999") is None


def test_an_earlier_versions_window_is_told_from_ours(session: Session) -> None:
    server = session.server
    server.cmd("set-option", "-p", "-u", "-t", session.pane, "@dispatch_face")
    server.cmd("set-option", "-p", "-t", session.pane, "@dispatch_supervisor", "1")
    found = sessions.face(server, session.id)
    assert found and (found.pane, found.kind) == (session.pane, sessions.OLD)


def test_prefix_a_answers_in_a_popup_and_in_a_workers_window_its_own_questions_first(
    session: Session, tmp_path: Path
) -> None:
    out = tmp_path / "it's #{here}"
    answers = ["sh", "-c", 'echo "$@" >>"$0"; pwd >>"$0"; echo POPUP; read a', str(out), "-C", "/a #(b) 'c'; $d"]
    server = session.server
    assert sessions.supervise(server, session.id, Programs(str(tmp_path), {}, ["cat"], ["true"], answers)).ok
    server.cmd("set-option", "-t", f"{session.id}:", "default-shell", "/bin/false")  # a shell that is none, as fish is
    pane = session.runs("cat")
    server.cmd("set-option", "-p", "-t", pane, "@dispatch_task", "auth-2")
    person = attached(session)
    try:
        for window, said in ((session.pane, ""), (pane, "auth-2")):
            server.cmd("select-window", "-t", window)
            # once more where the popup before is just closing: it takes the keys then
            wait_until(lambda: person.send("\x02a") and person.expect(["POPUP", pexpect.TIMEOUT], timeout=0.5) == 0)
            person.send("\r")
            wait_until(lambda: out.exists() and out.read_text().count("\n") == 2, lambda: out.read_text())
            assert out.read_text().splitlines()[0] == f"-C /a #(b) 'c'; $d answer --first={said}"
            out.unlink()
        server.cmd("set-option", "-u", "-t", f"{session.id}:", "@dispatch_command")
        person.send("\x02a")
        person.expect("no session of dispatch's")
    finally:
        person.close(force=True)


def test_who_looks_is_counted(session: Session) -> None:
    window, other = (session.tells(pane, "#{window_id}") for pane in (session.pane, session.runs("cat")))
    assert sessions.viewers(session.server, window) == 0
    line, person = connect(session.server, session.id, lambda notice: None), attached(session)
    assert (sessions.viewers(session.server, window), sessions.viewers(session.server, other)) == (1, 0)
    person.close(force=True)
    wait_until(lambda: sessions.viewers(session.server, window) == 0)
    line.close()


def test_T22_a_session_is_meant_by_its_very_name_on_any_tmux(session: Session, tmp_path: Path) -> None:
    server, made = session.server, {}
    for name in ("t22-longer", "t22"):  # the second is the beginning of the first
        root = tmp_path / name
        root.mkdir()
        assert sessions.start(server, name, programs(root, ["cat"])).ok
        made[name] = server.session_of(str(root))
    ids = {name: id for id, (name, _) in server.sessions().items()}
    assert {name: ids[name] for name in made} == made
    for id in made.values():
        server.cmd("kill-session", "-t", str(id))
