"""`merge`, `pr`, `drop`: what becomes of a worker's branch. The git of it is in `git/merge.py`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import NamedTuple

from dispatch_tmux.core.task import Task
from dispatch_tmux.core.text import line
from dispatch_tmux.errors import DispatchError, MergeConflict
from dispatch_tmux.git import checkouts, nested
from dispatch_tmux.git import merge as branches
from dispatch_tmux.git import run as git
from dispatch_tmux.git.merge import How, Size, Work
from dispatch_tmux.git.worktree import Loss
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import stop, tasks
from dispatch_tmux.verbs.tasks import Which


class Merged(NamedTuple):
    """TASK's branch is in the branch INTO, which is at COMMIT now."""

    task: str
    into: str
    commit: str


class Proposed(NamedTuple):
    """TASK's branch was pushed; ADDRESS is its pull request's."""

    task: str
    address: str


class Dropped(NamedTuple):
    """TASK's worktree is gone; KEPT names the branch and the patch that hold what was only there."""

    task: str
    kept: tuple[str, ...] = ()


def diff_size(project: Project, which: Which) -> Size | None:
    """How large that diff is; None without a worktree."""
    try:
        return branches.size(work_of(project, tasks.task_of(project, which)))
    except DispatchError:
        return None


def merge(
    project: Project,
    which: Which,
    *,
    into: str = "",
    squash: bool = False,
    commit: str = "",
    message: str = "",
    verify: bool = True,
) -> Merged:
    """Merge the task's branch into the branch INTO, by default the one that is checked out where the person is.

    COMMIT is a message: what is uncommitted in the worktree is committed with it first. SQUASH makes it one commit, with
    that message or the task's title. MESSAGE is another one for the merge; {task}, {branch}, {into} and {title} stand for
    what they say. Without VERIFY no hook of the repository runs.
    Raises MergeConflict when files are in conflict, and DispatchError when the worker is at work, when work is
    uncommitted, when a hook refuses, or when something else is in the way; the branch INTO is as it was then.
    """
    task = tasks.task_of(project, which)
    _at_rest(task, task.ended or task.surfaced, "merge")
    work = work_of(project, task)
    target = into or _target(project, task)
    if target == task.branch:
        raise DispatchError(f"{target} is the branch of {task.id} itself", hint="--into BRANCH names another one")
    _refuse_halfway(task, work)
    if commit:
        branches.commit_all(work, commit, project.store.records, verify)
    tip = _tip(task, work)
    title = _title(task)
    words = _filled(message, task, target) if message else (commit or title) if squash else ""
    how = How(words or f"Merge {task.branch}: {title}", project.store.records, squash, verify)
    done = branches.merge(project.root, target, tip, how)
    if done.conflicts:
        project.store.append(task.id, "conflict", "", into=target, files=list(done.conflicts[:50]))
        raise _conflict(task, target, done.conflicts)
    project.store.append(task.id, "merged", "", into=target, commit=done.commit, tip=tip)
    return Merged(task.id, target, done.commit)


def _target(project: Project, task: Task) -> str:
    """The branch that is checked out where the person is, or in the project's root. Raises DispatchError without one."""
    for place in filter(None, (project.here, project.root)):
        if (branch := git.branch(place)) != task.branch and branch:
            return branch
    what = checkouts.under_way(project.here or project.root)
    raise DispatchError(
        f"{project.here or project.root} is on no branch ({f'in the middle of a {what}' if what else 'detached HEAD'})",
        hint="--into BRANCH names where to merge",
    )


def _filled(message: str, task: Task, target: str) -> str:
    """MESSAGE with what its {names} stand for; other braces stay as they are."""
    values = {"task": task.id, "branch": task.branch, "into": target, "title": _title(task)}
    return re.sub(r"\{(task|branch|into|title)\}", lambda found: values[found[1]], message)


def _refuse_halfway(task: Task, work: Work) -> None:
    """Raises DispatchError in the middle of a merge or a rebase: committed now, its conflicts would be its result."""
    if what := checkouts.under_way(work.path):
        raise DispatchError(
            f"the worktree of {task.id} is in the middle of a {what} of its own",
            hint=f'`dispatch send {task.id} "finish or abort the {what}"`\nor do so in {work.path}',
        )


