"""A project on disk for the verbs, as a program that uses the Python API has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from crew import Crew

from dispatch_tmux.store import project as projects
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store


@pytest.fixture
def project(shared: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of the test's own. Nobody supervises it; no tmux server runs on the socket of its configuration."""
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"tmux": {"socket": f"{shared.socket}-none"}}))
    for name, value in {**shared.env, "HOME": str(tmp_path / "home"), "DISPATCH_CONFIG": str(config)}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "home").mkdir()
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    found = projects.find()
    found.store.prepare()
    return found


@pytest.fixture
def store(project: Project) -> Store:
    return project.store
