"""A backend as the user's configuration has it: a command of theirs becomes what its CLI can be driven by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends.own import backend_of, is_batch
from dispatch_tmux.errors import DispatchError


def own(command: str, name: str = "mine", folder: Path = Path("/nowhere"), **more: Any) -> backends.Backend:
    return backend_of(name, {name: {"command": command, **more}}, str(folder))


@pytest.mark.parametrize(
    ("command", "argv", "interactive"),
    [
        ("claude", ("claude", "{permission_flags}", "{prompt}"), True),
        ("claude -p", ("claude", "{permission_flags}", "-p", "{prompt}"), False),
        ("claude --model opus", ("claude", "--model", "opus", "{permission_flags}", "{prompt}"), True),
        ("codex exec", ("codex", "exec", "{model_flags}", "{permission_flags}", "{prompt}"), False),
        ("codex -m gpt-5", ("codex", "-m", "gpt-5", "{permission_flags}", "{prompt}"), True),
        ("gemini", ("gemini", "{model_flags}", "{permission_flags}"), True),  # it is typed
        ("gemini -p", ("gemini", "{model_flags}", "{permission_flags}", "-p", "{prompt}"), False),
        ("./run.sh --fast", ("./run.sh", "--fast", "{permission_flags}", "{prompt}"), False),
        ("./run.sh --task={prompt}", ("./run.sh", "--task={prompt}", "{permission_flags}"), False),
    ],
)
def test_a_command_gets_model_and_prompt_where_its_cli_takes_them(
    command: str, argv: tuple[str, ...], interactive: bool
) -> None:
    found = own(command)
    assert found.interactive is interactive and found.name == "mine"
    assert tuple(word for word in found.argv if word not in ("--",)) == argv


def test_it_is_known_by_its_program_wherever_that_lies_and_whatever_it_is_called() -> None:
    known = backends.load("claude")
    for name, command in (("mine", "/opt/bin/claude"), ("claude", "wrapper-of-mine")):
        found = own(command, name)
        assert found.screen == known.screen and found.signals == known.signals
        assert found.executable == command
    assert own("unknown-program").screen == backends.load("command").screen


def test_it_says_itself_what_it_may_do_unless_it_is_overruled() -> None:
    found = own("claude --permission-mode plan")
    assert found.permission_flags["default"] == ()
    assert found.permission_flags["skip"] == backends.load("claude").permission_flags["skip"]


def test_variables_in_front_are_set_and_taken_away() -> None:
    found = own("env -u AI_AGENT -u MINE A=1 B=2 claude", env={"B": "config"})
    assert found.env["A"] == "1" and found.env["B"] == "config"
    assert {"AI_AGENT", "MINE", "CLAUDECODE"} <= set(found.unset)


def test_other_keys_of_the_config_go_with_a_command() -> None:
    found = own("claude", permissions="skip", submit={"delay": 1.5})
    assert found.permissions == "skip" and found.submit.delay == 1.5
    assert backend_of("claude", {"claude": {"permissions": "ask"}}, "/nowhere").argv == backends.load("claude").argv


@pytest.mark.parametrize(
    "argv, batch",
    [(("claude", "-p"), True), (("claude", "--print", "x"), True), (("claude",), False), (("-p",), False)],
)
def test_what_runs_without_a_composer(argv: tuple[str, ...], batch: bool) -> None:
    assert is_batch(argv, backends.load("claude")) is batch


@pytest.mark.parametrize(
    ("command", "said"),
    [("a | b", "needs a shell"), ("", "names no program"), ("A=1", "names no program"), ("'x", "command")],
)
def test_a_command_that_is_none_is_refused(command: str, said: str) -> None:
    with pytest.raises(DispatchError, match=said):
        own(command)


@pytest.mark.parametrize("kind", ["folder", "broken link", "latin-1", "fifo"])
def test_an_odd_file_among_the_user_s_backends_costs_nobody_else(tmp_path: Path, kind: str) -> None:
    odd = tmp_path / "odd.yaml"
    {
        "folder": odd.mkdir, "broken link": lambda: odd.symlink_to("nowhere"), "latin-1": lambda: odd.write_bytes(b"name: caf\xe9\n"),
        "fifo": lambda: os.mkfifo(odd),
    }[kind]()  # fmt: skip
    assert own("unknown-program", folder=tmp_path).executable == "unknown-program"
    assert backend_of("claude", {}, str(tmp_path)).name == "claude"
    with pytest.raises(DispatchError, match="odd"):
        backend_of("odd", {}, str(tmp_path))
    assert backends.state_of(str(tmp_path))


def test_what_the_files_are_now_is_told_from_what_they_were(tmp_path: Path) -> None:
    before = backends.state_of(str(tmp_path))
    assert before == backends.state_of(str(tmp_path)) == backends.state_of(str(tmp_path / "gone"))
    (tmp_path / "mine.yaml").write_text("argv: [x]\n")
    assert backends.state_of(str(tmp_path)) != before
