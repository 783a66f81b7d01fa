"""The sessions that agent CLIs keep: which one was a worker's, so that it can be taken up again."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dispatch_tmux import files
from dispatch_tmux.errors import DispatchError

if TYPE_CHECKING:
    from dispatch_tmux.backends import Backend

NEWEST = 200  # files that are looked into
BEGINNING = 400_000  # bytes: the first prompt, which names the task's directory, stands here


def of(backend: Backend, task_dir: str, env: Mapping[str, str]) -> str:
    """The id of the newest session in which BACKEND's CLI worked on the task at TASK_DIR; '' when none is found.

    A session is a worker's when its record names the task's directory, as every first prompt does.
    """
    rules = backend.sessions
    if rules.id is None or not rules.files:
        return ""
    home = env.get(rules.home, "") or os.path.join(env.get("HOME", os.path.expanduser("~")), rules.default)
    found = glob.glob(os.path.join(glob.escape(home), rules.files))
    marks = (task_dir + "/plan.md", json.dumps(task_dir)[1:-1] + "/plan.md")
    for path in sorted(found, key=_time, reverse=True)[:NEWEST]:
        try:
            text = files.read_text(path, BEGINNING) or ""
        except DispatchError:
            continue
        if any(mark in text for mark in marks):
            told = rules.id.search(os.path.basename(path)) or rules.id.search(text)
            return told["id"] if told else ""
    return ""


def _time(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
