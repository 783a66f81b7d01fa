"""Every project of this user in one list; a broken one costs a line."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from made import STARTED, made, over

from dispatch_tmux.store import project as projects
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs.everywhere import asked, everywhere


def another(base: Path, name: str) -> Project:
    root = base / name
    root.mkdir()
    found = projects.at(str(root))
    found.store.prepare()
    return found


def test_every_project_with_what_waits_and_what_is_wrong(
    project: Project, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(
        store,
        "asks",
        *STARTED,
        ("question", {"q": "001", "via": "file", "text": "Which?"}),
        ("state", {"state": "waiting"}),
    )
    other, gone, copied, broken = (another(tmp_path, name) for name in ("other", "gone", "copied", "broken"))
    made(other.store, "done", *over("done"))
    shutil.rmtree(gone.root)
    (Path(copied.root) / ".dispatch" / "project").write_text(f"{Path(copied.store.records).name} {'0' * 64}\n")
    os.chmod(Path(broken.root) / ".dispatch", 0o777)
    (tmp_path / "home" / ".dispatch" / "projects" / "stray").write_text("x")
    (tmp_path / "home" / ".dispatch" / "projects" / "norecords-12345678").mkdir()
    places = {os.path.basename(place.root) or place.name: place for place in everywhere()}
    assert set(places) == {"project", "other", "gone", "copied", "broken", "norecords-12345678"}
    assert [t.id for t in places["project"].tasks] == ["asks"] and [t.id for t in places["other"].tasks] == ["done"]
    assert [a.question.text for a in asked(places["project"])] == ["Which?"] and asked(places["gone"]) == []
    assert places["gone"].gone and places["norecords-12345678"].gone
    assert "another user" in places["copied"].trouble and not places["copied"].tasks
    assert "may be written by other users" in places["broken"].trouble


def test_nothing_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert everywhere() == []
