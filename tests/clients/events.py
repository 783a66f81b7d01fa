"""How soon an event follows what a real CLI does: `make events CLIENT=codex` writes a line into docs/accuracy.md.

Dialogue: from its being on the screen (read here every few milliseconds) to `question` in the journal. Turn over: from the CLI's own signal (a hook's file, an escape sequence in its output; seen by us beside dispatch) and from the
model's last word, to the state `idle` in the journal. Error: from its banner on the screen to `failed` with the
right cause.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

from crew import Crew  # noqa: E402
from figures import client  # noqa: E402

from dispatch_tmux.backends.load import load  # noqa: E402
from dispatch_tmux.screen import read as screen  # noqa: E402

STAMP = """
import codecs, os, re, sys, time
rest, decoder = "", codecs.getincrementaldecoder("utf-8")("replace")
while data := os.read(0, 65536):
    rest += decoder.decode(data)
    end = 0
    for found in re.finditer(sys.argv[1], rest):
        print(time.time(), found["state"], file=open(sys.argv[2], "a"), flush=True)
        end = found.end()
    rest = rest[end:][-200:]
"""


class Round(NamedTuple):
    """Seconds: from a dialogue to `question`, from the signal and from the model's last word to `idle`, from a banner to `failed`; the cause said."""

    dialogue: float
    signal: float
    word: float
    banner: float
    cause: str


class Stage:
    """A live CLI whose plan stays open; `ask` lets the next turn ask and then last, `fail` lets the next ones end in an error that says WORD."""

    crew: Any
    id: str
    ask: Callable[[], None]
    fail: Callable[[str], None]
    answered: Callable[[], float]
    signals: Callable[[], list[float]]

    def one(self, n: int) -> Round:
        since = time.time()
        self.ask()
        self.crew.run("send", self.id, f"go on {n:03}")
        asks = self.until_seen(lambda text: screen.look(self.rules, text).shows == "question")
        asked = self.until("waiting", since)
        self.crew.run("answer", self.id, "--choice", "1", ok=None)
        idle = self.until("idle", since)
        told = [t for t in self.signals() if since < t <= idle.t]
        if not told:
            raise AssertionError(f"no signal before the event\n{self.crew.tell(self.id)}")
        signal, word = idle.t - told[-1], idle.t - self.answered()
        since, mark = time.time(), f"E{n:03}X"
        self.fail(mark)
        self.crew.run("send", self.id, f"fail {n:03}")
        shown = self.until_seen(lambda text: mark in re.sub(r"\s", "", text))  # wherever the line breaks
        failed = self.until("failed", since)
        self.fail("")
        return Round(asked.t - asks, signal, word, failed.t - shown, str(failed.data.get("cause")))

    def until(self, state: str, since: float) -> Any:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for event in self.crew.events(self.id, "state"):
                if event.t > since and event.data["state"] == state:
                    return event
            time.sleep(0.05)
        raise AssertionError(f"not {state}\n{self.crew.tell(self.id)}")

    def until_seen(self, wanted: Callable[[str], bool]) -> float:
        """When the screen became as WANTED."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            at = time.time()
            if wanted(self.crew.screen(self.id)):
                return at
            time.sleep(0.005)
        raise AssertionError(f"not on the screen\n{self.crew.tell(self.id)}")

    def listen(self) -> None:
        """Note when the CLI's own signals come."""
        from dispatch_tmux.store.watch import Watch

        task = self.crew.task(self.id)
        backend = load(task.backend)
        self.rules, osc = backend.screen, backend.signals.osc
        if osc is None:
            names: set[str] = set()
            folder = str(self.crew.dir(self.id) / "signals")
            self.watch = Watch([folder], lambda path: names.add(os.path.basename(path)), lambda: None)
            self.signals = lambda: sorted(time_of(name) for name in names if name.endswith(".json"))
            return
        stamps, program = self.crew.base / "stamps", self.crew.base / "stamp.py"
        stamps.touch()
        program.write_text(STAMP)
        means = backend.signals.means
        argv = [sys.executable, str(program), osc.pattern, str(stamps)]
        self.crew.tmux("pipe-pane", "-O", "-t", task.pane, shlex.join(argv))
        self.signals = lambda: [
            float(line.split()[0]) for line in stamps.read_text().splitlines() if means.get(line.split()[1]) == "idle"
        ]


