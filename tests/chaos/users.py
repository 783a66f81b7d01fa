"""Another user of the machine, and whatever brings a `.dispatch`: an archive, a copy, a shared directory. Needs root for the users.

Wanted: nobody else's code runs, nobody else reads what workers write, nothing that dispatch makes is open to others under any umask.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import stat
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from chaos.rig import Result, Rig, chosen, progress, rig

TRIES = 0  # all
VERBS = (
    ("status",), ("wait", "--timeout", "1", "--as", "q"), ("questions",), ("answer", "evil", "x"), ("run", "-m", "w", "x"), ("resume", "--all"), ("retry", "evil"),
    ("stop", "--all"), ("doctor",), ("brief",), ("report",), ("note", "evil", "x"), ("merge", "evil"), ("clean", "evil", "--force"), ("trust",), ("demo", "--help"),
)  # fmt: skip
ASKS = """cd "$DISPATCH_TASK_DIR"; echo 'secret question' >ipc/001.question.tmp; mv ipc/001.question.tmp ipc/001.question; exec sleep 100000
"""


def campaign(seed: int, tries: int) -> Result:
    if os.geteuid() != 0:
        return Result(0, [], ["skipped: only root can act as another user"])
    cases = chosen(
        [*(f"brought: {how}" for how in BROUGHT), *(f"open: {umask}" for umask in ("000", "022", "077"))], seed, tries
    )
    failures: list[str] = []
    for n, case in enumerate(cases):
        with rig("users") as r:
            r.base.chmod(0o755)
            r.root.chmod(0o755)
            (r.base / "w.sh").write_text(ASKS)
            r.configure({"w": f"sh {r.base / 'w.sh'}"})
            kind, _, what = case.partition(": ")
            problems = _brought(r, what) if kind == "brought" else _open(r, int(what, 8))
            found = [f"{case}: {problem}" for problem in problems]
            progress(n, len(cases), found)
            failures += found
    return Result(len(cases), failures)


# --- what others have brought


def _evil(dispatch: Path, mark: Path, programs: Path) -> None:
    """A task with a request to start it, in an environment in which every program leaves MARK; of an earlier version, and of this one."""
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("sh", "python3", "python", "claude", "codex", "git", "tmux", "sleep", "env"):
        (programs / name).write_text(f"#!/bin/bash\n/usr/bin/touch {mark}\n")
        (programs / name).chmod(0o755)
    task = dispatch / "tasks" / "evil"
    for folder in ("inbox", "ipc", "signals"):
        (task / folder).mkdir(parents=True, exist_ok=True)
    created = {
        "t": time.time(),
        "kind": "created",
        "key": "created",
        "title": "evil",
        "model": "w",
        "backend": "w",
        "marks": " ",
        "cwd": str(dispatch.parent),
    }
    (task / "journal.jsonl").write_text(json.dumps(created) + "\n")
    (task / "task.yaml").write_text("prompt: x\nbackend: claude\nmodel: claude\npermissions: skip\n")
    (task / "plan.md").write_text("- [ ] x\n")
    (task / "ipc" / "001.question").write_text("shall I?\n")
    launch = {
        "kind": "launch",
        "env": {
            "PATH": f"{programs}:/usr/bin:/bin",
            "HOME": str(dispatch.parent),
            "LD_PRELOAD": str(programs / "x.so"),
        },
    }
    (task / "inbox" / "1-1.json").write_text(json.dumps(launch))
    (task / "process-1").write_text(f"{os.getpid()} 1\n")
    (dispatch / "config.yaml").write_text(f"backends: {{w: {{command: {programs}/sh}}}}\n")
    for number in range(40):
        (task / f"launch-1-{number}.json").write_text(
            json.dumps({"argv": [str(programs / "sh")], "env": {}, "cwd": "/"})
        )


def plain(r: Rig, mark: Path) -> Path:
    _evil(r.base / "made" / ".dispatch", mark, r.base / "made" / "bin")
    return _unpacked(r)


def with_git(r: Rig, mark: Path) -> Path:
    where = plain(r, mark)
    r.git("init", "-q", cwd=where)
    return where


def tracked(r: Rig, mark: Path) -> Path:
    where = with_git(r, mark)
    r.git("add", "-Af", cwd=where)
    r.git("commit", "-qm", "x", cwd=where)
    r.git("clone", "-q", str(where), str(r.base / "clone"), cwd=r.base)
    return r.base / "clone"


def in_a_folder_of_mine(r: Rig, mark: Path) -> Path:
    where = plain(r, mark)
    r.repository()
    shutil.copytree(where, r.root / "vendor")
    return r.root / "vendor"


def of_this_version(r: Rig, mark: Path) -> Path:
    """A project that was made by dispatch, records and all, on another machine (another HOME)."""
    where, home = plain(r, mark), r.base / "their-home"
    remove = where / ".dispatch"
    shutil.rmtree(remove)
    home.mkdir()
    r.d("run", "-m", "w", "--id", "evil", "x", cwd=where, HOME=str(home))
    r.d("stop", "--all", cwd=where, HOME=str(home))
    return where


def copied(r: Rig, mark: Path) -> Path:
    """A copy of a project of mine beside it."""
    r.d("run", "-m", "w", "--id", "evil", "x")
    r.d("stop", "--all")
    shutil.copytree(r.root, r.base / "copy", symlinks=True)
    return r.base / "copy"


def above_me(r: Rig, mark: Path) -> Path:
    """In a sticky directory that all may write, by another user."""
    shared = r.base / "shared"
    _evil(shared / ".dispatch", mark, shared / "bin")
    _give(shared)
    shared.chmod(0o1777)
    mine = shared / "mine"
    mine.mkdir()
    return mine


def others_directory(r: Rig, mark: Path) -> Path:
    where = plain(r, mark)
    _give(where)
    return where


def world_writable(r: Rig, mark: Path) -> Path:
    where = plain(r, mark)
    (where / ".dispatch").chmod(0o777)
    return where


def _unpacked(r: Rig) -> Path:
    with tarfile.open(r.base / "a.tar", "w") as tar:
        tar.add(r.base / "made", "project")
    (r.base / "unpacked").mkdir()
    with tarfile.open(r.base / "a.tar") as tar:
        tar.extractall(r.base / "unpacked")
    return r.base / "unpacked" / "project"


def _give(where: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    for folder, _, names in os.walk(where):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
            os.chmod(path, 0o777)


BROUGHT: dict[str, Callable[[Rig, Path], Path]] = {
    "archive": plain, "archive, git init": with_git, "clone of a repository": tracked, "below a repository of mine": in_a_folder_of_mine,
    "of this version, another home": of_this_version, "copy of mine": copied, "above me, of another user": above_me, "of another user": others_directory,
    "mode 0777": world_writable,
}  # fmt: skip


def _brought(r: Rig, how: str) -> Iterator[str]:
    mark = r.base / "ran"
    where = BROUGHT[how](r, mark)
    for verb in VERBS:
        said = r.d(*verb, cwd=where)
        if said.broken:
            yield str(said)
    time.sleep(2.0)  # what would be run, would be run by now
    if mark.exists():
        yield "its code has run"
    if [task for task in r.processes("launch.sh") if "evil" in r.processes("launch.sh")[task]]:
        yield "its task runs"
    r.d("stop", "--all", cwd=where)


# --- what others can read


def _open(r: Rig, umask: int) -> Iterator[str]:
    before = os.umask(umask)
    try:
        r.fresh = True  # with this umask
        r.repository()
        for words in (("run", "-m", "w", "--id", "a", "x"), ("run", "-m", "w", "--worktree", "--id", "b", "x"), ("note", "a", "secret"), ("send", "a", "secret"),
                      ("wait", "--timeout", "1"), ("report", "--html", str(r.root / ".dispatch" / "r.html")), ("config", "add-alias", "x", "w"),
                      ("skill", "install", "--user", "--yes"), ("answer", "a", "secret")):  # fmt: skip
            r.d(*words, PASSWORD="hunter2secret")
    finally:
        os.umask(before)
    for top in (r.root / ".dispatch", r.home / ".dispatch"):
        for folder, folders, names in os.walk(top):
            if "worktrees" in Path(folder).parts:
                continue
            for path in [Path(folder), *(Path(folder) / name for name in (*folders, *names) if name != "worktrees")]:
                mode = os.lstat(path).st_mode
                if (
                    not stat.S_ISLNK(mode) and mode & 0o077 and path.name not in ("r.html", "001.question")
                ):  # of the worker's own
                    yield f"{path.relative_to(r.base)} has mode {mode & 0o7777:o}"
    line = f"cat {r.root}/.dispatch/tasks/a/plan.md; ls {r.root}/.dispatch/worktrees/b; tmux -S {r.socket} ls; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep hunter2; ps axeww | grep hunter2secre[t]"
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", line],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.stdout.strip():
        yield f"another user reads: {done.stdout[:300]!r}"
