"""The pane of an adopted CLI, in a tmux server of the person's: looked at from outside, and never touched by looking."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from crew import wait_until
from made import made
from panes import Session

from dispatch_tmux.store import processes
from dispatch_tmux.store.project import at
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import foreign
from dispatch_tmux.supervisor.foreign import Foreign


class Adopted:
    """A pane of the person's that runs a shell script, adopted as task `mine`."""

    def __init__(self, session: Session, store: Store) -> None:
        self.session, self.store = session, store
        self.pane = session.runs("sh", "-c", "read a; echo changed; read a")
        pid = int(session.tells(self.pane, "#{pane_pid}"))
        happened = (
            ("starting", {"attempt": 1}), ("started", {"attempt": 1, "pane": self.pane, "pid": pid, "server": session.server.socket.name}),
        )  # fmt: skip
        task = made(store, "mine", *happened, adopted=True)
        Path(store.own("mine"), "process-1").write_text(f"{pid} {processes.started(pid)}\n")
        self.changes = threading.Semaphore(0)
        self.line = Foreign(store.own("mine"), task, self.changes.release)

    def changed(self, seconds: float = 30.0) -> bool:
        return self.changes.acquire(timeout=seconds)

    def press(self) -> None:
        self.session.server.cmd("send-keys", "-t", self.pane, "Enter")


@pytest.fixture
def adopted(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Adopted]:
    monkeypatch.setattr(foreign, "EVERY", 0.03)
    adopted = Adopted(session, at(str(tmp_path)).store)
    yield adopted
    adopted.line.close()
    wait_until(lambda: adopted.changes.acquire(blocking=False) or adopted.line.closed.is_set())


def test_it_is_heard_when_it_looks_different_and_not_otherwise(adopted: Adopted) -> None:
    assert adopted.changed()  # the first look
    while adopted.changed(0.3):
        pass
    adopted.press()
    assert adopted.changed()
    assert not adopted.line.closed.is_set()


def test_the_end_of_its_program_is_written_down_once_and_told(adopted: Adopted) -> None:
    for _ in range(2):
        adopted.press()
    wait_until(adopted.line.closed.is_set)
    assert adopted.store.exit_code("mine", 1) == 0 and adopted.changed()


def test_it_is_commanded_on_its_own_server(adopted: Adopted) -> None:
    assert adopted.line.cmd("display-message", "-p", "-t", adopted.pane, "#{pane_id}").text == adopted.pane
    found = adopted.line.cmds([("display-message", "-p", "a"), ("has-session", "-t", "nosuch")])
    assert [answer.ok for answer in found] == [True, False]


def test_a_pane_that_is_closed_ends_it(adopted: Adopted) -> None:
    adopted.session.server.cmd("kill-pane", "-t", adopted.pane)
    wait_until(adopted.line.closed.is_set)
    assert adopted.store.exit_code("mine", 1) == 0


def test_a_task_that_is_removed_is_looked_at_no_more(adopted: Adopted) -> None:
    adopted.store.remove("mine")
    wait_until(adopted.line.closed.is_set)
    assert not os.path.exists(adopted.store.own("mine"))
    assert adopted.session.tells(adopted.pane, "#{pane_dead}") == "0"


def test_to_let_it_go_leaves_it_alone(adopted: Adopted) -> None:
    adopted.line.close()
    adopted.press()
    adopted.session.shows(adopted.pane, "changed")
    assert adopted.store.exit_code("mine", 1) is None