class Claude(Stage):
    def __init__(self, crew: Any) -> None:
        import install
        from conftest import Lab
        from stub_model import Fail, Say, StubModel, bash, by_prompt, one_after_the_other
        from terminal import Terminal

        self.crew, self.word = crew, ""
        lab = Lab(install.claude(), Terminal(crew.base), crew.home, crew.root)
        asks = one_after_the_other(bash("python3 -c 'import time; time.sleep(1)'"), Say("Done."))
        fails = lambda _: Fail(403, message=f"authentication failed {self.word}")  # noqa: E731
        script = by_prompt({"^fail": fails, "^go on": asks}, one_after_the_other(Say("Noted.")))
        model = StubModel(script)
        model.__enter__()
        lab.lend(crew, model)
        self.ask, self.answered = lambda: None, lambda: model.answered
        self.id = crew.start("-m", "claude", "--item", "one", "do it")

    def fail(self, word: str) -> None:
        self.word = word


class Other(Stage):
    def __init__(self, crew: Any, name: str) -> None:
        from stub_service import Service
        from test_others_dispatch import Desk

        self.crew, self.service = crew, Service()
        self.service.quiet = True
        desk = Desk(crew, name, self.service)
        desk.configure()
        if name == "opencode":
            desk.set(permission={"bash": "ask"})
        if name == "codex":
            self.service.also = {"sandbox_permissions": "require_escalated", "justification": "May I?"}
        self.answered = lambda: self.service.answered
        self.id = crew.start("-m", desk.model, "--permissions", "ask", "--item", "one", "do it")

    def ask(self) -> None:
        self.service.first = ["sleep 1; touch made.txt"]

    def fail(self, word: str) -> None:
        self.service.more = f" {word}"
        self.service.fail.clear()
        if word:
            self.service.fail[""] = 401


def time_of(name: str) -> float:
    """When the hook began that wrote the file NAME: digits of nanoseconds or milliseconds, and more."""
    digits = name.partition("-")[0]
    return float(f"{digits[:10]}.{digits[10:]}")


def main(name: str, count: int) -> int:
    with tempfile.TemporaryDirectory(prefix="dt-", ignore_cleanup_errors=True) as folder:
        crew = Crew(Path(folder))
        try:
            stage = Claude(crew) if name == "claude" else Other(crew, name)
            stage.until("idle", 0)
            for _ in range(2):  # and once reminded of its plan
                time.sleep(3)
                stage.until("idle", 0)
            stage.listen()
            rounds = [stage.one(n) for n in range(count)]
        finally:
            crew.run("stop", "--all", ok=None)
            crew.tmux("kill-server")
    return tell(name, rounds)


def tell(name: str, rounds: list[Round]) -> int:
    print(json.dumps(rounds))
    times = [sorted(getattr(r, name) for r in rounds) for name in ("dialogue", "signal", "word", "banner")]
    columns = [f"{statistics.median(t) * 1000:.0f} ms, {t[-1] * 1000:.0f}" for t in times]
    right = sum(r.cause == "auth" for r in rounds)
    line = f"| {name} | {' | '.join(columns)} | {right} of {len(rounds)} |"
    print(line)
    path = HERE.parent.parent / "docs" / "accuracy.md"
    text = path.read_text()
    old = re.compile(rf"^\| {name} \| -?\d+ ms.*\n", re.M)
    path.write_text(old.sub("", text).replace("<!-- events -->", f"{line}\n<!-- events -->"))
    return 0 if right == len(rounds) else 1


if __name__ == "__main__":
    sys.exit(main(client(), int(sys.argv[2]) if len(sys.argv) > 2 else 20))
