"""Records of an earlier version are moved once, whatever interrupts it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from dispatch_tmux.store import migrate
from dispatch_tmux.store.store import Store

FILES = ("journal.jsonl", "task.yaml", "process-1", "exit", "screen.txt")
IDS = ("one", "two")


class Killed(BaseException):
    """As a kill: nothing after it is done, no handler of errors sees it."""


def old_project(root: Path) -> None:
    for id in IDS:
        task = root / ".dispatch" / "tasks" / id
        (task / "inbox").mkdir(parents=True)
        created = {"t": time.time(), "kind": "created", "key": "created", "title": id, "marks": "x"}
        for name in FILES:
            (task / name).write_text(json.dumps(created) + "\n" if name == "journal.jsonl" else f"{id} {name}")
    (root / ".dispatch").chmod(0o700)


def interrupted(root: Path, base: Path, at: int) -> bool:
    """Migrate, and be killed before the move number AT; whether it came to that."""
    real, moves = shutil.move, iter(range(at + 1))

    def move(source: str, target: str) -> object:
        if next(moves) == at:
            raise Killed
        return real(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "move", move)
        try:
            assert Store(str(root), str(base)).records
        except Killed:
            return True
    return False


@pytest.mark.parametrize("at", range(10))
def test_F1_a_migration_that_is_killed_at_any_move_goes_on_and_loses_nothing(tmp_path: Path, at: int) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    assert interrupted(root, base, at)
    store = Store(str(root), str(base))
    assert store.ids() == sorted(IDS)
    for id in IDS:
        assert store.task(id).title == id
        assert all(Path(store.own(id), name).read_text() == f"{id} {name}" for name in FILES[1:])
        assert not list((root / ".dispatch" / "tasks" / id).iterdir())
    assert not (Path(store.records) / "migrating").exists()


def test_all_moves_were_tried(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    assert not interrupted(root, base, len(FILES) * len(IDS))


def test_X8_what_was_not_made_here_is_not_moved_beside_what_was_begun(tmp_path: Path) -> None:
    root, base = tmp_path / "project", tmp_path / "home"
    old_project(root)
    brought = root / ".dispatch" / "tasks" / "brought"
    brought.mkdir()
    (brought / "journal.jsonl").write_text('{"t": 1, "kind": "created", "key": "created"}\n')
    (brought / "task.yaml").write_text("prompt: x\n")
    assert migrate.made_here(str(root), str(base))
    assert interrupted(root, base, 3)
    assert Store(str(root), str(base)).ids() == sorted(IDS)
    assert (brought / "journal.jsonl").exists()
