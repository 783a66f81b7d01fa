"""D20: the words of a task stand in no command line, so a worker that ends processes by such words does not end itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from crew import Crew, wait_until

from dispatch_tmux.backends import command_line
from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends.load import Backend

WORDS = "mend the zebra crossing"
HERE = str(Path(command_line.HERE) / "demo_worker.py")


def lines_of(crew: Crew) -> list[str]:
    """The command lines of all that runs for CREW."""
    mark, found = f"DISPATCH_CONFIG={crew.config_path}".encode(), []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                if mark in Path("/proc", name, "environ").read_bytes():
                    found.append(Path("/proc", name, "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                pass
    return found


def test_D20_the_prompt_of_a_worker_stands_in_no_command_line(crew: Crew) -> None:
    received = crew.base / "received"
    crew.start("-m", "demo", "--id", "a", "--item", "look", WORDS, DEMO_RECEIVED=str(received))
    crew.until("a", "done")
    lines = lines_of(crew)
    assert any("demo_worker.py" in line for line in lines), lines
    assert not [line for line in lines if "zebra" in line]
    assert WORDS in received.read_text(), "it reads its prompt's file"


@pytest.mark.parametrize("kill", [False, True], ids=["", "killed"])
def test_D20_a_prompt_is_typed_once_where_the_cli_cannot_read_files(crew: Crew, kill: bool) -> None:
    received = crew.base / "received"
    slow = ["sh", "-c", 'sleep 0.7; exec "$@"', "sh", sys.executable, "-I", "-S", HERE, "begin"]
    crew.configure(backends={"demo": {"argv": slow, "prompt": "typed"}})
    crew.start("-m", "demo", "--id", "a", "--item", "look", WORDS, DEMO_RECEIVED=str(received), DEMO_PACE="0.05")
    if kill:
        crew.kill_supervisor()
    crew.run("send", "a", "and a word more", ok=None)
    wait_until(lambda: received.exists() and "a word more" in received.read_text(), lambda: crew.tell("a"))
    said = received.read_text()
    assert said.count(WORDS) == 1 and said.index(WORDS) < said.index("a word more")
    assert not [line for line in lines_of(crew) if "zebra" in line]
    assert not crew.events("a", "nudge"), "it was not reminded before it had its prompt"


@pytest.mark.parametrize(
    ("kind", "argument", "typed"),
    [
        ("argument", WORDS, ""),
        ("file", "Read /t/a/prompt.md and do what it says.", ""),
        ("typed", WORDS, WORDS),
        ("paste", "", "Read /t/a/prompt.md and do what it says."),
        ("none", "", ""),
    ],
)
def test_D20_how_each_kind_of_cli_gets_its_prompt(kind: str, argument: str, typed: str) -> None:
    backend = backends.load("mine", user={"argv": ["mine", "{prompt}"], "prompt": kind})
    values = command_line.values_for(backend, id="a", task_dir="/t/a", cwd="/t", model="", prompt=WORDS)
    assert values["prompt"] == argument
    assert command_line.to_type(backend, WORDS, "/t/a", ["mine", "{prompt}"], False) == "", "it has it"
    assert command_line.to_type(backend, WORDS, "/t/a", ["mine"], False) == typed


@pytest.mark.parametrize("name", ["claude", "codex", "gemini", "demo", "aider"])
@pytest.mark.parametrize("resumes", [False, True])
def test_D20_no_agent_that_was_tried_has_its_prompt_in_its_command_line(name: str, resumes: bool) -> None:
    backend = backends.load(name)
    values = command_line.values_for(backend, id="a", task_dir="/t/a", cwd="/t", model="m", prompt=WORDS)
    argv, variables = command_line.command_line(backend, {**values, "session": "s"}, resumes)
    assert not [word for word in (*argv, *variables.values()) if "zebra" in word]
    assert _is_told(backend, argv, resumes)


def _is_told(backend: Backend, argv: list[str], resumes: bool) -> bool:
    """Whether it comes to know what to do: by its arguments, by itself, or by what is typed."""
    words = backend.resume if resumes else backend.argv
    if not words:
        return resumes  # it takes up no session
    told = any("prompt.md" in word for word in argv) or backend.name == "demo"
    return told or command_line.to_type(backend, WORDS, "/t/a", words, resumes) != ""
