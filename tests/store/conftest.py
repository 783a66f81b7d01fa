"""The store of a project in which nothing has happened yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_tmux.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "project").mkdir()
    made = Store(str(tmp_path / "project"), str(tmp_path / "home"))
    made.prepare()
    return made
