"""A worker that may write nothing but its own directory (as CLIs' sandboxes allow) does there whatever it can.

Wanted: dispatch starts nothing for it, ends nobody else's process, removes nothing of the person's, reads and writes through no link.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from chaos.rig import Result, Rig, chosen, progress, rig, until

TRIES = 0  # all
NAMES = (
    "plan.md", "prompt.md", "output.md", "context.md", "session", "ipc/001.answer", "ipc/001.done", "ipc/.done", "ipc/001.question", "ipc/001.flag", "signals/x.json",
    "terminal.log", "screen.txt", "journal.jsonl", "task.yaml", "exit", "exit.tmp", "process-1", "process-2", "usage.json", "set-up", "door/open",
)  # fmt: skip


def campaign(seed: int, tries: int) -> Result:
    cases = chosen(list(CASES), seed, tries)
    failures: list[str] = []
    with rig("sandbox") as r:
        r.configure({"w": "sh -c 'exec sleep 100000'"})
        r.repository()
        for n, case in enumerate(cases):
            id = f"t{n}"
            r.d("run", "-m", "w", "--id", id, "x")
            until(lambda id=id: r.task(id).state.value == "working", 20)
            found = [f"{case}: {problem}" for problem in CASES[case](r, id)]
            progress(n, len(cases), found)
            failures += found
            r.d("stop", id)
            r.d("clean", id, "--force")
    return Result(len(cases), failures)


def _evil(r: Rig) -> tuple[Path, Path]:
    """A directory of programs that leave a mark, and the mark."""
    mark, programs = r.base / "escaped", r.base / "evil"
    programs.mkdir(exist_ok=True)
    for name in ("sh", "python3", "env", "sleep"):
        (programs / name).write_text(f"#!/bin/bash\nid >{mark}\nexec /bin/sleep 1000\n")
        (programs / name).chmod(0o755)
    return programs, mark


def _ran(mark: Path) -> Iterator[str]:
    time.sleep(1.5)
    if mark.exists():
        mark.unlink()
        yield "a program of the worker's choice was started"


def request(r: Rig, id: str) -> Iterator[str]:
    programs, mark = _evil(r)
    inbox = r.dir(id) / "inbox"
    inbox.mkdir(exist_ok=True)
    for attempt in (1, 2, 99):
        data = {"kind": "launch", "attempt": attempt, "at_once": True, "env": {"PATH": f"{programs}:/usr/bin:/bin"}}
        (inbox / f"{attempt}-1.json").write_text(json.dumps(data))
    for verb in (("status",), ("note", id, "x"), ("wait", "--timeout", "1", "--as", "s")):
        r.d(*verb)
    yield from _ran(mark)
    if len(r.events(id, "starting")) > 1:
        yield "another attempt was begun"


def launch_file(r: Rig, id: str) -> Iterator[str]:
    programs, mark = _evil(r)
    for number in range(60):
        argv = ["sh", "-c", f"id >{mark}; exec sleep 1000"]
        data = {
            "argv": argv,
            "env": {"PATH": f"{programs}:/usr/bin:/bin"},
            "cwd": "/",
            "sh": "/dev/null",
            "setup": argv,
        }
        (r.dir(id) / f"launch-2-{number}.json").write_text(json.dumps(data))
    r.d("stop", id)
    r.d("retry", id)
    yield from _ran(mark)


def permissions(r: Rig, id: str) -> Iterator[str]:
    (r.dir(id) / "task.yaml").write_text("prompt: x\nmodel: w\nbackend: w\npermissions: skip\n")
    r.d("stop", id)
    r.d("retry", id)
    if "skip" in (r.own(id) / "task.yaml").read_text():
        yield "the next attempt has permissions: skip"


def anothers_process(r: Rig, id: str) -> Iterator[str]:
    victim = subprocess.Popen(["sleep", "1000"])
    began = Path(f"/proc/{victim.pid}/stat").read_text().rpartition(")")[2].split()[19]
    for name in ("process-1", "pid", "process-2"):
        (r.dir(id) / name).write_text(f"{victim.pid} {began}\n")
    r.d("stop", id)
    if victim.poll() is not None:
        yield "`stop` ended a process of the person's"
    victim.kill()
    victim.wait()
    if r.programs(id):
        yield "and its own one lives"


def worktree_in_journal(r: Rig, id: str) -> Iterator[str]:
    mine = r.base / "mine"
    r.git("worktree", "add", "-q", "-b", "mine", str(mine))
    (mine / "unsaved").write_text("precious")
    event = {
        "t": time.time(),
        "kind": "worktree",
        "path": str(mine),
        "cwd": str(mine),
        "branch": "mine",
        "base": "HEAD",
        "ours": True,
    }
    (r.dir(id) / "journal.jsonl").write_text(json.dumps(event) + "\n")
    for verb in (("stop", id), ("drop", id, "--force"), ("clean", id, "--force")):
        r.d(*verb)
    if not (mine / "unsaved").exists():
        yield "a worktree of the person's was removed"
    r.git("worktree", "remove", "--force", str(mine))
    r.git("branch", "-D", "mine")


def links(r: Rig, id: str) -> Iterator[str]:
    """Links in place of every file, to files of the person's: written through? read out?"""
    victims = {name: r.base / f"victim-{name.replace('/', '-')}" for name in NAMES}
    for name, victim in victims.items():
        victim.write_text("precious 4711\n")
        path = r.dir(id) / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(victim)
    shown = ""
    for verb in (("answer", id, "an answer"), ("note", id, "a note"), ("status", id), ("questions",), ("report", "--html", str(r.base / "r.html")), ("stop", id),
                 ("retry", id), ("stop", id), ("retry", id, "--fresh"), ("logs", id), ("screen", id), ("wait", "--timeout", "1", "--as", id)):  # fmt: skip
        said = r.d(*verb)
        shown += said.out + said.err
    shown += (r.base / "r.html").read_text()
    if "4711" in shown:
        yield "a file of the person's was read through a link"
    for name, victim in victims.items():
        if victim.read_text() != "precious 4711\n":
            yield f"{name} was written through a link"


