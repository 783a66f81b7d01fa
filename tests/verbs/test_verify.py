"""`verify`, and what is said of a version that was not verified. What it finds in real CLIs: tests/clients/test_verify.py."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from crew import Crew, wait_until

from dispatch_tmux.backends import versions
from dispatch_tmux.trial import clients
from dispatch_tmux.verbs import standing

CODEX = """#!{python}
import sys, time
if "--version" in sys.argv:
    open({log!r}, "a").write("asked\\n")
    print("codex-cli {version}")
else:
    time.sleep(600)
"""


def install(crew: Crew, version: str = "0.170.1") -> Path:
    """A program called codex on the crew's PATH that tells VERSION and then sits there; returns its log."""
    log = crew.base / "asked"
    program = crew.base / "bin" / "codex"
    program.write_text(CODEX.format(python=sys.executable, version=version, log=str(log)))
    program.chmod(0o755)
    return log


def refused(crew: Crew, *args: str) -> tuple[int, str]:
    done = crew.run("verify", *args, ok=False)
    return done.returncode, done.stderr


def test_the_clis_that_can_be_verified_are_those_that_can_be_set_up() -> None:
    assert set(clients.CLIENTS) == standing.NAMES


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["nosuch"], 2, "'nosuch' cannot be verified"),
        (["demo"], 2, "'demo' cannot be verified"),
        (["claude"], 1, "claude is not installed"),
        ([], 1, "no agent CLI that can be verified is installed"),
    ],
)
def test_what_cannot_be_verified_is_refused_in_a_line(crew: Crew, args: list[str], code: int, said: str) -> None:
    crew.env["PATH"] = os.pathsep.join([str(crew.base / "bin"), "/usr/bin", "/bin"])
    if any((Path(folder) / "claude").exists() for folder in ("/usr/bin", "/bin")):
        pytest.skip("an agent CLI lies in /usr/bin")
    done = refused(crew, *args)
    assert done[0] == code and said in done[1] and len(done[1].splitlines()) <= 2


def test_an_unknown_step_is_refused_with_those_that_there_are(crew: Crew) -> None:
    install(crew)
    code, said = refused(crew, "codex", "--step", "nosuch")
    assert code == 2 and "there is no step 'nosuch'" in said and "start pages" in said


def test_ctrl_c_breaks_it_off_at_once_and_leaves_nothing(crew: Crew) -> None:
    install(crew)
    scratch = crew.base / "scratch"
    scratch.mkdir()
    process = crew.popen("verify", "codex", TMPDIR=str(scratch))
    wait_until(lambda: len(list(scratch.glob("*/project/.dispatch/tasks/w1"))) == 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)  # a step may take a CLI's patience, and the course has sixteen
    assert process.returncode == 130 and "Traceback" not in err
    assert not list(scratch.iterdir()), "scratch homes are left"
    assert not (crew.home / ".dispatch" / "verified").exists(), "what was broken off counts as a verdict"


def test_a_new_version_is_told_once_and_the_next_one_again(crew: Crew) -> None:
    log = install(crew)
    crew.configure(models={"gpt-5.5": {"backend": "codex"}}, verify="say")
    run = ("run", "-m", "gpt-5.5", "--id")
    assert "codex 0.170.1 is not verified here: dispatch verify codex" in crew.run(*run, "a", "x").stderr
    assert "verified" not in crew.run(*run, "b", "x").stderr
    assert log.read_text() == "asked\n", "it was asked for its version again"
    install(crew, "0.171.0-beta")
    assert "codex 0.171.0-beta is not verified here" in crew.run(*run, "c", "x").stderr
    assert "codex 0.171.0-beta: not verified here: dispatch verify codex" in crew.run("status", "c", "--why").stdout
    assert "not verified here: dispatch verify codex" in crew.run("backends", "--check", "codex").stdout
    assert "not verified here: dispatch verify codex" in crew.run("doctor", ok=None).stdout


def test_a_version_that_was_verified_is_told_nowhere_but_where_one_looks(crew: Crew) -> None:
    install(crew)
    crew.configure(models={"gpt-5.5": {"backend": "codex"}}, verify="say")
    folder = crew.home / ".dispatch" / "verified"
    folder.mkdir(parents=True)
    entry = {"version": "0.170.1", "on": "2026-11-26", "seconds": 70.0, "steps": 30, "faults": []}
    (folder / "codex.json").write_text(json.dumps([entry]))
    assert crew.run("run", "-m", "gpt-5.5", "--id", "a", "x").stderr == ""
    assert "codex 0.170.1: verified here on 2026-11-26" in crew.run("status", "a", "--why").stdout
    (found,) = crew.json("backends", "--check", "codex")
    assert found["standing"] == "verified here on 2026-11-26"


def test_with_verify_never_nothing_is_said_and_with_auto_it_is_tried_in_the_background(crew: Crew) -> None:
    install(crew)
    crew.configure(models={"gpt-5.5": {"backend": "codex"}}, verify="never")
    assert crew.run("run", "-m", "gpt-5.5", "--id", "a", "x").stderr == ""
    install(crew, "0.172.0")
    crew.configure(models={"gpt-5.5": {"backend": "codex"}}, verify="auto")
    assert "being verified in the background" in crew.run("run", "-m", "gpt-5.5", "--id", "b", "x").stderr
    log = crew.home / ".dispatch" / "verify-codex.log"
    wait_until(lambda: log.exists(), lambda: crew.tell("b"))
    crew.configure(models={}, verify="sometimes")
    assert "verify" in crew.run("status", ok=None).stderr + crew.run("config", "show", ok=False).stderr


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("2.1.332 (Claude Code)", "2.1.332"), ("codex-cli 0.169.0", "0.169.0"), ("0.61.0", "0.61.0"),
        ("v1.18.33-rc.1", "1.18.33-rc.1"), ("nightly", "nightly"), ("", ""),
    ],
)  # fmt: skip
def test_the_number_is_found_in_what_a_cli_says_of_its_version(said: str, number: str) -> None:
    assert versions.number(said) == number
