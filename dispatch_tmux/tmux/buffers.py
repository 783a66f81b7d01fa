"""The tmux buffers that texts go through on their way into a pane. Each is named after the process that has it."""

from __future__ import annotations

import os
import re
import time

from dispatch_tmux.tmux.server import Tmux

NAME = re.compile(r"dispatch-(?:(?P<pid>\d+)-)?[0-9a-f]{16}")
OLD = 60.0  # seconds; a buffer is used at once, so one of this age is left over whoever has its pid now


def name() -> str:
    """A name for a buffer of this process, used once."""
    return f"dispatch-{os.getpid()}-{os.urandom(8).hex()}"


def remove_left_over(tmux: Tmux) -> int:
    """Remove the buffers of processes that were killed before they had pasted them; how many there were."""
    listed = tmux.cmd("list-buffers", "-F", "#{buffer_name} #{buffer_created}")
    gone = 0
    for line in listed.lines if listed.ok else ():
        buffer, _, created = line.rpartition(" ")
        found = NAME.fullmatch(buffer)
        if found and (_is_old(created) or not _runs(found["pid"])):
            gone += tmux.cmd("delete-buffer", "-b", buffer).ok
    return gone


def _is_old(created: str) -> bool:
    return created.isdigit() and time.time() - int(created) > OLD


def _runs(pid: str | None) -> bool:
    """Whether the process PID is there. It may be another one by now: then its buffer goes when it is old."""
    if pid is None or int(pid) >= 1 << 31:
        return pid is None
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