def pr(project: Project, which: Which, *, draft: bool = False) -> Proposed:
    """Push the task's branch and open a pull request with GitHub's `gh`. Raises DispatchError with its or git's words."""
    task = tasks.task_of(project, which)
    work = work_of(project, task)
    if shutil.which("gh") is None:
        raise DispatchError(
            "gh is not installed (not on PATH)", hint=f"`git push -u origin {task.branch}` works without it"
        )
    _refuse_halfway(task, work)
    _tip(task, work)
    branches.push(work)
    argv = ["gh", "pr", "create", "--head", task.branch, "--title", _title(task), "--body", f"{task.title}\n"]
    try:
        done = subprocess.run(
            argv + (["--draft"] if draft else []), cwd=work.path, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=git.DEADLINE, env={**os.environ, "GH_PROMPT_DISABLED": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as e:
        raise DispatchError(f"gh did not finish within {git.DEADLINE:.0f} s") from e
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-300:]
        raise DispatchError(f"gh: {said}", hint=f"the branch {task.branch} is pushed")
    return Proposed(task.id, done.stdout.strip())


def drop(project: Project, which: Which, *, force: bool = False) -> Dropped:
    """Remove the task's worktree, and the branch that was made for it; end what still runs there.

    Raises DispatchError, with nothing changed, when the worker is at work or when work would be lost that is nowhere
    else. FORCE drops that, too, and keeps a branch and a patch of it.
    """
    task = tasks.task_of(project, which)
    _at_rest(task, task.ended, "drop")
    _refuse_loss(project, task, force)  # before anything ends: the person may want to tell it to commit
    stop.end(project, [task.id])  # a finished agent still sits there at its prompt
    return Dropped(task.id, tuple(remove(project, project.store.task(task.id), force)))


def remove(project: Project, task: Task, force: bool = False) -> list[str]:
    """Remove TASK's worktree and its branch, if that was made for it; what was kept, as `drop` tells it."""
    lost = _refuse_loss(project, task, force)
    work = _any_work(project, task)
    kept = list(branches.keep(work, task.id, task.ours, lost)) if lost else []
    branches.remove(work, task.ours)
    project.store.append(task.id, "dropped", "", kept=kept)
    return kept


def unsaved(project: Project, task: Task) -> Loss:
    """What would be lost with TASK's worktree and branch."""
    return branches.unsaved(_any_work(project, task), task.merged) if task.branch else Loss()


def _refuse_loss(project: Project, task: Task, force: bool) -> Loss:
    """What would be lost; raises DispatchError when something is, but with FORCE."""
    if not task.branch:
        raise DispatchError(f"{task.id} has no worktree")
    lost = unsaved(project, task)
    if lost and not force:
        raise DispatchError(f"{task.id} has work that is nowhere else: {lost}", hint=_way_home(task, lost))
    return lost


def can_be_merged(lost: Loss) -> bool:
    """Whether anything of what would be LOST comes home with a merge; what was stashed does not."""
    return bool(lost.changed or lost.untracked or lost.commits)


def _way_home(task: Task, lost: Loss) -> str:
    """What can be done with what would be LOST."""
    if lost.unshared and not can_be_merged(lost):
        return f"push them: git -C {os.path.join(task.worktree, lost.unshared[0])} push\n--force drops it, and keeps the submodule"
    if not can_be_merged(lost):
        return "`git stash list` shows it\n--force drops the worktree, and keeps a branch of each stash entry"
    commit = ' --commit "what it is"' if lost.changed or lost.untracked else ""
    return f"`dispatch merge {task.id}{commit}` brings it home\n--force drops it, and keeps a branch and a patch"


def work_of(project: Project, task: Task) -> Work:
    """TASK's branch in its worktree. Raises DispatchError when it has no worktree, or none any more."""
    if not task.worktree:
        raise DispatchError(f"{task.id} has no worktree", hint="`dispatch run --worktree …` gives a task one")
    if not os.path.isdir(task.worktree):
        kept = f"its branch is {task.branch}" if task.branch else ""
        raise DispatchError(f"the worktree of {task.id} is not there any more: {task.worktree}", hint=kept)
    return _any_work(project, task)


def _any_work(project: Project, task: Task) -> Work:
    """The same, whether or not the worktree is there."""
    from dispatch_tmux.config import load as configuration

    if os.path.isdir(task.worktree):
        nested.check(project.root, task.worktree)  # before git reads what a worker may have put there
    config = configuration.load()
    links = tuple(config.worktree.link) if config else ()
    return Work(project.root, task.worktree, task.branch, task.base, links, task.created)


def _tip(task: Task, work: Work) -> str:
    """The tip of TASK's branch. Raises DispatchError when not all of its work is on it."""
    if left := branches.uncommitted(work):
        raise DispatchError(
            f"{task.id} has uncommitted work: {left}",
            hint=f'`dispatch merge {task.id} --commit "what it is"` commits it first',
        )
    tip = branches.tip(work)
    if not tip:
        on = git.branch(work.path) or "a detached HEAD"
        raise DispatchError(
            f"the worktree of {task.id} is on {on}, not on {task.branch}", hint=f"look at it: {work.path}"
        )
    return tip


def _conflict(task: Task, target: str, files: tuple[str, ...]) -> MergeConflict:
    many = f"{len(files)} file{'' if len(files) == 1 else 's'}"
    listed = "".join(f"\n    {line(name, 200)}" for name in files[:20])
    return MergeConflict(
        f"{task.id} conflicts with {target} in {many}; nothing was merged:{listed}",
        files=files,
        hint=f'`dispatch send {task.id} "merge {target} into your branch and solve the conflicts"`\nor do so in {task.worktree}',
    )


def _title(task: Task) -> str:
    return " ".join(task.title.split())[:100] or task.id


def _at_rest(task: Task, rests: bool, verb: str) -> None:
    if not rests:
        raise DispatchError(
            f"{task.id} is still at work", hint=f"dispatch wait, or dispatch stop {task.id}, then {verb}"
        )
