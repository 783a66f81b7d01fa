"""`dispatch verify` with the real CLIs: what it says is right is right, and no step of it is wrong."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import install
import pytest

from dispatch_tmux.trial import clients, course
from dispatch_tmux.trial.desk import Desk
from dispatch_tmux.trial.service import Service

SIZES = [(80, 24), (140, 45)]


def folder(name: str) -> Path:
    """Where the program of the CLI NAME lies."""
    try:
        return install.claude().bin if name == "claude" else install.other(name).parent
    except install.NotAvailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "140x45"])
@pytest.mark.parametrize("name", clients.CLIENTS)
def test_no_step_of_the_course_is_wrong(name: str, size: tuple[int, int]) -> None:
    with Service() as service, Desk(clients.CLIENTS[name], str(folder(name)), service, size, threading.Event()) as desk:
        found = list(course.run(desk))
        base = desk.base
    assert not [f"{r.step}: {r.why}\n{r.screen}" for r in found if r.verdict in ("wrong", "untried")]
    assert sum(r.verdict == "refused" for r in found) <= 1, [(r.step, r.why) for r in found if r.verdict == "refused"]
    assert not os.path.exists(base)
