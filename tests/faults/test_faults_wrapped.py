"""S18: an agent that runs inside something else (docker, ssh, npx, a shell) is driven like any other."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from crew import Crew, wait_until

import dispatch_tmux

WORKER = Path(dispatch_tmux.__file__).parent / "backends/demo_worker.py"
WRAPPERS = {
    "a script that waits for it": ["sh", "-c", '"$0" "$@"; exit $?'],
    "a script of another's name": ["./docker"],
    "an interactive shell": ["bash", "-ic", '"$0" "$@"; true'],
    "a terminal of its own, as ssh and docker have": ["script", "-qec", "COMMAND", "/dev/null"],
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_S18_a_wrapped_agent_is_driven_like_any_other(crew: Crew, name: str) -> None:
    own = [sys.executable, "-I", "-S", str(WORKER)]
    received = crew.base / "received.jsonl"
    argv = [*WRAPPERS[name], *own, "{prompt}"]
    if "COMMAND" in argv:
        (crew.root / "agent.sh").write_text(f'exec {shlex.join(own)} "$DEMO_PROMPT"\n')
        argv = [word.replace("COMMAND", "sh agent.sh") for word in WRAPPERS[name]]
    (crew.root / "docker").write_text('#!/bin/sh\n"$@"\n')
    (crew.root / "docker").chmod(0o755)
    crew.configure(
        backends={"demo": {"argv": argv, "env": {"DEMO_PROMPT": "{prompt}", "DISPATCH_TASK_DIR": "{task_dir}"}}}
    )
    id = crew.start(
        "-m",
        "demo",
        "--item",
        "choose: which? (choices: red | blue)",
        "--item",
        "look",
        "x",
        DEMO_RECEIVED=str(received),
    )
    crew.until(id, "question")
    crew.run("answer", id, "--choice", "2")
    crew.until(id, "done")
    crew.run("send", id, "one more thing")
    wait_until(
        lambda: "one more thing" in [json.loads(line)["text"] for line in received.read_text().splitlines()],
        lambda: crew.tell(id),
    )
    assert crew.task(id).questions[0].answer == "blue"
    crew.run("stop", id)
    crew.until(id, "done")
    assert crew.task(id).exit_code is not None
