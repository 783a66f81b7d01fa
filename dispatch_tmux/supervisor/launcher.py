"""Opening a worker's window: tmux runs our launch line directly, which becomes the agent CLI."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dispatch_tmux.errors import TmuxError
from dispatch_tmux.store import files
from dispatch_tmux.tmux.connection import Line
from dispatch_tmux.tmux.server import safe_name

HERE = os.path.dirname(os.path.abspath(__file__))
LAUNCH, LAUNCH_SH = os.path.join(HERE, "launch.py"), os.path.join(HERE, "launch.sh")


class Opened(NamedTuple):
    pane: str
    window: str
    pid: int
    tty: str


def open_window(line: Line, session: str, *, id: str, cwd: str, own: str, attempt: int) -> Opened:
    """Open the window of task ID with the launch line in it, which waits for `start`. Raises TmuxError."""
    made = line.cmd(
        "new-window", "-d", "-P", "-F", "#{pane_id} #{window_id} #{pane_pid} #{pane_tty}", "-t", f"{session}:",
        "-n", safe_name(id), "-c", cwd.replace("#", "##"),
        "--", sys.executable, "-I", "-S", LAUNCH, own, str(attempt),
    )  # fmt: skip
    words = made.text.split(" ")
    if not made.ok or len(words) != 4:
        raise TmuxError(f"tmux opens no window: {made.text}")
    pane, window = words[0], words[1]
    options = [("-w", window, name, value) for name, value in (
        ("remain-on-exit", "on"), ("automatic-rename", "off"), ("allow-rename", "off"))]  # fmt: skip
    options.append(("-p", pane, "@dispatch_task", id))
    line.cmds([("set-option", kind, "-q", "-t", target, name, value) for kind, target, name, value in options])
    return Opened(pane, window, int(words[2]), words[3])


def start(
    own: str,
    attempt: int,
    pane: str,
    *,
    argv: list[str],
    env: Mapping[str, str],
    cwd: str,
    setup: Sequence[str] = (),
) -> None:
    """Tell the launch line waiting in PANE what to become, and what to run before."""
    launch = {"argv": argv, "env": dict(env), "cwd": cwd, "sh": LAUNCH_SH, "setup": list(setup)}
    files.replace(os.path.join(own, f"launch-{attempt}-{pane.lstrip('%')}.json"), json.dumps(launch))
