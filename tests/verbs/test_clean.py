"""What `clean` removes, and what it leaves alone and why."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from made import STARTED, made, over

from dispatch_tmux.errors import DispatchError, TaskNotFound, UsageProblem
from dispatch_tmux.store import archive
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs.clean import clean
from dispatch_tmux.verbs.wait import wait


@pytest.fixture(autouse=True)
def tasks(project: Project, store: Store) -> None:
    for state in ("done", "stopped", "failed", "lost", "blocked"):
        made(store, state, *over(state))
    made(store, "queued")
    wait(project, timeout=0, reader="me")  # their results are read


def removed(project: Project, *which: str, **how: object) -> list[str]:
    return [t.id for t in clean(project, *which, **how).removed]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("how", "gone"),
    [
        ({}, ["done", "stopped"]),
        ({"only_done": True}, ["done"]),
        ({"every": True}, ["done", "stopped", "failed", "lost"]),
    ],
)
def test_which_tasks_go(project: Project, store: Store, how: dict[str, bool], gone: list[str]) -> None:
    before = store.ids()
    assert removed(project, dry_run=True, **how) == gone
    assert store.ids() == before
    assert removed(project, **how) == gone
    assert sorted(store.ids()) == sorted(set(before) - set(gone))
    assert not any(Path(store.path(id)).exists() or Path(store.own(id)).exists() for id in gone)


def test_what_is_named_goes_when_it_is_over(project: Project, store: Store) -> None:
    assert removed(project, "failed", "blocked") == ["failed", "blocked"]
    with pytest.raises(DispatchError, match="queued is not over") as told:
        clean(project, "queued")
    assert "dispatch stop queued" in told.value.hint
    with pytest.raises(TaskNotFound):
        clean(project, "done", "nosuch")
    assert "done" in store.ids()
    some = clean(project, "queued", "done")  # one does not stop the others
    assert [t.id for t in some.removed] == ["done"] and [k.task for k in some.kept] == ["queued"]
    assert "dispatch stop queued" in some.kept[0].why


@pytest.mark.parametrize("how", [{"which": ("done",)}, {"every": True}])
def test_only_done_ones_and_others_too_is_refused(project: Project, store: Store, how: dict[str, object]) -> None:
    which = how.pop("which", ())
    with pytest.raises(UsageProblem):
        clean(project, *which, only_done=True, **how)  # type: ignore[misc, arg-type]
    assert len(store.ids()) == 6


def test_only_what_ended_long_ago(project: Project, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert removed(project, older_than="1h", dry_run=True) == []
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    assert removed(project, older_than="1h", dry_run=True) == ["done", "stopped"]
    assert removed(project, older_than=7300.0, dry_run=True) == []
    for wrong in ("soon", "-1d", "0s", ""):
        if wrong:
            with pytest.raises(UsageProblem, match="no length of time"):
                clean(project, older_than=wrong)


def test_what_another_task_waits_for_stays(project: Project, store: Store) -> None:
    made(store, "next", after=[["done", "done"]])
    found = clean(project)
    assert [t.id for t in found.removed] == ["stopped"]
    assert [(k.task, k.why) for k in found.kept] == [("done", "next comes after it")]
    store.append("next", "starting", "", attempt=1)  # it has begun: it has read what it needs
    assert removed(project) == ["done"]


def test_a_task_that_cannot_be_read_may_be_removed_by_its_name(project: Project, store: Store) -> None:
    store.claim("odd")
    assert removed(project, "odd") == ["odd"] and "odd" not in store.ids()


def test_one_that_runs_is_not_swept_up(project: Project, store: Store) -> None:
    made(store, "works", *STARTED, ("state", {"state": "working"}))
    removed(project, every=True)
    assert "works" in store.ids() and "queued" in store.ids() and "blocked" in store.ids()


def test_a_result_that_nobody_has_read_stays_unless_it_is_named_or_all_go(project: Project, store: Store) -> None:
    for id in ("unread", "named", "merged"):
        made(store, id, *over("done"))
    store.append("merged", "merged", "", into="main", tip="1234")  # whoever has merged it has seen it
    found = clean(project)
    assert [t.id for t in found.removed] == ["done", "stopped", "merged"]
    assert [(k.task, k.unread) for k in found.kept] == [("unread", True), ("named", True)]
    assert removed(project, only_done=True) == [] and removed(project, "named") == ["named"]
    wait(project, "unread", timeout=0, reader="another")
    assert removed(project) == ["unread"]
    made(store, "unread", *over("done"))  # another task of the same id
    assert removed(project) == [] and "unread" in removed(project, every=True)


def test_F23_what_the_archive_cannot_take_stays_and_is_said(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_write", full)
    found = clean(project)
    assert not found.removed and [(k.task, k.failed) for k in found.kept] == [("done", True), ("stopped", True)]
    assert found.kept[0].why == "it cannot be archived: No space left on device"
    monkeypatch.setattr(archive, "_being_made", full)
    assert all(kept.failed for kept in clean(project).kept) and "done" in store.ids()
    assert removed(project, forget=True) == ["done", "stopped"]
