"""Bringing a worker's branch home: compared, committed, merged in a checkout of its own, kept when its worktree goes."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.core import notices
from dispatch_tmux.core.text import lines_of
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import checkouts, hooks, nested, worktree
from dispatch_tmux.git import run as git
from dispatch_tmux.git.run import Said
from dispatch_tmux.git.worktree import Loss
from dispatch_tmux.store import files

PATIENCE = 120.0  # seconds for another merge of ours to end
AGAIN = 5  # times that a merge is made again, because its target has moved meanwhile
BRIEF = 3.0  # seconds for a lock of git's that some other command holds in passing
AT_WORK = 1.0  # seconds until files in the way count as the person's: a git that merges at the same time puts them there first
_PLACE, _COMMIT = "merge-", "commit-"  # of what is there for the time of a merge, of a commit


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
    since: float = 0.0


class How(NamedTuple):
    """How a branch is merged: with that message, as one commit, and whether the repository's hooks have a say.

    `scratch`: a directory of ours, out of every worker's reach, in which the merge is made.
    """

    message: str
    scratch: str
    squash: bool = False
    verify: bool = True


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


def diff(work: Work, shape: Sequence[str] = ()) -> str:
    """All that WORK changed since it left the main checkout's branch: committed or not, new files, too. SHAPE: options of git's."""
    tree = worktree.snapshot(work.path)
    return git.must(work.path, "diff", *git.PATCH, *shape, _since(work), tree, "--", *_but_links(work))


def size(work: Work) -> Size:
    """How large that diff is; a binary file counts no lines."""
    tree = worktree.snapshot(work.path)
    said = git.must(work.path, "diff", *git.PATCH, "--numstat", _since(work), tree)
    rows = [row.split("\t") for row in lines_of(said)]
    count = [[int(n) if n.isdigit() else 0 for n in row[:2]] for row in rows]
    return Size(len(rows), sum(c[0] for c in count), sum(c[1] for c in count))


def _since(work: Work) -> str:
    """The commit at which the branch left the main checkout's, or the one that it began at: the later of both."""
    home = git.ask(work.path, "merge-base", "HEAD", git.commit(work.root, "HEAD") or work.base).out.strip()
    began = git.ask(work.path, "merge-base", "HEAD", work.base).out.strip() if work.base else ""
    if began and home and git.ask(work.path, "merge-base", "--is-ancestor", home, began).ok:
        return began
    return home or work.base


def _but_links(work: Work) -> list[str]:
    """Pathspecs that leave out links of ours that git does not ignore (`node_modules/` does not match a link)."""
    names = [name.rstrip("/") for name in work.links]
    return [".", *(f":(exclude){name}" for name in names if os.path.islink(os.path.join(work.path, name)))]


# --- committed


def commit_all(work: Work, message: str, scratch: str, verify: bool = True) -> None:
    """Commit everything in the worktree, if there is anything; VERIFY: when the hooks of the person's checkout let it.

    SCRATCH: a directory of ours. Raises DispatchError for what cannot be committed.
    """
    if inside := repositories(work):
        raise DispatchError(
            f"{inside[0]} in the worktree is a repository of its own, git would commit none of its files; nothing was merged",
            hint=f"move it away, or remove {os.path.join(inside[0], '.git')}",
        )
    worktree.add_all(work.path, *_but_links(work))
    if git.ask(work.path, "diff", "--cached", "--quiet").ok:
        return
    with tempfile.TemporaryDirectory(prefix=_COMMIT, dir=scratch) as folder:
        watch, asked = hooks.Watch(os.path.join(folder, "trace")), _hooks(work.root, folder, verify)
        who = git.identity(work.path)
        done = git.ask(work.path, *asked, *who, "commit", "--quiet", "-m", message, env=watch.env)
        if not done.ok:
            raise _not_committed(done, watch.refused(), "the worker's work", "--commit")


def _hooks(root: str, folder: str, verify: bool) -> tuple[str, ...]:
    place = os.path.join(folder, "hooks")
    os.mkdir(place, 0o700)
    return hooks.words(root, place, verify)


def _not_committed(done: Said, hook: str, what: str, option: str) -> DispatchError:
    """Why the commit of WHAT was not made: a hook's words, or those of what signs it, or git's own. OPTION: its message's."""
    if hook:
        words = "".join(f"\n    {line}" for line in done.words.splitlines())
        hint = "--no-verify asks no hook"
        if hook in ("commit-msg", "prepare-commit-msg"):
            example = "{title}" if option == "--message" else "…"
            hint = f'{option} "feat: {example}" gives it another message\n{hint}'
        return DispatchError(f"the {hook} hook refuses {what}; nothing was merged:{words}", hint=hint)
    if "failed to sign" in done.err or "gpg.ssh" in done.err or "Load key" in done.err:
        words = "".join(f"\n    {line}" for line in done.words.splitlines())
        hint = "unlock the key, then merge again; git config commit.gpgsign says whether commits are signed"
        return DispatchError(f"git cannot sign {what}; nothing was merged:{words}", hint=hint)
    return DispatchError(f"git made no commit of {what}: {done.why}; nothing was merged")


