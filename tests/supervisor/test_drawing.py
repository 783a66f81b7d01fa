"""Which screens have come to rest: soon where nothing moves, at the latest after a second. The clock is ours."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from made import STARTED, made

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.state import Limits
from dispatch_tmux.store import processes
from dispatch_tmux.store.project import at
from dispatch_tmux.supervisor.drawing import LONGEST, OFTEN, QUIET, RESTLESS, Drawing
from dispatch_tmux.supervisor.worker import Worker


@pytest.fixture(autouse=True)
def _nothing_else_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "busy", lambda: 1)


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    store = at(str(tmp_path)).store
    made(store, "t", *STARTED)
    return Worker(store, "t", configuration.backend("demo"), Limits())


def printed(worker: Worker, at: float) -> None:
    """Its last output came AT."""
    worker.sight.last_output = at


def test_a_screen_is_read_as_soon_as_it_rests(worker: Worker) -> None:
    drawing = Drawing()
    assert drawing.mark("t") and not drawing.mark("t") and drawing
    now = time.monotonic()
    printed(worker, now)
    assert list(drawing.rested({"t": worker}, now + QUIET / 2)) == [] and drawing
    assert list(drawing.rested({"t": worker}, now + QUIET + 0.001)) == [(worker, True)]
    assert not drawing and list(drawing.rested({"t": worker}, now + 1)) == []


def read_often(drawing: Drawing, worker: Worker, now: float) -> None:
    """Many screens have been read in this second."""
    for _ in range(OFTEN):
        drawing.mark("t")
        printed(worker, now - 1)
        assert list(drawing.rested({"t": worker}, now))


def test_where_many_move_all_the_time_a_rest_has_to_be_longer(worker: Worker) -> None:
    drawing, now = Drawing(), time.monotonic()
    read_often(drawing, worker, now)
    drawing.mark("t")
    printed(worker, now)
    assert list(drawing.rested({"t": worker}, now + QUIET + 0.001)) == []
    assert drawing.due({"t": worker}, now) == pytest.approx(now + RESTLESS)
    assert list(drawing.rested({"t": worker}, now + RESTLESS + 0.001)) == [(worker, True)]


def test_there_too_what_its_cli_has_just_told_is_looked_for_at_once(worker: Worker) -> None:
    drawing, now = Drawing(), time.monotonic()
    read_often(drawing, worker, now)
    drawing.mark("t")
    worker.told.hear("\\033]0;✳ \\007".encode())
    assert worker.told.signals.told_at >= now
    worker.told.signals.told_at += 60  # however long this machine pauses before the next line
    printed(worker, now)
    assert list(drawing.rested({"t": worker}, now + QUIET + 0.001)) == [(worker, True)]


def test_a_machine_that_does_not_keep_up_pauses_within_a_frame(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "busy", lambda: 1000)
    drawing, now = Drawing(), time.monotonic()
    drawing.mark("t")
    printed(worker, now)
    assert list(drawing.rested({"t": worker}, now + QUIET + 0.001)) == []
    assert list(drawing.rested({"t": worker}, now + RESTLESS + 0.001)) == [(worker, True)]


def test_one_that_never_rests_is_read_all_the_same(worker: Worker) -> None:
    drawing, before = Drawing(), time.monotonic()
    drawing.mark("t")
    after = time.monotonic()  # on a busy machine a good deal later
    printed(worker, after + LONGEST)
    assert list(drawing.rested({"t": worker}, before + LONGEST - 0.1)) == []
    assert list(drawing.rested({"t": worker}, after + LONGEST + 0.01)) == [(worker, False)]
    assert drawing.mark("t")  # and it begins anew


def test_a_worker_that_is_gone_is_forgotten(worker: Worker) -> None:
    drawing = Drawing()
    drawing.mark("gone")
    assert list(drawing.rested({"t": worker}, time.monotonic())) == [] and not drawing
