"""Files of rules: the one that counts, and the one before it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import kept_rules


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    with kept_rules.lock():
        return Path(kept_rules.folder())


def test_what_is_kept_is_private(folder: Path) -> None:
    kept_rules.keep("claude", "a")
    assert kept_rules.read("claude") == "a" and kept_rules.read("codex") is None
    assert folder.stat().st_mode & 0o777 == 0o700 and (folder / "claude.yaml").stat().st_mode & 0o777 == 0o600


def test_one_goes_back_to_the_one_before_and_then_to_none() -> None:
    for text in "abc":
        kept_rules.keep("claude", text)
    assert kept_rules.back("claude") and kept_rules.read("claude") == "b"
    assert kept_rules.back("claude") and kept_rules.read("claude") is None
    assert not kept_rules.back("claude")


def test_a_damaged_one_is_nothing_to_come_back_to(folder: Path) -> None:
    kept_rules.keep("claude", "a")
    (folder / "claude.yaml").write_bytes(b"\xff")
    kept_rules.keep("claude", "b")
    assert kept_rules.read("claude") == "b"
    assert kept_rules.back("claude") and kept_rules.read("claude") is None


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_file_is_replaced_and_not_written_through(folder: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    if kind == "link":
        (folder / "claude.yaml").symlink_to(target)
    else:
        os.mkfifo(folder / "claude.yaml")
    with pytest.raises(DispatchError, match="no regular file"):
        kept_rules.read("claude")
    kept_rules.keep("claude", "a")
    assert kept_rules.read("claude") == "a" and target.read_text() == "mine"


def test_a_folder_in_the_way_is_told(folder: Path) -> None:
    (folder / "claude.yaml").mkdir()
    with pytest.raises(DispatchError, match="cannot write"):
        kept_rules.keep("claude", "a")
    with pytest.raises(DispatchError, match="cannot remove"):
        kept_rules.back("claude")


def test_a_link_in_place_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "lock").unlink()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(DispatchError, match="is a symbolic link"):
        kept_rules.lock()


def test_a_change_shows_in_the_time_of_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(folder, ns=(1, 1))
    kept_rules.keep("claude", "a")
    assert kept_rules.changed() > 1
    os.utime(folder, ns=(1, 1))
    kept_rules.back("claude")
    assert kept_rules.changed() > 1
    monkeypatch.setenv("HOME", "/nosuch")
    assert kept_rules.changed() == 0
