"""Odd and hostile repositories: a worker in a worktree of each, its work merged and dropped, and nothing lost, run or left.

A try is a repository of some kind, in some state, with something that its worker does. Cases are named KIND:STATE:DEED. Others
are `at-once`, rounds of four merges at the same moment while a person commits, and `killed`, merges that are killed at any moment.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from chaos.rig import GIT_NAMES, Result, Rig, Said, chosen, rig, until

from dispatch_tmux.store import project as projects
from dispatch_tmux.store.store import Store

TRIES = 60
KILLS = 8  # of merges, in each case of that name
ROUNDS = 4  # of merges at once, in each case of that name
WORKER = """git() { command git -c core.hooksPath=/dev/null "$@"; }  # what must not run, is run by others than the worker
eval "$JOB"
cd "$DISPATCH_TASK_DIR"; sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md; : >ipc/.done
"""


class Place(NamedTuple):
    """Where the person stands, where the repository's main checkout is ('' = none), and where code that must not run says so."""

    cwd: Path
    base: Path

    @property
    def ran(self) -> Path:
        return self.base / "ran"


def campaign(seed: int, tries: int) -> Result:
    """TRIES cases in the seed's order, 0: all (some 130). A failure names its case, `--only` takes that."""
    failures: list[str] = []
    told: dict[str, int] = {}
    with rig("repositories") as r:
        r.configure({"w": "sh " + r.script("w.sh", WORKER).split()[1]})
        (r.root / "w.sh").rename(r.base / "w.sh")
        r.configure({"w": f"sh {r.base / 'w.sh'}"})
        cases = chosen(names(seed), seed, tries)
        for n, name in enumerate(cases):
            base = r.base / f"r{n}"
            base.mkdir()
            try:
                special = SPECIAL.get(name.rpartition("-")[0])
                outcome = special(r, base, seed + n) if special else one(r, base, name)
                told[outcome] = told.get(outcome, 0) + 1
            except AssertionError as e:
                failures.append(f"{name}: {str(e)[:400]}")
            r.tmux("kill-server")
            shutil.rmtree(base, ignore_errors=True)
    return Result(len(cases), failures, [f"{count} × {what}" for what, count in sorted(told.items())])


def names(seed: int) -> list[str]:
    """Every kind, state and deed, put together as the seed will have it."""
    rng = random.Random(seed)
    found = []
    for turn in range(3):
        for kind in KINDS:
            found.append(f"{kind}:{rng.choice(list(STATES))}:{rng.choice(list(DEEDS))}")
        for state in STATES:
            found.append(f"plain:{state}:{rng.choice(list(DEEDS))}")
        for deed in DEEDS:
            found.append(f"{rng.choice(list(KINDS))}:as-it-is:{deed}")
        found += [f"{special}-{turn}" for special in SPECIAL]
    return list(dict.fromkeys(found))


# --- one repository


def one(r: Rig, base: Path, name: str) -> str:
    """What became of a task in it, in a word; AssertionError for what must not be."""
    kind, state, deed = name.split(":")
    place = Place(KINDS[kind](base), base)
    git(place.cwd, "config", "user.name", "a")
    git(place.cwd, "config", "user.email", "a@b")
    said = checked(r, place, "run", "-m", "w", "--worktree", "--id", "t", "x", JOB=DEEDS[deed].format(ran=place.ran))
    if said.code:
        assert not leftovers(place), f"{said} leaves {leftovers(place)}"
        return "run refused: " + short(said)
    project = projects.find(str(place.cwd))
    store = projects.at(project.root, r.store.base).store
    assert until(lambda: store.task("t").ended), "the task does not end"
    if not store.task("t").worktree:
        assert not leftovers(place), f"{store.task('t').why} leaves {leftovers(place)}"
        return "failed: " + store.task("t").why[:60]
    STATES[state](place)
    for verb in (("status", "t"), ("diff", "t", "--stat"), ("report",), ("clean", "-n")):
        checked(r, place, *verb)
    outcome = merged(r, place, store)
    dropped(r, place, store)
    checked(r, place, "stop", "--all")
    assert not place.ran.exists(), f"code of the branch ran: {place.ran.read_text()}"
    return outcome


