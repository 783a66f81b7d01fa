"""What a worker's branch brings: shown as a diff, merged, proposed as a pull request, or dropped."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from typing import NamedTuple

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import run as git
from dispatch_tmux.git import worktree
from dispatch_tmux.store.project import Project


class Merged(NamedTuple):
    """INTO got `commit`; or, with `conflicts` (names of files), nothing was changed anywhere."""

    into: str
    commit: str = ""
    conflicts: tuple[str, ...] = ()


def of(task: Task) -> str:
    """The worktree of TASK. Raises DispatchError when it has none, or none any more."""
    if not task.worktree:
        raise DispatchError(f"{task.id} has no worktree", hint="dispatch run --worktree … gives a task one")
    if not os.path.isdir(task.worktree):
        kept = f"its branch is {task.branch}" if task.branch else ""
        raise DispatchError(f"the worktree of {task.id} is not there any more: {task.worktree}", hint=kept)
    return task.worktree


def diff(project: Project, task: Task, stat: bool) -> str:
    """All that TASK has changed since its branch left the main checkout's: committed or not, new files, too."""
    path = of(task)
    since = git.ask(path, "merge-base", "HEAD", git.commit(project.root, "HEAD") or task.base).out.strip() or task.base
    shape = ["--stat=100"] if stat else []
    return git.must(
        path, "diff", "--no-color", "--no-ext-diff", *shape, since, worktree.snapshot(path), "--", *_but_links(path)
    )


def size(project: Project, task: Task) -> tuple[int, int, int] | None:
    """(files, lines added, lines removed) of that diff; None without a worktree."""
    try:
        path = of(task)
        since = (
            git.ask(path, "merge-base", "HEAD", git.commit(project.root, "HEAD") or task.base).out.strip() or task.base
        )
        rows = [
            row.split("\t") for row in git.must(path, "diff", "--numstat", since, worktree.snapshot(path)).splitlines()
        ]
    except DispatchError:
        return None
    count = [[int(n) if n.isdigit() else 0 for n in row[:2]] for row in rows]
    return len(rows), sum(c[0] for c in count), sum(c[1] for c in count)


def _but_links(path: str) -> list[str]:
    """Pathspecs that leave out links of ours that git does not ignore (`node_modules/` does not match a link)."""
    from dispatch_tmux.config import load as configuration

    config = configuration.load()
    links = config.worktree.link if config else ()
    found = [name.rstrip("/") for name in links if os.path.islink(os.path.join(path, name.rstrip("/")))]
    return [".", *(f":(exclude){name}" for name in found)]


def commit_all(task: Task, message: str) -> None:
    """Commit everything in TASK's worktree, if there is anything."""
    path = of(task)
    git.must(path, "add", "--all", "--", *_but_links(path))
    if not git.ask(path, "diff", "--cached", "--quiet").ok:
        git.must(path, *git.identity(path), "commit", "--quiet", "-m", message)


def _ready(task: Task) -> str:
    """The tip of TASK's branch. Raises DispatchError when not all of its work is on it."""
    path = of(task)
    left = worktree.loss(path, task.branch, links=_links())._replace(commits=0)
    if left:
        raise DispatchError(
            f"{task.id} has uncommitted work: {left}",
            hint=f'dispatch merge {task.id} --commit "what it is" commits it first',
        )
    on, tip = git.branch(path), git.commit(path, f"refs/heads/{task.branch}")
    if on != task.branch or not tip:
        raise DispatchError(
            f"the worktree of {task.id} is on {on or 'a detached HEAD'}, not on {task.branch}",
            hint=f"look at it: {path}",
        )
    return tip


def _links() -> tuple[str, ...]:
    from dispatch_tmux.config import load as configuration

    config = configuration.load()
    return config.worktree.link if config else ()


def merge(project: Project, task: Task, *, into: str = "", squash: bool = False) -> Merged:
    """Merge TASK's branch. Done in a checkout of its own first, so that a conflict leaves nothing half-merged anywhere.

    INTO is a branch, by default the one checked out in the project's root. Raises DispatchError when something else is
    in the way; then, too, nothing has changed.
    """
    tip = _ready(task)
    merged = _merge(project, task, tip, into, squash)
    _record(project, task, merged, tip)
    return merged


