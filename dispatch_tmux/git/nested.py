"""Repositories within a worker's worktree, which git would look into with their own configuration.

That names programs to run (core.fsmonitor, filters), and a worker may have written it: so git is kept from looking into what is
no submodule that git itself has put there, and a worktree whose own `.git` leads elsewhere is not entered at all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import run as git
from dispatch_tmux.store.tree import Tree

_GITLINK = "160000 "


def check(root: str, path: str) -> None:
    """Raises DispatchError when the directory PATH is no checkout of the repository at ROOT (any more)."""
    common = os.path.realpath(os.path.join(root, git.must(root, "rev-parse", "--git-common-dir")))
    own = _leads_to(path)
    if not own or os.path.dirname(own) != os.path.join(common, "worktrees"):
        raise DispatchError(
            f"{path} is no worktree of {root} any more: its .git {'leads elsewhere' if own else 'is gone'}",
            hint="look at it, and remove it yourself",
        )


def own(path: str, *options: str) -> list[str]:
    """What is a submodule to the index of the checkout at PATH, and has a repository that git did not put there.

    OPTIONS of git's: where the checkout's own configuration is not to be followed.
    """
    return _parted(path, *options)[0]


def unshared(path: str) -> list[str]:
    """The submodules of the worktree at PATH with commits that no remote has: their repositories go with the worktree."""
    words = ("rev-list", "--max-count=1", "HEAD", "--not", "--remotes", "--tags")
    return [name for name in _parted(path)[1] if git.ask(os.path.join(path, name), *words).out.strip()]


def changed(path: str, names: Sequence[str]) -> list[str]:
    """Those of NAMES that are submodules of the worktree at PATH."""
    return [name for name in _parted(path)[1] if name in names]


def _parted(path: str, *options: str) -> tuple[list[str], list[str]]:
    """The submodules in the index of the checkout at PATH that are there: with a repository of somebody's own, and of git's."""
    said = git.ask(path, *options, "ls-files", "--stage", "-z")
    names = [row.partition("\t")[2] for row in said.out.split("\0") if row.startswith(_GITLINK)]
    names = [name for name in names if os.path.lexists(os.path.join(path, name, ".git"))]
    if not names:
        return [], []
    trusted = git.must(path, "rev-parse", "--absolute-git-dir", "--git-common-dir").splitlines()
    places = tuple(os.path.realpath(os.path.join(path, folder)) + os.sep for folder in trusted)
    of_git = [name for name in names if _leads_to(os.path.join(path, name)).startswith(places)]
    return [name for name in names if name not in of_git], of_git


def _leads_to(folder: str) -> str:
    """Where the `.git` file in FOLDER leads (gitrepository-layout(5)); '' for anything else."""
    said = Tree(folder).read(".git", most=5000) or ""
    if not said.startswith("gitdir: "):
        return ""
    return os.path.realpath(os.path.join(folder, said.removeprefix("gitdir: ").strip("\n")))


def but(names: list[str]) -> list[str]:
    """Pathspecs for everything but NAMES."""
    return [".", *(f":(exclude,top,literal){name}" for name in names)]


def keep(path: str, names: list[str], place: str) -> list[str]:
    """Move the repositories NAMES out of the worktree at PATH into the directory PLACE; where they are now.

    What git keeps of a submodule of the worktree goes with it.
    """
    kept: list[str] = []
    admin = _leads_to(path) + os.sep
    for n, name in enumerate(names, 1):
        source = os.path.join(path, name.rstrip("/"))
        if os.path.isdir(source) and not os.path.islink(source):
            os.makedirs(place, mode=0o700, exist_ok=True)
            kept.append(os.path.join(place, f"{n}-{os.path.basename(source)}"))
            leads = _leads_to(source)
            shutil.move(source, kept[-1])
            if leads.startswith(admin):
                mark = os.path.join(kept[-1], ".git")
                os.unlink(mark)
                shutil.move(leads, mark)
                git.must(place, "config", "--file", os.path.join(mark, "config"), "--unset", "core.worktree")
    return kept