def folder_links(r: Rig, id: str) -> Iterator[str]:
    """Links in place of directories."""
    for name in ("ipc", "signals", "door"):
        lure = r.base / f"lure-{name}"
        shutil.rmtree(lure, ignore_errors=True)
        lure.mkdir()
        for file in ("001.question", "x.json", "open", "001.flag"):
            (lure / file).write_text('{"secret": 4711}\n')
        path = r.dir(id) / name
        shutil.rmtree(path, ignore_errors=True)
        path.symlink_to(lure)
        before = sorted(os.listdir(lure))
        shown = "".join(
            r.d(*verb).out
            for verb in (
                ("answer", id, "y"),
                ("questions",),
                ("note", id, "x"),
                ("wait", "--timeout", "0.5", "--as", f"{id}{name}"),
            )
        )
        if sorted(os.listdir(lure)) != before:
            yield f"{name} → elsewhere: {sorted(set(os.listdir(lure)) ^ set(before))} changed there"
        if "4711" in shown:
            yield f"{name} → elsewhere: read there"


def whole_directory(r: Rig, id: str) -> Iterator[str]:
    """Its directory itself a link to the person's files, then cleaned."""
    mine = r.base / "files"
    mine.mkdir(exist_ok=True)
    (mine / "plan.md").write_text("precious\n")
    shutil.rmtree(r.dir(id))
    r.dir(id).symlink_to(mine)
    for verb in (("note", id, "x"), ("stop", id), ("retry", id), ("stop", id), ("clean", id, "--force")):
        r.d(*verb)
    if not (mine / "plan.md").exists() or (mine / "plan.md").read_text() != "precious\n":
        yield "the person's files were changed or removed"


def flood(r: Rig, id: str) -> Iterator[str]:
    """Thousands of files of each kind: another worker is served meanwhile."""
    other = f"{id}-other"
    r.d("run", "-m", "w", "--id", other, "x")
    for n in range(1, 2001):
        (r.dir(id) / "ipc" / f"{n:03}.question").write_text("x?\n")
        (r.dir(id) / "ipc" / f"{n:03}.flag").write_text("x\n")
        (r.dir(id) / "signals" / f"{n}.json").write_text("{}")
    began = time.monotonic()
    (r.dir(other) / "ipc" / "001.tmp").write_text("other?\n")
    (r.dir(other) / "ipc" / "001.tmp").rename(r.dir(other) / "ipc" / "001.question")
    until(lambda: r.task(other).open_questions, 30)
    if (seconds := time.monotonic() - began) > 5:
        yield f"another worker's question was on record after {seconds:.1f} s"
    for verb in (("status",), ("questions",), ("wait", "--timeout", "0", "--as", "f")):
        if (said := r.d(*verb, seconds=20)).broken:
            yield str(said)
    r.d("stop", other)
    r.d("clean", other, "--force")


CASES: dict[str, Callable[[Rig, str], Iterator[str]]] = {
    case.__name__.replace("_", " "): case
    for case in (
        request,
        launch_file,
        permissions,
        anothers_process,
        worktree_in_journal,
        links,
        folder_links,
        whole_directory,
        flood,
    )
}
