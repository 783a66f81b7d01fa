"""A crew for each test (see crew.py). The default tmux socket is refused."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("crew")

from crew import Crew  # noqa: E402
from panes import Session  # noqa: E402

from dispatch_tmux.tmux import server as tmux  # noqa: E402
from dispatch_tmux.tmux import session as sessions  # noqa: E402
from dispatch_tmux.tmux.server import Answer, Socket  # noqa: E402
from dispatch_tmux.tmux.session import Programs  # noqa: E402

_numbers = itertools.count()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: more than there are CPUs, since most of a test is waiting."""
    return min(3 * (os.cpu_count() or 1), 24)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side: give each worker its part of the slow tests first, and the fast ones last, so that all end together.

    xdist (worksteal) begins by giving each worker as many tests in a row.
    """
    abreast = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if abreast > 1:
        items.sort(key=_speed)
        items[:] = [item for part in range(abreast) for item in items[part::abreast]]


def _speed(item: pytest.Item) -> int:
    waits = {"crew", "shared"} & set(getattr(item, "fixturenames", ()))
    return 0 if item.get_closest_marker("slow") else 1 if waits else 2


def _scratch() -> str:
    """Where the crews live: in memory if there is room (an fsync takes 0.004 s on a disk), and a short path: a socket's has 100 bytes."""
    shm = "/dev/shm"
    if os.path.isdir(shm) and os.access(shm, os.W_OK | os.X_OK):
        there = os.statvfs(shm)
        if not there.f_flag & os.ST_NOEXEC and there.f_bavail * there.f_frsize > 1 << 30:
            return shm
    return "/tmp"


@pytest.fixture
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    crew = Crew(Path(tempfile.mkdtemp(prefix="dt-", dir=_scratch())))
    crew.fresh = crew.fresh or request.node.get_closest_marker("fresh") is not None
    yield crew
    crew.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Crew]:
    """One crew for all tests of a module that do not get in each other's way."""
    crew = Crew(Path(tempfile.mkdtemp(prefix="dt-", dir=_scratch())))
    yield crew
    crew.close()


@pytest.fixture
def session(shared: Crew) -> Iterator[Session]:
    """A session on the server of the module's crew, started as dispatch starts its own."""
    server, name = shared.server, f"s{next(_numbers)}"
    if not server.running():
        server.cmd("new-session", "-d", "-s", "holds-the-server", "cat")
    made = sessions.start(server, name, Programs(str(shared.root), {}, ["cat"], ["true"], ["true"]))
    assert made.ok, made.text
    id, pane = server.cmd("display-message", "-p", "-t", f"={name}:", "#{session_id} #{pane_id}").text.split()
    yield Session(server, id, name, pane)
    server.cmd("kill-session", "-t", id)


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _never_the_persons_home(monkeypatch: pytest.MonkeyPatch, _home: Path) -> None:
    monkeypatch.setenv("HOME", str(_home))


@pytest.fixture(autouse=True)
def _never_the_persons_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("TMUX_PANE", raising=False)
    real = tmux.run

    def guarded(socket: Socket, *command: str, **options: Any) -> Answer:
        assert "/" in socket.name, "tests use a socket of their own"
        return real(socket, *command, **options)

    monkeypatch.setattr(tmux, "run", guarded)
