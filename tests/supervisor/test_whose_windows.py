"""Whose pane is whose, on a real server: by its tag wherever a person moves it, and by its process where the tag is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made import STARTED, made
from panes import Session

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.state import Limits
from dispatch_tmux.store import processes
from dispatch_tmux.store.project import at
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor.windows import Windows
from dispatch_tmux.supervisor.worker import Worker
from dispatch_tmux.tmux import worker_windows
from dispatch_tmux.tmux.connection import Connection


class Crewed:
    """The windows of a crew of one, `auth`, whose attempt runs in PANE."""

    def __init__(self, session: Session, store: Store) -> None:
        self.store, self.session = store, session
        made(store, "auth", *STARTED)
        self.worker = Worker(store, "auth", configuration.backend("demo"), Limits())
        self.found: list[str] = []
        self.connection = Connection(session.server, session.id, lambda notice: None)
        self.connection.open()
        self.windows = Windows(
            self.connection, lambda id: self.worker if id == "auth" else None, lambda: [self.worker],
            lambda worker: self.found.append(worker.sight.pane),
        )  # fmt: skip
        self.pane = self.runs()

    def runs(self, attempt: int = 1, *, tagged: bool = True) -> str:
        """A window with the process that claims ATTEMPT."""
        pane = self.session.runs("cat")
        pid = int(self.session.tells(pane, "#{pane_pid}"))
        Path(self.store.own("auth"), f"process-{attempt}").write_text(f"{pid} {processes.started(pid)}\n")
        if tagged:
            worker_windows.tag(self.session.server, pane, "auth")
        return pane


@pytest.fixture
def crewed(session: Session, tmp_path: Path) -> Iterator[Crewed]:
    crewed = Crewed(session, at(str(tmp_path)).store)
    yield crewed
    crewed.connection.line.close()


def test_a_window_is_found_once_by_its_tag(crewed: Crewed) -> None:
    crewed.windows.find()
    crewed.windows.find()
    assert crewed.found == [crewed.pane] and crewed.windows.has(crewed.worker)
    assert crewed.worker.sight.pane == crewed.pane and not crewed.worker.sight.has_no_pane


def test_it_stays_the_same_wherever_a_person_moves_it(crewed: Crewed) -> None:
    crewed.windows.find()
    crewed.session.server.cmd("join-pane", "-d", "-s", crewed.pane, "-t", crewed.session.pane)
    crewed.windows.find(anew=True)
    assert crewed.worker.sight.pane == crewed.pane and crewed.windows.has(crewed.worker)


def test_the_window_of_a_former_attempt_is_not_the_workers(crewed: Crewed) -> None:
    for kind, data in (("starting", {"attempt": 2}), ("started", {"attempt": 2, "pane": "%99999"})):
        crewed.store.append("auth", kind, "", **data)
    crewed.worker.record.refresh()
    now = crewed.runs(2)
    crewed.windows.find()
    assert crewed.found == [now]


@pytest.mark.parametrize("task", ["other", "auth-2", ""])
def test_windows_of_others_are_left_alone(crewed: Crewed, task: str) -> None:
    worker_windows.tag(crewed.session.server, crewed.pane, task)
    Path(crewed.store.own("auth"), "process-1").unlink()
    crewed.windows.find()
    assert crewed.found == [] and not crewed.windows.has(crewed.worker)


def test_a_window_whose_tag_a_dying_supervisor_could_not_write_is_known_by_its_process(crewed: Crewed) -> None:
    crewed.session.server.cmd("kill-pane", "-t", crewed.pane)
    pane = crewed.runs(tagged=False)
    crewed.windows.find()
    assert crewed.found == [pane]
    assert crewed.session.tells(pane, "#{@dispatch_task}") == "auth"


def test_a_tag_on_a_pane_of_the_persons_makes_it_no_workers(crewed: Crewed) -> None:
    """Its process is another one than claimed the attempt."""
    mine = crewed.session.runs("cat")
    worker_windows.tag(crewed.session.server, mine, "auth")
    crewed.windows.find()
    assert crewed.found == [crewed.pane]


def test_a_window_that_is_closed_is_reviewed_soon(crewed: Crewed) -> None:
    crewed.windows.find()
    crewed.session.server.cmd("kill-pane", "-t", crewed.pane)
    crewed.windows.find()
    assert not crewed.windows.has(crewed.worker) and crewed.worker.sight.pane_gone
    assert crewed.worker.review_at is not None


def test_no_answer_is_not_no_windows(crewed: Crewed, monkeypatch: pytest.MonkeyPatch) -> None:
    crewed.windows.find()
    monkeypatch.setattr(worker_windows, "panes", lambda line: None)
    crewed.windows.find()
    assert crewed.windows.has(crewed.worker) and not crewed.worker.sight.pane_gone


def test_the_window_of_an_attempt_that_has_ended_is_closed_and_only_that(crewed: Crewed) -> None:
    other = crewed.session.runs("cat")
    crewed.windows.find()
    crewed.windows.close(crewed.worker)
    panes = {pane.id for pane in worker_windows.panes(crewed.session.server) or ()}
    assert crewed.pane not in panes and other in panes and not crewed.windows.has(crewed.worker)
    crewed.windows.close(crewed.worker)  # it has none: nothing happens
