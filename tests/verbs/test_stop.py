"""`dispatch stop`: when it returns, it is over, and that is on record."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from crew import Crew, wait_until
from made import STARTED, Happened, made, over

from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError, TaskNotFound, UsageProblem
from dispatch_tmux.store import processes
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs.clean import clean
from dispatch_tmux.verbs.doctor import doctor
from dispatch_tmux.verbs.stop import stop

WORKS: tuple[Happened, ...] = (*STARTED, ("state", {"state": "working"}))


def test_stop_returns_when_the_exit_of_a_finished_worker_is_on_record(crew: Crew) -> None:
    id = crew.start("-m", "demo", "look around")
    crew.until(id, "done")  # its program sits at its composer
    assert crew.task(id).exit_code is None
    supervisor = crew.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)  # as slow as can be
    try:
        stopping = crew.popen("stop", id)
        wait_until(lambda: crew.store.exit_code(id, 1) is not None, lambda: crew.tell(id))
        out, err = stopping.communicate(timeout=30)
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert crew.task(id).exit_code is not None, crew.tell(id)
    assert (stopping.returncode, out, err) == (0, f"{id}: done\n", "")


class Program:
    """A program that stands for the worker of a task: as a launch line has it, it ends with its child."""

    def __init__(self, store: Store, id: str, *happened: Happened, **created: object) -> None:
        made(store, id, *happened, **created)
        env = {**os.environ, "DISPATCH_TASK_DIR": store.path(id)}
        self.running = subprocess.Popen(["sh", "-c", "sleep 1000; :"], env=env, start_new_session=True)
        pid = self.running.pid
        Path(store.own(id), "process-1").write_text(f"{pid} {processes.started(pid)}\n")

    @property
    def lives(self) -> bool:
        return self.running.poll() is None


@pytest.fixture
def start(store: Store) -> Iterator[type[Program]]:
    started: list[Program] = []

    class Here(Program):
        def __init__(self, id: str, *happened: Happened, **created: object) -> None:
            super().__init__(store, id, *happened, **created)
            started.append(self)

    yield Here
    for program in started:
        if program.lives:
            os.killpg(program.running.pid, signal.SIGKILL)
        program.running.wait()


def test_all_processes_of_a_worker_end_also_where_nobody_supervises(
    project: Project, store: Store, start: type[Program]
) -> None:
    worker, other = start("auth", *WORKS), start("docs", *WORKS)
    child = subprocess.Popen(
        ["sleep", "1000"], env={**os.environ, "DISPATCH_TASK_DIR": store.path("auth")}, start_new_session=True
    )
    try:
        (task,) = stop(project, "auth")
        assert task.state is State.STOPPED and task.stopping
        wait_until(lambda: not worker.lives and child.poll() is not None)
        assert other.lives and store.task("docs").state is State.WORKING
    finally:
        child.kill()
        child.wait()


def test_one_that_has_not_begun_is_stopped_and_its_requests_are_gone(project: Project, store: Store) -> None:
    made(store, "auth")
    store.request("auth", "launch")
    assert [t.state for t in stop(project, "auth")] == [State.STOPPED]
    assert store.requests("auth") == []


def test_all_are_those_that_run(project: Project, store: Store, start: type[Program]) -> None:
    start("works", *WORKS)
    start("sits", *over("done", None))  # done, and still at its composer
    made(store, "over", *over("failed", 1))
    made(store, "queued")
    assert [t.id for t in stop(project, every=True)] == ["works", "sits", "queued"]
    assert store.task("sits").state is State.DONE and store.task("over").state is State.FAILED


def test_who_is_to_be_stopped_is_named(project: Project, store: Store, start: type[Program]) -> None:
    worker = start("auth", *WORKS)
    with pytest.raises(UsageProblem, match="no task is named"):
        stop(project)
    with pytest.raises(TaskNotFound):
        stop(project, "auth", "nosuch")
    assert worker.lives


# --- a program of the person's, adopted


def test_an_adopted_program_is_ended_by_nobody_but_the_person(
    project: Project, store: Store, start: type[Program]
) -> None:
    mine, worker = start("mine", *WORKS, adopted=True), start("auth", *WORKS)
    with pytest.raises(DispatchError, match="mine is a program of yours") as told:
        stop(project, "mine", "auth")
    assert "dispatch release mine" in told.value.hint and mine.lives
    wait_until(lambda: not worker.lives)  # one does not stop the others
    with pytest.raises(DispatchError, match="mine is not over") as told:
        clean(project, "mine")
    assert "dispatch release mine" in told.value.hint
    start("docs", *WORKS)
    assert [t.id for t in stop(project, every=True)] == ["docs"] and mine.lives


@pytest.mark.parametrize("end", [("released", {}), ("state", {"state": "failed", "why": "its screen shows an error"})])
def test_one_that_was_given_back_lives_on_whatever_is_done_to_its_task(
    project: Project, store: Store, start: type[Program], end: Happened
) -> None:
    mine = start("mine", *WORKS, end, adopted=True)
    with pytest.raises(DispatchError, match="the program of mine is yours"):
        stop(project, "mine")
    assert next(f for f in doctor(project) if f.name == "leftovers").said == "none"
    assert [t.id for t in clean(project, "mine").removed] == ["mine"]
    assert mine.lives and store.ids() == []
