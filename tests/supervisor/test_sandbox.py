"""Where workers would end with the command that starts them, and where they do not."""

from __future__ import annotations

import pytest

from dispatch_tmux.supervisor import sandbox
from dispatch_tmux.supervisor.sandbox import Place

SHELL = frozenset({"HOME", "PATH"})
CLAUDE = SHELL | {"CLAUDECODE"}


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(SHELL), ""),
        (Place(CLAUDE), ""),  # a host that runs its commands as they are
        (Place(CLAUDE, own_processes=True, first=SHELL, program="bash", age=1.0), ""),  # in a container with its host
        (Place(SHELL, own_processes=True, program="sh", age=0.5), ""),  # the first command of a container
        (Place(SHELL, own_processes=True, program="bwrap", age=4000.0), ""),  # the terminal of a sandboxed editor
        (Place(CLAUDE, own_processes=True, first=CLAUDE, program="bwrap", age=0.2), "ends with this command"),
        (Place(CLAUDE, own_processes=True, first=CLAUDE, program="sh", age=90.0), "ends with this command"),
        (Place(SHELL, own_processes=True, program="bwrap", age=0.2), "ends with this command"),
        (Place(SHELL, own_processes=True, program="sh", age=0.2, network=False), "ends with this command"),
        (Place(CLAUDE, network=False), "no network"),
        (Place(SHELL, network=False), ""),  # a machine without one
        (Place(SHELL | {"CODEX_SANDBOX_NETWORK_DISABLED"}), "no network"),
    ],
)
def test_T24_which_places_are_sandboxes_of_one_command(place: Place, said: str) -> None:
    found = sandbox.trouble(place)
    assert said in found and bool(said) is bool(found)


def test_T24_here_nothing_keeps_workers_from_living_on() -> None:
    assert sandbox.here().age > sandbox.FRESH or not sandbox.here().own_processes
