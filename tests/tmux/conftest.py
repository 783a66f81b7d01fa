"""What a module's tests of this room share: a tmux server, and a session in it that is a test's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from crew import Crew
from panes import Session

from dispatch_tmux.tmux import session as sessions
from dispatch_tmux.tmux.session import Program

_numbers = itertools.count()


@pytest.fixture
def session(shared: Crew) -> Iterator[Session]:
    """A session on the module's server, started as dispatch starts its own."""
    server, name = shared.server, f"s{next(_numbers)}"
    if not server.running():
        server.cmd("new-session", "-d", "-s", "holds-the-server", "cat")
    made = sessions.start(server, name, str(shared.root), Program(["cat"], str(shared.root), {}))
    assert made.ok, made.text
    id = server.cmd("display-message", "-p", "-t", made.text, "#{session_id}").text
    yield Session(server, id, name, made.text)
    server.cmd("kill-session", "-t", id)
