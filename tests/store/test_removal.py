"""What is removed is gone, or it is said; what a killed `clean` has left goes at the next start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import removal
from dispatch_tmux.store.store import Store


@pytest.fixture
def store(store: Store) -> Store:
    store.claim("t")
    store.append("t", "created", "created", title="t")
    return store


def no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_F23_a_task_is_removed_from_a_disk_without_room_for_another_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "rename", no_room)
    store.remove("t")
    assert store.ids() == [] and not os.path.lexists(store.path("t"))


def test_F23_what_cannot_be_removed_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "rename", no_room)
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(DispatchError, match="cannot remove"):
        store.remove("t")


def test_F23_what_a_killed_removal_left_goes_at_the_next_start(store: Store, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    for folder in (store.records_dir, store.tasks_dir):
        (Path(folder) / ".gone-1").mkdir()
        (Path(folder) / ".gone-1" / "plan.md").touch()
    (Path(store.tasks_dir) / ".gone-2").symlink_to(precious)
    assert removal.left_over(store.root, store.records, store.ids()) == 3
    assert not list(Path(store.records_dir).glob(".gone-1")) and not list(Path(store.tasks_dir).glob(".gone-1"))
    assert store.ids() == ["t"] and (precious / "file").exists()


@pytest.mark.parametrize("count", [3, 60])
def test_many_are_no_tasks_any_more_at_once_and_their_files_go_together(
    store: Store, tmp_path: Path, count: int
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    away = []
    for n in range(count):
        store.claim(f"t{n}")
        store.append(f"t{n}", "created", "created", title="t")
        Path(store.path(f"t{n}"), "link").symlink_to(precious)
        away += store.put_away(f"t{n}")
    assert store.ids() == ["t"] and len(away) == 2 * count
    assert store.put_away("t0") == []
    removal.delete(away)
    assert os.listdir(store.records_dir) == os.listdir(store.tasks_dir) == ["t"]
    assert (precious / "file").exists()


def test_one_that_cannot_be_removed_does_not_keep_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.claim("u")
    with monkeypatch.context() as full:
        full.setattr(os, "rename", no_room)
        away = store.put_away("t")
    away += store.put_away("u")
    real = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, **more: None if path.endswith("/t") else real(path, **more))
    with pytest.raises(DispatchError, match="cannot remove"):
        removal.delete(away)
    assert store.ids() == ["t"] and os.listdir(store.records_dir) == ["t"]