def repositories(work: Work) -> list[str]:
    """Repositories within the worktree that are no submodules of git's making; what is in them git does not keep."""
    found = worktree.loss(work.path, work.branch)
    return [name.rstrip("/") for name in (*nested.own(work.path), *found.untracked) if _is_repository(work, name)]


def _is_repository(work: Work, name: str) -> bool:
    return os.path.lexists(os.path.join(work.path, name, ".git"))


def uncommitted(work: Work) -> Loss:
    """What of the worktree is on no branch yet."""
    return worktree.loss(work.path, work.branch, links=work.links)._replace(commits=0)


def tip(work: Work) -> str:
    """The last commit of the branch; '' when the worktree has left it. `git.branch` says where it is then."""
    return git.commit(work.path, f"refs/heads/{work.branch}") if git.branch(work.path) == work.branch else ""


def push(work: Work) -> None:
    """Push the branch to the repository's first remote. Raises DispatchError when it has none.

    From the person's checkout: in the worktree the `pre-push` hook may be the worker's.
    """
    remote = (git.ask(work.root, "remote").out.split() or [""])[0]
    if not remote:
        raise DispatchError("the repository has no remote to push to", hint="git remote add origin …")
    git.must(work.root, "push", "--quiet", "--set-upstream", remote, work.branch)


# --- merged


def merge(root: str, target: str, tip: str, how: How) -> Outcome:
    """Merge the commit TIP into the branch TARGET of the repository at ROOT.

    It is done in a checkout of its own first, so that a conflict leaves nothing half merged anywhere; one after another,
    and again where TARGET has moved meanwhile. Raises DispatchError when something else is in the way; then, too, nothing
    has changed.
    """
    checkouts.check_main(root)
    with files.Lock(os.path.join(how.scratch, "merge.lock"), _wait, PATIENCE):
        _forget_killed(root, how.scratch)
        for _ in range(AGAIN):
            former = git.commit(root, f"refs/heads/{target}")
            if not former:
                raise DispatchError(f"there is no branch {target!r} to merge into")
            if git.ask(root, "merge-base", "--is-ancestor", tip, former).ok:
                return Outcome(former)
            checkouts.check_free(root, target)
            made = _made(root, former, tip, how)
            if made.conflicts or _move(root, target, former, made.commit):
                return made
    raise DispatchError(
        f"{target} moved {AGAIN} times while it was merged into; nothing was merged", hint="merge again when it rests"
    )


def _wait() -> None:
    notices.say("another merge is under way, waiting …")


def _made(root: str, former: str, tip: str, how: How) -> Outcome:
    """The merge of TIP with the commit FORMER, on no branch yet."""
    folder = tempfile.mkdtemp(prefix=_PLACE, dir=how.scratch)
    place = os.path.join(folder, "m")
    try:
        added = git.ask(root, *hooks.NONE, "worktree", "add", "--quiet", "--detach", "--", place, former)
        if not added.ok:
            raise DispatchError(f"git cannot make a checkout to merge in; nothing was merged: {added.words}")
        conflicts = _merge_in(place, tip, how, (*_PLAIN, *_hooks(root, folder, how.verify)))
        return Outcome("" if conflicts else git.commit(place, "HEAD"), conflicts)
    finally:
        _forget(root, folder)


# the person's settings that make a merge of ours another one than it says
_PLAIN = ("-c", "merge.autoStash=false", "-c", "rerere.enabled=false")


def _merge_in(place: str, tip: str, how: How, options: tuple[str, ...]) -> tuple[str, ...]:
    """Merge TIP in the checkout at PLACE; the files in conflict."""
    who, watch = git.identity(place), hooks.Watch(os.path.join(os.path.dirname(place), "trace"))
    if how.squash:
        done = git.ask(place, *options, *who, "merge", "--squash", tip)
        if done.ok and not git.ask(place, "diff", "--cached", "--quiet").ok:
            done = git.ask(place, *options, *who, "commit", "--quiet", "-m", how.message, env=watch.env)
    else:
        done = git.ask(place, *options, *who, "merge", "--no-ff", "--quiet", "-m", how.message, tip, env=watch.env)
    if done.ok:
        return ()
    conflicts = git.ask(place, "diff", "--name-only", "--diff-filter=U", "-z").out.split("\0")
    if names := tuple(filter(None, conflicts)):
        return names
    raise _not_committed(done, watch.refused(), "the merge", "--message")


def _forget(root: str, folder: str) -> None:
    """Remove the checkout of a merge in FOLDER, and all that git knows of it."""
    git.ask(root, "worktree", "remove", "--force", "--force", "--", os.path.join(folder, "m"))
    shutil.rmtree(folder, ignore_errors=True)


def _forget_killed(root: str, scratch: str) -> None:
    """Remove what merges and commits that were killed have left. Whoever calls this holds the lock: no merge is at work there."""
    for name in os.listdir(scratch):
        place = os.path.join(scratch, name)
        if name.startswith(_PLACE) and os.path.isdir(place):
            _forget(root, place)
            git.ask(root, "worktree", "prune")
        elif name.startswith(_COMMIT) and time.time() - os.stat(place).st_mtime > 2 * git.DEADLINE:
            shutil.rmtree(place, ignore_errors=True)


