"""The person's terminal in front of a worker's window, and back."""

from __future__ import annotations

import os
import subprocess

from dispatch_tmux import Command, DispatchError


def takes_terminal() -> bool:
    """Whether attaching takes our terminal; inside a tmux its client goes there, and we stay where we are."""
    return not os.environ.get("TMUX")


def show(command: Command) -> None:
    """Attach with COMMAND; returns when the person comes back, or inside a tmux at once. Raises DispatchError."""
    if takes_terminal():
        subprocess.run(command.argv, env=command.env, check=False)
        return
    done = subprocess.run(
        command.argv, env=command.env, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise DispatchError(f"tmux does not go there: {done.stderr.strip()[:200]}")
