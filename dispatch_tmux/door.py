"""A CLI's own door for words: what lies in a task's `door/` is taken by a plugin in the CLI, and answered there.

    door/open          the plugin listens
    door/ID.json       what is to be done; the plugin claims it by moving it to ID.taken
    door/ID.done       {"ok": …, "why": …}

A request has the id of what it does, so that after a crash it is neither lost nor done twice.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from typing import Any

from dispatch_tmux import files
from dispatch_tmux.delivery import Outcome, Submitted, Unproven

PATIENCE = 2.0  # seconds for the plugin to take a request; until then it can be taken back
DOING = 10.0  # seconds for it to say what became of it


def is_open(task_dir: str) -> bool:
    return os.path.exists(os.path.join(task_dir, "door", "open"))


def clear(task_dir: str) -> None:
    """Before an attempt: what an earlier one left would be taken for this one's."""
    shutil.rmtree(os.path.join(task_dir, "door"), ignore_errors=True)


def hand_over(task_dir: str, id: str, request: dict[str, Any]) -> Outcome | None:
    """Have REQUEST done. None: it was not, and will not be; the keyboard is left."""
    waiting, taken, done = (os.path.join(task_dir, "door", f"{id}.{end}") for end in ("json", "taken", "done"))
    if not any(map(os.path.exists, (waiting, taken, done))):
        files.replace(waiting, json.dumps(request))
    began = time.monotonic()
    while time.monotonic() - began < DOING:
        if (text := files.read_text(done)) is not None:
            return _outcome(text, done)
        if time.monotonic() - began > PATIENCE and _removed(waiting):
            return None
        time.sleep(0.01)
    return Unproven("the CLI took it and does not say what became of it")


def forget(task_dir: str, id: str) -> None:
    """ID's outcome is on record."""
    _removed(os.path.join(task_dir, "door", f"{id}.done"))


def _outcome(text: str, done: str) -> Outcome | None:
    try:
        ok = json.loads(text)["ok"] is True
    except (ValueError, KeyError, TypeError):
        return Unproven("the CLI took it and its reply makes no sense")
    if ok:
        return Submitted("the CLI took it at its own door")
    _removed(done)
    return None


def _removed(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
