"""python tests/benchmarks/soak.py SECONDS [WORKERS] [SEED]: a crew under a restless person; was any state wrong for over a second?

Demo workers with random plans write down what they really do and since when (DEMO_TRUTH). Meanwhile their dialogues are answered
with `dispatch answer` or by keys, drafts are typed and removed, messages sent, windows resized, clients attached and detached, the
supervisor killed. In the end each worker's own record is laid beside the states in its journal.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from crew import DISPATCH, Crew

FITS = {
    "question": {"waiting"},
    "busy": {"working"},
    "ready": {"done", "idle"},
}  # fmt: skip
GRACE = 1.0  # seconds that a state may be wrong


class Wrong(NamedTuple):
    task: str
    at: float
    really: str
    said: str
    seconds: float


def plan(rng: random.Random) -> list[str]:
    kinds = [
        lambda n: f"look around {n}",
        lambda n: f"sleep {rng.uniform(0.2, 5):.3f}{n}",
        lambda n: f"choose: colour {n}? (choices: red | blue | green)",
        lambda n: f"multi: which of {n}? (choices: a | b | c)",
        lambda n: f"type: a name for {n}?",
        lambda n: f"ask: what of {n}? (choices: this | that)",
        lambda n: f"flood 3 for 1 ({n})",
    ]
    return [rng.choice(kinds)(n) for n in range(rng.randint(3, 12))]


class Soak:
    def __init__(self, crew: Crew, workers: int, seed: int) -> None:
        self.crew, self.workers, self.rng = crew, workers, random.Random(seed)
        self.ids: list[str] = []
        self.did: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.restarts: list[float] = []
        self.closed: set[str] = set()  # those that have finished and been stopped
        self.over = False

    def truth(self, id: str) -> Path:
        return self.crew.base / f"truth-{id}"

    def start(self) -> None:
        with self.lock:
            id = f"w{len(self.ids) + 1}"
            self.ids.append(id)
        items = [word for item in plan(self.rng) for word in ("--item", item)]
        self.crew.run("run", "-m", "demo", "--id", id, *items, "soak", DEMO_TRUTH=str(self.truth(id)), DEMO_PACE="0.7")
        self.did["start"] += 1

    def live(self) -> list[str]:
        return [id for id in self.ids if not self.crew.task(id).ended]

    def person(self) -> None:
        """One of those who sit there."""
        acts = [self.answer] * 8 + [self.type] * 2 + [self.draft, self.send, self.resize, self.attach, self.look]
        while not self.over:
            act = self.rng.choice(acts)
            try:
                act()
                self.did[act.__name__] += 1
            except (AssertionError, subprocess.SubprocessError, OSError, IndexError, ValueError):
                self.did[f"{act.__name__} (not possible)"] += 1
            time.sleep(self.rng.uniform(0.05, 0.4))

    def answer(self) -> None:
        id = self.rng.choice([i for i in self.live() if self.crew.task(i).open_questions])
        q = self.crew.task(id).open_questions[0]
        picks = [c.key for c in q.choices]
        words = (
            ["--choice", ",".join(picks[:2]) if q.kind == "multi" else self.rng.choice(picks)]
            if picks
            else ["some words"]
        )
        self.crew.run("answer", id, "--question", q.id, *words)

    def type(self) -> None:
        """Answer at the keyboard."""
        id = self.rng.choice(
            [i for i in self.live() if any(q.via == "screen" for q in self.crew.task(i).open_questions)]
        )
        q = self.crew.task(id).open_questions[0]
        keys = ["1"] if q.choices else ["x"]
        for key in [*keys, *([] if q.kind == "choice" else ["Enter"])]:
            self.crew.tmux("send-keys", "-t", self.crew.task(id).pane, key)
            time.sleep(0.2)

    def draft(self) -> None:
        id = self.rng.choice(self.live())
        pane = self.crew.task(id).pane
        if self.crew.task(id).open_questions:
            return
        self.crew.tmux("send-keys", "-t", pane, "-l", "half a thought")
        time.sleep(self.rng.uniform(0.1, 2))
        self.crew.tmux("send-keys", "-t", pane, "C-u")

    def send(self) -> None:
        self.crew.run("send", self.rng.choice(self.live()), "by the way")

    def resize(self) -> None:
        pane = self.crew.task(self.rng.choice(self.live())).pane
        self.crew.tmux(
            "resize-window", "-t", pane, "-x", str(self.rng.randint(40, 220)), "-y", str(self.rng.randint(12, 60))
        )

    def attach(self) -> None:
        import pexpect

        id = self.rng.choice(self.live())
        child = pexpect.spawn(DISPATCH[0], [*DISPATCH[1:], "attach", id], cwd=str(self.crew.root), env=self.crew.env,
                              dimensions=(self.rng.randint(20, 60), self.rng.randint(60, 200)))  # fmt: skip
        time.sleep(self.rng.uniform(0.3, 2))
        child.send("\x02d")
        time.sleep(0.2)
        child.close(force=True)

    def look(self) -> None:
        self.crew.run("status")

    def kill(self) -> None:
        self.restarts.append(time.time())
        self.crew.kill_supervisor()
        self.did["kill"] += 1

    def run(self, seconds: float) -> None:
        people = [threading.Thread(target=self.person, daemon=True) for _ in range(3)]
        for _ in range(self.workers):
            self.start()
        for p in people:
            p.start()
        end, kill = time.monotonic() + seconds, time.monotonic() + 60
        while time.monotonic() < end:
            if len(self.live()) < self.workers:
                self.start()
            for id in [i for i in self.ids if i not in self.closed and self.crew.task(i).ended]:
                self.closed.add(id)
                self.crew.run("stop", id, ok=None)
            if time.monotonic() > kill:
                self.kill()
                kill = time.monotonic() + self.rng.uniform(60, 240)
            time.sleep(0.2)
        self.over = True
        for p in people:
            p.join(10)

    def check(self) -> tuple[list[Wrong], int, list[tuple[float, str, float]]]:
        """(wrong states, how many states were compared, from each question to its event: seconds, task, when)."""
        found: list[Wrong] = []
        compared, delays = 0, list[tuple[float, str, float]]()
        for id in self.ids:
            really = [(float(t), s) for t, s in (line.split() for line in self.truth(id).read_text().splitlines())]
            said = [(e.t, e.data["state"]) for e in self.crew.events(id, "state")]
            ended = next((e.t for e in self.crew.store.events(id) if e.kind in ("exited", "stopping")), time.time())
            for (since, what), (until, _) in zip(really, [*really[1:], (ended, "")], strict=True):
                compared += 1
                if what == "ready" and since == really[0][0]:
                    continue  # before its first prompt
                if what == "question":
                    asked = [e.t for e in self.crew.events(id, "question") if since <= e.t < until]
                    delays += [(asked[0] - since, id, since)] if asked else []
                found += self._wrong(id, said, since, until, what)
        return found, compared, delays

    def _wrong(self, id: str, said: list[tuple[float, str]], since: float, until: float, what: str) -> list[Wrong]:
        spans = zip(said, [*(t for t, _ in said[1:]), max(until, said[-1][0] if said else 0.0)], strict=False)
        bad = [
            (max(t, since), min(end, until), s)
            for (t, s), end in spans
            if end > since and t < until and s not in FITS[what]
        ]
        joined: list[tuple[float, float, str]] = []
        for begin, end, s in bad:
            if joined and abs(joined[-1][1] - begin) < 0.01:
                joined[-1] = (joined[-1][0], end, s)
            else:
                joined.append((begin, end, s))
        return [Wrong(id, begin, what, s, end - begin) for begin, end, s in joined if end - begin > GRACE]


def main(seconds: float, workers: int, seed: int) -> int:
    base = Path(tempfile.mkdtemp(prefix="dt-", dir="/tmp"))
    crew = Crew(base)
    soak = Soak(crew, workers, seed)
    try:
        soak.run(seconds)
        found, compared, delays = soak.check()
        for wrong in found[:20]:
            print(
                f"{wrong.task} at {wrong.at:.2f}: {wrong.really}, said {wrong.said} for {wrong.seconds:.2f} s",
                file=sys.stderr,
            )
        if os.environ.get("SOAK_KEEP"):
            odd = [w.task for w in found] + [id for t, id, _ in sorted(delays)[-2:]]
            print(soak.truth(odd[0]).read_text(), *crew.store.events(odd[0]), soak.restarts, sep="\n", file=sys.stderr)
        print(
            f"{seconds / 60:.0f} min, {workers} workers at a time, {len(soak.ids)} in all, seed {seed}: {dict(soak.did)}"
        )
        took = sorted(d[0] for d in delays)
        if took:
            print(
                f"question → event: median {statistics.median(took) * 1000:.0f} ms, p99 {took[int(len(took) * 0.99)] * 1000:.0f} ms (n {len(took)})"
            )
            print("the slowest:", *(f"{t * 1000:.0f} ms ({id}, {at:.2f})" for t, id, at in sorted(delays)[-3:]))
        print(f"{compared} states compared, wrong for more than {GRACE:g} s: {len(found)}")
        return 1 if found else 0
    finally:
        crew.close()


if __name__ == "__main__":
    given = [float(a) for a in sys.argv[1:]]
    sys.exit(
        main(
            given[0] if given else 60.0, int(given[1]) if len(given) > 1 else 20, int(given[2]) if len(given) > 2 else 1
        )
    )
