"""The checkouts of a repository: where they are, which branch is in which, and what each of them is in the middle of."""

from __future__ import annotations

import os
from typing import NamedTuple

from dispatch_tmux.core.text import lines_of
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import run as git
from dispatch_tmux.store.tree import Tree

_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


class Checkout(NamedTuple):
    """A checkout at `path` on `branch` ('' = none); `unfinished`: git was killed while it made it."""

    path: str
    branch: str = ""
    unfinished: bool = False


def every(root: str) -> list[Checkout]:
    """All checkouts of the repository at ROOT, the main one first (git-worktree(1), porcelain format)."""
    found: list[Checkout] = []
    for line in lines_of(git.ask(root, "worktree", "list", "--porcelain").out):
        if line.startswith("worktree "):
            found.append(Checkout(line[9:]))
        elif line.startswith("branch "):
            found[-1] = found[-1]._replace(branch=line[7:].removeprefix("refs/heads/"))
        elif line == "locked initializing":
            found[-1] = found[-1]._replace(unfinished=True)
    if found and (top := _main_top(root)):
        found[0] = found[0]._replace(path=top)
    return found


def listed(root: str) -> dict[str, str]:
    """path → branch of all checkouts; the first is the main one."""
    return {one.path: one.branch for one in every(root)}


def _main_top(root: str) -> str:
    """Where the main checkout is, when ROOT is in it; ''. Git itself names the git directory where that lies elsewhere."""
    top, own, common = _places(root)
    return top if own == common else ""


def _places(path: str) -> tuple[str, str, str]:
    """Of the checkout that PATH is in: its top, its git directory, and the one that all checkouts share; '' without one."""
    said = git.ask(path, "rev-parse", "--show-toplevel", "--git-dir", "--git-common-dir")
    words = lines_of(said.out)
    if not said.ok or len(words) != 3:
        return "", "", ""
    own, common = (os.path.realpath(os.path.join(path, word)) for word in words[1:])
    return words[0], own, common


def of(root: str, branch: str) -> str:
    """The checkout that BRANCH is in, '' when it is in none. Raises DispatchError when git does not tell where that is."""
    at = next((one.path for one in every(root) if one.branch == branch and os.path.isdir(one.path)), "")
    if at and git.ask(at, "rev-parse", "--is-inside-work-tree").out.strip() != "true":
        raise DispatchError(
            f"{branch} is checked out, and git does not tell where (its git directory is {at})",
            hint="give the command in that checkout",
        )
    return at


def home(root: str, place: str) -> str:
    """The top of the checkout of ROOT's repository that PLACE is in; ROOT itself when it is in none."""
    said = git.ask(root, "rev-parse", "--git-common-dir")
    mine = os.path.realpath(os.path.join(root, said.out.removesuffix("\n"))) if said.ok else ""
    top, _, common = _places(place)
    return top if top and common == mine else root


def common(root: str) -> str:
    """The git directory that all checkouts of the repository at ROOT share."""
    return _places(root)[2] or os.path.join(root, ".git")


def check_main(root: str) -> None:
    """Raises DispatchError when a checkout says of itself that it is none (core.bare was set by accident)."""
    folder = os.path.join(root, ".git")
    if not os.path.isfile(os.path.join(folder, "index")):
        return  # a bare repository has none
    if git.ask(root, "rev-parse", "--is-bare-repository").out.strip() == "true":
        raise DispatchError(
            f"{folder} says that it has no checkout (core.bare is true), and {root} is one",
            hint=f"git -C {root} config core.bare false",
        )


def under_way(path: str) -> str:
    """What the checkout at PATH is in the middle of: merge, rebase, cherry-pick, revert; '' for nothing."""
    folder = _git_dir(path)
    return next(
        (what for name, what in _UNDER_WAY.items() if folder and os.path.exists(os.path.join(folder, name))), ""
    )


def check_free(root: str, branch: str) -> None:
    """Raises DispatchError when BRANCH cannot move now: its checkout, or a rebase of it, is in the middle of something."""
    for one in every(root):
        if not os.path.isdir(one.path) or (one.branch and one.branch != branch):
            continue
        what = under_way(one.path)
        if what and (one.branch == branch or _rebased(one.path) == branch):
            raise DispatchError(
                f"{one.path} is in the middle of a {what} of its own; nothing was merged",
                hint=f"end that first: git {what} --continue, or git {what} --abort",
            )


def _rebased(path: str) -> str:
    """The branch that a rebase at PATH will move at its end, '' without one."""
    tree = Tree(_git_dir(path))
    names = [tree.read(name, "head-name", most=4096) or "" for name in ("rebase-merge", "rebase-apply")]
    return "".join(names).strip().removeprefix("refs/heads/")


def _git_dir(path: str) -> str:
    # not begun there: another project's merge may take its checkout away this moment, and that is no mistake
    said = git.ask(os.sep, "-C", path, "rev-parse", "--absolute-git-dir")
    return said.out.removesuffix("\n") if said.ok else ""
