"""Repositories for tests: made fast, odd where a test wants it, and worked in as an agent would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from dispatch_tmux.git import merge, worktree
from dispatch_tmux.git.merge import How, Outcome, Work

WHO = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always"]


def git(folder: Path | str, *words: str, ok: bool = True) -> str:
    """What `git WORDS` prints in FOLDER, with no configuration of whoever runs the tests."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", *WHO, *words], cwd=folder, capture_output=True, text=True, env=env)
    assert not ok or done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


def repository(root: Path, *init: str) -> Path:
    """A repository at ROOT with a commit of a.txt on main, and an author of its own."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", "main", *init)
    git(root, "config", "user.name", "t")
    git(root, "config", "user.email", "t@localhost")
    exclude = root / git(root, "rev-parse", "--git-path", "info/exclude")
    exclude.write_text(".dispatch\n")
    return committed(root, "a.txt", "one\n")


def committed(root: Path, name: str, text: str, *more: str) -> Path:
    """TEXT in the file NAME, committed; ROOT."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--no-verify", "-m", f"{name}", *more)
    return root


def hook(folder: Path, name: str, body: str) -> Path:
    """The hook NAME in FOLDER, a shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def work(root: Path, id: str = "a", base: str = "", home: str = "") -> Work:
    """A worktree for the task ID, as dispatch makes it."""
    made = worktree.make(str(root), str(root / ".dispatch/worktrees" / id), f"dispatch/{id}", base, home)
    return Work(str(root), made.path, made.branch, made.base)


def brought(one: Work, message: str = "", into: str = "main", squash: bool = False, verify: bool = True) -> Outcome:
    """What became of merging the branch of ONE."""
    scratch = Path(one.root).parent / "scratch"
    scratch.mkdir(exist_ok=True)
    how = How(message or f"Merge {one.branch}", str(scratch), squash, verify)
    done = merge.merge(one.root, into, git(one.path, "rev-parse", "HEAD"), how)
    assert [name for name in os.listdir(scratch) if name.startswith("merge-")] == []
    assert len(git(one.root, "worktree", "list", "--porcelain").split("\n\n")) == 2
    return done