def _merge(project: Project, task: Task, tip: str, into: str, squash: bool) -> Merged:
    target = into or git.branch(project.root)
    if not target:
        raise DispatchError(
            f"{project.root} is on no branch (detached HEAD)", hint="--into BRANCH names where to merge"
        )
    former = git.commit(project.root, f"refs/heads/{target}")
    if not former:
        raise DispatchError(f"there is no branch {target!r} to merge into")
    if target == task.branch:
        raise DispatchError(f"{target} is the branch of {task.id} itself", hint="--into BRANCH names another one")
    if git.ask(project.root, "merge-base", "--is-ancestor", tip, former).ok:
        return Merged(target, former)
    with tempfile.TemporaryDirectory(prefix="dispatch-merge-") as folder:
        place = os.path.join(folder, "m")
        git.must(project.root, "worktree", "add", "--quiet", "--detach", "--", place, former)
        try:
            conflicts = _merge_in(place, task, tip, squash)
            made = git.commit(place, "HEAD")
        finally:
            git.ask(project.root, "worktree", "remove", "--force", "--", place)
    if conflicts:
        return Merged(target, conflicts=conflicts)
    _move(project.root, target, former, made)
    return Merged(target, made)


def _merge_in(place: str, task: Task, tip: str, squash: bool) -> tuple[str, ...]:
    who = git.identity(place)
    title = " ".join(task.title.split())[:100] or task.id
    if squash:
        done = git.ask(place, *who, "merge", "--squash", tip)
        if done.ok and not git.ask(place, "diff", "--cached", "--quiet").ok:
            done = git.ask(place, *who, "commit", "--quiet", "-m", title)
    else:
        done = git.ask(place, *who, "merge", "--no-ff", "--quiet", "-m", f"Merge {task.branch}: {title}", tip)
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


def unsaved(project: Project, task: Task) -> worktree.Loss:
    """What would be lost with TASK's worktree and branch."""
    if not task.branch:
        return worktree.Loss()
    if not os.path.isdir(task.worktree):  # removed by hand: its branch may be left
        return worktree.Loss(commits=worktree.unmerged(project.root, task.branch, task.merged))
    return worktree.loss(task.worktree, task.branch, task.merged, _links())


def drop(project: Project, task: Task, force: bool = False) -> list[str]:
    """Remove TASK's worktree and its branch, if that was made for it. FORCE: also with work that is nowhere else.

    Returns what was kept of that: the names of a branch and a patch. Raises DispatchError, with nothing removed, when
    something would be lost.
    """
    if not task.branch:
        raise DispatchError(f"{task.id} has no worktree")
    lost = unsaved(project, task)
    if lost and not force:
        raise DispatchError(
            f"{task.id} has work that is nowhere else: {lost}",
            hint=f"dispatch merge {task.id} brings it home; --force drops it, and keeps a branch and a patch",
        )
    kept = []
    if lost and os.path.isdir(task.worktree):
        branch, patch = worktree.rescue(project.root, task.worktree, task.id, task.base)
        kept = [f"branch {branch}", f"patch {patch}"]
    elif lost and task.ours:
        name = f"rescued/{task.id}-{time.strftime('%Y%m%d-%H%M%S')}"
        git.must(project.root, "branch", "--no-track", name, task.branch)
        kept = [f"branch {name}"]
    worktree.remove(project.root, task.worktree, task.branch, task.ours)
    project.store.append(task.id, "dropped", "", kept=kept)
    return kept


def _record(project: Project, task: Task, merged: Merged, tip: str) -> None:
    """Let the task say what became of its branch."""
    if merged.conflicts:
        project.store.append(task.id, "conflict", "", into=merged.into, files=list(merged.conflicts[:50]))
    else:
        project.store.append(task.id, "merged", "", into=merged.into, commit=merged.commit, tip=tip)


def propose(task: Task, draft: bool) -> str:
    """Push TASK's branch and open a pull request with `gh`; what gh says, which is its address."""
    path = of(task)
    if shutil.which("gh") is None:
        raise DispatchError(
            "gh is not installed (not on PATH)", hint=f"git push -u origin {task.branch} works without it"
        )
    _ready(task)
    remote = (git.ask(path, "remote").out.split() or [""])[0]
    if not remote:
        raise DispatchError("the repository has no remote to push to", hint="git remote add origin …")
    git.must(path, "push", "--quiet", "--set-upstream", remote, task.branch)
    title = " ".join(task.title.split())[:100] or task.id
    argv = ["gh", "pr", "create", "--head", task.branch, "--title", title, "--body", f"{task.title}\n"]
    try:
        done = subprocess.run(
            argv + (["--draft"] if draft else []), cwd=path, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=git.DEADLINE, env={**os.environ, "GH_PROMPT_DISABLED": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as e:
        raise DispatchError("gh did not end") from e
    if done.returncode:
        raise DispatchError(
            f"gh: {(done.stderr or done.stdout).strip()[-300:]}", hint=f"the branch {task.branch} is pushed"
        )
    return done.stdout.strip()
