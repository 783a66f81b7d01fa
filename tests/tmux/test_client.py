"""Putting a person's terminal in front of a window: which command does it, wherever the person is. See T9 for it at work."""

from __future__ import annotations

import shlex

import pexpect
import pytest
from crew import Crew, wait_until
from panes import Session

from dispatch_tmux.tmux import client
from dispatch_tmux.tmux.server import Server, Socket


def test_outside_tmux_it_is_attached_and_shows_that_window(session: Session) -> None:
    pane = session.runs("sh", "-c", "echo HERE I AM; exec cat")
    command = client.show(session.server, pane, session.id)
    person = pexpect.spawn(
        command.argv[0], list(command.argv[1:]), env={**command.env, "TERM": "xterm"}, encoding="utf-8", timeout=20
    )
    try:
        person.expect_exact("HERE I AM")
        assert session.tells(pane, "#{window_active}") == "1"
        person.sendcontrol("b")
        person.send("d")
        person.expect(pexpect.EOF)
        assert session.tells(pane, "#{pane_dead}") == "0"
    finally:
        person.close(force=True)


def test_inside_the_same_server_its_client_is_switched(
    session: Session, shared: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", f"{shared.socket},1,0")
    command = client.show(session.server, session.pane, "$999")
    assert command.argv[-3:] == ("switch-client", "-t", session.id)
    assert command.env["TMUX"]  # by which tmux knows whose client is meant


def test_inside_another_server_its_terminal_is_lent_and_comes_back(
    session: Session, shared: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = Server(Socket(f"{shared.socket} o"))
    made = outer.cmd("new-session", "-d", "-P", "-F", "#{pane_id} #{session_id}", "cat").text.split()
    try:
        monkeypatch.setenv("TMUX", f"{outer.socket.name},1,0")
        monkeypatch.setenv("TMUX_PANE", made[0])
        argv = client.show(session.server, session.pane, session.id).argv
        assert outer.socket.name in argv and argv[-3:-1] == ("detach-client", "-E")
        there, back = (shlex.split(part) for part in argv[-1].split(";"))
        assert there[:5] == ["env", "-u", "TMUX", "-u", "TMUX_PANE"] and there[-2:] == ["-t", session.id]
        assert back[0] == "exec" and outer.socket.name in back and back[-2:] == ["-t", made[1]]
    finally:
        outer.cmd("kill-server")


def test_where_a_window_is_gone_its_session_is_shown(session: Session) -> None:
    command = client.show(session.server, "%99999", session.id)
    assert command.argv[-3:] == ("attach-session", "-t", session.id)


@pytest.mark.parametrize("name", ["/a b/s", "work"])
def test_the_way_by_hand_may_be_pasted_into_a_shell(name: str) -> None:
    server = Server(Socket(name))
    assert shlex.split(client.by_hand(server, "%5")) == ["tmux", *server.socket.flags, "select-window", "-t", "%5"]


def test_a_person_who_looks_is_put_before_the_window_that_is_named(session: Session) -> None:
    first, second = session.runs("cat"), session.runs("cat")
    for pane in (first, second):
        client.show(session.server, pane, session.id)
        wait_until(lambda pane=pane: session.tells(pane, "#{window_active}") == "1")
