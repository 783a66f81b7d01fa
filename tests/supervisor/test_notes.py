"""Notes that a worker overwrites are put back: soon, seldom while it insists, and not for ever. The clock is ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_tmux.core import plan
from dispatch_tmux.store.project import at
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor.notes import MOST, KeptNotes

PLAN = plan.render("work", ["one", "two"])
NOTES = ("use tabs", "leave vendor/ alone\nand its tests")


class Worker:
    """Writes PLAN over whatever is there EVERY seconds until it has done so for SECONDS; the supervisor looks each time."""

    def __init__(self, store: Store) -> None:
        self.now, self.puts = 0.0, 0
        self.path = Path(store.path("t", "plan.md"))
        self.notes = KeptNotes(store, "t", lambda: self.now)
        self.path.write_text(PLAN)

    def look(self) -> None:
        before = self.path.read_text()
        self.notes.keep(before, NOTES)
        self.puts += self.path.read_text() != before

    def rewrites(self, every: float, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.path.write_text(PLAN)
            self.look()
            self.now += every

    def rests(self) -> float:
        """The supervisor looks when it said that it would; how long until the notes are there."""
        began = self.now
        self.path.write_text(PLAN)
        self.look()
        while self.notes.again_at is not None:
            self.now = self.notes.again_at
            self.look()
        assert all(plan.has_note(self.path.read_text(), note) for note in NOTES)
        return self.now - began


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    store = at(str(tmp_path)).store
    store.prepare()
    store.claim("t")
    return Worker(store)


def test_notes_are_put_back_at_once(worker: Worker) -> None:
    assert worker.rests() == 0.0
    assert worker.path.read_text().count("> use tabs") == 1


@pytest.mark.parametrize(("every", "seconds", "most"), [(0.01, 1.0, 6), (0.05, 60.0, 20), (2.0, 60.0, 20)])
def test_a_worker_that_writes_all_the_time_costs_little_and_has_them_after_its_last_write(
    worker: Worker, every: float, seconds: float, most: int
) -> None:
    worker.rewrites(every, seconds)
    assert worker.puts <= most
    assert worker.rests() <= 5.0


def test_after_a_while_without_trouble_they_are_back_at_once_again(worker: Worker) -> None:
    worker.rewrites(0.05, 60.0)
    worker.rests()
    worker.now += 30.0
    assert worker.rests() == 0.0


def test_whoever_takes_them_out_again_and_again_is_let_have_it(worker: Worker) -> None:
    for _ in range(MOST + 50):
        worker.rewrites(30.0, 30.0)
    assert worker.puts == MOST
    assert worker.notes.again_at is None


def test_a_plan_that_vanished_for_a_moment_gets_no_note(worker: Worker) -> None:
    worker.path.write_text("")
    worker.look()
    assert worker.path.read_text() == ""
