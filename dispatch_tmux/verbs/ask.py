"""`ask` and `flag`, the worker's side: ask, wait, acknowledge; tell. Knows only the task's directory."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store import files

PATIENCE = 95.0  # seconds; agents' shells kill a command after about two minutes


class Reply(NamedTuple):
    """The answer to the question NUMBER ("001"); None while there is none."""

    number: str
    answer: str | None


def ask(text: str = "", *, choices: Sequence[str] = (), number: str = "", timeout: float = PATIENCE) -> Reply:
    """Ask the person who dispatched us, from a worker; or go on waiting for the answer to question NUMBER.

    Waits TIMEOUT seconds. Raises DispatchError outside of a worker, and UsageProblem for neither or both of them.
    """
    if bool(text) == bool(number):
        raise UsageProblem("either a question, or --wait NNN", hint='dispatch ask "Which database?"')
    ipc = _ipc()
    number = number or _ask(ipc, text, choices)
    return Reply(number, _answer_to(ipc, number, timeout))


def flag(text: str) -> None:
    """Leave TEXT for the person to see at once; nothing is waited for. Raises DispatchError outside of a worker."""
    ipc = _ipc()
    if not text.strip():
        raise DispatchError("the flag is empty")
    number = 1
    while not files.replace(os.path.join(ipc, f"{number:03}.flag"), text.strip() + "\n", exclusive=True):
        number += 1


def _ipc() -> str:
    """The directory through which the running worker asks. Raises DispatchError outside of a worker."""
    path = os.path.join(os.environ.get("DISPATCH_TASK_DIR", ""), "ipc")
    if path == "ipc" or not os.path.isdir(path):
        raise DispatchError(
            "this is not a worker's shell (DISPATCH_TASK_DIR is not set)", hint="people answer: dispatch answer TASK"
        )
    return path


def _ask(ipc: str, text: str, choices: Sequence[str]) -> str:
    """Write the next question and return its number."""
    if not text.strip():
        raise DispatchError("the question is empty")
    listed = "".join(f"\n{n}. {' '.join(choice.split())}" for n, choice in enumerate(choices, 1))
    numbers = [
        int(m[1]) for m in (re.fullmatch(r"(\d{3,})\.question(\.former)?", name) for name in os.listdir(ipc)) if m
    ]
    number = max(numbers, default=0) + 1
    while not files.replace(os.path.join(ipc, f"{number:03d}.question"), text.strip() + listed + "\n", exclusive=True):
        number += 1  # another question of the same worker was quicker
    return f"{number:03d}"


def _answer_to(ipc: str, q: str, seconds: float) -> str | None:
    """The answer to question Q as soon as there is one, acknowledged; None after SECONDS."""
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