def merged(r: Rig, place: Place, store: Store) -> str:
    task = store.task("t")
    before = seen(place)
    said = checked(r, place, "merge", "t", "--commit", "work")
    if said.code == 0:
        tip = git(Path(task.worktree), "rev-parse", "HEAD")
        into = store.task("t").merged_into
        assert git_ok(place.cwd, "merge-base", "--is-ancestor", tip, into), f"said merged, is not in {into}"
        now = seen(place)
        new = set(now.status) - set(before.status)
        assert not new, f"after the merge: {sorted(new)[:3]}"
        assert now.mine == before.mine, "what the person had changed is changed"
        assert now.stashed == before.stashed, "the stack of stashes is another one"
        return "merged"
    assert seen(place) == before, f"refused, and yet something changed: {said}"
    clear = ("nothing was merged", " is ", " has ", "index.lock': File exists", "core.bare")
    assert any(words in said.err for words in clear), f"no clear word: {said}"
    return "merge refused: " + short(said)


def dropped(r: Rig, place: Place, store: Store) -> None:
    task = store.task("t")
    path = Path(task.worktree)
    content, tip = git(path, "stash", "list"), git(path, "rev-parse", "HEAD")
    files = {name: (path / name).read_bytes() for name in git(path, "ls-files", "-o", "-m", "--exclude-standard").splitlines()[:20] if (path / name).is_file() and not (path / name).is_symlink()}  # fmt: skip
    said = checked(r, place, "drop", "t")
    if said.code:
        assert path.is_dir(), "refused, and yet it is gone"
        said = checked(r, place, "drop", "t", "--force")
        if said.code:
            return  # in use, or git does not remove it: it is all there
    assert not path.exists(), f"{said} and it is there"
    held = git(place.cwd, "branch", "--contains", tip, "--format=%(refname:short)", "--all").splitlines()
    assert held or git_ok(place.cwd, "diff", "--quiet", tip, "HEAD"), "commits are on no branch"
    for name, data in files.items():
        branches = git(place.cwd, "for-each-ref", "--format=%(refname)", "refs/heads").splitlines()
        found = [
            b
            for b in branches
            if raw(place.cwd, "show", f"{b}:{name}").replace(b"\r\n", b"\n") == data.replace(b"\r\n", b"\n")
        ]
        assert found, f"{name} is lost: {said}"
    assert git(place.cwd, "stash", "list") == content, "a stash entry went"
    assert not leftovers(place), f"left: {leftovers(place)}"


class Seen(NamedTuple):
    heads: tuple[str, ...]
    status: tuple[str, ...]
    mine: bytes
    stashed: str