def _move(root: str, branch: str, former: str, made: str) -> bool:
    """Let BRANCH go from FORMER to MADE, with the files of the checkout it is in, which keep their own changes.

    False, with nothing changed, when it is not at FORMER any more. Raises DispatchError for what else is in the way.
    """
    at, began = checkouts.of(root, branch), time.monotonic()
    lock = os.path.join(checkouts.common(root), "dispatch-merge.lock")
    while True:
        # of all projects in this repository: a git reads the index before it locks it, and the later of two takes away
        # what the earlier has put there
        with files.Lock(lock, _wait, PATIENCE):
            done = _moved(root, at, branch, former, made)
        if done.ok:
            return True
        now = git.commit(root, f"refs/heads/{branch}")
        if now == made:
            return True  # only what comes after it has failed
        if now != former:
            _take_back(at, made, now)
            return False
        if time.monotonic() > began + _worth_waiting(done):
            raise _in_the_way(done, at or root)
        time.sleep(0.1)


def _worth_waiting(done: Said) -> float:
    """Seconds for which what git refused with may be over by itself: another git is at work, or has put its files there."""
    if ".lock': File exists" in done.err:
        return BRIEF
    return AT_WORK if "would be overwritten" in done.err else 0.0


def _moved(root: str, at: str, branch: str, former: str, made: str) -> Said:
    if not at:
        return git.ask(root, "update-ref", "-m", "dispatch merge", f"refs/heads/{branch}", made, former)
    return git.ask(at, *_PLAIN, *hooks.after_a_move(at), "merge", "--ff-only", "--quiet", made)


def _take_back(at: str, made: str, now: str) -> None:
    """Bring the checkout AT to the commit NOW if git has put the files of MADE there, and then found the branch moved."""
    if at and now and git.ask(at, "diff", "--cached", "--quiet", made).ok:
        git.ask(at, *hooks.after_a_move(at), "read-tree", "-m", "-u", made, now)


def _in_the_way(done: Said, at: str) -> DispatchError:
    """Why the branch in the checkout AT did not move."""
    if "would be overwritten" in done.err:
        names = [line.strip() for line in lines_of(done.err) if line.startswith("\t")]
        what = f" ({', '.join(names[:5])})" if names else ""
        return DispatchError(
            f"{at} has changes of its own that the merge would overwrite{what}; nothing was merged",
            hint="commit or stash them, then merge again",
        )
    if ".lock': File exists" in done.err:
        return DispatchError(
            f"another git is at work in {at}, or was killed there; nothing was merged: {done.why}",
            hint="merge again when it is done; if none runs, remove that file",
        )
    return DispatchError(f"git does not move {at}; nothing was merged: {done.words}")


# --- what would be lost, and keeping it


def unsaved(work: Work, merged: str) -> Loss:
    """What would be lost with the worktree and its branch. MERGED is a tip of it that was merged as one commit."""
    stashed = tuple(entry.text for entry in worktree.stashed(work.root, work.branch, work.since))
    if not os.path.isdir(work.path):  # removed by hand: its branch may be left
        return Loss(commits=worktree.unmerged(work.root, work.branch, merged), stashed=stashed)
    lost = worktree.loss(work.path, work.branch, merged, work.links)
    return lost._replace(stashed=stashed, unshared=tuple(nested.unshared(work.path)))


def keep(work: Work, id: str, ours: bool, lost: Loss) -> Sequence[str]:
    """Keep what is LOST with the worktree of task ID and its branch (made by us: OURS); the names of what holds it."""
    name = f"rescued/{id}-{time.strftime('%Y%m%d-%H%M%S')}"
    kept = []
    if lost.changed or lost.untracked or lost.commits or lost.unshared:
        if os.path.isdir(work.path):
            files.private_dir(os.path.join(work.root, ".dispatch", "rescued"))
            inside = [*repositories(work), *lost.unshared, *nested.changed(work.path, lost.changed)]
            places = nested.keep(work.path, list(dict.fromkeys(inside)), os.path.join(work.root, ".dispatch", name))
            kept = [f"repository {place}" for place in places]
            patch = worktree.rescue(work.root, work.path, name, work.base)
            kept += [f"branch {name}", f"patch {patch}"]
        elif ours:
            git.must(work.root, "branch", "--no-track", name, work.branch)
            kept = [f"branch {name}"]
    for n, entry in enumerate(worktree.stashed(work.root, work.branch, work.since), 1):
        git.must(work.root, "branch", "--no-track", "--force", f"{name}-stash-{n}", entry.commit)
        kept.append(f"stash entry, as branch {name}-stash-{n}")
    return kept


def remove(work: Work, ours: bool) -> None:
    """Remove the worktree, and its branch when it was made by us (OURS). What it holds has been looked at before."""
    worktree.remove(work.root, work.path, work.branch, ours)
