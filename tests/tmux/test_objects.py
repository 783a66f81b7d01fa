"""libtmux's objects on our server: every command of theirs goes through our door."""

from __future__ import annotations

import pytest
from crew import Crew
from libtmux.exc import LibTmuxException
from panes import Session

from dispatch_tmux.tmux import objects
from dispatch_tmux.tmux.server import Server, Socket


def test_a_session_is_ended_and_no_other(session: Session) -> None:
    other = session.server.cmd("new-session", "-d", "-P", "-F", "#{session_id}", "cat").text
    objects.session(session.server, other).kill()
    assert other not in session.server.sessions() and session.id in session.server.sessions()


def test_a_command_is_answered_as_libtmux_expects_it(session: Session) -> None:
    server = objects.bound_server(session.server)
    said = server.cmd("display-message", "-p", "#{session_id}", target=session.id)
    assert (said.returncode, said.stdout, said.stderr) == (0, [session.id], [])
    said = server.cmd("has-session", target="nosuch")
    assert said.returncode == 1 and said.stdout == [] and "can't find session" in said.stderr[0]


def test_what_is_not_there_is_an_error_of_libtmux(session: Session) -> None:
    with pytest.raises(LibTmuxException):
        objects.session(session.server, "$999").kill()


def test_a_socket_is_its_name_or_its_path(shared: Crew) -> None:
    assert str(objects.bound_server(Server(Socket(shared.socket))).socket_path) == shared.socket
    assert objects.bound_server(Server(Socket("work"))).socket_name == "work"
