"""Repositories within a worker's worktree, which git would look into with their own configuration.

That names programs to run (core.fsmonitor, filters), and a worker may have written it: so git is kept from looking into what is
no submodule that git itself has put there, and a worktree whose own `.git` leads elsewhere is not entered at all.
"""

from __future__ import annotations

import os
import shutil

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


def own(path: str) -> list[str]:
    """What is a submodule to the index of the checkout at PATH, and has a repository that git did not put there."""
    said = git.ask(path, "ls-files", "--stage", "-z")
    names = [row.partition("\t")[2] for row in said.out.split("\0") if row.startswith(_GITLINK)]
    if not names:
        return []
    trusted = git.must(path, "rev-parse", "--absolute-git-dir", "--git-common-dir").splitlines()
    places = [os.path.realpath(os.path.join(path, folder)) + os.sep for folder in trusted]
    return [name for name in names if _is_own(os.path.join(path, name), places)]


def _is_own(folder: str, places: list[str]) -> bool:
    if not os.path.lexists(os.path.join(folder, ".git")):
        return False
    leads = _leads_to(folder)
    return not any(leads.startswith(place) for place in places)


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
    """Move the repositories NAMES out of the worktree at PATH into the directory PLACE; where they are now."""
    kept = []
    for n, name in enumerate(names, 1):
        source = os.path.join(path, name.rstrip("/"))
        if os.path.isdir(source) and not os.path.islink(source):
            os.makedirs(place, mode=0o700, exist_ok=True)
            kept.append(os.path.join(place, f"{n}-{os.path.basename(source)}"))
            shutil.move(source, kept[-1])
    return kept
