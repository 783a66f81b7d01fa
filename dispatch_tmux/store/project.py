"""Which project a command is about, and what its tmux session is called."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from dispatch_tmux.store import trust
from dispatch_tmux.store.store import Store
from dispatch_tmux.store.tree import Tree


class Project(NamedTuple):
    """A directory that has tasks: the main checkout of a repository, or any directory.

    `here`: the linked worktree of it that the command is given in, '' elsewhere. Workers work there, then.
    """

    root: str
    store: Store
    here: str = ""

    @classmethod
    def find(cls, path: str | os.PathLike[str] | None = None) -> Project:
        """The project that PATH (by default the working directory) is in.

        That of the running worker when there is one, else the nearest directory upwards with a `.git` (a worktree counts
        as its main checkout) or a `.dispatch`, else PATH itself.
        """
        return find(None if path is None else os.fspath(path))

    @property
    def session_name(self) -> str:
        """Safe for tmux, which runs `#(…)` in names and splits targets at ':' and '.'."""
        base = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(self.root)).strip("-")[:40]
        return f"dispatch-{base or 'project'}"


def at(root: str, base: str | None = None) -> Project:
    """The project at ROOT; BASE stands for `~/.dispatch`."""
    root = os.path.realpath(root)
    return Project(root, Store(root, base))


def find(start: str | None = None) -> Project:
    """The project START is in, as `Project.find` says."""
    task_dir = os.environ.get("DISPATCH_TASK_DIR", "") if start is None else ""
    here = os.path.realpath(start or os.getcwd())
    found = _around(here)
    if task_dir and os.path.basename(os.path.dirname(os.path.dirname(task_dir))) == ".dispatch":
        own = at(os.path.dirname(os.path.dirname(os.path.dirname(task_dir))))
        return own._replace(here=found.here) if found.root == own.root else own
    return found


def _around(here: str) -> Project:
    """The project that the real path HERE is in."""
    before, inside, rest = here.partition(f"{os.sep}.dispatch{os.sep}worktrees{os.sep}")
    if inside and os.path.isdir(os.path.join(before, ".dispatch", "tasks")):
        top = f"{before}{inside}{rest.partition(os.sep)[0]}"  # also where the repository is bare, or a submodule
        return at(before)._replace(here=top if os.path.isfile(os.path.join(top, ".git")) else "")
    folder = here
    while True:
        git = os.path.join(folder, ".git")
        if folder != here and _is_anybodys(folder):
            pass
        elif os.path.isdir(git):
            return at(folder)
        elif os.path.isfile(git):
            main = _main_checkout(folder, git)
            return at(main)._replace(here=folder if main != folder else "")
        elif _has_tasks(folder) and (folder == here or not trust.is_somebody_elses(os.path.join(folder, ".dispatch"))):
            return at(folder)
        if os.path.dirname(folder) == folder:
            return at(here)
        folder = os.path.dirname(folder)


def _has_tasks(folder: str) -> bool:
    return os.path.isdir(os.path.join(folder, ".dispatch", "tasks"))


def _is_anybodys(folder: str) -> bool:
    """Whether everybody may put things into FOLDER, as into /tmp, and what makes it a project is not ours."""
    marks = [os.path.join(folder, name) for name in (".git", ".dispatch")]
    try:
        shared = os.stat(folder).st_mode & 0o002
        return bool(shared) and not any(os.path.lexists(m) and os.lstat(m).st_uid == os.geteuid() for m in marks)
    except OSError:
        return False


def _main_checkout(folder: str, git: str) -> str:
    """Where the worktree at FOLDER belongs (gitrepository-layout(5): its `.git` file says gitdir: …/worktrees/NAME).

    FOLDER itself where that place knows nothing of it: a `.git` file may come with an archive and name any repository.
    """
    gitdir = _said(git).removeprefix("gitdir:").strip()
    gitdir = os.path.normpath(os.path.join(folder, gitdir))
    common = os.path.dirname(os.path.dirname(gitdir))
    if os.path.basename(os.path.dirname(gitdir)) != "worktrees" or os.path.basename(common) != ".git":
        return folder
    back = _said(os.path.join(gitdir, "gitdir")).strip()
    knows = back and os.path.realpath(os.path.join(gitdir, back)) == os.path.realpath(git)
    return os.path.dirname(common) if knows else folder


def _said(path: str) -> str:
    """The first line of a small regular file; '' when there is none."""
    return (Tree(os.path.dirname(path)).read(os.path.basename(path), most=5000) or "").partition("\n")[0]