def seen(place: Place) -> Seen:
    """What of the person's must be the same after a merge that was refused."""
    heads = [line for line in git(place.cwd, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").splitlines() if "dispatch/" not in line]  # fmt: skip
    status = git(place.cwd, "status", "--porcelain", "--untracked-files=all").splitlines()
    mine = place.cwd / "mine.txt"
    own = mine.read_bytes() if mine.exists() else b""
    return Seen(tuple(heads), tuple(s for s in status if ".dispatch" not in s), own, git(place.cwd, "stash", "list"))


def leftovers(place: Place) -> list[str]:
    """Checkouts of merges, locked worktrees, branches of a task that has no worktree."""
    trees = git(place.cwd, "worktree", "list", "--porcelain")
    left = [line for line in trees.splitlines() if "/merge-" in line or "initializing" in line]
    if "worktrees/t\n" not in trees + "\n":
        left += git(place.cwd, "branch", "--list", "dispatch/t").splitlines()
    return left


def checked(r: Rig, place: Place, *words: str, **env: str) -> Said:
    """`dispatch WORDS`: it may refuse; it may not hang, break, or obey what a file is called."""
    said = r.d(*words, cwd=place.cwd, seconds=90, **env)
    assert not said.broken, str(said)
    assert words[0] == "diff" or "\x1b" not in said.out + said.err, f"an escape reaches the terminal: {said}"
    return said


def short(said: Said) -> str:
    line = (said.err.strip().splitlines() or [""])[0].removeprefix("dispatch: ")
    return " ".join(word for word in line.split() if "/" not in word)[:70]


# --- merges at once


def at_once(r: Rig, base: Path, seed: int) -> str:
    """Rounds of four merges at the same moment, in every second of them with a person who commits meanwhile."""
    place = Place(plain(base), base)
    git(place.cwd, "config", "user.name", "a")
    git(place.cwd, "config", "user.email", "a@b")
    rng = random.Random(seed)
    for turn in range(ROUNDS):
        ids = [f"m{turn}-{k}" for k in range(4)]
        for id in ids:
            job = f"echo {id} >n-{id}; git add -A; git commit -qm {id}"
            checked(r, place, "run", "-m", "w", "--worktree", "--id", id, "x", JOB=job)
        store = projects.at(str(place.cwd), r.store.base).store
        assert until(lambda ids=ids: all(store.task(id).ended for id in ids)), "a task does not end"
        env = {**r.env, **GIT_NAMES}
        squash = ["--squash"] if rng.random() < 0.5 else []
        merging = [subprocess.Popen([str(r.base / "bin" / "dispatch"), "merge", id, *squash], cwd=place.cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for id in ids]  # fmt: skip
        person = turn % 2 == 1
        if person:
            git(place.cwd, "commit", "-q", "--allow-empty", "-m", "the person's", ok=False)
        ends = {id: (process.wait(120), process.communicate()[1]) for id, process in zip(ids, merging, strict=True)}
        tree = git(place.cwd, "ls-tree", "--name-only", "HEAD").splitlines()
        for id, (code, err) in ends.items():
            assert code == 0, f"round {turn}: {id} is refused: {err[:200]}"
            assert f"n-{id}" in tree, f"round {turn}: {id} is said to be merged, and is not in HEAD"
        assert git(place.cwd, "status", "--porcelain") == "", f"round {turn}: something is staged or changed"
        assert not leftovers(place)
        for id in ids:
            checked(r, place, "drop", id)
    return f"{ROUNDS} rounds of four merges at once"


def killed(r: Rig, base: Path, seed: int) -> str:
    """`dispatch merge` is killed at some moment, git with it or not, and given again: the same comes of it, and nothing is left."""
    place, rng = Place(plain(base), base), random.Random(seed)
    git(place.cwd, "config", "user.name", "a")
    git(place.cwd, "config", "user.email", "a@b")
    done = 0
    for turn in range(KILLS):
        id = f"k{turn}"
        job = f"echo {id} >n-{id}; git add -A; git commit -qm {id}"
        checked(r, place, "run", "-m", "w", "--worktree", "--id", id, "x", JOB=job)
        store = projects.at(str(place.cwd), r.store.base).store
        assert until(lambda id=id, store=store: store.task(id).ended), "the task does not end"
        argv = [str(r.base / "bin" / "dispatch"), "merge", id]
        process = subprocess.Popen(argv, cwd=place.cwd, env=r.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        time.sleep(rng.uniform(0.1, 0.8))
        (os.killpg if rng.random() < 0.5 else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        lock = Path(git(place.cwd, "rev-parse", "--absolute-git-dir"), "index.lock")
        said = checked(r, place, "merge", id)
        if said.code and lock.exists():
            assert "index.lock" in said.err, f"no clear word: {said}"
            lock.unlink()
            git(place.cwd, "checkout", "-f", "HEAD", "--", ".")  # git was killed while it wrote the files
            git(place.cwd, "clean", "-fdq")
            said = checked(r, place, "merge", id)
        assert said.code == 0, f"round {turn}: {said}"
        assert f"n-{id}" in git(place.cwd, "ls-tree", "--name-only", "HEAD").splitlines(), (
            f"round {turn}: it is not in HEAD"
        )
        assert git(place.cwd, "status", "--porcelain") == "", f"round {turn}: something is staged or changed"
        assert not leftovers(place) and not [
            n for n in os.listdir(store.records) if n.startswith(("merge-", "commit-"))
        ]
        done += 1
    return f"{done} merges killed and given again"


SPECIAL: dict[str, Callable[[Rig, Path, int], str]] = {"at-once": at_once, "killed": killed}


# --- git, as a person has it


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, **GIT_NAMES, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_EDITOR": "true"}
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        env.pop(name, None)
    options = ["-c", "protocol.file.allow=always", "-c", "core.quotePath=false", "-c", "core.hooksPath=/dev/null"]
    return subprocess.run(["git", *options, *words], cwd=folder, env=env, capture_output=True, check=False)


def git(folder: Path, *words: str, ok: bool = False) -> str:
    done = run(folder, *words)
    assert not ok or done.returncode == 0, f"git {words}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def git_ok(folder: Path, *words: str) -> bool:
    return run(folder, *words).returncode == 0


def raw(folder: Path, *words: str) -> bytes:
    return run(folder, *words).stdout


def script(path: Path, body: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


# --- kinds: BASE is an empty directory; what comes back is where the person stands


def plain(base: Path, *init: str) -> Path:
    root = base / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", *init, ok=True)
    for name, text in (("f.txt", "one\n"), ("d/g.txt", "g\n"), (".gitignore", ".dispatch\n*.log\n")):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one", ok=True)
    return root


def linked(base: Path) -> Path:
    git(plain(base), "worktree", "add", "-q", str(base / "linked"), "-b", "linked", ok=True)
    return base / "linked"


def submodule(base: Path) -> Path:
    library = base / "library"
    library.mkdir()
    inner = plain(library)
    outer = plain(base)
    git(outer, "submodule", "--quiet", "add", str(inner), "lib", ok=True)
    git(outer, "commit", "-qm", "lib")
    return outer / "lib"


def with_submodule(base: Path) -> Path:
    root = submodule(base).parent
    git(root, "config", "submodule.recurse", "true")
    return root


def bare(base: Path, name: str = ".bare") -> Path:
    place = base / "layout"
    place.mkdir()
    git(base, "clone", "-q", "--bare", str(plain(base)), str(place / name), ok=True)
    if name != ".git":
        (place / ".git").write_text(f"gitdir: ./{name}\n")
    git(place, "worktree", "add", "-q", "main", ok=True)
    return place / "main"


def clone(base: Path, *how: str) -> Path:
    origin = plain(base)
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(base, "clone", "-q", *how, f"file://{origin}", str(base / "clone"), ok=True)
    return base / "clone"


def sparse(base: Path) -> Path:
    root = clone(base, "--sparse")
    git(root, "sparse-checkout", "set", "d")
    return root


def unborn(base: Path) -> Path:
    root = base / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    return root


def core_bare(base: Path) -> Path:
    root = plain(base)
    git(root, "config", "core.bare", "true")
    return root


def lfs(base: Path) -> Path:
    root = plain(base)
    git(root, "config", "filter.lfs.smudge", "git-lfs-is-not-there smudge -- %f")
    git(root, "config", "filter.lfs.clean", "cat")
    git(root, "config", "filter.lfs.required", "true")
    (root / ".gitattributes").write_text("*.bin filter=lfs\n")
    (root / "big.bin").write_text("pointer\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "lfs")
    return root


def hooked(base: Path, tracked: bool = False) -> Path:
    """A post-checkout hook that fails, and in a directory that the repository brings others, as the branch has them, too."""
    root = plain(base)
    script(root / ".git/hooks/post-checkout", "echo nvm: not found >&2; exit 1")
    if tracked:
        script(root / ".husky/post-checkout", f"echo post-checkout >>{base}/ran; exit 1")
        git(root, "add", "-A")
        git(root, "commit", "-qm", "husky")
        git(root, "config", "core.hooksPath", ".husky")
    return root


def strict(base: Path) -> Path:
    root = plain(base)
    script(
        root / ".git/hooks/commit-msg",
        'grep -q "^feat: " "$1" || { printf "\\033]0;x\\007want feat:\\n" >&2; exit 1; }',
    )
    return root


def unsigned(base: Path) -> Path:
    root = plain(base)
    git(root, "config", "commit.gpgsign", "true")
    git(root, "config", "gpg.program", script(base / "gpg", "exit 2"))
    return root


def attributes(base: Path) -> Path:
    root = plain(base)
    (root / ".gitattributes").write_text(
        "* text=auto eol=crlf\nf.txt ident diff=x merge=union working-tree-encoding=UTF-16\n"
    )
    (root / "f.txt").write_bytes("one\r\n".encode("utf-16"))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "attributes")
    return root


def many(base: Path) -> Path:
    root = plain(base)
    (root / "many").mkdir()
    for n in range(2000):
        (root / "many" / f"{n}.txt").write_text(f"{n}\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "many")
    git(root, "config", "core.untrackedCache", "true")
    git(root, "update-index", "--split-index")
    return root


def spaced(base: Path) -> Path:
    deep = base / "mein Projekt ü's $(touch x) #{pane_id}"
    deep.mkdir()
    return plain(deep)


KINDS: dict[str, Callable[[Path], Path]] = {
    "plain": plain,
    "separate-git-dir": lambda base: plain(base, f"--separate-git-dir={base / 'gd'}"),
    "linked": linked,
    "submodule": submodule,
    "with-submodule": with_submodule,
    "bare": bare,
    "bare-dot-git": lambda base: bare(base, ".git"),
    "shallow": lambda base: clone(base, "--depth=1"),
    "partial": lambda base: clone(base, "--filter=blob:none"),
    "sparse": sparse,
    "unborn": unborn,
    "core-bare": core_bare,
    "lfs": lfs,
    "hooked": hooked,
    "hooked-tracked": lambda base: hooked(base, tracked=True),
    "strict": strict,
    "unsigned": unsigned,
    "attributes": attributes,
    "many": many,
    "spaced": spaced,
}


# --- states that the person's checkout is in when the merge is asked for


def half(place: Place, what: str) -> None:
    """In the middle of WHAT, with a conflict."""
    name = git(place.cwd, "branch", "--show-current")
    git(place.cwd, "checkout", "-q", "-b", "side")
    (place.cwd / "d" / "g.txt").write_text("side\n")
    git(place.cwd, "commit", "-qam", "side")
    git(place.cwd, "checkout", "-q", name)
    (place.cwd / "d" / "g.txt").write_text("main\n")
    git(place.cwd, "commit", "-qam", "main")
    git(place.cwd, what, "side")


def stashed(place: Place) -> None:
    (place.cwd / "d" / "g.txt").write_text("stashed\n")
    git(place.cwd, "stash")


def locked(place: Place) -> None:
    folder = git(place.cwd, "rev-parse", "--absolute-git-dir")
    Path(folder, "index.lock").write_text("")


def changed(place: Place) -> None:
    (place.cwd / "f.txt").write_text("mine\n")
    (place.cwd / "mine.txt").write_text("mine, and nobody else's\n")


def new_file(place: Place) -> None:
    (place.cwd / "new.txt").write_text("in the way of the worker's\n")
    (place.cwd / "mine.txt").write_text("mine\n")
    git(place.cwd, "add", "mine.txt")


def ahead(place: Place) -> None:
    (place.cwd / "d" / "g.txt").write_text("ahead\n")
    git(place.cwd, "commit", "-qam", "ahead")


STATES: dict[str, Callable[[Place], object]] = {
    "as-it-is": lambda place: None,
    "merge": lambda place: half(place, "merge"),
    "rebase": lambda place: half(place, "rebase"),
    "cherry-pick": lambda place: half(place, "cherry-pick"),
    "detached": lambda place: git(place.cwd, "checkout", "-q", "--detach"),
    "locked": locked,
    "changed": changed,
    "new-file": new_file,
    "ahead": ahead,
    "stashed": stashed,
}


# --- what the worker does, in sh; {ran} is where code that must not run says so

_HOOKS = "for h in pre-commit commit-msg post-commit post-merge post-checkout pre-merge-commit prepare-commit-msg; do printf '#!/bin/sh\\necho '$h' >>{ran}\\n' >.husky/$h; chmod +x .husky/$h; done"
DEEDS = {
    "nothing": ":",
    "commits": "echo two >>f.txt; echo new >new.txt; git add -A; git commit -qm work",
    "leaves": "echo two >>f.txt; echo new >new.txt",
    "hooks": "mkdir -p .husky; " + _HOOKS + "; echo new >new.txt",
    "config": "git config core.fsmonitor 'echo fsmonitor >>{ran}; false' && git config --unset core.fsmonitor; echo new >new.txt",
    "stashes": "echo later >>d/g.txt; git stash -q; echo new >new.txt; git add -A; git commit -qm work",
    "conflicts": "echo theirs >d/g.txt; git add -A; git commit -qm work",
    "half-merged": "git checkout -q -b other; echo a >d/g.txt; git commit -qam a; git checkout -q -; echo b >d/g.txt; git commit -qam b; git merge other",
    "detached": "git checkout -q --detach; echo new >new.txt; git add -A; git commit -qm work",
    "renames": "git mv f.txt 'd/f ü\t.txt'; git rm -q d/g.txt; git commit -qm renamed",
    "names": "printf x >\"$(printf 'a\\nb.txt')\"; printf x >\"$(printf '\\033]0;pwned\\007.txt')\"; printf x >-rf; printf x >'é\u202egpj'",
    "links": "ln -s /etc/passwd link; ln -s .. up; mkdir -p e; ln -s ../../.. e/out; git add -A; git commit -qm links",
    "nested": "git init -q inner; echo x >inner/x; git -C inner add -A; git -C inner -c user.name=a -c user.email=a@b commit -qm inner",
    "attributes": "printf '* filter=x diff=x merge=x\\n' >.gitattributes; echo new >new.txt; git add -A; git commit -qm work",
    "lock": 'echo new >new.txt; : >"$(git rev-parse --absolute-git-dir)/index.lock"',
    "binary": "head -c 3000000 /dev/urandom >big.dat; chmod +x f.txt",
}
