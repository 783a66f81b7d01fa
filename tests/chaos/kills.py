"""Anything killed at any moment while verbs run: verbs, supervisor, its loop, launch lines, programs, panes, the tmux server.

Wanted: no task runs twice, none is said to live that is dead or the other way round, none is half there, and all can be taken up again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections import Counter
from typing import Any

import yaml
from chaos.rig import Result, Rig, kill, progress, rig, until

TRIES = 150
LIVE = ("working", "waiting", "idle")
DEAD = ("lost", "failed", "stopped", "queued")
MANY = 20  # workers, then they are stopped
WHAT = [*["verb"] * 8, "server", "pane", "pane", "line", "line", "supervisor", "supervisor", "program", "window 0", "loop", "verb, supervisor", "verb, supervisor", "verb, server"]  # fmt: skip
WORKER = """
echo $$ >>"$DISPATCH_TASK_DIR/starts"
cd "$DISPATCH_TASK_DIR"
sleep 0.2
echo 'what now?' >ipc/001.question.tmp && mv ipc/001.question.tmp ipc/001.question
while [ ! -f ipc/001.answer ]; do sleep 0.1; done
: >ipc/001.done
sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md
: >ipc/.done
exec sleep 100000
"""
GITTER = """
echo $$ >>"$DISPATCH_TASK_DIR/starts"
echo "$DISPATCH_TASK" >"new-$DISPATCH_TASK.txt"; git add -A; git commit -qm "$DISPATCH_TASK"
cd "$DISPATCH_TASK_DIR"
sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md
: >ipc/.done
"""


def campaign(seed: int, tries: int) -> Result:
    with rig("kills") as r:
        r.repository()
        for name, text in (("w.sh", WORKER), ("g.sh", GITTER)):
            (r.base / name).write_text(text)
        r.configure({"worker": f"sh {r.base / 'w.sh'}", "giter": f"sh {r.base / 'g.sh'}"})
        storm = _Storm(r, random.Random(seed))
        for n in range(tries):
            found = storm.step(n)
            progress(n, tries, found)
            storm.failures += found
        storm.failures += storm.end()
    killed = ", ".join(f"{count} × {what}" for what, count in storm.killed.most_common())
    return Result(tries, storm.failures, [f"killed {sum(storm.killed.values())}: {killed}"])


class _Storm:
    def __init__(self, r: Rig, rng: random.Random) -> None:
        self.r, self.rng = r, rng
        self.failures: list[str] = []
        self.killed: Counter[str] = Counter()
        self.last: list[str] = []
        self.made = 0

    def step(self, n: int) -> list[str]:
        what, r = self.rng.choice(WHAT), self.r
        words = self._verb() if "verb" in what else []
        self.last = [*self.last[-5:], f"{what} {' '.join(words)}".strip()]
        process = r.popen(*words) if words else None
        if process:
            time.sleep(
                self.rng.choice([self.rng.uniform(0, 0.5), self.rng.uniform(0.1, 0.9), self.rng.uniform(0.2, 2)])
            )
        found = []
        if what == "verb" and process:
            self.killed[f"verb {words[0]}"] += process.poll() is None
            process.kill()
        self._kill(what.rpartition(", ")[2])
        if process:
            try:
                _, err = process.communicate(timeout=60)
                if process.returncode == 3 or "Traceback" in err:
                    found.append(f"`{' '.join(words)}` → {process.returncode}: {err[:300]!r}")
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                found.append(f"`{' '.join(words)}` hangs after: {what}")
        found += self._wrong(thorough=n % 8 == 7)
        if n % 8 == 7 and self.rng.random() < 0.5:
            r.d("clean", "--all", "--force", seconds=120)
        if sum(len(r.lines(id)) for id in r.store.ids()) > MANY:
            r.d("stop", "--all", seconds=120)
        return [f"{line} (after {self.last})" for line in found]

    # --- what is done

    def _id(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}"

    def _pick(self, *states: str, worktree: bool = False) -> str:
        found = [t["id"] for t in self.r.tasks() if t["state"] in states and (not worktree or t["worktree"])]
        return self.rng.choice(found) if found else ""

    def _verb(self) -> list[str]:
        rng, verb = (
            self.rng,
            self.rng.choice(
                "run run run worktree batch answer answer note send merge drop clean config retry stop stop-all resume status wait pause resume-queue".split()
            ),
        )
        one: dict[str, Any] = {
            "run": lambda: ["run", "-m", "worker", "--id", self._id("r"), "job"],
            "worktree": lambda: ["run", "-m", "giter", "--worktree", "--id", self._id("g"), "job"],
            "batch": self._batch,
            "answer": lambda: _with(["answer"], self._pick("waiting"), "yes"),
            "note": lambda: _with(["note"], self._pick(*LIVE, "done"), "mind this"),
            "send": lambda: _with(["send"], self._pick(*LIVE, "done"), "hello"),
            "merge": lambda: _with(["merge"], self._pick("done", worktree=True), "--commit", "rest"),
            "drop": lambda: _with(["drop"], self._pick("done", "stopped", "failed", worktree=True), "--force"),
            "clean": lambda: ["clean", "--force", *(["--all"] if rng.random() < 0.5 else [])],
            "config": lambda: ["config", "set-default", rng.choice(["worker", "giter"])],
            "retry": lambda: _with(["retry"], self._pick("failed", "stopped", "lost")),
            "stop": lambda: _with(["stop"], self._pick(*LIVE)),
            "stop-all": lambda: ["stop", "--all"] if rng.random() < 0.3 else [],
            "resume": lambda: ["resume", "--all"],
            "wait": lambda: ["wait", "--timeout", "1", "--as", "x"],
            "pause": lambda: ["pause"] if rng.random() < 0.3 else [],
        }  # fmt: skip
        words: list[str] = one.get(verb, lambda: [verb])()
        return words or ["run", "-m", "worker", "--id", self._id("r"), "job"]

    def _batch(self) -> list[str]:
        id = self._id("b")
        path = self.r.base / f"{id}.yaml"
        path.write_text(
            json.dumps({"tasks": [{"id": f"{id}-{n}", "model": "worker", "prompt": "x"} for n in range(4)]})
        )
        return ["run", "--batch", str(path)]

    def _kill(self, what: str) -> None:
        r, rng = self.r, self.rng
        if what in ("pane", "window 0"):
            panes = [pane for pane, task in r.windows() if task] if what == "pane" else [r.window0()]
            if any(panes):
                r.tmux("kill-pane", "-t", rng.choice(panes))
                self.killed[what] += 1
            return
        pids = {
            "server": lambda: [r.server_pid()],
            "supervisor": lambda: [r.supervisor()],
            "line": lambda: list(r.processes("launch.sh")),
            "program": lambda: list(r.processes("sleep ")),
            "loop": lambda: list(r.processes("supervise.sh")),
        }.get(what, list)()  # fmt: skip
        if pids and kill(rng.choice(sorted(pids))):
            self.killed[what] += 1

    # --- what must be so

    def _wrong(self, thorough: bool) -> list[str]:
        r = self.r
        found = [f"{id} runs {len(lines)} times" for id in r.store.ids() if len(lines := r.lines(id)) > 1]
        said = r.d("status", "--json", "--all", seconds=30)
        if said.code:
            return [*found, str(said)]
        if thorough:
            for task in json.loads(said.out):
                if not until(lambda id=task["id"]: self._is_true(id), 8, 0.3):
                    now = next((t for t in r.tasks() if t["id"] == task["id"]), {})
                    found.append(
                        f"{task['id']} is said to be {now.get('state')} ({now.get('why')}); its launch lines: {r.lines(task['id'])}; supervisor {r.supervisor()}: {r.log()[-200:]}"
                    )
            try:
                yaml.safe_load(r.config_path.read_text())
            except yaml.YAMLError as e:
                found.append(f"the configuration is broken: {e}")
        return found

    def _is_true(self, id: str) -> bool:
        task = next((t for t in self.r.tasks() if t["id"] == id), None)
        if task is None or not task["attempt"]:
            return True
        return not ((task["state"] in LIVE and not self.r.lines(id)) or (task["state"] in DEAD and self.r.lines(id)))

    def end(self) -> list[str]:
        """When the storm is over: all is taken up, nothing is half there, nothing is left."""
        r, found = self.r, []
        r.d("resume-queue")
        said = r.d("resume", "--all", seconds=120)
        found += [str(said)] if said.broken else []
        until(lambda: not [t for t in r.tasks() if t["state"] == "lost"], 10, 0.3)
        found += [
            f"{t['id']} is lost still: {t['why']}; {said}; {[(e.kind, e.data.get('attempt'), e.data.get('state')) for e in r.events(t['id'])][-8:]}"
            for t in r.tasks()
            if t["state"] == "lost"
        ]
        found += self._wrong(thorough=True)
        r.d("run", "-m", "worker", "--id", "last", "x")
        if not until(lambda: r.task("last").open_questions, 20):
            found.append(f"a new worker is not served: {r.log()[-300:]}")
        for task in r.tasks():
            starts = r.dir(task["id"]) / "starts"
            if starts.exists() and len(starts.read_text().split()) > task["attempt"]:
                found.append(
                    f"{task['id']} was started {len(starts.read_text().split())} times in {task['attempt']} attempts"
                )
            if (
                task["state"] == "queued"
                and not r.store.requests(task["id"])
                and r.task(task["id"]).created < time.time() - 75
            ):
                found.append(f"{task['id']} is queued, and nobody asks for its start")
        listed = r.git("worktree", "list").stdout
        if "dispatch-merge" in listed:
            found.append(f"a checkout of a merge is left: {listed}")
        found += [str(said) for said in [r.d("stop", "--all", seconds=120)] if said.code]
        if not until(lambda: not r.processes("launch.sh"), 10):
            found.append(f"processes live after stop --all: {list(r.processes('launch.sh'))}")
        for id in r.store.ids():  # halves, too
            if r.store.is_abandoned(id):
                os.utime(r.own(id), (1, 1))
        said = r.d("clean", "--all", "--force", seconds=120)
        if said.broken:
            found.append(str(said))
        left = [id for id in r.store.ids() if not r.store.is_abandoned(id)]
        if left:
            found.append(f"left after clean --all --force: {left}: {said}")
        temporary = [path.name for path in (r.home / ".dispatch").rglob("*.tmp")]
        self.killed["(temporary files that they left)"] = len(temporary)
        return found


def _with(verb: list[str], id: str, *rest: str) -> list[str]:
    return [*verb, id, *rest] if id else []
