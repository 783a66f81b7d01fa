"""Deliveries to a real CLI, counted at its model: `make figures CLIENT=codex` writes a line into docs/accuracy.md.

Each message goes in with `dispatch send` and has to stand in exactly one new request, byte for byte (line breaks and blanks
included), or `send` has to have said why not. In turn: to an idle CLI, to a busy one, while a dialogue is open, and while a person types; what
`send` says will come later (exit 6) has to come, and the person's own words have to be sent as they were typed.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

from crew import Crew  # noqa: E402

KINDS = {
    "one line": lambda n: f"message {n}: use JWT",
    "30 lines": lambda n: "\n".join(f"line {i} of {n}: - [ ] # $x" for i in range(30)),
    "8000 characters": lambda n: f"{n} " + "word " * 1598 + "end",
    "leading /": lambda n: f"/help {n} is what I said",
    "leading !": lambda n: f"!ls {n}",
    "leading #": lambda n: f"# heading {n}",
    "leading @": lambda n: f"@nobody {n} said",
    "quotes": lambda n: f"{n}: \"double\" 'single' `id` $(touch x) \\n",
    "emoji": lambda n: f"{n}: grün 日本 🎉 👩‍👩‍👧 é",
    "indented": lambda n: f"{n}:\n  two\n    four\n\nend",
}


CLIENTS = ("claude", "codex", "gemini", "opencode")
SITUATIONS = ("idle", "busy", "dialogue", "typing")
Requests = Callable[[], list[str]]


def main(name: str, count: int, only: str = "") -> int:
    with tempfile.TemporaryDirectory(prefix="dt-", ignore_cleanup_errors=True) as folder:
        crew = Crew(Path(folder))
        stage = Claude(crew) if name == "claude" else Other(crew, name)
        try:
            rows = [stage.message(n, only or SITUATIONS[n % 4]) for n in range(count)]
        finally:
            crew.run("stop", "--all", ok=None)
            crew.tmux("kill-server")
    if only:  # to look into one: not a figure
        print([r for r in rows if r.fate != "right"])
        return 0
    return tell(name, rows)


class Row(NamedTuple):
    situation: str
    kind: str
    fate: str
    seconds: float
    waited: bool


class Stage:
    """A live CLI; `begin` sends what makes it busy, or ask."""

    crew: Any
    requests: Requests

    def worker(self, situation: str) -> str:
        raise NotImplementedError

    def begin(self, situation: str, id: str, n: int) -> None:
        raise NotImplementedError

    def message(self, n: int, situation: str) -> Row:
        """Send message N in its situation, and see what becomes of it."""
        from terminal import wait_until

        kind = list(KINDS)[n // 4 % len(KINDS)]
        text, draft, id = KINDS[kind](f"m{n:03}"), f"draft{n:03} of mine", self.worker(situation)
        self.rest(id)
        typist = None
        if situation in ("busy", "dialogue"):
            self.begin(situation, id, n)
        if situation == "typing":
            typist = threading.Thread(target=self.type, args=(id, draft))
            typist.start()
            wait_until(lambda: draft[:8] in self.crew.screen(id))
        began = time.monotonic()
        sent = self.crew.run("send", id, text, ok=None)
        took = time.monotonic() - began
        if typist:
            typist.join()
            self.crew.tmux("send-keys", "-t", self.crew.task(id).pane, "Enter")
        if situation == "dialogue":
            self.allow(id)
        times = arrived(text, self.requests)
        fate = {0: "lost", 1: "right"}.get(times, "doubled")
        if sent.returncode not in (0, 6):
            fate = "refused" if times == 0 else "arrived, but called not delivered"
        if fate == "lost" and arrived(
            "".join(text.split()), lambda: ["".join(t.split()) for t in self.requests()], 1.0
        ):
            fate = "mangled"
        if (
            fate == "right"
            and draft in "".join(self.requests()[-3:])
            and f"{draft}{text}"[:30] in "".join(self.requests())
        ):
            fate = "mangled"  # glued to the draft
        if situation == "typing" and arrived(draft, self.requests) != 1:
            fate = "draft damaged"
        if fate != "right":
            print(n, situation, kind, fate, sent.returncode, sent.stderr.strip()[:200], file=sys.stderr)
            print(self.crew.tell(id), file=sys.stderr)
        return Row(situation, kind, fate, took, sent.returncode == 6)

    def rest(self, id: str) -> None:
        """Until its turn is over."""
        from terminal import wait_until

        self.allow(id)
        wait_until(lambda: self.at_rest(id), 60, lambda: self.crew.screen(id))

    def at_rest(self, id: str) -> bool:
        from dispatch_tmux.backends.load import load
        from dispatch_tmux.screen import read as screen

        task = self.crew.task(id)
        shown = screen.look(
            load(task.backend).screen,
            self.crew.screen(id),
            title=self.crew.tmux("display-message", "-p", "-t", task.pane, "#{pane_title}").text,
        )
        return shown.shows == "ready" and not task.requests_open and not task.open_questions

    def type(self, id: str, draft: str) -> None:
        for char in draft:
            self.crew.tmux("send-keys", "-t", self.crew.task(id).pane, "-l", char)
            time.sleep(0.08)

    def allow(self, id: str) -> None:
        while questions := self.crew.task(id).open_questions:
            self.crew.run("answer", id, "--question", questions[0].id, "--choice", "1", ok=None)


class Other(Stage):
    def __init__(self, crew: Any, name: str, asks: bool = True) -> None:
        from stub_service import Service
        from test_others_dispatch import Desk

        self.crew, self.service = crew, Service()
        self.requests = lambda: [r.text for r in list(self.service.requests) if r.main]
        desk = Desk(crew, name, self.service)
        desk.configure()
        if name == "opencode":
            desk.set(permission={"bash": "ask"})
        self.name, self.ids = name, {}
        for how in ("skip", "ask") if asks else ("skip",):
            self.ids[how] = crew.start("-m", desk.model, "--permissions", how, "--id", how, "--item", "one", "do it")
            while crew.task(how).state.value != "done":
                self.allow(how)
                time.sleep(0.1)
        self.service.quiet = True

    def worker(self, situation: str) -> str:
        return "ask" if situation == "dialogue" else "skip"

    def begin(self, situation: str, id: str, n: int) -> None:
        from terminal import wait_until

        self.service.first = ["sleep 3" if situation == "busy" else "touch made.txt"]
        if self.name == "codex":
            escalated = {"sandbox_permissions": "require_escalated", "justification": "May I?"}
            self.service.also = escalated if situation == "dialogue" else {}
        self.crew.run("send", id, f"go on {n:03}")
        wait_until(lambda: not self.service.first, 60)
        if situation == "dialogue":
            wait_until(lambda: self.crew.task(id).open_questions, 60, lambda: self.crew.screen(id))


class Claude(Stage):
    def __init__(self, crew: Any) -> None:
        import install
        from conftest import Lab
        from stub_model import Hang, Say, StubModel, bash, by_prompt, one_after_the_other, plan_editor, unwrapped
        from terminal import Terminal

        self.crew = crew
        lab = Lab(install.claude(), Terminal(crew.base), crew.home, crew.root)
        script = by_prompt(
            {
                "^go on busy": one_after_the_other(Say("I think about it. " * 20, seconds=3)),
                "^go on dialogue": one_after_the_other(bash("python3 -c 1"), Say("done")),
                "checklist": plan_editor,
            },
            one_after_the_other(Say("Noted.")),
        )
        self.silent = lambda: script_for.update(silent=True)
        script_for: dict[str, bool] = {}
        model = StubModel(lambda c: Hang(20) if script_for.pop("silent", False) else script(c))
        model.__enter__()
        lab.lend(crew, model)
        self.requests = lambda: ["\n".join(unwrapped(t) for t in model.user_texts())]
        self.id = crew.start("-m", "claude", "--item", "one {{true}}", "do it")
        crew.until(self.id, "done", 120)

    def worker(self, situation: str) -> str:
        return str(self.id)

    def begin(self, situation: str, id: str, n: int) -> None:
        from terminal import wait_until

        self.crew.run("send", id, f"go on {situation} {n:03}")
        if situation == "dialogue":
            wait_until(lambda: self.crew.task(id).open_questions, 60, lambda: self.crew.screen(id))


def arrived(text: str, requests: Any, patience: float = 15.0) -> int:
    """How often TEXT stands in the newest request that has it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = [r for r in requests() if text in r]
        if found:
            time.sleep(0.3)
            found = [r for r in requests() if text in r]
            return found[-1].count(text)
        time.sleep(0.05)
    return 0


