"""The supervisor's line: the control connection, and the fallback that asks once a second and tells the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crew import Crew, wait_until
from panes import Session

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.tmux import connection
from dispatch_tmux.tmux.connection import Connection, Polling, connect
from dispatch_tmux.tmux.control import Control, Notice
from dispatch_tmux.tmux.server import Answer, Server, Socket


@pytest.fixture
def heard() -> list[Notice]:
    return []


@pytest.fixture(params=["control", "polling"])
def line(
    request: pytest.FixtureRequest, session: Session, heard: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> Iterator[connection.Line]:
    monkeypatch.setattr(connection, "EVERY", 0.05)
    line: connection.Line
    if request.param == "control":
        line = connect(session.server, session.id, heard.append)
        assert isinstance(line, Control)
    else:
        line = Polling(session.server, session.id, heard.append)
    yield line
    line.close()


def test_both_answer_alike(session: Session, line: connection.Line) -> None:
    assert line.cmd("display-message", "-p", "one") == (True, ("one",))
    assert [a.text for a in line.cmds([("display-message", "-p", "a"), ("display-message", "-p", "b")])] == ["a", "b"]
    refused = line.cmd("has-session", "-t", "nosuch")
    assert not refused.ok and "can't find session" in refused.text


def test_both_tell_of_windows_output_titles_and_the_end_of_a_program(
    session: Session, line: connection.Line, heard: list[Notice]
) -> None:
    pane = session.runs("sh", "-c", r"read a; printf '\033]2;the title\007word'; read a; exit 3")

    def facts() -> list[str]:
        return [n.text for n in heard if n.kind == "value" and n.name == "facts" and n.target == pane]

    wait_until(lambda: any(n.kind == "windows" for n in heard) and facts(), lambda: heard)
    before = len(heard)
    session.server.cmd("send-keys", "-t", pane, "Enter")
    wait_until(lambda: any(n.kind == "output" and n.target == pane for n in heard[before:]), lambda: heard)
    wait_until(lambda: facts()[-1] == "0,0,the title", facts)
    session.server.cmd("send-keys", "-t", pane, "Enter")
    wait_until(lambda: facts()[-1] == "1,0,the title", facts)
    session.server.cmd("kill-pane", "-t", pane)
    before = len(heard)
    wait_until(lambda: any(n.kind == "windows" for n in heard[before - 1 :]), lambda: heard)


def test_both_are_closed_when_their_session_ends_and_say_so_once(
    session: Session, line: connection.Line, heard: list[Notice]
) -> None:
    session.server.cmd("kill-session", "-t", session.id)
    wait_until(lambda: any(n.kind == "closed" for n in heard))
    wait_until(line.closed.is_set)
    assert len([n for n in heard if n.kind == "closed"]) == 1


@pytest.fixture
def looks(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands of a line that asks, as they are given."""
    monkeypatch.setattr(connection, "EVERY", 0.02)
    given: list[str] = []
    real = session.server.cmd

    def cmd(*command: str, deadline: float = 8.0) -> Answer:
        given.append(command[0])
        return real(*command, deadline=deadline)

    monkeypatch.setattr(session.server, "cmd", cmd)
    return given


def test_where_nothing_changes_asking_tells_nothing(session: Session, heard: list[Notice], looks: list[str]) -> None:
    """Of no pane, whatever its number is: tmux pads `%5` as a time's format, and each look seemed to bring something new."""
    panes = [session.runs("cat") for _ in range(3)]
    line = Polling(session.server, session.id, heard.append)
    wait_until(lambda: looks.count("list-panes") >= 3)
    told = len(heard)
    wait_until(lambda: looks.count("list-panes") >= 6)
    assert heard[told:] == []
    session.server.cmd("send-keys", "-t", panes[-1], "x")
    wait_until(lambda: len(heard) > told)
    assert {n.target for n in heard[told:]} == {panes[-1]}
    line.close()


def test_a_screen_that_names_another_pane_is_only_its_own(
    session: Session, heard: list[Notice], looks: list[str]
) -> None:
    other = session.runs("cat")
    loud = session.runs("sh", "-c", f"echo dispatch-pane {other}; exec cat")
    session.shows(loud, "dispatch-pane")
    line = Polling(session.server, session.id, heard.append)
    wait_until(lambda: looks.count("list-panes") >= 3)
    told = len(heard)
    session.server.cmd("send-keys", "-t", other, "x")
    wait_until(lambda: len(heard) > told)
    assert {n.target for n in heard[told:]} == {other}
    line.close()


def test_a_line_may_be_opened_again(session: Session, heard: list[Notice]) -> None:
    whole = Connection(session.server, session.id, heard.append)
    whole.open()
    first = whole.line
    first.close()
    whole.open()
    assert whole.line is not first and whole.line.cmd("display-message", "-p", "x").ok
    whole.line.close()


def test_without_a_server_there_is_no_line(shared: Crew) -> None:
    with pytest.raises(TmuxError):
        connect(Server(Socket(f"{shared.socket}-nobody")), "$0", lambda notice: None)
