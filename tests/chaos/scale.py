"""Many workers, many tasks, long journals: what they cost. --tries is how many workers live; --only picks one of the figures.

Limits are for a machine that does nothing else: each is multiplied by the load per processor, which is told beside the figure.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from chaos import rig as rigs
from chaos.rig import Result, Rig, kill, rig, until

TRIES = 200
FINISHED = 10_000  # tasks that are over
EVENTS = 100_000  # of a long journal
PAINTERS = 50
PAINTER = 'while :; do i=$((i + 1)); printf \'\\r%s %0300d\' "$i" "$i"; sleep 0.1; done\n'


class Figures:
    """What was measured, against its limits."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.failures: list[str] = []

    def told(self, name: str, value: float, unit: str, limit: float) -> None:
        load = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        line = f"{name}: {value:.3g} {unit} (limit {limit:g}, load {load:.1f} a processor)"
        self.notes.append(line)
        print(f"  {line}", file=sys.stderr, flush=True)  # at once, for whoever waits
        if value > limit * load:
            self.failures.append(line)


def campaign(seed: int, tries: int) -> Result:
    figures, random_ = Figures(), random.Random(seed)
    parts: list[Callable[[Rig, Figures, random.Random, int], None]] = [idle, painters, finished, long_journal]
    chosen = [part for part in parts if rigs.ONLY in part.__name__]
    for part in chosen:
        with rig("scale") as made:
            part(made, figures, random_, tries)
    return Result(len(figures.notes), figures.failures, figures.notes)


def seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def start(made: Rig, model: str, count: int) -> list[str]:
    """COUNT workers, by batches of as many as may be in one."""
    ids = [f"w{n}" for n in range(count)]
    for first in range(0, count, 200):
        file = made.base / f"batch-{first}.yaml"
        tasks = [{"id": id, "model": model, "prompt": "x"} for id in ids[first : first + 200]]
        file.write_text(json.dumps({"tasks": tasks}))
        made.d("run", "--batch", str(file), seconds=600)
    until(lambda: all(made.task(id).started for id in ids), 600)
    return ids


def cost(made: Rig, length: float) -> tuple[float, float]:
    """The supervisor's part of a core in percent over LENGTH seconds, and its memory in MB."""
    pid = made.supervisor()

    def ticks() -> int:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(words[11]) + int(words[12])

    before, began = ticks(), time.monotonic()
    time.sleep(length)
    spent = (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began) * 100
    return spent, int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def ask(made: Rig, id: str) -> float:
    """Seconds until a question of worker ID is on record."""
    (made.dir(id) / "ipc" / "900.question").write_text("which?\n")
    return seconds(lambda: until(lambda: made.task(id).question("900"), 60, 0.005))


def idle(made: Rig, figures: Figures, random_: random.Random, tries: int) -> None:
    """Workers that do nothing: what they cost, and a supervisor that comes back to them."""
    made.configure({"sleeper": "sh -c 'exec sleep 100000'"})
    figures.told(f"{tries} workers started", seconds(lambda: start(made, "sleeper", tries)), "s", tries * 0.08)
    time.sleep(3)
    cpu, memory = cost(made, 15)
    figures.told(f"{tries} idle workers: supervisor", cpu, "% of a core", 1.5)
    figures.told(f"{tries} idle workers: memory", memory, "MB", 90)
    before = {task["id"]: task["state"] for task in made.tasks()}
    one = f"w{random_.randrange(tries)}"
    kill(made.supervisor())
    figures.told(f"supervisor killed, a question of {one} served", ask(made, one), "s", 1)
    after = {task["id"]: task["state"] for task in made.tasks()}
    wrong = {id: (state, after.get(id)) for id, state in before.items() if after.get(id) != state and id != one}
    if wrong:
        figures.failures.append(f"states differ after the supervisor was killed: {wrong}")
    figures.told(
        f"stop --all of {tries}", seconds(lambda: made.d("stop", "--all", seconds=600)), "s", max(2.0, tries * 0.02)
    )
    if left := made.processes("sleep 100000"):
        figures.failures.append(f"stop --all left {len(left)} processes")


def painters(made: Rig, figures: Figures, random_: random.Random, tries: int) -> None:
    """Workers whose screens never rest."""
    made.configure({"painter": made.script("paint.sh", PAINTER)})
    start(made, "painter", PAINTERS)
    time.sleep(3)
    figures.told(f"{PAINTERS} workers that paint: supervisor", cost(made, 15)[0], "% of a core", 8)
    figures.told("beside them, a question served", ask(made, f"w{random_.randrange(PAINTERS)}"), "s", 0.2)


def finished(made: Rig, figures: Figures, random_: random.Random, tries: int) -> None:
    """Tasks that are over."""
    made.store.prepare()
    for n in range(FINISHED):
        id, t = f"old-{n}", 1.7e9 + n
        made.store.claim(id)
        events = [
            {"t": t, "kind": "created", "key": "created", "title": "old", "model": "demo", "backend": "demo", "cwd": "/", "marks": "x"},
            {"t": t, "kind": "starting", "key": "starting:1", "attempt": 1},
            {"t": t, "kind": "exited", "key": "exited:1", "code": 0, "attempt": 1},
            {"t": t, "kind": "state", "key": "state:2", "state": "done"},
        ]  # fmt: skip
        Path(made.store.own(id, "journal.jsonl")).write_text("".join(json.dumps(e) + "\n" for e in events))
    figures.told(f"status of {FINISHED} finished tasks, first", seconds(lambda: made.d("status", seconds=600)), "s", 4)
    figures.told("and again", seconds(lambda: made.d("status", seconds=600)), "s", 1)
    figures.told(f"clean of {FINISHED}", seconds(lambda: made.d("clean", "--all", seconds=600)), "s", 5)
    if made.store.ids():
        figures.failures.append(f"clean left {len(made.store.ids())} tasks")


def long_journal(made: Rig, figures: Figures, random_: random.Random, tries: int) -> None:
    """A task with as many events as one may ever have."""
    made.store.prepare()
    made.store.claim("long")
    made.store.append("long", "created", "created", title="x", model="demo", backend="demo", cwd="/", marks=" ")

    def appended(count: int) -> float:
        first = random_.randrange(1 << 40)
        return seconds(lambda: [made.store.append("long", "note", f"n:{first + n}", text="y") for n in range(count)])

    few = appended(200)
    with open(made.store.own("long", "journal.jsonl"), "a") as journal:
        journal.writelines(
            json.dumps({"t": 1.7e9 + n, "kind": "state", "key": f"state:{n}", "state": "queued", "why": "w" * 1150})
            + "\n"
            for n in range(EVENTS)
        )
    figures.told(f"the first look at {EVENTS} events", seconds(lambda: made.store.task("long")), "s", 2)
    figures.told(f"an event after {EVENTS} / after none", appended(200) / few, "×", 2)
    size = made.store.size("long") >> 20
    figures.told(
        f"`status` of its {size} MB by another process", seconds(lambda: made.d("status", seconds=60)), "s", 0.3
    )
