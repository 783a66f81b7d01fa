"""Deliveries to a real CLI, counted at its model: `make figures CLIENT=codex` writes a line into docs/accuracy.md.

Each message goes in with `dispatch send` and has to stand in exactly one new request, byte for byte (line breaks and blanks
included), or `send` has to have said why not.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

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


def main(name: str, count: int) -> int:
    import importlib.util

    import conftest as clients_conftest

    spec = importlib.util.spec_from_file_location("crew_conftest", HERE.parent / "conftest.py")
    assert spec and spec.loader
    crews = importlib.util.module_from_spec(spec)
    sys.modules["crew_conftest"] = crews
    spec.loader.exec_module(crews)
    with tempfile.TemporaryDirectory(prefix="dt-") as folder:
        crew = crews.Crew(Path(folder))
        try:
            rows = claude(crew, count) if name == "claude" else other(crew, name, count)
        finally:
            crew.run("stop", "--all", ok=None)
            crew.tmux("kill-server")
    return tell(name, rows)


def other(crew: Any, name: str, count: int) -> list[tuple[str, str, float]]:
    from stub_service import Service
    from test_others_dispatch import Desk

    service = Service()
    desk = Desk(crew, name, service)
    desk.configure()
    id = crew.start("-m", desk.model, "--permissions", "skip", "--item", "one", "do it")
    crew.until(id, "done", 120)
    return deliver(crew, id, count, lambda: [r.text for r in list(service.requests) if r.main])


def claude(crew: Any, count: int) -> list[tuple[str, str, float]]:
    import install
    from conftest import Lab
    from stub_model import StubModel, plan_editor, unwrapped
    from terminal import Terminal

    lab = Lab(install.claude(), Terminal(crew.base), crew.home, crew.root)
    lab.trust(crew.root)
    with StubModel(plan_editor) as model:
        env = {k: v for k, v in lab.env(model).items() if not k.startswith("DISPATCH_")}
        own = crew.env["PATH"].split(":")[0]
        crew.env |= {**env, "PATH": f"{own}:{env['PATH']}"}
        id = crew.start("-m", "claude", "--item", "one {{true}}", "do it")
        crew.until(id, "done", 120)
        return deliver(crew, id, count, lambda: ["\n".join(unwrapped(t) for t in model.user_texts())])


def deliver(crew: Any, id: str, count: int, requests: Any) -> list[tuple[str, str, float]]:
    """(kind, what became of it, seconds) of COUNT messages."""
    rows = []
    for n in range(count):
        kind = list(KINDS)[n % len(KINDS)]
        text = KINDS[kind](f"m{n:03}")
        began = time.monotonic()
        sent = crew.run("send", id, text, ok=None)
        took = time.monotonic() - began
        times = arrived(text, requests)
        if sent.returncode == 0:
            fate = {0: "lost", 1: "right"}.get(times, "doubled")
        else:
            fate = "refused" if times == 0 else "arrived, but called not delivered"
        if fate == "lost" and arrived("".join(text.split()), lambda: ["".join(t.split()) for t in requests()], 1.0):
            fate = "mangled"
        rows.append((kind, fate, took))
        if fate != "right":
            print(n, kind, fate, sent.stderr.strip()[:200], file=sys.stderr)
            print(crew.screen(id), file=sys.stderr)
    return rows


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


def tell(name: str, rows: list[tuple[str, str, float]]) -> int:
    fates: dict[str, int] = {}
    for _, fate, _ in rows:
        fates[fate] = fates.get(fate, 0) + 1
    took = sorted(t for _, fate, t in rows if fate == "right") or [0.0]
    line = (
        f"| {name} | {len(rows)} | {fates.get('right', 0)} | {fates.get('refused', 0)} | {fates.get('lost', 0)} | {fates.get('doubled', 0)} | "
        f"{fates.get('mangled', 0)} | {statistics.median(took):.2f} s | {took[-1]:.2f} s |"
    )
    print(line)
    path = HERE.parent.parent / "docs" / "accuracy.md"
    text = path.read_text()
    if re.search(rf"^\| {name} \| \d+ \| \d+ \| ", text, re.M):
        text = re.sub(rf"^\| {name} \| \d+ \| \d+ \| .*$", line.replace("\\", r"\\"), text, flags=re.M)
    else:
        text = text.replace("<!-- deliveries -->", f"{line}\n<!-- deliveries -->")
    path.write_text(text)
    return 0 if set(fates) <= {"right", "refused"} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100))
