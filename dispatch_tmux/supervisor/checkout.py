"""A worker's own checkout, made before it starts, and whether it strayed from there into the main one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import checkouts, worktree
from dispatch_tmux.store import files
from dispatch_tmux.supervisor.record import TaskRecord

if TYPE_CHECKING:
    from dispatch_tmux.config.schema import Config


def is_missing(record: TaskRecord, asked: Mapping[str, Any]) -> bool:
    """Whether the task wants a worktree that is not there. ASKED: its task.yaml."""
    return bool(asked.get("worktree")) and not os.path.isdir(record.task.worktree or "\0")


def make(root: str, record: TaskRecord, asked: Mapping[str, Any], config: Config | None) -> None:
    """Make the worktree that the task wants, of the checkout that it was given in (ROOT, or a linked worktree of the person's).

    A checkout may take minutes. Raises DispatchError or OSError.
    """
    task, cwd = record.task, str(asked.get("cwd") or root)
    if not os.path.isdir(cwd):
        raise DispatchError(f"{cwd}, where it was to begin, is not there any more")
    home = checkouts.home(root, cwd)
    place = os.path.expanduser(config.worktree.dir if config else ".dispatch/worktrees")
    path = task.worktree or os.path.join(root, place, record.id)
    base = "" if task.worktree else str(asked.get("base") or "")
    made = worktree.make(root, path, str(asked["worktree"]), base, home)
    worktree.furnish(home, made.path, config.worktree.link if config else ())
    record.append(
        "worktree", "", path=made.path, branch=made.branch, base=task.base or made.base,
        cwd=_same_place(home, made.path, cwd), ours=made.ours or task.ours,
    )  # fmt: skip
    files.replace(_footprint_path(record), json.dumps(worktree.footprint(root)))


def _same_place(root: str, copy: str, cwd: str) -> str:
    """The directory in the worktree COPY that CWD is in the checkout at ROOT; COPY itself where there is none."""
    below = os.path.relpath(cwd, root)
    found = os.path.normpath(os.path.join(copy, below))
    return copy if below.startswith("..") or not os.path.isdir(found) else found


def _footprint_path(record: TaskRecord) -> str:
    return os.path.join(record.own, "main-checkout.json")


def look_for_strays(root: str, record: TaskRecord) -> None:
    """Write down which files of the main checkout at ROOT changed since its worker began (W4). Git may be slow."""
    try:
        before = json.loads(files.read_text(_footprint_path(record), 1 << 26) or "")
        now = worktree.footprint(root)
    except (DispatchError, ValueError, RecursionError):
        return
    strayed = sorted(name for name, mark in now.items() if before.get(name) != mark)
    if strayed and tuple(strayed[:20]) != record.task.strayed:
        record.append("strayed", "", files=strayed[:20])
