"""A waiting worker dies in many ways, with and without a supervisor: how long is it still said to wait?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from chaos.rig import Result, Rig, chosen, kill, rig, until

TRIES = 0  # all of them
PATIENCE = 3.0  # seconds in which it must be told
ASKS = """cd "$DISPATCH_TASK_DIR"
echo 'what now?' >ipc/001.question.tmp; mv ipc/001.question.tmp ipc/001.question
while [ ! -f ipc/001.answer ]; do sleep 0.1; done
sleep 1000
"""


def campaign(seed: int, tries: int) -> Result:
    failures, notes = [], []
    with rig("waiting") as r:
        r.configure({"w": "sh " + r.script("w.sh", ASKS).split()[1]})
        cases = chosen(list(WAYS), seed, tries)
        for n, name in enumerate(cases):
            told = die(r, f"t{n}", WAYS[name])
            (notes if told.startswith("told") else failures).append(f"{name}: {told}")
    return Result(len(cases), failures, notes)


def die(r: Rig, id: str, way: Callable[[Rig, str], object]) -> str:
    r.start("-m", "w", "--id", id, "x")
    r.until(id, "question")
    way(r, id)
    began = time.monotonic()
    said: dict[str, Any] = {}

    def over() -> bool:
        said.update(next(task for task in r.tasks() if task["id"] == id))
        return said["state"] not in ("waiting", "working")

    ended = until(over, 3 * PATIENCE)
    seconds, lives = time.monotonic() - began, bool(r.programs(id))
    r.d("stop", id)
    r.d("clean", id, "--force")
    if not ended or seconds > PATIENCE:
        return f"still {said['state']} after {seconds:.1f} s"
    if lives:
        return f"said to be {said['state']}, but its program lives"
    return f"told after {seconds:.1f} s: {said['state']}, {said['why']}"


def supervisor(r: Rig) -> None:
    kill(r.supervisor())


def pane(r: Rig, id: str) -> None:
    for found, task in r.windows():
        if task == id:
            r.tmux("kill-pane", "-t", found)


def all_of(*pids: list[int]) -> None:
    for several in pids:
        for pid in several:
            kill(pid)


WAYS: dict[str, Callable[[Rig, str], object]] = {
    "launch line": lambda r, id: all_of(r.lines(id)),
    "program": lambda r, id: all_of(r.programs(id)),
    "pane": pane,
    "launch line and program": lambda r, id: all_of(r.lines(id) + r.programs(id)),
    "supervisor, launch line": lambda r, id: (supervisor(r), all_of(r.lines(id))),
    "supervisor, program": lambda r, id: (supervisor(r), all_of(r.programs(id))),
    "supervisor, pane": lambda r, id: (supervisor(r), pane(r, id)),
    "no supervisor, launch line": lambda r, id: (r.end_supervisor(), all_of(r.lines(id))),
    "no supervisor, program": lambda r, id: (r.end_supervisor(), all_of(r.programs(id))),
    "no supervisor, pane": lambda r, id: (r.end_supervisor(), pane(r, id)),
    "supervisor and its loop, launch line": lambda r, id: (all_of(list(r.processes("supervise.sh"))), supervisor(r), all_of(r.lines(id))),
    "tmux server": lambda r, id: kill(r.server_pid()),
}  # fmt: skip
