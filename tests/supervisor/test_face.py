"""Window 0's face: begun when somebody looks, ended some time after nobody does, and nothing that it does ends the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crew import Crew, wait_until
from panes import Session, attached

from dispatch_tmux.store.project import Project, at
from dispatch_tmux.supervisor import face
from dispatch_tmux.supervisor.face import Face
from dispatch_tmux.tmux import session as sessions
from dispatch_tmux.tmux.connection import Connection
from dispatch_tmux.tmux.control import Notice

PAINTS = "printf '\\033[?1049h\\033[?25lthe face'; read a; [ -z \"$a\" ] || exit 3"


@pytest.fixture
def project(shared: Crew, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(face, "dispatch", lambda project: ("sh", "-c", PAINTS))
    return at(str(shared.root), str(shared.home / ".dispatch"))


@pytest.fixture
def seen(session: Session, project: Project) -> Iterator[Face]:
    heard: list[Notice] = []
    connection = Connection(session.server, session.id, heard.append)
    connection.open()
    sessions.restart_face(session.server, session.pane, face.program(project, sessions.WAITS), sessions.WAITS)
    seen = Face(project, connection)
    seen.find()
    seen.notices = heard  # type: ignore[attr-defined]
    yield seen
    connection.line.close()


def take(seen: Face) -> None:
    """What has been told since, as the supervisor's one thread takes it."""
    heard: list[Notice] = seen.notices  # type: ignore[attr-defined]
    while heard:
        seen.heard(heard.pop(0))


def kind(session: Session) -> str:
    found = sessions.face(session.server, session.id)
    return found.kind if found else ""


def test_it_runs_while_somebody_looks_and_a_while_longer(
    session: Session, seen: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.shows(session.pane, "press Enter for the inbox")
    assert kind(session) == sessions.WAITS and seen.due is None
    session.server.cmd("new-window", "-t", session.id, "cat")
    person = attached(session)  # to another window
    take(seen)
    assert kind(session) == sessions.WAITS
    session.server.cmd("select-window", "-t", session.pane)
    wait_until(lambda: take(seen) or kind(session) == sessions.SHOWN)
    session.shows(session.pane, "the face")
    person.close(force=True)
    wait_until(lambda: take(seen) or seen.due)
    assert seen.due
    seen.end_unseen(seen.due - 1)
    assert kind(session) == sessions.SHOWN
    seen.end_unseen(seen.due + 1)
    assert kind(session) == sessions.WAITS and seen.due is None
    session.shows(session.pane, "press Enter for the inbox")


def test_a_window_that_was_closed_is_looked_after_when_there_is_one_again(
    session: Session, seen: Face, project: Project
) -> None:
    session.server.cmd("new-window", "-d", "-t", session.id, "cat")
    session.server.cmd("kill-pane", "-t", session.pane)
    wait_until(lambda: take(seen) or not seen._window)
    pane = face.ensure(session.server, session.id, project)
    session.server.cmd("select-window", "-t", pane)
    person = attached(session)
    wait_until(lambda: take(seen) or kind(session) == sessions.SHOWN)
    session.shows(pane, "the face")
    person.close(force=True)


@pytest.mark.parametrize(("key", "code"), [("C-c", 130), ("C-z", 148), ("C-\\", 131), ("Enter", 0), ("x", 3)])
def test_F16_however_it_ends_the_window_stays_and_enter_begins_it_again(
    session: Session, project: Project, key: str, code: int
) -> None:
    sessions.restart_face(session.server, session.pane, face.program(project, sessions.SHOWN), sessions.SHOWN)
    session.shows(session.pane, "the face")
    session.server.cmd("send-keys", "-t", session.pane, key, *(["Enter"] if key == "x" else []))
    said = session.shows(session.pane, f"has ended ({code})")
    assert "supervisor and workers go on. Enter" in said
    assert session.tells(session.pane, "#{alternate_on} #{cursor_flag} #{pane_dead}") == "0 1 0"
    session.server.cmd("send-keys", "-t", session.pane, "C-c", "C-\\", "C-z", "C-d", "y")
    session.server.cmd("send-keys", "-t", session.pane, "Enter")
    session.shows(session.pane, "the face")
