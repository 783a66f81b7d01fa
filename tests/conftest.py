"""A crew for each test (see crew.py). The default tmux socket is refused."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("crew")

from crew import Crew  # noqa: E402

from dispatch_tmux.tmux import server as tmux  # noqa: E402
from dispatch_tmux.tmux.server import Answer, Socket  # noqa: E402


@pytest.fixture
def crew() -> Iterator[Crew]:
    base = Path(tempfile.mkdtemp(prefix="dt-", dir="/tmp"))  # short: a socket's path holds about 100 bytes
    crew = Crew(base)
    yield crew
    crew.close()


@pytest.fixture(autouse=True)
def _never_the_persons_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("TMUX_PANE", raising=False)
    real = tmux.run

    def guarded(socket: Socket, *command: str, **options: Any) -> Answer:
        assert "/" in socket.name, "tests use a socket of their own"
        return real(socket, *command, **options)

    monkeypatch.setattr(tmux, "run", guarded)
