"""The worker's side: ask, wait, acknowledge. Knows only the task's directory."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files

PATIENCE = 95.0  # seconds; agents' shells kill a command after about two minutes


def directory() -> str:
    """The running worker's task directory. Raises DispatchError outside a worker."""
    path = os.environ.get("DISPATCH_TASK_DIR", "")
    if not path or not os.path.isdir(os.path.join(path, "ipc")):
        raise DispatchError(
            "this is not a worker's shell (DISPATCH_TASK_DIR is not set)", hint="people answer: dispatch answer TASK"
        )
    return path


def flag(task_dir: str, text: str) -> None:
    """Leave TEXT for the person to see at once; nothing is waited for."""
    if not text.strip():
        raise DispatchError("there is nothing to tell")
    ipc = os.path.join(task_dir, "ipc")
    number = 1
    while not files.replace(os.path.join(ipc, f"{number:03}.flag"), text.strip() + "\n", exclusive=True):
        number += 1


def ask(task_dir: str, text: str, choices: Sequence[str]) -> str:
    """Write the next question and return its number."""
    if not text.strip():
        raise DispatchError("the question is empty")
    listed = "".join(f"\n{n}. {' '.join(choice.split())}" for n, choice in enumerate(choices, 1))
    ipc = os.path.join(task_dir, "ipc")
    numbers = [int(m[1]) for m in (re.fullmatch(r"(\d{3,})\.question", name) for name in os.listdir(ipc)) if m]
    number = max(numbers, default=0) + 1
    while not files.replace(os.path.join(ipc, f"{number:03d}.question"), text.strip() + listed + "\n", exclusive=True):
        number += 1  # another question of the same worker was quicker
    return f"{number:03d}"


def answer_to(task_dir: str, q: str, seconds: float) -> str | None:
    """The answer to question Q as soon as there is one, acknowledged; None after SECONDS."""
    ipc = os.path.join(task_dir, "ipc")
    if not os.path.exists(os.path.join(ipc, f"{q}.question")):
        raise DispatchError(f"there is no question {q}", hint='ask first: dispatch ask "…"')
    path = os.path.join(ipc, f"{q}.answer")
    if not os.path.exists(path):
        _wait_for(ipc, path, seconds)
    answer = files.read_text(path)
    if answer is not None:
        files.replace(os.path.join(ipc, f"{q}.done"), "")
    return answer


def _wait_for(ipc: str, path: str, seconds: float) -> None:
    from dispatch_tmux.store.watch import Bell

    bell = Bell(ipc, os.path.basename(path))
    end = time.monotonic() + seconds
    try:
        while not os.path.exists(path) and (left := end - time.monotonic()) > 0:
            bell.wait(min(left, 2.0))
    finally:
        bell.close()
