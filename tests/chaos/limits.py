"""Full and read-only disks, few file descriptors, no ptys, a stopped supervisor and a stopped tmux server.

Wanted: every verb ends with what it did or why it did not, nothing that was told is lost, and all goes on when there is room again.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.rig import Result, Rig, chosen, kill, progress, rig, until

TRIES = 0  # all
ASKS = """cd "$DISPATCH_TASK_DIR"; echo started >>"$REC.starts"
for n in 001 002 003; do
  while ! { echo "what about $n?" >ipc/$n.question.tmp && mv ipc/$n.question.tmp ipc/$n.question; } 2>/dev/null; do sleep 0.2; done
  while [ ! -f ipc/$n.answer ]; do sleep 0.1; done; cat ipc/$n.answer >>"$REC.answers"; : >ipc/$n.done
done
while ! { sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md; } 2>/dev/null; do sleep 0.2; done; : >ipc/.done; exec sleep 100000
"""
LOOKS = (("status",), ("questions",), ("wait", "--timeout", "1", "--as", "l"), ("doctor",), ("brief",), ("report",))


class Skipped(Exception):
    """This case cannot be made here."""


def campaign(seed: int, tries: int) -> Result:
    failures, notes = [], []
    cases = chosen(list(CASES), seed, tries)
    for n, case in enumerate(cases):
        try:
            with rig("limits") as r:
                (r.base / "w.sh").write_text(ASKS)
                r.configure({"w": f"sh {r.base / 'w.sh'}", "sleeper": "sh -c 'exec sleep 100000'"})
                found = [f"{case}: {problem}" for problem in CASES[case](r)]
        except Skipped as e:
            notes.append(f"{case}: skipped: {e}")
            continue
        progress(n, len(cases), found)
        failures += found
    return Result(len(cases), failures, notes)


@contextmanager
def _small(path: Path, size: str) -> Iterator[Path]:
    """A file system of SIZE at PATH."""
    path.mkdir(exist_ok=True)
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(path)], capture_output=True
        ).returncode
    ):
        raise Skipped("no file system can be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


def _fill(where: Path) -> None:
    for size in (4096, 1):
        try:
            with open(where / "filler", "ab", 0) as f:
                while True:
                    f.write(b"x" * size)
        except OSError:
            pass


def _all(r: Rig, verbs: tuple[tuple[str, ...], ...], seconds: float = 60) -> Iterator[str]:
    for words in verbs:
        said = r.d(*words, seconds=seconds)
        if said.broken:
            yield str(said)
        elif said.code not in (0, 5, 124) and not (said.err + said.out).strip():
            yield f"refused without a word: {said}"


def _askers(r: Rig, count: int) -> list[str]:
    ids = [f"t{n}" for n in range(count)]
    for id in ids:
        if (said := r.d("run", "-m", "w", "--id", id, "x", REC=str(r.base / id))).code:
            raise RuntimeError(f"no worker: {said}")
    until(lambda: all(r.task(id).open_questions for id in ids), 20)
    return ids


def _work_goes_on(r: Rig, ids: list[str]) -> Iterator[str]:
    """The workers ask on, each answer reaches them once, and they come to their end."""
    end = time.monotonic() + 60
    while time.monotonic() < end and not all(r.task(id).state.value == "done" for id in ids):
        for id in ids:
            for question in r.task(id).open_questions:
                r.d("answer", id, "-q", question.id, f"{id} {question.id}")
        time.sleep(0.2)
    for id in ids:
        answers, starts = Path(f"{r.base / id}.answers"), Path(f"{r.base / id}.starts")
        got = answers.read_text().splitlines() if answers.exists() else []
        if r.task(id).state.value != "done" or len(got) != 3 or starts.read_text() != "started\n":
            yield f"{id} is {r.task(id).state.value}, was started {starts.read_text().count('started')} times and has read {got}: {r.log()[-200:]}"
        keys = [e.key for e in r.events(id) if e.key]
        if len(keys) != len(set(keys)):
            yield f"{id} has events twice"


def full_project(r: Rig) -> Iterator[str]:
    with _small(r.root, "4M") as disk:
        yield from _full(r, disk)


def full_records(r: Rig) -> Iterator[str]:
    (r.home / ".dispatch").mkdir(mode=0o700)
    with _small(r.home / ".dispatch", "4M") as disk:
        disk.chmod(0o700)
        yield from _full(r, disk)


def _full(r: Rig, disk: Path) -> Iterator[str]:
    ids = _askers(r, 3)
    journals = {id: (r.own(id) / "journal.jsonl").read_bytes() for id in ids}
    _fill(disk)
    told = {}
    for id in ids[:2]:
        told[id] = r.d("answer", id, "-q", "001", f"{id} 001").code
    yield from _all(
        r,
        (
            ("note", "t2", "a note"),
            ("run", "-m", "sleeper", "--id", "new", "x"),
            ("retry", "t2"),
            ("config", "set-default", "w"),
            ("clean", "-n", "--all"),
            *LOOKS,
        ),
    )
    for id in ids:
        if not (r.own(id) / "journal.jsonl").read_bytes().startswith(journals[id]):
            yield f"the journal of {id} lost what it had"
    (disk / "filler").unlink()
    for id, code in told.items():
        if code == 0 and not until(lambda id=id: r.store.answer_of(id, "001"), 3):
            yield f"{id} was told as answered, and the answer is gone"
    yield from _work_goes_on(r, ids)
    for id in ("new", "newer"):
        said = r.d("run", "-m", "sleeper", "--id", id, "x")
        if said.code and "already" not in said.err:
            yield f"with room again: {said}"


def read_only(r: Rig) -> Iterator[str]:
    with _small(r.root, "4M") as disk:
        ids = _askers(r, 2)
        for mode in ("ro", "rw"):
            subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)
            if mode == "ro":
                yield from _all(
                    r,
                    (
                        ("answer", "t0", "y"),
                        ("note", "t0", "y"),
                        ("run", "-m", "sleeper", "--id", "x", "x"),
                        ("stop", "t9"),
                        *LOOKS,
                    ),
                )
                kill(r.supervisor())
                time.sleep(1)
                yield from _all(r, LOOKS)
        yield from _work_goes_on(r, ids)


def home_is_full(r: Rig) -> Iterator[str]:
    with _small(r.home, "1M") as disk:
        _fill(disk)
        yield from _all(
            r,
            (
                ("run", "-m", "sleeper", "x"),
                ("init", "--yes"),
                ("models", "--refresh"),
                ("skill", "install", "--user", "--yes"),
                ("run", "x y"),
                *LOOKS,
            ),
        )
        (disk / "filler").unlink()
        if (said := r.d("run", "-m", "sleeper", "--id", "a", "x")).code:
            yield f"with room again: {said}"


def no_home(r: Rig) -> Iterator[str]:
    for home in ("/nonexistent-chaos", "/proc/chaos", ""):
        r.env["HOME"] = home
        yield from _all(r, (("run", "-m", "sleeper", "x"), *LOOKS))
    r.env["HOME"] = str(r.home)


def few_descriptors(r: Rig) -> Iterator[str]:
    for most in (32, 64):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        r.fresh = True  # commands of their own, with this limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
        try:
            for n in range(most // 2):
                said = r.d("run", "-m", "sleeper", "--id", f"l{most}-{n}", "x")
                if said.broken:
                    yield str(said)
                if said.code:
                    break
            yield from _all(r, (*LOOKS, ("stop", f"l{most}-0")))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        yield from _all(r, (("stop", "--all"), ("clean", "--all", "--force")))
        r.tmux("kill-server")
        until(lambda: not r.store.supervised(), 5)


def few_ptys(r: Rig) -> Iterator[str]:
    """Six workers, four terminals: those that get none fail, once, and the others work on."""
    words = " ".join(
        [
            "unset x;",
            *(f"dispatch run -m sleeper --id p{n} x; echo p{n}:$?;" for n in range(6)),
            "sleep 3; dispatch status --json --all >status; tmux -S",
            r.socket,
            "kill-server",
        ]
    )
    line = f"mount -t devpts -o newinstance,ptmxmode=0666,max=4 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx && {words}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", line], cwd=r.root, env=r.env, capture_output=True, text=True, timeout=300
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        raise Skipped(done.stderr.strip()[:100])
    if "Traceback" in done.stderr or ":3\n" in done.stdout:
        yield f"{done.stdout} {done.stderr[-400:]}"
    tasks = json.loads((r.root / "status").read_text())
    states = {task["id"]: task["state"] for task in tasks}
    if (
        "working" not in states.values()
        or "failed" not in states.values()
        or set(states.values()) - {"working", "failed"}
    ):
        yield f"with 4 terminals: {states}"
    for id in states:
        if [e.data["state"] for e in r.events(id, "state")].count("failed") > 1:
            yield f"{id} failed {[e.data['state'] for e in r.events(id, 'state')]}"


def stopped_supervisor(r: Rig) -> Iterator[str]:
    ids = _askers(r, 2)
    pid = r.supervisor()
    kill(pid, signal.SIGSTOP)
    yield from _all(
        r,
        (
            ("answer", "t0", "-q", "001", "t0 001"),
            ("note", "t1", "noted"),
            ("run", "-m", "sleeper", "--id", "s", "x"),
            *LOOKS,
        ),
    )
    kill(pid, signal.SIGCONT)
    yield from _work_goes_on(r, ids)
    if not until(lambda: r.task("s").state.value == "working", 20):
        yield f"what was started meanwhile is {r.task('s').state.value}: {r.task('s').why}"


def stopped_server(r: Rig) -> Iterator[str]:
    ids = _askers(r, 2)
    pid = r.server_pid()
    kill(pid, signal.SIGSTOP)
    try:
        yield from _all(r, (("run", "-m", "sleeper", "--id", "s", "x"), ("screen", "t0"), ("stop", "s"), *LOOKS))
    finally:
        kill(pid, signal.SIGCONT)
    yield from _work_goes_on(r, ids)
    state = until(
        lambda: r.task("s").state.value in ("working", "failed", "stopped", "lost") and r.task("s").state.value, 20
    )
    if (state == "working") != bool(r.lines("s")):
        yield f"s is {state or r.task('s').state.value}, and its launch lines: {r.lines('s')}"


CASES: dict[str, Callable[[Rig], Iterator[str]]] = {
    case.__name__.replace("_", " "): case
    for case in (
        full_project,
        full_records,
        read_only,
        home_is_full,
        no_home,
        few_descriptors,
        few_ptys,
        stopped_supervisor,
        stopped_server,
    )
}
