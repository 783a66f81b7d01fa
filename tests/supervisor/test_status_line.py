"""What tmux's status line shows, and the last screen of a worker that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made import STARTED, made, over
from panes import Session

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.state import Limits
from dispatch_tmux.store.project import at
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import status_line
from dispatch_tmux.supervisor.worker import Worker
from dispatch_tmux.tmux.connection import Line, connect


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return at(str(tmp_path)).store


@pytest.fixture
def line(session: Session) -> Iterator[Line]:
    line = connect(session.server, session.id, lambda notice: None)
    yield line
    line.close()


def worker(store: Store, line: Line, session: Session, id: str, state: str, *argv: str) -> Worker:
    happened = over(state) if state in ("done", "failed") else (*STARTED, ("state", {"state": state}))
    made(store, id, *happened)
    worker = Worker(store, id, configuration.backend("demo"), Limits())
    pane = session.runs(*(argv or ("cat",)))
    worker.attach(line, pane, int(session.tells(pane, "#{pane_pid}")))
    return worker


@pytest.mark.parametrize(
    ("state", "glyph"), [("waiting", "?"), ("done", "✓"), ("failed", "✗"), ("lost", "✗"), ("idle", "○"), ("working", "")]
)  # fmt: skip
def test_a_state_is_seen_beside_the_windows_name(
    session: Session, store: Store, line: Line, state: str, glyph: str
) -> None:
    one = worker(store, line, session, "auth", state)
    status_line.show(line, session.id, one, True, [one])
    assert session.tells(one.sight.pane, "#{@dispatch_state}") == glyph


def test_who_waits_is_told_and_else_what_goes_on(session: Session, store: Store, line: Line) -> None:
    works, first, second = (
        worker(store, line, session, id, state) for id, state in (("a", "working"), ("b", "waiting"), ("c", "waiting"))
    )

    def told() -> list[str]:
        return [session.tells(session.pane, f"#{{@dispatch_{name}}}") for name in ("waiting", "waits", "counts")]

    every = [works, first, second]
    status_line.show(line, session.id, second, True, every)
    assert told() == [first.sight.pane, "b, c wait", "2 waiting for you, 1 working"]
    status_line.show(line, session.id, first, True, [works, second])
    assert told() == [second.sight.pane, "c waits", "1 waiting for you, 1 working"]
    status_line.show(line, session.id, first, True, [works])
    assert told() == ["", "", "1 working"]


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], ""),
        (["api"], "api waits"),
        (["a" * 64], "a" * 15 + "… waits"),
        (["api", "ui", "docs"], "api, ui, docs wait"),
        (["add-a-login-page-x", "second-of-them", "ui"], "add-a-login-pag… +2 wait"),
        (["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"], "n1, n2, n3, n4, n5, n6, n7 +1 wait"),
    ],
)
def test_who_waits_has_room_in_a_line_of_80(ids: list[str], said: str) -> None:
    assert status_line.waits(ids) == said
    assert len(f" ? {said} ") <= 40


def test_the_last_screen_is_kept_with_its_history_and_without_escapes(
    session: Session, store: Store, line: Line
) -> None:
    script = r"printf '\033[31mthe first line\033[m\n'; i=0; while [ $((i += 1)) -lt 80 ]; do echo $i; done; echo over; exec cat"
    one = worker(store, line, session, "auth", "failed", "sh", "-c", script)
    session.shows(one.sight.pane, "over")
    status_line.show(line, session.id, one, True, [one])
    kept = Path(store.own("auth"), "screen.txt")
    text = kept.read_text()
    assert text.startswith("the first line\n") and text.endswith("over\n") and "\x1b" not in text
    assert kept.stat().st_mode & 0o077 == 0


def test_a_worker_whose_window_is_gone_shows_nothing_and_costs_nothing(
    session: Session, store: Store, line: Line
) -> None:
    one = worker(store, line, session, "auth", "failed")
    session.server.cmd("kill-pane", "-t", one.sight.pane)
    status_line.show(line, session.id, one, True, [one])
    status_line.show(line, session.id, one, False, [one])
    assert not Path(store.own("auth"), "screen.txt").exists()
