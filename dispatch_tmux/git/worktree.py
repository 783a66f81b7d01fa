"""A worker's git worktree: made from a branch of its own, looked at for work that would be lost, kept, removed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import checkouts, hooks, nested
from dispatch_tmux.git import run as git
from dispatch_tmux.git.checkouts import listed
from dispatch_tmux.store import files
from dispatch_tmux.store.tree import Tree

PREFIX = "dispatch/"  # of the branches that are made for tasks
INCLUDE = ".worktreeinclude"


class Made(NamedTuple):
    """A worktree: where it is, its branch, the commit that the branch began at, and whether we made the branch."""

    path: str
    branch: str
    base: str
    ours: bool


class Stashed(NamedTuple):
    """An entry of `git stash`: its commit, and what it is called."""

    commit: str
    text: str


class Loss(NamedTuple):
    """What would go with a worktree: changed files, files git does not know, commits that no other branch has.

    `stashed`: what `git stash` has of its branch. It is one stack for all worktrees, and nobody looks there for a worker's.
    `unshared`: submodules with commits that no remote has.
    """

    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    commits: int = 0
    stashed: tuple[str, ...] = ()
    unshared: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(self)

    def __str__(self) -> str:
        def some(names: Sequence[str], what: str) -> str:
            listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
            return f"{len(names)} {what} file{'s' if len(names) > 1 else ''} ({listed})" if names else ""

        commits = f"{self.commits} unmerged commit{'s' if self.commits > 1 else ''}" if self.commits else ""
        many = len(self.stashed)
        stash = f"{many} stash entr{'ies' if many > 1 else 'y'} ({'; '.join(self.stashed[:3])})" if many else ""
        files = some(self.changed, "changed"), some(self.untracked, "untracked")
        pushed = f"commits that no remote has in {', '.join(self.unshared[:3])}" if self.unshared else ""
        return ", ".join(filter(None, [*files, commits, pushed, stash]))


def branch_for(id: str, wanted: str) -> str:
    """The branch of task ID: the one it WANTED, or one named after it ('' and '-' name none)."""
    return wanted if wanted not in ("", "-") else PREFIX + id


def check(root: str, branch: str, base: str, to_come: Sequence[str] = ()) -> None:
    """Raises DispatchError when no worktree can be made here; a BASE among the branches TO_COME need not be there yet."""
    said = git.ask(root, "rev-parse", "--git-dir")
    if not said.ok and "not a git repository" not in said.err:
        hint = next((line.strip() for line in said.err.splitlines() if line.strip().startswith("git config")), "")
        raise DispatchError(f"git refuses {root}: {said.why}", hint=hint)
    if not said.ok:
        raise DispatchError(
            f"{root} is no git repository, a worktree needs one", hint="git init, or leave --worktree out"
        )
    checkouts.check_main(root)
    if not git.commit(root, "HEAD"):
        raise DispatchError("the repository has no commit yet, a worktree begins at one", hint="git commit first")
    if not git.ask(root, "check-ref-format", "--branch", branch).ok:
        raise DispatchError(f"{branch!r} is no name for a branch", hint="as in --worktree fix/login")
    if base and base not in to_come and not git.commit(root, base):
        raise DispatchError(
            f"there is no commit or branch {base!r}", hint="--base names where the worktree's branch begins"
        )
    refs = git.ask(root, "for-each-ref", "--format=%(refname:short)", "refs/heads").out.split()
    in_the_way = next((ref for ref in refs if branch.startswith(ref + "/") or ref.startswith(branch + "/")), "")
    if in_the_way:
        raise DispatchError(
            f"git keeps no branch {branch} beside the branch {in_the_way}", hint="--worktree NAME takes another name"
        )
    if branch in refs:
        at = next((path for path, on in listed(root).items() if on == branch and os.path.isdir(path)), "")
        if at:
            raise DispatchError(f"the branch {branch} is checked out in {at}", hint="--worktree NAME takes another one")
        if branch.startswith(PREFIX):
            raise DispatchError(
                f"the branch {branch} is there already, from a former task",
                hint=f"git branch -d {branch}, or --worktree NAME takes another one, or choose another --id",
            )
        if base:
            raise DispatchError(
                f"the branch {branch} is there already, it begins where it begins", hint="leave --base out"
            )


def make(root: str, path: str, branch: str, base: str = "", home: str = "") -> Made:
    """The worktree at PATH on BRANCH, made if it is not there; a new branch begins at BASE, or where the checkout HOME is.

    No hook of the repository runs. Raises DispatchError with git's words; then nothing of it is left.
    """
    home = home or root
    known = {one.path: one for one in checkouts.every(root)}
    real = os.path.realpath(path)
    began = git.commit(home, base or "HEAD")
    if not began:
        raise DispatchError(f"there is no commit {base!r}" if base else "the repository has no commit yet")
    if real in known and os.path.isdir(real):
        if not known[real].unfinished:
            return Made(real, known[real].branch, began, branch.startswith(PREFIX))
        git.must(root, "worktree", "remove", "--force", "--force", "--", real)  # git was killed in the middle
    git.ask(root, "worktree", "prune")  # one that was removed by hand
    if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise DispatchError(f"{path} is there already, and no worktree", hint="move it away")
    below = os.path.relpath(os.path.dirname(path), root).split(os.sep)
    if below[0] == ".dispatch" and not Tree(root).make_all(*below):
        raise DispatchError(
            f"{os.path.dirname(path)} is no directory, or a link", hint="remove it: it may lead out of the project"
        )
    os.makedirs(os.path.dirname(real), exist_ok=True)
    there = git.commit(root, f"refs/heads/{branch}")
    words = ("--", real, branch) if there else ("--no-track", "-b", branch, "--", real, began)
    said = git.ask(root, *hooks.NONE, "worktree", "add", *words)
    if not said.ok and not _is_whole(real, branch):
        _forget(root, real, "" if there else branch)
        lfs = "" if "git-lfs" not in said.err or shutil.which("git-lfs") else " (git-lfs is not installed)"
        raise DispatchError(f"git worktree add: {'; '.join(said.words.splitlines())}{lfs}")
    if there:
        merge_base = git.ask(root, "merge-base", git.commit(home, "HEAD") or "HEAD", branch)
        began = merge_base.out.strip() or there
    return Made(real, branch, began, not there)


def _is_whole(path: str, branch: str) -> bool:
    """Whether all files of BRANCH are in the worktree at PATH, whatever the exit code of its making says."""
    if not os.path.isdir(path) or git.branch(path) != branch:
        return False
    said = git.ask(path, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
    return said.ok and not said.out


def _forget(root: str, path: str, branch: str) -> None:
    """Remove what a failed `worktree add` has left: the directory at PATH and BRANCH ('' = it was there before)."""
    git.ask(root, "worktree", "remove", "--force", "--force", "--", path)
    shutil.rmtree(path, ignore_errors=True)
    git.ask(root, "worktree", "prune")
    if branch:
        git.ask(root, "branch", "-D", "--", branch)


def furnish(root: str, path: str, links: Sequence[str] = ()) -> int:
    """Bring into the worktree what git leaves out and the work needs; returns how many files were copied.

    Copied is what git ignores and `.worktreeinclude` (gitignore(5) syntax) names; LINKS become symbolic links.
    """
    tree, copied = Tree(path), 0
    for name in links:
        # Never through a link that the branch brought: it would write at a place that the branch chose (X10).
        *folder, last = os.path.normpath(name).split(os.sep)
        source = os.path.join(root, name)
        if os.path.isabs(name) or ".." in folder or last in ("", ".", ".."):
            continue
        if os.path.exists(source) and not os.path.lexists(tree.at(*folder, last)) and tree.make_all(*folder):
            tree.link(source, *folder, last)
    include = os.path.join(root, INCLUDE)
    if not os.path.isfile(include):
        return 0
    named = git.must(root, "ls-files", "-z", "--others", "--ignored", f"--exclude-from={include}")
    wanted = [
        name for name in named.split("\0") if name and not name.endswith("/") and not name.startswith(".dispatch/")
    ]
    ignored = git.ask(root, "check-ignore", "-z", "--stdin", text="\0".join(wanted)).out.split("\0") if wanted else []
    for name in filter(None, ignored):
        *folder, last = name.split("/")
        if os.path.lexists(os.path.join(path, name)) or not tree.make_all(*folder):
            continue
        copied += tree.bring(os.path.join(root, name), *folder, last)
    return copied


# --- what would be lost


def loss(path: str, branch: str, merged: str = "", links: Sequence[str] = ()) -> Loss:
    """What only the worktree at PATH and its BRANCH have. MERGED is a tip that was merged as one commit."""
    inside = nested.own(path)  # what is in them nobody can tell, so that they count as changed
    how = "dirty" if inside else "none"
    status = git.must(path, "status", "--porcelain", "-z", "--untracked-files=all", f"--ignore-submodules={how}")
    changed, untracked = list(inside), []
    entries = iter(status.split("\0"))
    for entry in entries:
        if entry[:2] == "??":
            untracked.append(entry[3:])
        elif entry:
            changed += [entry[3:]] if entry[3:] not in inside else []
            if entry[0] in "RC":
                next(entries, "")  # the former name
    linked = [name.rstrip("/") for name in links]
    untracked = [n for n in untracked if not (n.rstrip("/") in linked and os.path.islink(os.path.join(path, n)))]
    return Loss(tuple(changed), tuple(untracked), unmerged(path, branch, merged))


def unmerged(path: str, branch: str, merged: str) -> int:
    """Commits of BRANCH and of what is checked out that no other branch, tag or remote has."""
    here = git.branch(path)
    tips = {tip for tip in (git.commit(path, f"refs/heads/{branch}"), git.commit(path, "HEAD")) if tip}
    tips -= {merged}
    if not tips:
        return 0
    hidden = [f"--exclude={name}" for name in {branch, here} if name]
    but = [merged] if merged and git.commit(path, merged) else []
    counted = git.ask(
        path, "rev-list", "--count", *sorted(tips), "--not", *hidden, "--branches", "--remotes", "--tags", *but
    )
    return int(counted.out) if counted.ok else 1


_STASHED = re.compile(r"(?:WIP on|On) (.+?): ")


def stashed(root: str, branch: str, since: float = 0.0) -> list[Stashed]:
    """What `git stash` has of BRANCH since then, and no branch or tag holds: made on it, or upon a commit only it has."""
    said = git.ask(root, "log", "--walk-reflogs", "-z", "--max-count=200", "--format=%H %ct %gs", "refs/stash", "--")
    found = []
    for row in said.out.split("\0") if said.ok else ():
        commit, made, text = [*row.strip("\n").split(" ", 2), "", "", ""][:3]
        if not commit or int(made or 0) < int(since):
            continue
        on = _STASHED.match(text)
        if _holding(root, commit) or not ((on and on[1] == branch) or _holding(root, f"{commit}^1") == [branch]):
            continue
        found.append(Stashed(commit, " ".join(text.split())[:80]))
    return found


def _holding(root: str, commit: str) -> list[str]:
    """The first two branches or tags that COMMIT is in."""
    words = ("for-each-ref", "--count=2", f"--contains={commit}", "--format=%(refname:lstrip=2)")
    return git.ask(root, *words, "refs/heads", "refs/remotes", "refs/tags").out.split()


def snapshot(
    path: str, options: Sequence[str] = (), env: Mapping[str, str] | None = None, deadline: float | None = None
) -> str:
    """A tree with all that is in the checkout at PATH but ignored files; its index is left alone.

    OPTIONS and ENV are for every git that looks at its files; DEADLINE, in seconds, for each.
    """
    with tempfile.TemporaryDirectory(prefix="dispatch-index-") as folder:
        own = os.path.join(folder, "index")
        index = os.path.join(path, git.must(path, "rev-parse", "--git-path", "index", deadline=deadline))
        if os.path.exists(index):
            shutil.copyfile(index, own)  # its stat data spares git the reading of unchanged files
        env = {**(env or {}), "GIT_INDEX_FILE": own}
        add_all(path, *nested.but(nested.own(path, *options)), options=options, env=env, deadline=deadline)
        return git.must(path, *options, *hooks.NONE, "write-tree", env=env, deadline=deadline)


def add_all(
    path: str,
    *specs: str,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    deadline: float | None = None,
) -> None:
    """Put all that SPECS name in the checkout at PATH into its index, also what lies outside of a sparse checkout.

    No hook runs: one that hears of the index (githooks(5)) may be what a worker has put there. Raises DispatchError.
    """
    is_sparse = git.ask(path, "config", "--type=bool", "core.sparseCheckout", deadline=deadline).out.strip() == "true"
    how = ["--sparse"] if is_sparse else []
    git.must(path, *options, *hooks.NONE, "add", "--all", *how, "--", *specs, env=env, deadline=deadline)


def rescue(root: str, path: str, name: str, base: str) -> str:
    """Keep all of the worktree at PATH on a new branch NAME, and since BASE in a patch in `.dispatch/`; that one's path."""
    head = git.commit(path, "HEAD")
    tree = snapshot(path)
    kept = head
    if git.must(path, "rev-parse", f"{head}^{{tree}}") != tree:
        who = git.identity(path)
        kept = git.must(path, *who, "commit-tree", tree, "-p", head, "-m", f"Rescued: {name}")
    git.must(root, "branch", "--no-track", "--force", name, kept)
    files.private_dir(os.path.join(root, ".dispatch", "rescued"))
    patch = os.path.join(root, ".dispatch", f"{name}.patch")
    since = base if git.commit(path, base) else head
    with open(os.open(patch, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w"):
        git.must(path, "diff", *git.PATCH, "--binary", "--full-index", f"--output={patch}", since, kept)
    return patch


# --- its end


def remove(root: str, path: str, branch: str, ours: bool) -> None:
    """Remove the worktree at PATH, and its BRANCH when it was made by us. What it holds has been looked at before."""
    known = listed(root)
    real = os.path.realpath(path)
    if os.path.isdir(real):
        if real not in known or real == next(iter(known), "") or real == os.path.realpath(root):
            raise DispatchError(f"{path} is not a worktree of {root}, it is left alone")
        if inside := occupied(real):
            raise DispatchError(f"{path} is in use by process {', '.join(map(str, inside[:5]))}", hint="end it first")
        # --force, because git never removes worktrees with submodules without; the check was ours
        git.must(root, "worktree", "remove", "--force", "--", real)
    git.ask(root, "worktree", "prune")
    if ours and git.commit(root, f"refs/heads/{branch}"):
        git.must(root, "branch", "-D", "--", branch)


def occupied(path: str) -> list[int]:
    """Processes that work in PATH or below (Linux; elsewhere none is known)."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if name.isdigit():
            try:
                at = os.readlink(f"/proc/{name}/cwd")
            except OSError:
                continue
            if at == path or at.startswith(path + os.sep):
                found.append(int(name))
    return found


# --- whether it kept to its worktree


def footprint(root: str) -> dict[str, str]:
    """What is changed or new in the checkout ROOT: name → what tells one state of the file from another."""
    how = ["--ignore-submodules=dirty"] if nested.own(root) else []
    said = git.ask(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", *how)
    found = {}
    for entry in said.out.split("\0") if said.ok else ():
        if name := entry[3:]:
            try:
                stat = os.lstat(os.path.join(root, name))
                found[name] = f"{entry[:2]} {stat.st_mtime_ns} {stat.st_size}"
            except OSError:
                found[name] = entry[:2]
    return found
