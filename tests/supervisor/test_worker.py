"""One worker under review, on files alone: its process and its end, what is written down of them, and what is due."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made import STARTED, Happened, made

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.state import Limits
from dispatch_tmux.core.task import State, Task, needs
from dispatch_tmux.store import processes
from dispatch_tmux.store.project import at
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import due
from dispatch_tmux.supervisor.worker import Worker

DEMO = configuration.backend("demo")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """A task on disk, its worker, and the clock that it is reviewed by."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, Clock()

    def begins(self, *happened: Happened, timeout: float = 0.0, next_model: str = "", **created: object) -> Worker:
        made(self.store, "t", *happened, **created)
        return Worker(
            self.store,
            "t",
            DEMO,
            Limits(),
            timeout=timeout,
            instead=lambda: ["opus"],
            next_model=lambda limited: "" if limited else next_model,
            clock=self.clock,
        )

    def writes(self, *names: str, text: str = "") -> None:
        self.store.tree("t").replace(*names, text=text)

    def ends(self, code: int) -> None:
        Path(self.store.own("t"), "exit").write_text(f"1 {code}\n")

    @property
    def task(self) -> Task:
        return self.store.task("t")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(at(str(tmp_path)).store)


@pytest.fixture
def program(rig: Rig) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a program that stands for the launch line of the first attempt."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["sleep", "1000"]))
        pid = started[-1].pid
        Path(rig.store.own("t"), "process-1").write_text(f"{pid} {processes.started(pid)}\n")
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()


@pytest.mark.parametrize(
    ("code", "plan", "marked", "state", "why"),
    [
        (0, "- [x] one\n- [x] two\n", True, State.DONE, ""), (0, "- [x] one\n- [ ] two\n", True, State.DONE, "with 1 unchecked"),
        (0, "- [x] one\n- [ ] two\n", False, State.FAILED, "1 item open"), (3, "- [ ] one\n", False, State.FAILED, "exit code 3"),
        (137, "- [ ] one\n", False, State.FAILED, "killed by SIGKILL"), (0, "- [?] one\n", False, State.BLOCKED, "without an answer"),
    ],
)  # fmt: skip
def test_an_end_is_written_down_once_with_its_reason(
    rig: Rig, code: int, plan: str, marked: bool, state: State, why: str
) -> None:
    worker = rig.begins(*STARTED)
    rig.writes("plan.md", text=plan)
    if marked:
        rig.writes("ipc", ".done")
    rig.ends(code)
    for _ in range(3):
        worker.review()
    assert (rig.task.state, rig.task.exit_code) == (state, code) and why in rig.task.why
    assert [e.kind for e in rig.store.events("t")].count("exited") == 1
    assert len([n for n in needs(rig.task) if n.kind == state.value]) == 1


def test_a_program_that_went_without_a_word_is_lost_and_one_that_lives_is_not(
    rig: Rig, program: Callable[[], subprocess.Popen[bytes]]
) -> None:
    worker = rig.begins(*STARTED)
    running = program()
    worker.review()
    assert not rig.task.ended
    running.kill()
    running.wait()
    worker.review()
    assert rig.task.state is State.LOST


def test_what_was_told_to_stop_is_stopped(rig: Rig) -> None:
    worker = rig.begins(*STARTED, ("stopping", {"by": "person"}))
    rig.ends(143)
    worker.review()
    assert rig.task.state is State.STOPPED


def test_an_end_in_an_error_has_its_last_words_and_its_cause(rig: Rig) -> None:
    worker = rig.begins(*STARTED)
    worker.sight.log.add(rb"at work\015\012Error: 429 rate limit exceeded, try again later\015\012")
    rig.ends(1)
    worker.review()
    assert rig.task.state is State.FAILED and "429 rate limit exceeded" in rig.task.why
    assert rig.task.cause == "quota" and rig.task.instead == ("opus",)


def test_another_model_takes_over_from_one_that_failed_for_a_reason_of_its_own(rig: Rig) -> None:
    worker = rig.begins(*STARTED, next_model="sonnet")
    worker.sight.log.add(rb"Error: 429 rate limit exceeded\015\012")
    rig.ends(1)
    assert [d.kind for d in worker.review()] == ["fallback"]
    assert rig.task.state is State.STARTING and rig.task.why.endswith("sonnet takes over")
    assert needs(rig.task) == ()  # nobody has to know: it is mended


def test_where_it_failed_for_its_own_reasons_nobody_takes_over(rig: Rig) -> None:
    worker = rig.begins(*STARTED, next_model="sonnet")
    worker.sight.log.add(rb"AssertionError\015\012")
    rig.ends(1)
    assert worker.review() == () and rig.task.state is State.FAILED


def test_an_answer_that_came_after_the_end_begins_another_attempt(rig: Rig) -> None:
    worker = rig.begins(*STARTED)
    rig.writes("ipc", "001.question", text="Which?")
    rig.writes("plan.md", text="- [?] one\n")
    rig.ends(0)
    assert worker.review() == () and rig.task.state is State.BLOCKED
    rig.store.write_answer("t", "001", "this")
    assert [d.kind for d in worker.review()] == ["restart"]


def test_over_its_time_it_is_brought_once_and_stopped_only_if_it_was_to_be(
    rig: Rig, program: Callable[[], subprocess.Popen[bytes]]
) -> None:
    worker = rig.begins(*STARTED, timeout=60.0)
    program()
    worker.review()
    rig.clock.now += 59
    worker.review()
    assert rig.task.late == ()
    rig.clock.now += 2
    assert worker.review() == () and len(rig.task.late) == 1
    rig.clock.now += 600
    worker.review()
    assert len(rig.task.late) == 1


def test_one_that_is_to_end_then_is_stopped(rig: Rig, program: Callable[[], subprocess.Popen[bytes]]) -> None:
    worker = rig.begins(*STARTED, stop_late=True, timeout=60.0)
    program()
    worker.review()
    rig.clock.now += 61
    worker.review()
    assert "stop" in [d.kind for d in worker.review()]


def test_a_task_whose_start_nobody_asks_for_any_more_has_failed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = rig.begins()
    worker.review()
    assert rig.task.state is State.QUEUED and worker.review_at is not None
    later = time.time() + due.UNASKED + 1
    monkeypatch.setattr(time, "time", lambda: later)
    worker.review()
    assert rig.task.state is State.FAILED and "dispatch retry t starts it" in rig.task.why


def test_one_that_waits_for_its_turn_is_not_called_failed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = rig.begins()
    rig.store.request("t", "launch")
    later = time.time() + due.UNASKED + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert worker.review() == () and rig.task.state is State.QUEUED


@pytest.mark.parametrize("happened", [(*STARTED, ("released", {})), (("starting", {"attempt": 1}),)])
def test_what_is_given_back_or_not_begun_is_left_alone(rig: Rig, happened: tuple[Happened, ...]) -> None:
    worker = rig.begins(*happened)
    before = len(rig.store.events("t"))
    assert worker.review() == () and len(rig.store.events("t")) == before


def test_where_only_its_screen_changed_its_files_are_not_read(rig: Rig) -> None:
    worker = rig.begins(*STARTED)
    rig.writes("plan.md", text="- [x] one\n- [ ] two\n")
    worker.review(files=False)
    assert rig.task.marks == "  "
    worker.review()
    assert rig.task.marks == "x "
