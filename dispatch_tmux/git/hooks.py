"""Which hooks run when dispatch calls git: those that have a say in a commit, as the person's checkout has them.

A relative core.hooksPath names a directory of whatever checkout git works in (git-config(1)): in the worker's worktree what the
worker has put there, in the checkout of a merge what was merged. So they are named by where the person has them, and what
runs after a checkout, a commit or a merge does not run in checkouts of ours at all.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator

from dispatch_tmux.git import run as git
from dispatch_tmux.store.tree import Tree

NONE = ("-c", "core.hooksPath=/dev/null")
MESSAGE = ("prepare-commit-msg", "commit-msg")
ASKED = ("pre-commit", "pre-merge-commit", *MESSAGE)
_ENTER = """case $1 in /*) file=$1 ;; *) file=$PWD/$1 ;; esac
shift; set -- "$file" "$@"
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE GIT_PREFIX
cd {top} || exit 1
"""
_MOST = 1 << 20  # bytes that are read of what git tells of itself


def words(root: str, folder: str, wanted: bool = True) -> tuple[str, ...]:
    """Options with which git asks the hooks of the checkout ROOT about a commit, wherever it works; none that are not WANTED.

    FOLDER is an empty directory for them. Those about the message work in ROOT: there are the tools that they call, and
    in the checkout of a merge their configuration would be what the branch brings.
    """
    top, theirs = _folder(root) if wanted else ("", "")
    for name in ASKED if theirs else ():
        hook = os.path.join(theirs, name)
        if os.path.isfile(hook) and os.access(hook, os.X_OK):
            enter = _ENTER.format(top=shlex.quote(top)) if name in MESSAGE else ""
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with open(os.open(os.path.join(folder, name), flags, 0o700), "w", errors="surrogateescape") as f:
                # no link: a hook looks beside itself for its parts
                f.write(f'#!/bin/sh\n{enter}exec {shlex.quote(hook)} "$@"\n')
    return ("-c", f"core.hooksPath={folder}") if theirs else NONE


def after_a_move(root: str) -> tuple[str, ...]:
    """The same for a checkout ROOT whose files have just become a branch's: none that this branch may have brought."""
    top, theirs = _folder(root)
    own = git.ask(root, "rev-parse", "--absolute-git-dir").out.removesuffix("\n")
    brought = not theirs or (_is_in(theirs, top) and not _is_in(theirs, own))
    return NONE if brought else ()


def _folder(root: str) -> tuple[str, str]:
    """The top of the checkout ROOT, and the directory of its hooks; '' for both where there is none."""
    said = git.ask(root, "rev-parse", "--show-toplevel")
    top = said.out.removesuffix("\n") if said.ok else root
    said = git.ask(top, "rev-parse", "--git-path", "hooks")
    return (top, os.path.normpath(os.path.join(top, said.out.removesuffix("\n")))) if said.ok else ("", "")


def _is_in(path: str, folder: str) -> bool:
    real = os.path.realpath(folder)
    return os.path.commonpath([real, os.path.realpath(path)]) == real


class Watch:
    """Which hook has refused, as git tells it in the file at PATH (trace2: its own event log, one JSON a line)."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.env = {"GIT_TRACE2_EVENT": path, "GIT_TRACE2_PARENT_SID": ""}

    def refused(self) -> str:
        """The name of the last hook that ended with another code than 0; ''. What hooks call themselves does not count."""
        names: dict[str, str] = {}
        refused = ""
        for event in self._events():
            if "/" in str(event.get("sid", "/")):
                continue
            if event.get("event") == "child_start" and event.get("child_class") == "hook":
                names[str(event.get("child_id"))] = str(event.get("hook_name", ""))
            elif event.get("event") == "child_exit" and event.get("code"):
                refused = names.get(str(event.get("child_id")), refused)
        return refused

    def _events(self) -> Iterator[dict[str, object]]:
        folder, name = os.path.split(self._path)
        for line in (Tree(folder).read_bytes(name, most=_MOST) or b"").splitlines():
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):  # hooks know the file, too
                continue
            if isinstance(event, dict):
                yield event
