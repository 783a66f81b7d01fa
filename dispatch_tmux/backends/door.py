"""A CLI's own door for words: what lies in a task's `door/` is taken by a plugin in the CLI, and answered there.

    door/open          the plugin listens
    door/ID.json       what is to be done; the plugin claims it by moving it to ID.taken
    door/ID.done       {"ok": …, "why": …}

A request has the id of what it does, so that after a crash it is neither lost nor done twice.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from dispatch_tmux.backends import hook as answering
from dispatch_tmux.core.delivery import Outcome, Submitted, Unproven
from dispatch_tmux.store.tree import Tree

PATIENCE = 2.0  # seconds for the plugin to take a request; until then it can be taken back
MOST_REPLY = 10_000  # bytes
MOST_ARGUMENT = 100_000  # bytes; Linux takes 131 072 for one argument
DOING = 10.0  # seconds for it to say what became of it


def is_open(task_dir: str) -> bool:
    return Tree.of(task_dir).has("door", "open")


def clear(task_dir: str) -> None:
    """Before an attempt: what an earlier one left would be taken for this one's."""
    answering.release_old(task_dir, 0.0)
    Tree.of(task_dir).remove_folder("door")


def hand_over(task_dir: str, id: str, request: dict[str, Any]) -> Outcome | None:
    """Have REQUEST done. None: it was not, and will not be; the keyboard is left."""
    tree = Tree.of(task_dir)
    waiting, taken, done = (f"{id}.{end}" for end in ("json", "taken", "done"))
    if not any(tree.has("door", name) for name in (waiting, taken, done)):
        tree.replace("door", waiting, text=json.dumps(request))
    began = time.monotonic()
    while time.monotonic() - began < DOING:
        if (text := tree.read("door", done, most=MOST_REPLY)) is not None:
            return _outcome(text, tree, done)
        if time.monotonic() - began > PATIENCE and tree.remove("door", waiting):
            return None
        time.sleep(0.01)
    return Unproven("the CLI took it and does not say what became of it")


def queue(words: tuple[str, ...], session: str, text: str, env: Mapping[str, str], cwd: str) -> Outcome | None:
    """Hand TEXT to the CLI's own queue with its command. None: it was not taken."""
    program = shutil.which(words[0], path=env.get("PATH"))
    if program is None or not session or len(text.encode()) > MOST_ARGUMENT:
        return None
    argv = [word.replace("{session}", session).replace("{text}", text) for word in words[1:]]
    try:
        done = subprocess.run(
            [program, *argv], env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=DOING
        )
    except subprocess.TimeoutExpired:
        return Unproven("the command for its queue did not end")
    except OSError:
        return None
    return Submitted("in the CLI's own queue, for after this turn") if done.returncode == 0 else None


def forget(task_dir: str, id: str) -> None:
    """ID's outcome is on record."""
    Tree.of(task_dir).remove("door", f"{id}.done")


def _outcome(text: str, tree: Tree, done: str) -> Outcome | None:
    try:
        ok = json.loads(text)["ok"] is True
    except (ValueError, KeyError, TypeError, RecursionError):
        return Unproven("the CLI took it and its reply makes no sense")
    if ok:
        return Submitted("the CLI took it at its own door")
    tree.remove("door", done)
    return None
