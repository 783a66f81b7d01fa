"""A server whose socket was swept away (from /tmp, say) lives on with all its windows, and nobody reaches it.

The kernel still knows which process listens on it, under the path that it once had; SIGUSR1 makes tmux bind it again
(tmux(1)). Linux only: elsewhere such a server is not found.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

PATIENCE = 2.0  # seconds for the server to bind its socket again; it takes 0.01


def recover(path: str) -> bool:
    """Have the server that listened on PATH bind it again where that is gone; False when there is nothing to be mended."""
    if os.path.lexists(path):
        return False
    pid = _listener(path)
    if not pid:
        return False
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.kill(pid, signal.SIGUSR1)
    except OSError:
        return False
    end = time.monotonic() + PATIENCE
    while not os.path.lexists(path) and time.monotonic() < end:
        time.sleep(0.005)
    return os.path.lexists(path)


def _listener(path: str) -> int:
    """The tmux server of ours that listens on PATH; 0 when there is none, or the system does not tell (proc(5), net/unix)."""
    try:
        with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as f:
            rows = [line.rstrip("\n").split(None, 7) for line in f]
    except OSError:
        return 0
    wanted = {f"socket:[{row[6]}]" for row in rows if len(row) == 8 and row[7] == path and row[3] == "00010000"}
    return next((pid for pid in _servers() if wanted & set(_files(pid))), 0) if wanted else 0


def _servers() -> Iterator[int]:
    """The tmux servers of this user."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/comm", encoding="utf-8", errors="replace") as f:
                    if f.read().startswith("tmux: server") and os.stat(f"/proc/{name}").st_uid == os.geteuid():
                        yield int(name)
            except OSError:
                continue


def _files(pid: int) -> Iterator[str]:
    """What the open files of PID are."""
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            yield os.readlink(os.path.join(folder, name))
    except OSError:
        return
