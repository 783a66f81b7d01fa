"""The door to tmux: names that are only names, answers of "no" told from no answer at all."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from crew import Crew
from panes import Session

from dispatch_tmux.errors import DispatchError, TmuxError
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.server import Server, Socket


@pytest.mark.parametrize("text", ["%0", "%12345"])
def test_a_pane_id_is_what_tmux_writes(text: str) -> None:
    assert tmux.pane_id(text) == text


@pytest.mark.parametrize("text", ["", "%", "5", "@1", "%1 ", "%1\n", "%-1", "%1;kill-server", "work:1.0"])
def test_anything_else_is_no_pane_id(text: str) -> None:
    with pytest.raises(TmuxError, match="is not a pane id"):
        tmux.pane_id(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("auth", "auth"), ("a_b-C9", "a_b-C9"), ("#(touch ran)", "touch-ran"), ("#{pid}", "pid"), ("a:b.c", "a-b-c"),
        ("two\nlines", "two-lines"), ("漢字", "worker"), ("", "worker"), ("---", "worker"), ("=exact", "exact"),
    ],
)  # fmt: skip
def test_a_windows_name_holds_nothing_that_tmux_obeys(text: str, name: str) -> None:
    assert tmux.safe_name(text) == name


def test_a_windows_name_is_short() -> None:
    assert len(tmux.safe_name("x" * 500)) == 60


def test_a_socket_is_a_name_or_a_path_and_the_persons_own_keeps_its_conf() -> None:
    assert Socket("work").flags == ("-L", "work") and Socket("/run/s").flags == ("-S", "/run/s")
    ours, theirs = Socket("/run/s").argv("kill-server"), Socket("default").argv("kill-server")
    assert tmux.CONF in ours and ours[-3:] == ["-S", "/run/s", "kill-server"]
    assert "-f" not in theirs and theirs[1:] == ["-u", "-L", "default", "kill-server"]


def test_what_tmux_starts_is_in_no_other_tmux_and_in_no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "TMUX_PANE", "CLAUDECODE", "CLAUDE_CODE_SESSION_ID", "DISPATCH_TASK", "DISPATCH_TASK_DIR"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("DISPATCH_CONFIG", "kept")
    found = tmux.environment()
    assert not [name for name in found if name.startswith(("TMUX", "CLAUDE", "DISPATCH_TASK"))]
    assert found["DISPATCH_CONFIG"] == "kept" and found["PATH"] == os.environ["PATH"]


# --- which tmux


@pytest.mark.parametrize(
    ("said", "version"), [("tmux 3.2", "3.2"), ("tmux 3.6a", "3.6a"), ("tmux next-3.7", "next-3.7"), ("tmux master", "master")]
)  # fmt: skip
def test_a_tmux_that_is_new_enough_tells_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, version: str
) -> None:
    install(tmp_path, monkeypatch, f"echo {said}")
    assert tmux.check() == version


@pytest.mark.parametrize("said", ["tmux 3.1c", "tmux 2.9", "tmux 1.8"])
def test_an_older_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    install(tmp_path, monkeypatch, f"echo {said}")
    with pytest.raises(DispatchError, match="is too old") as told:
        tmux.check()
    assert "3.2 or newer" in told.value.hint


def test_a_tmux_that_is_not_there_is_said_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DispatchError, match="tmux is not installed") as told:
        tmux.check()
    assert "apt install tmux" in told.value.hint


def test_a_tmux_that_does_not_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tmux"
    program.write_bytes(b"\x7fELF is not what this is")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DispatchError, match="tmux does not run"):
        tmux.check()
    with pytest.raises(TmuxError, match="cannot run tmux"):
        tmux.run(Socket(str(tmp_path / "s")), "list-sessions")


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Another version than the one that is here: what it says of itself is all that is asked of it."""
    program = folder / "tmux"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


# --- whether there is a server


def test_where_no_server_listens_there_are_no_sessions(tmp_path: Path) -> None:
    stale = tmp_path / "stale"
    stale.touch()  # what a server leaves that was killed
    for path in (tmp_path / "nothing", tmp_path / "no" / "folder", stale):
        server = Server(Socket(str(path)))
        assert not server.running() and server.sessions() == {} and server.session_of("/x") is None


def test_a_session_is_found_by_its_project(session: Session, shared: Crew) -> None:
    server = session.server
    assert server.running()
    assert server.sessions()[session.id] == (session.name, str(shared.root))
    server.cmd("set-option", "-t", f"{session.id}:", "@dispatch_project", "/a\tb #{pid} 漢")
    assert server.session_of("/a\tb #{pid} 漢") == session.id
    assert server.session_of("/a") is None and server.session_of("/nowhere") is None


def test_no_is_an_answer_with_tmuxs_own_words(session: Session) -> None:
    answer = session.server.cmd("has-session", "-t", "nosuch")
    assert not answer.ok and "can't find session" in answer.text
    assert session.server.running()


def test_a_server_that_hangs_is_not_called_gone(session: Session) -> None:
    pid = int(session.tells(session.pane, "#{pid}"))
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(TmuxError, match="does not answer") as told:
            session.server.cmd("list-sessions", deadline=0.2)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert time.monotonic() - began < 5 and session.server.socket.name in told.value.hint
    assert session.server.running() and session.id in session.server.sessions()


def test_bytes_that_are_no_text_are_replaced(session: Session) -> None:
    pane = session.runs("sh", "-c", r"printf 'a\377b done'; exec cat")
    assert "a" in session.shows(pane, "done")


def test_a_start_directory_is_taken_as_it_is_written(session: Session, shared: Crew) -> None:
    folder = shared.base / "odd #{pid} #(touch ran) dir;"
    folder.mkdir()
    made = session.server.cmd(
        "new-window", "-d", "-P", "-F", "#{pane_id}", "-t", f"{session.id}:", "-c", tmux.literal(str(folder)), "cat"
    )
    assert session.tells(made.text, "#{pane_current_path}") == str(folder)
    assert not list(shared.base.rglob("ran"))
