"""Bringing a worker's branch home: compared, committed, merged in a checkout of its own, kept when its worktree goes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import run as git
from dispatch_tmux.git import worktree
from dispatch_tmux.git.worktree import Loss


class Work(NamedTuple):
    """A branch in a worktree of its own.

    `root` is the main checkout, `path` the worktree, `base` the commit that `branch` began at. `links` are paths that
    are linked into the worktree and no work of anybody's.
    """

    root: str
    path: str
    branch: str
    base: str
    links: tuple[str, ...] = ()


class Size(NamedTuple):
    """How much a diff changes."""

    files: int
    added: int
    removed: int


class Outcome(NamedTuple):
    """The commit that the target has now; or, with `conflicts` (names of files), nothing was changed anywhere."""

    commit: str = ""
    conflicts: tuple[str, ...] = ()


# --- what has changed


def diff(work: Work, stat: bool = False) -> str:
    """All that WORK changed since it left the main checkout's branch: committed or not, new files, too."""
    shape = ["--stat=100"] if stat else []
    tree = worktree.snapshot(work.path)
    return git.must(
        work.path, "diff", "--no-color", "--no-ext-diff", *shape, _since(work), tree, "--", *_but_links(work)
    )


def size(work: Work) -> Size:
    """How large that diff is; a binary file counts no lines."""
    tree = worktree.snapshot(work.path)
    rows = [row.split("\t") for row in git.must(work.path, "diff", "--numstat", _since(work), tree).splitlines()]
    count = [[int(n) if n.isdigit() else 0 for n in row[:2]] for row in rows]
    return Size(len(rows), sum(c[0] for c in count), sum(c[1] for c in count))


def _since(work: Work) -> str:
    """The commit at which the branch left the main checkout's."""
    home = git.commit(work.root, "HEAD") or work.base
    return git.ask(work.path, "merge-base", "HEAD", home).out.strip() or work.base


def _but_links(work: Work) -> list[str]:
    """Pathspecs that leave out links of ours that git does not ignore (`node_modules/` does not match a link)."""
    names = [name.rstrip("/") for name in work.links]
    return [".", *(f":(exclude){name}" for name in names if os.path.islink(os.path.join(work.path, name)))]


# --- committed


def commit_all(work: Work, message: str) -> None:
    """Commit everything in the worktree, if there is anything."""
    git.must(work.path, "add", "--all", "--", *_but_links(work))
    if not git.ask(work.path, "diff", "--cached", "--quiet").ok:
        git.must(work.path, *git.identity(work.path), "commit", "--quiet", "-m", message)


def uncommitted(work: Work) -> Loss:
    """What of the worktree is on no branch yet."""
    return worktree.loss(work.path, work.branch, links=work.links)._replace(commits=0)


def tip(work: Work) -> str:
    """The last commit of the branch; '' when the worktree has left it. `git.branch` says where it is then."""
    return git.commit(work.path, f"refs/heads/{work.branch}") if git.branch(work.path) == work.branch else ""


def push(work: Work) -> None:
    """Push the branch to the repository's first remote. Raises DispatchError when it has none."""
    remote = (git.ask(work.path, "remote").out.split() or [""])[0]
    if not remote:
        raise DispatchError("the repository has no remote to push to", hint="git remote add origin …")
    git.must(work.path, "push", "--quiet", "--set-upstream", remote, work.branch)


# --- merged


def merge(root: str, target: str, tip: str, message: str, *, squash: bool = False) -> Outcome:
    """Merge the commit TIP into the branch TARGET, with MESSAGE; SQUASH: as one commit.

    It is done in a checkout of its own first, so that a conflict leaves nothing half merged anywhere. Raises
    DispatchError when something else is in the way; then, too, nothing has changed.
    """
    former = git.commit(root, f"refs/heads/{target}")
    if not former:
        raise DispatchError(f"there is no branch {target!r} to merge into")
    if git.ask(root, "merge-base", "--is-ancestor", tip, former).ok:
        return Outcome(former)
    with tempfile.TemporaryDirectory(prefix="dispatch-merge-") as folder:
        place = os.path.join(folder, "m")
        git.must(root, "worktree", "add", "--quiet", "--detach", "--", place, former)
        try:
            conflicts = _merge_in(place, tip, message, squash)
            made = git.commit(place, "HEAD")
        finally:
            git.ask(root, "worktree", "remove", "--force", "--", place)
    if conflicts:
        return Outcome(conflicts=conflicts)
    _move(root, target, former, made)
    return Outcome(made)


def _merge_in(place: str, tip: str, message: str, squash: bool) -> tuple[str, ...]:
    """Merge TIP in the checkout at PLACE; the files in conflict."""
    who = git.identity(place)
    if squash:
        done = git.ask(place, *who, "merge", "--squash", tip)
        if done.ok and not git.ask(place, "diff", "--cached", "--quiet").ok:
            done = git.ask(place, *who, "commit", "--quiet", "-m", message)
    else:
        done = git.ask(place, *who, "merge", "--no-ff", "--quiet", "-m", message, tip)
    if done.ok:
        return ()
    conflicts = git.ask(place, "diff", "--name-only", "--diff-filter=U", "-z").out.split("\0")
    if names := tuple(filter(None, conflicts)):
        return names
    raise DispatchError(f"git merge: {done.why}")


def _move(root: str, branch: str, former: str, made: str) -> None:
    """Let BRANCH go from FORMER to MADE, with the files of the checkout it is on, which keep their own changes."""
    at = next((path for path, on in worktree.listed(root).items() if on == branch and os.path.isdir(path)), "")
    if not at:
        git.must(root, "update-ref", "-m", "dispatch merge", f"refs/heads/{branch}", made, former)
        return
    done = git.ask(at, "merge", "--ff-only", "--quiet", made)
    if not done.ok:
        names = [line.strip() for line in done.err.splitlines() if line.startswith("\t")]
        what = f" ({', '.join(names[:5])})" if names else ""
        raise DispatchError(
            f"{at} has changes of its own that the merge would overwrite{what}; nothing was merged",
            hint="commit or stash them, then merge again",
        )


# --- what would be lost, and keeping it


def unsaved(work: Work, merged: str) -> Loss:
    """What would be lost with the worktree and its branch. MERGED is a tip of it that was merged as one commit."""
    if not os.path.isdir(work.path):  # removed by hand: its branch may be left
        return Loss(commits=worktree.unmerged(work.root, work.branch, merged))
    return worktree.loss(work.path, work.branch, merged, work.links)


def keep(work: Work, id: str, ours: bool) -> Sequence[str]:
    """Keep what only the worktree of task ID and its branch (made by us: OURS) have; the names of what holds it."""
    if os.path.isdir(work.path):
        branch, patch = worktree.rescue(work.root, work.path, id, work.base)
        return [f"branch {branch}", f"patch {patch}"]
    if not ours:
        return []
    name = f"rescued/{id}-{time.strftime('%Y%m%d-%H%M%S')}"
    git.must(work.root, "branch", "--no-track", name, work.branch)
    return [f"branch {name}"]


def remove(work: Work, ours: bool) -> None:
    """Remove the worktree, and its branch when it was made by us (OURS). What it holds has been looked at before."""
    worktree.remove(work.root, work.path, work.branch, ours)
