"""What is seen of a worker, on real panes whose screens are drawn by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crew import Crew, wait_until
from made import STARTED, Happened, made
from panes import Session

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.shown import UNKNOWN
from dispatch_tmux.errors import PaneGone
from dispatch_tmux.store.project import at
from dispatch_tmux.supervisor.sight import FIRST_TURN, Sight
from dispatch_tmux.tmux.connection import Line, connect
from dispatch_tmux.tmux.control import Notice

DEMO = configuration.backend("demo")


class Watched:
    """A sight with the line that tells it of its pane's output, as the supervisor has it."""

    def __init__(self, session: Session, folder: Path, *happened: Happened) -> None:
        self.store = at(str(folder)).store
        self.task = made(self.store, "t", *(happened or STARTED))
        self.session = session
        self.sight = Sight(DEMO, self.store.path("t"), self.store.own("t"), time.monotonic)
        self.line: Line = connect(session.server, session.id, self.heard)

    def heard(self, notice: Notice) -> None:
        if notice.kind == "output" and notice.target == self.sight.pane:
            self.sight.heard(notice.data)

    def attach(self, *argv: str) -> str:
        pane = self.session.runs(*argv)
        pid = int(self.session.tells(pane, "#{pane_pid}"))
        self.sight.attach(self.line, pane, pid, self.store.task("t"))
        return pane

    def press(self, *keys: str) -> None:
        self.session.server.cmd("send-keys", "-t", self.sight.pane, *keys)


@pytest.fixture
def watched(session: Session, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    made_here: list[Watched] = []

    def make(*happened: Happened) -> Watched:
        made_here.append(Watched(session, tmp_path / str(len(made_here)), *happened))
        return made_here[-1]

    for n in range(3):
        (tmp_path / str(n)).mkdir()
    yield make
    for one in made_here:
        one.line.close()


def test_without_a_pane_there_is_nothing_to_see_or_to_type_into(watched: Callable[..., Watched]) -> None:
    sight = watched().sight
    assert sight.pane == "" and sight.has_no_pane and sight.shown == UNKNOWN
    assert sight.look(quiet=True)
    with pytest.raises(PaneGone, match="it has no window"):
        sight.target()


def test_a_worker_at_its_composer_is_seen_ready(watched: Callable[..., Watched], shared: Crew) -> None:
    """Its own screens, drawn by itself."""
    id = shared.start("-m", "demo", "--id", "seen", "x")
    shared.until(id, "done")
    w = watched()
    pane = shared.task(id).pane
    session = shared.tmux("display-message", "-p", "-t", pane, "#{session_id}").text
    line = connect(shared.server, session, lambda notice: None)
    w.sight.attach(line, pane, shared.task(id).pid, w.task)
    w.sight.look(quiet=True)
    assert w.sight.shown.shows == "ready" and not w.sight.has_no_pane
    line.close()


def test_a_program_that_has_ended_and_a_pane_that_is_closed_are_told_apart(watched: Callable[..., Watched]) -> None:
    w = watched()
    pane = w.attach("sh", "-c", "read a; echo the last words; read a")
    w.sight.look(quiet=True)
    assert not w.sight.has_no_pane
    w.press("Enter")
    w.session.shows(pane, "the last words")
    w.press("Enter")
    wait_until(lambda: w.sight.look(quiet=True) and w.sight.pane_dead)
    assert not w.sight.pane_gone and w.sight.has_no_pane
    assert "the last words" in "\n".join(w.sight.last_lines())
    w.session.server.cmd("kill-pane", "-t", pane)
    w.sight.look(quiet=True)
    assert w.sight.pane_gone
    wait_until(lambda: w.sight.log.waiting or Path(w.store.own("t", "terminal.log")).exists())
    assert "the last words" in "\n".join(w.sight.last_lines())  # from the log: the pane has taken them with it


def test_what_a_worker_prints_is_logged_and_dates_its_last_output(watched: Callable[..., Watched]) -> None:
    w = watched()
    pane = w.attach("sh", "-c", "read a; echo printed; exec cat")
    before = w.sight.last_output
    w.press("Enter")
    w.session.shows(pane, "printed")
    wait_until(lambda: "printed" in w.sight.log.tail())
    assert w.sight.last_output > before


DIALOGUE = r" Delete build/ ?\n\n\342\235\257 1. Yes\n  2. No\n\n Enter to select \302\267 Esc to cancel\n"


def test_a_dialogue_that_is_still_being_drawn_is_looked_at_twice(watched: Callable[..., Watched]) -> None:
    w = watched()
    pane = w.attach("sh", "-c", f"printf '{DIALOGUE}'; exec cat")
    w.session.shows(pane, "Esc to cancel")
    assert not w.sight.look(quiet=False) and w.sight.shown.shows != "question"
    assert w.sight.look(quiet=False)  # it is the same: drawn
    assert w.sight.shown.shows == "question" and [c.label for c in w.sight.shown.choices] == ["Yes", "No"]


def test_a_dialogue_on_a_screen_that_rests_is_seen_at_once(watched: Callable[..., Watched]) -> None:
    w = watched()
    pane = w.attach("sh", "-c", f"printf '{DIALOGUE}'; exec cat")
    w.session.shows(pane, "Esc to cancel")
    since = w.sight.shown_since
    assert w.sight.look(quiet=True) and w.sight.shown.shows == "question" and w.sight.shown_since > since
    since = w.sight.shown_since
    w.sight.look(quiet=True)
    assert w.sight.shown_since == since  # it has shown that all the time


def test_a_screen_that_no_rule_knows_is_kept_as_it_is(watched: Callable[..., Watched]) -> None:
    w = watched()
    pane = w.attach("sh", "-c", "echo something that nobody has seen; exec cat")
    w.session.shows(pane, "nobody has seen")
    w.sight.look(quiet=True)
    assert w.sight.shown.shows == "unknown" and "nobody has seen" in w.sight.rows


@pytest.mark.parametrize(
    ("happened", "unseen"),
    [((("starting", {"attempt": 1}),), False), (STARTED, True), ((*STARTED, ("state", {"state": "waiting"})), True)],
)  # fmt: skip
def test_what_a_former_supervisor_left_is_unknown_until_it_is_looked_at(
    watched: Callable[..., Watched], happened: tuple[Happened, ...], unseen: bool
) -> None:
    w = watched(*happened)
    w.attach("cat")
    assert w.sight.unseen is unseen
    w.sight.look(quiet=True)
    assert not w.sight.unseen


def test_a_prompt_is_taken_up_when_the_cli_works_or_long_enough_after_its_start(
    watched: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    w = watched()
    w.attach("cat")
    assert not w.sight.has_begun(w.task)
    Path(w.store.own("t"), "process-1").write_text("1 1\n")
    assert not w.sight.has_begun(w.task)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + FIRST_TURN + 1)
    assert w.sight.has_begun(w.task)
    monkeypatch.undo()
    assert w.sight.has_begun(w.task)  # and so it stays
    other = watched()
    other.attach("cat")
    other.sight.told.hear("\\033]0;⠂ busy\\007".encode())
    other.sight.read_told()
    assert other.sight.has_begun(other.task)
