"""Which tasks may begin again or be taken up, and what is said of those that may not. Beginning itself: test_recovery.py."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from made import STARTED, Happened, made, over

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store import processes
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import retry as again
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import retry as verb
from dispatch_tmux.verbs import start
from dispatch_tmux.verbs.retry import resume, retry, was_cut_off

REFUSED: list[tuple[str, tuple[Happened, ...], str, str]] = [
    ("done", over("done"), "auth is done", "--fresh"),
    ("working", (*STARTED, ("state", {"state": "working"})), "auth is working", "dispatch stop auth"),
    ("queued", (), "auth is queued", "dispatch stop auth"),
]


@pytest.mark.parametrize(("state", "happened", "words", "hint"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_not_to_be_begun_again(
    project: Project, store: Store, state: str, happened: tuple[Happened, ...], words: str, hint: str
) -> None:
    made(store, "auth", *happened)
    before = len(store.events("auth"))
    with pytest.raises(DispatchError, match=words) as told:
        retry(project, "auth")
    assert hint in told.value.hint and len(store.events("auth")) == before and not store.supervised()


def test_a_model_that_cannot_run_changes_nothing(project: Project, store: Store) -> None:
    made(store, "auth", *over("failed", 1))
    before = len(store.events("auth"))
    with pytest.raises(DispatchError, match="gork-9"):
        retry(project, "auth", model="gork-9")
    with pytest.raises(UsageProblem, match="permissions 'all'"):
        retry(project, "auth", model="demo", permissions="all")
    assert len(store.events("auth")) == before and not store.requests("auth")


def test_what_was_adopted_only_the_person_can_start(project: Project, store: Store) -> None:
    made(store, "auth", *over("failed", 1), adopted=True)
    for call in (lambda: retry(project, "auth"), lambda: resume(project, "auth")):
        with pytest.raises(DispatchError, match="auth was adopted"):
            call()


@pytest.mark.parametrize(
    ("happened", "words"),
    [(over("done"), "auth is done"), ((), "auth has not begun: it is queued"), ((*STARTED, ("state", {"state": "working"})), "still running")],
)  # fmt: skip
def test_what_cannot_be_taken_up(project: Project, store: Store, happened: tuple[Happened, ...], words: str) -> None:
    made(store, "auth", *happened)
    made(store, "other", *over("lost", None))
    Path(store.own("auth"), "process-1").write_text(f"{os.getpid()} {processes.started(os.getpid())}\n")
    if words != "still running":
        os.unlink(store.own("auth", "process-1"))
    before = {id: len(store.events(id)) for id in store.ids()}
    with pytest.raises(DispatchError, match=words):
        resume(project, "other", "auth")
    assert {id: len(store.events(id)) for id in store.ids()} == before  # all of them, or none


def test_tasks_are_named_or_all_are_meant(project: Project, store: Store) -> None:
    made(store, "auth", *over("lost", None))
    with pytest.raises(UsageProblem, match="which task"):
        resume(project)
    with pytest.raises(UsageProblem, match="either tasks, or all"):
        resume(project, "auth", every=True)


@pytest.mark.parametrize(
    ("happened", "cut"),
    [
        (over("lost", None), True), (over("failed", 137), True), (over("failed", 143), True), (over("failed", 128), False),
        (over("failed", 1), False), (over("stopped", 143), False), (over("done", 0), False), ((), False),
    ],
)  # fmt: skip
def test_what_was_cut_off_from_outside(store: Store, happened: tuple[Happened, ...], cut: bool) -> None:
    assert was_cut_off(made(store, "auth", *happened)) is cut
    assert not was_cut_off(Task("auth", adopted=True, attempt=1))


def test_a_task_whose_end_the_supervisor_has_not_written_down_yet_is_taken_up_too(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after the server went: a supervisor is there again, and has not looked at its workers."""
    asked: list[str] = []
    monkeypatch.setattr(Store, "supervised", lambda self: True)
    monkeypatch.setattr(again, "begin_again", lambda store, task, one, env, resume: asked.append(task.id) or 2)
    monkeypatch.setattr(start, "launched", lambda project, id, attempt, soon: store.task(id))
    monkeypatch.setattr(session, "ensure", lambda project: None)
    gone = subprocess.Popen(["true"])
    gone.wait()
    going = subprocess.Popen(["sleep", "600"])
    began = {gone.pid: "1", going.pid: processes.started(going.pid), os.getpid(): processes.started(os.getpid())}
    for id, pid in (("gone", gone.pid), ("going", going.pid), ("lives", os.getpid())):
        made(store, id, *STARTED, ("state", {"state": "working"}))
        Path(store.own(id), "process-1").write_text(f"{pid} {began[pid]}\n")
    monkeypatch.setattr(verb, "GOING", 1.5)
    threading.Timer(0.3, going.kill).start()  # its window is gone, and it hears of that now
    try:
        assert [task.id for task in resume(project, every=True)] == asked == ["gone", "going"]
    finally:
        going.wait()


def test_where_nothing_was_cut_off_nothing_is_begun(project: Project, store: Store) -> None:
    made(store, "a", *over("done"))
    made(store, "b", *over("failed", 1))
    assert resume(project, every=True) == [] and not store.supervised()