def tell(name: str, rows: list[Row]) -> int:
    cells = []
    for situation in SITUATIONS:
        mine = [r for r in rows if r.situation == situation]
        waited = sum(r.waited and r.fate == "right" for r in mine)
        right = sum(r.fate == "right" for r in mine)
        cells.append(f"{right} of {len(mine)}" + (f", {waited} later" if waited else ""))
    refused, lost, doubled = (sum(r.fate == fate for r in rows) for fate in ("refused", "lost", "doubled"))
    other = sum(r.fate not in ("right", "refused", "lost", "doubled") for r in rows)
    took = sorted(r.seconds for r in rows if r.fate == "right" and not r.waited) or [0.0]
    line = f"| {name} | {' | '.join(cells)} | {refused} | {lost} | {doubled} | {other} | {statistics.median(took):.2f} s | {took[-1]:.2f} s |"
    print(line)
    path = HERE.parent.parent / "docs" / "accuracy.md"
    text = path.read_text()
    if re.search(rf"^\| {name} \| \d+ of \d+ \| \d+ of \d+.* s \|$", text, re.M):
        text = re.sub(rf"^\| {name} \| \d+ of \d+ \| \d+ of \d+.* s \|$", line.replace("\\", r"\\"), text, flags=re.M)
    else:
        text = text.replace("<!-- deliveries -->", f"{line}\n<!-- deliveries -->")
    path.write_text(text)
    return 0 if {r.fate for r in rows} <= {"right", "refused"} else 1


def client() -> str:
    """The CLI that is named on the command line."""
    if sys.argv[1:2] and sys.argv[1] in CLIENTS:
        return sys.argv[1]
    sys.exit(f"say which CLI: CLIENT={'|'.join(CLIENTS)}")


if __name__ == "__main__":
    sys.exit(main(client(), int(sys.argv[2]) if len(sys.argv) > 2 else 100, *sys.argv[3:]))
