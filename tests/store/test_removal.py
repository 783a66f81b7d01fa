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
def store(tmp_path: Path) -> Store:
    made = Store(str(tmp_path / "project"), str(tmp_path / "home"))
    (tmp_path / "project").mkdir()
    made.prepare()
    made.claim("t")
    made.append("t", "created", "created", title="t")
    return made


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
