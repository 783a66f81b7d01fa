"""The control connection: each command has its own answer, and what tmux tells by itself is told on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from crew import wait_until
from panes import Session

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.tmux.control import Control, Notice, quoted, raw


@pytest.fixture
def heard() -> list[Notice]:
    return []


@pytest.fixture
def control(session: Session, heard: list[Notice]) -> Iterator[Control]:
    control = Control(session.server.socket, session.id, heard.append)
    yield control
    control.close()


@pytest.mark.parametrize(
    ("wire", "written"),
    [
        (rb"plain", b"plain"), (rb"a\033[31mb", b"a\x1b[31mb"), (rb"back\134slash", b"back\\slash"),
        ("漢".encode(), "漢".encode()), (rb"\015\012", b"\r\n"), (rb"\134033", rb"\033"), (b"", b""),
    ],
)  # fmt: skip
def test_output_is_read_as_the_program_wrote_it(wire: bytes, written: bytes) -> None:
    assert raw(wire) == written


ODD = [
    "plain", "two words", "it's", "'", "''", 'a"b', "$HOME", "`id`", "#{pid}", ";", "a;", "\\", "\\;", "{", "}", "~", "%0",
    "#", "tab\there", "漢字 é", "", "-x", "%end 1 1 1", "a" * 20_000,
]  # fmt: skip


def test_an_argument_arrives_as_it_is(control: Control) -> None:
    for text in ODD:
        assert control.cmd("set-option", "-g", "@odd", text).ok
        assert control.cmd("show-options", "-gv", "@odd").text == text, text[:50]


@pytest.mark.parametrize("text", ["a\nkill-server", "a\rb", "a\0b"])
def test_an_argument_that_would_end_the_command_is_refused(control: Control, text: str) -> None:
    with pytest.raises(TmuxError, match="line break"):
        quoted(text)
    with pytest.raises(TmuxError, match="line break"):
        control.cmd("set-option", "-g", "@odd", text)
    assert control.cmd("display-message", "-p", "still here").text == "still here"


def test_no_is_an_answer_and_the_next_command_has_its_own(control: Control) -> None:
    refused = control.cmd("has-session", "-t", "nosuch")
    assert not refused.ok and "can't find session" in refused.text
    assert not control.cmd("no-such-command").ok
    assert control.cmd("display-message", "-p", "yes") == (True, ("yes",))


def test_several_commands_are_answered_in_their_order(control: Control) -> None:
    asked: list[tuple[str, ...]] = [("display-message", "-p", str(n)) for n in range(50)]
    asked[20] = ("has-session", "-t", "nosuch")
    answers = control.cmds(asked)
    assert [a.text for a in answers if a.ok] == [str(n) for n in range(50) if n != 20]
    assert not answers[20].ok


def test_each_of_many_threads_gets_its_own_answer(control: Control) -> None:
    wrong: list[str] = []

    def ask(name: int) -> None:
        for n in range(40):
            if (said := control.cmd("display-message", "-p", f"{name}-{n}").text) != f"{name}-{n}":
                wrong.append(said)

    threads = [threading.Thread(target=ask, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_screen_that_looks_like_the_end_of_an_answer_is_no_end(session: Session, control: Control) -> None:
    lines = ["%begin 1 1 1", "%end 1 1 1", "%error 1 1 1", "%exit", "%output %0 x", "the last line"]
    pane = session.runs("sh", "-c", "".join(f"echo '{line}';" for line in lines) + "exec cat")
    session.shows(pane, "the last line")
    assert control.cmd("capture-pane", "-p", "-t", pane).lines[: len(lines)] == tuple(lines)
    assert not control.closed.is_set()


def test_T22_a_list_of_commands_has_as_many_blocks_as_it_is_said_to_on_any_tmux(control: Control) -> None:
    both = control.cmd("if-shell", "-F", "1", "display-message -p one", blocks=2)
    assert both.ok and both.lines == ("one",)
    assert control.cmd("display-message", "-p", "two").text == "two"


def test_what_programs_print_comes_whole_and_from_its_pane(
    session: Session, control: Control, heard: list[Notice]
) -> None:
    pane = session.runs("sh", "-c", r"printf '\033[31mr\351d\\ %s\n' 漢; exec cat")

    def printed() -> bytes:
        return b"".join(raw(n.data) for n in heard if n.kind == "output" and n.target == pane)

    expected = b"\x1b[31mr\xe9d\\ " + "漢".encode() + b"\r\n"
    assert wait_until(lambda: len(printed()) >= len(expected) and printed()) == expected


def test_windows_that_come_and_go_are_told(session: Session, control: Control, heard: list[Notice]) -> None:
    session.server.cmd("kill-pane", "-t", session.runs("cat"))
    wait_until(lambda: len([n for n in heard if n.kind == "windows"]) >= 2, lambda: heard)


def test_a_mute_one_tells_no_output_until_it_is_asked_to(session: Session) -> None:
    heard: list[Notice] = []
    control = Control(session.server.socket, session.id, heard.append, mute=True)
    session.server.cmd("send-keys", "-t", session.pane, "before", "Enter")
    session.shows(session.pane, "before\nbefore")
    assert not [n for n in heard if n.kind == "output"]
    control.cmd("refresh-client", "-f", "!no-output")
    session.server.cmd("send-keys", "-t", session.pane, "after", "Enter")
    wait_until(lambda: b"after" in b"".join(n.data for n in heard))
    control.close()


def test_the_end_of_the_session_ends_the_connection_and_is_told_once(
    session: Session, control: Control, heard: list[Notice]
) -> None:
    session.server.cmd("kill-session", "-t", session.id)
    wait_until(lambda: [n for n in heard if n.kind == "closed"])
    assert control.closed.is_set()
    with pytest.raises(TmuxError, match="closed"):
        control.cmd("display-message", "-p", "x")
    control.close()
    assert len([n for n in heard if n.kind == "closed"]) == 1


def test_to_leave_ends_nothing_but_the_connection(session: Session) -> None:
    control = Control(session.server.socket, session.id, lambda notice: None)
    control.close()
    wait_until(lambda: session.tells(session.pane, "#{session_attached}") == "0")
    assert session.tells(session.pane, "#{pane_dead}") == "0"
    with pytest.raises(TmuxError, match="closed"):
        control.cmd("display-message", "-p", "x")


def test_there_is_no_connection_to_a_session_that_is_not_there(session: Session) -> None:
    with pytest.raises(TmuxError, match="refuses control clients"):
        Control(session.server.socket, "$999", lambda notice: None)
