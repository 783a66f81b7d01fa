"""Each verb killed, or its disk full, at each of its own changes to the file system; then the same verb again.

Wanted: what was told is so, what was refused can be had by a second try, nothing is there twice. A case is `VERB WHAT N`: WHAT (see
fault.c) happens at the verb's Nth change.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from chaos.rig import HUNG, Result, Rig, Said, chosen, progress, rig, until
from crew import DISPATCH

from dispatch_tmux.store import archive

TRIES = 0  # all
WHAT = ("kill", "full", "half", "once", "eio")
KILLED = -9
PATIENCE = 20.0

ASKS = """cd "$DISPATCH_TASK_DIR"
echo started >>starts
echo 'what now?' >ipc/001.question.tmp && mv ipc/001.question.tmp ipc/001.question
while [ ! -f ipc/001.answer ]; do sleep 0.1; done
cat ipc/001.answer >>answers
: >ipc/001.done
sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md
: >ipc/.done
exec sleep 100000
"""


class Try(NamedTuple):
    """One verb with one fault: `faulty` runs it so, `d` as it is; ID is a name of its own."""

    r: Rig
    id: str
    faulty: Callable[..., Said]

    def asks(self) -> bool:
        return bool(until(lambda: self.r.task(self.id).open_questions, PATIENCE))

    def lines(self, name: str) -> list[str]:
        path = self.r.dir(self.id) / name
        return path.read_text().splitlines() if path.exists() else []

    def start(self, *words: str) -> None:
        said = self.r.d("run", "-m", "w", "--id", self.id, *words, "x")
        if said.code or not self.asks():
            raise RuntimeError(f"no task to try it on: {said}")


def campaign(seed: int, tries: int) -> Result:
    if not shutil.which("gcc"):
        return Result(0, [], ["skipped: there is no gcc for the library that makes the faults"])
    failures: list[str] = []
    with rig("steps") as r:
        library = str(r.base / "fault.so")
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, str(Path(__file__).with_name("fault.c")), "-ldl"], check=True)  # fmt: skip
        r.configure({"w": "sh " + str(r.base / "w.sh"), "sleeper": "sh -c 'exec sleep 100000'"})
        (r.base / "w.sh").write_text(ASKS)
        counts = {name: _count(r, library, name) for name in SCENARIOS}
        names = [f"{name} {what} {n}" for name in SCENARIOS for n in range(1, counts[name] + 1) for what in WHAT]
        names = chosen(names, seed, tries)
        for n, name in enumerate(names):
            found = [f"{name}: {problem}" for problem in _problems(r, library, f"t{n}", name)]
            progress(n, len(names), found)
            failures += found
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    return Result(len(names), failures, [f"changes that a verb makes: {told}"])


def _count(r: Rig, library: str, name: str) -> int:
    """How many changes the verb makes when nothing goes wrong."""
    path = r.base / "count"
    for problem in SCENARIOS[name](Try(r, f"count-{name}", _faulty(r, library, CHAOS_COUNT=str(path)))):
        raise RuntimeError(f"{name} fails without any fault: {problem}")
    _tidy(r, f"count-{name}")
    return len(path.read_text().splitlines())


def _problems(r: Rig, library: str, id: str, name: str) -> list[str]:
    verb, _, fault = name.partition(" ")
    try:
        found = list(SCENARIOS[verb](Try(r, id, _faulty(r, library, CHAOS_FAULT=fault))))
    except (RuntimeError, OSError, ValueError) as e:
        found = [f"{type(e).__name__}: {e}"]
    return found + _tidy(r, id)


def _faulty(r: Rig, library: str, **fault: str) -> Callable[..., Said]:
    def run(*words: str, cwd: Path | None = None, **env: str) -> Said:
        whole = {
            **r.env,
            **env,
            **fault,
            "LD_PRELOAD": library,
            "CHAOS_BELOW": str(r.base),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        try:
            done = subprocess.run([*DISPATCH, *words], cwd=cwd or r.root, env=whole, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)  # fmt: skip
        except subprocess.TimeoutExpired:
            return Said(words, HUNG, "", "")
        return Said(words, done.returncode, done.stdout, done.stderr)

    return run


def _tidy(r: Rig, id: str) -> list[str]:
    """All of the try can be stopped and removed."""
    found = []
    for task in [task["id"] for task in r.tasks() if task["id"].startswith(id)]:
        for words in (("stop", task), ("clean", task, "--force")):
            said = r.d(*words)
            if said.broken or (words[0] == "clean" and said.code):
                found.append(str(said))
        if os.path.lexists(r.own(task)) or os.path.lexists(r.dir(task)):
            found.append(f"left after clean: {task}")
    return found


def _sound(said: Said) -> Iterator[str]:
    if said.broken:
        yield str(said)
    if said.code > 0 and not said.err.strip():
        yield f"refused without a word: {said}"


# --- the verbs: each yields what is wrong


def run(t: Try) -> Iterator[str]:
    first = t.faulty("run", "-m", "w", "--id", t.id, "x")
    yield from _sound(first)
    yield from _started_once(t, first, "run", "-m", "w", "--id", t.id, "x")


def _started_once(t: Try, first: Said, *again: str) -> Iterator[str]:
    if first.code != 0:
        if not t.r.task(t.id).created:
            try:
                os.utime(t.r.own(t.id), (time.time() - 60,) * 2)  # as if a while had gone by
            except FileNotFoundError:
                pass
        second = t.r.d(*again)
        if second.code and "already" not in second.err:
            yield f"a second try: {second} (the first: {first})"
        if "already" in second.err and not until(lambda: t.r.task(t.id).attempt, 3):
            stopped = t.r.d("stop", t.id)  # or a minute later, when it is told as failed
            third = t.r.d("retry", t.id)
            if third.code:
                yield f"it is there and cannot be started: {stopped} {third} (the first: {first}; it is {t.r.task(t.id).state.value})"
    if not t.asks():
        yield f"it never asks: {t.r.task(t.id).state.value} {t.r.task(t.id).why} (the first: {first})"
    elif t.lines("starts") != ["started"]:
        yield f"started {len(t.lines('starts'))} times (the first: {first})"


def batch(t: Try) -> Iterator[str]:
    ids = [f"{t.id}-{n}" for n in range(3)]
    path = t.r.base / "batch.yaml"
    path.write_text(json.dumps({"tasks": [{"id": id, "model": "sleeper", "prompt": "x"} for id in ids]}))
    first = t.faulty("run", "--batch", str(path))
    yield from _sound(first)
    if first.code == 0 and (missing := [id for id in ids if id not in t.r.store.ids()]):
        yield f"told, and not there: {missing}"
    until(lambda: all(t.r.task(id).state.value == "working" for id in ids), 5 if first.code else PATIENCE)
    there = [task for task in t.r.tasks() if task["id"] in ids]
    for task in there:
        if first.code == 0 and task["state"] != "working":
            yield f"told, but {task['id']} is {task['state']}: {task['why']}"


def answer(t: Try) -> Iterator[str]:
    t.start()
    first = t.faulty("answer", t.id, "blue")
    yield from _sound(first)
    if first.code != 0:
        second = t.r.d("answer", t.id, "blue")
        if second.code and not until(lambda: t.lines("answers"), 3):
            yield f"a second try: {second} (the first: {first})"
    if until(lambda: t.lines("answers"), PATIENCE) != ["blue"]:
        yield f"the worker has {t.lines('answers')} (the first: {first})"
    elif not until(lambda: t.r.task(t.id).state.value == "done", PATIENCE):
        yield f"the worker went on, and it is {t.r.task(t.id).state.value}"
    told = [e.data.get("answer") for e in t.r.events(t.id, "answer")]
    if told != ["blue"]:
        yield f"answers on record: {told} (the first: {first})"


def note(t: Try) -> Iterator[str]:
    t.start()
    first = t.faulty("note", t.id, "mind the gap")
    yield from _sound(first)
    if first.code != 0 and (second := t.r.d("note", t.id, "mind the gap")).code:
        yield f"a second try: {second} (the first: {first})"
    if not until(lambda: "mind the gap" in t.r.store.plan(t.id), 5):
        yield f"the note is not in the plan (the first: {first})"
    elif (n := t.r.store.plan(t.id).count("mind the gap")) > 1:
        yield f"the note stands {n} times in the plan (the first: {first})"


def stop(t: Try) -> Iterator[str]:
    t.start()
    first = t.faulty("stop", t.id)
    yield from _sound(first)
    if first.code != 0 and (second := t.r.d("stop", t.id)).code and t.r.task(t.id).state.value != "stopped":
        yield f"a second try: {second} (the first: {first})"
    if not until(lambda: not t.r.lines(t.id) + t.r.programs(t.id), 10):
        yield f"its processes live: {t.r.lines(t.id) + t.r.programs(t.id)} (the first: {first})"
    if not until(lambda: t.r.task(t.id).state.value == "stopped", 10):
        yield f"it is {t.r.task(t.id).state.value} (the first: {first})"


def retry(t: Try) -> Iterator[str]:
    t.start()
    t.r.d("stop", t.id)
    first = t.faulty("retry", t.id)
    yield from _sound(first)
    if first.code != 0:
        until(lambda: t.r.task(t.id).attempt == 2, 2)
        second = t.r.d("retry", t.id)
        if second.code and t.r.task(t.id).attempt < 2:
            yield f"a second try: {second} (the first: {first})"
    if not until(lambda: len(t.lines("starts")) == 2, PATIENCE):
        yield f"started {len(t.lines('starts'))} times, and it is {t.r.task(t.id).state.value} (the first: {first})"


def clean(t: Try) -> Iterator[str]:
    t.start()
    t.r.d("stop", t.id)
    first = t.faulty("clean", t.id)
    yield from _sound(first)
    if first.code == 0 and os.path.lexists(t.r.own(t.id)):
        yield "told, and it is there"
    if not os.path.lexists(t.r.own(t.id)) and t.id not in [e.id for e in archive.entries(t.r.store.records)]:
        yield f"gone, and not in the archive (the first: {first})"
    if os.path.lexists(t.r.own(t.id)) and (second := t.r.d("clean", t.id)).code:
        yield f"a second try: {second} (the first: {first})"
    t.start()  # the id is free again


def send(t: Try) -> Iterator[str]:
    received = t.r.base / f"{t.id}.received"
    t.r.d("run", "-m", "demo", "--id", t.id, "--item", "look", "x", DEMO_RECEIVED=str(received), DEMO_PACE="0.05")
    if not until(lambda: t.r.task(t.id).state.value == "done", PATIENCE):
        raise RuntimeError(f"the demo worker is {t.r.task(t.id).state.value}: {t.r.task(t.id).why} {t.r.log()[-300:]}")
    first = t.faulty("send", t.id, "the words of the first")
    yield from _sound(first)
    second = t.r.d("send", t.id, "the words of the second")
    if second.code:
        yield f"the next message: {second} (the first: {first})"

    def got(words: str) -> int:
        return received.read_text().count(words) if received.exists() else 0

    until(lambda: got("the second") and (first.code or got("the first")), PATIENCE)
    if got("the second") != 1 or got("the first") > 1 or (first.code == 0 and not got("the first")):
        yield f"received: the first {got('the first')} times, the second {got('the second')} times (the first: {first})"


def wait(t: Try) -> Iterator[str]:
    t.start()
    first = t.faulty("wait", t.id, "--as", t.id, "--timeout", "5")
    yield from _sound(first)
    second = t.r.d("wait", t.id, "--as", t.id, "--timeout", "0.5")
    if "what now?" not in first.out + second.out:
        yield f"the question was never told: {first} {second}"
    if first.code == 0 and "what now?" in second.out:
        yield f"told twice, though the first ended well: {second}"


def alias(t: Try) -> Iterator[str]:
    before = t.r.config_path.read_text()
    first = t.faulty("config", "add-alias", t.id, "sleeper")
    yield from _sound(first)
    after = t.r.config_path.read_text()
    if after != before and t.id not in after:
        yield "the configuration is neither the old one nor the new one"
    if (first.code == 0) != (t.id in after) and first.code != KILLED:
        yield f"the configuration has it: {t.id in after} ({first})"
    if t.id not in after and (second := t.r.d("config", "add-alias", t.id, "sleeper")).code:
        yield f"a second try: {second}"
    if (third := t.r.d("config", "remove-alias", t.id)).code:
        yield str(third)


def pause(t: Try) -> Iterator[str]:
    try:
        first = t.faulty("pause")
        yield from _sound(first)
        if first.code == 0 and not t.r.store.paused():
            yield "told, and it is not paused"
        again = t.faulty("resume-queue")
        yield from _sound(again)
        if again.code == 0 and t.r.store.paused():
            yield "told, and it is paused"
    finally:
        t.r.d("resume-queue")


def first_run(t: Try) -> Iterator[str]:
    """The first verb in a project: its registration, too."""
    root = t.r.base / f"fresh-{t.id}"
    root.mkdir()
    first = t.faulty("run", "-m", "sleeper", "--id", "a", "x", cwd=root)
    yield from _sound(first)
    second = first if first.code == 0 else t.r.d("run", "-m", "sleeper", "--id", "b", "x", cwd=root)
    if second.code:
        yield f"the next one: {second} (the first: {first})"
    third = t.r.d("stop", "--all", cwd=root)
    if third.code:
        yield str(third)
    _end_project(t.r, root)


def migrate(t: Try) -> Iterator[str]:
    """The first verb in a project of an earlier version: nothing is lost."""
    root = t.r.base / f"old-{t.id}"
    for n in range(3):
        _old_task(root, f"old-{n}")
    first = t.faulty("status", "--all", cwd=root)
    yield from _sound(first)
    said = t.r.d("status", "--all", "--json", cwd=root)
    tasks = {task["id"]: task["state"] for task in json.loads(said.out)} if said.code == 0 else str(said)
    if tasks != {f"old-{n}": "done" for n in range(3)}:
        yield f"afterwards there is {tasks} (the first: {first})"
    _end_project(t.r, root)


def _old_task(root: Path, id: str) -> None:
    task = root / ".dispatch" / "tasks" / id
    for folder in ("inbox", "ipc", "signals"):
        (task / folder).mkdir(parents=True)
    now = time.time()
    created = {
        "t": now,
        "kind": "created",
        "key": "created",
        "title": id,
        "model": "w",
        "backend": "w",
        "marks": "x",
        "cwd": str(root),
    }
    done = {"t": now, "kind": "state", "key": "state:1", "state": "done"}
    (task / "journal.jsonl").write_text(json.dumps(created) + "\n" + json.dumps(done) + "\n")
    (task / "task.yaml").write_text(f"prompt: {id}\nbackend: w\nmodel: w\n")
    (task / "plan.md").write_text(f"# {id}\n\n- [x] {id}\n")
    (root / ".dispatch").chmod(0o700)


def _end_project(r: Rig, root: Path) -> None:
    for line in r.tmux("list-panes", "-a", "-F", "#{session_id} #{pane_current_path}").text.splitlines():
        session, _, path = line.partition(" ")
        if path == str(root):
            r.tmux("kill-session", "-t", session)
    shutil.rmtree(root, ignore_errors=True)


SCENARIOS: dict[str, Callable[[Try], Iterator[str]]] = {
    verb.__name__: verb
    for verb in (run, batch, answer, note, stop, retry, clean, send, wait, alias, pause, first_run, migrate)
}
