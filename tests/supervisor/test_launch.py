"""The launch line, as tmux runs it: it becomes what it is told to, once, or says why not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dispatch_tmux.supervisor import launch
from dispatch_tmux.supervisor.launcher import LAUNCH, LAUNCH_SH

PANE = "7"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


def told(own: Path, *argv: str, attempt: int = 1, cwd: str = "", setup: tuple[str, ...] = (), **env: str) -> Path:
    """What the supervisor writes for the launch line that waits in our pane."""
    path = own / f"launch-{attempt}-{PANE}.json"
    what: dict[str, Any] = {"argv": argv, "cwd": cwd or str(own.parent), "sh": LAUNCH_SH, "setup": list(setup)}
    path.write_text(json.dumps({**what, "env": {"PATH": os.environ["PATH"], **env}}))
    return path


def launched(own: Path, attempt: int = 1, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", LAUNCH, str(own), str(attempt)],
        env={"PATH": os.environ["PATH"], "TMUX_PANE": f"%{PANE}", "TERM": "screen-256color", **env},
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


def ended(own: Path) -> str:
    return (own / "exit").read_text() if (own / "exit").exists() else ""


@pytest.mark.parametrize("code", [0, 3, 255])
def test_a_program_is_run_and_its_exit_code_is_kept(own: Path, code: int) -> None:
    told(own, "sh", "-c", f"echo at work; exit {code}")
    done = launched(own)
    assert (done.stdout, done.stderr) == ("at work\n", "")
    assert ended(own) == f"1 {code}\n" and done.returncode == code


def test_its_words_its_directory_and_its_variables_are_those_it_was_told(own: Path, tmp_path: Path) -> None:
    words = ["two words", "$HOME", "", "-x", "it's", "a\nb", "漢", "x" * 100_000]
    script = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))"
    (tmp_path / "a 'dir'").mkdir()
    told(own, sys.executable, "-c", script, *words, cwd=str(tmp_path / "a 'dir'"), GIVEN="x=\n$y", TERM="theirs")
    done = launched(own, ONLY_TMUX="must not get there", TMUX="sock,1,0")
    got, cwd, env = json.loads(done.stdout)
    assert got == words and cwd == str(tmp_path / "a 'dir'")
    assert env["GIVEN"] == "x=\n$y" and "ONLY_TMUX" not in env
    assert (env["TERM"], env["TMUX"], env["TMUX_PANE"]) == ("screen-256color", "sock,1,0", f"%{PANE}")


def test_what_it_was_told_is_gone_from_the_disk_when_the_program_runs(own: Path) -> None:
    path = told(own, "sh", "-c", f"ls {own}", SECRET="x")
    assert path.name not in launched(own).stdout


def test_an_attempt_is_started_once_whoever_comes_again(own: Path) -> None:
    told(own, "sh", "-c", "echo at work")
    launched(own)
    pid, began = (own / "process-1").read_text().split()
    assert pid.isdigit() and began.isdigit()
    told(own, "sh", "-c", "echo at work again")
    again = launched(own)
    assert "this attempt has been started already" in again.stdout and "at work" not in again.stdout
    assert (own / "process-1").read_text().split() == [pid, began]
    told(own, "sh", "-c", "echo the next", attempt=2)
    assert "the next" in launched(own, 2).stdout and ended(own) == "2 0\n"


def test_the_process_it_claims_is_the_one_the_program_runs_under(own: Path) -> None:
    told(own, "sh", "-c", f"cut -d' ' -f1 {own}/process-1; echo $PPID")
    claimed, parent = launched(own).stdout.split()
    assert claimed == parent


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [(["no-such-program"], 127, "no-such-program: command not found"), (["./not-a-program"], 127, "command not found")],
)
def test_a_program_that_is_not_there_is_said(own: Path, argv: list[str], code: int, words: str) -> None:
    (own.parent / "not-a-program").write_text("text")
    told(own, *argv)
    assert words in launched(own).stdout and ended(own) == f"1 {code}\n"


def test_a_directory_that_is_gone_is_said(own: Path) -> None:
    told(own, "true", cwd=str(own.parent / "gone"))
    assert "No such file or directory" in launched(own).stdout and ended(own) == "1 126\n"


def test_a_program_found_in_the_callers_path_only(own: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "bin"
    theirs.mkdir()
    (theirs / "mine").write_text("#!/bin/sh\necho from the path of the caller\n")
    (theirs / "mine").chmod(0o755)
    told(own, "mine", PATH=f"{theirs}{os.pathsep}{os.environ['PATH']}")
    assert launched(own).stdout == "from the path of the caller\n"


def test_a_worktree_is_made_fit_once_before_the_program(own: Path) -> None:
    setup = ("sh", "-c", "echo setting up; echo $GIVEN")
    told(own, "sh", "-c", "echo at work", setup=setup, GIVEN="given")
    assert launched(own).stdout.splitlines()[1:] == ["setting up", "given", "at work"]
    told(own, "sh", "-c", "echo at work", attempt=2, setup=setup)
    assert launched(own, 2).stdout == "at work\n"


def test_a_setup_that_fails_is_the_end_and_is_tried_again_next_time(own: Path) -> None:
    told(own, "sh", "-c", "echo at work", setup=("sh", "-c", "echo no network; exit 9"))
    done = launched(own)
    assert "no network" in done.stdout and "at work" not in done.stdout
    assert "set-up failed with exit code 9: sh -c" in done.stdout and ended(own) == "1 9\n"
    told(own, "sh", "-c", "echo at work", attempt=2, setup=("no-such-setup",))
    assert "set-up failed with exit code 127" in launched(own, 2).stdout


def test_a_setup_that_a_signal_ended_has_a_shells_code(own: Path) -> None:
    told(own, "true", setup=("sh", "-c", "kill -9 $$"))
    launched(own)
    assert ended(own) == "1 137\n"


def test_where_nobody_says_what_to_start_nothing_is(own: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr(launch, "PATIENCE", 0.05)
    assert launch.main(str(own), "1") == 0
    assert "nobody said what to start here" in capfd.readouterr().out
    assert list(own.iterdir()) == []


@pytest.mark.skipif(not shutil.which("yes"), reason="needs yes")
def test_a_broken_pipe_ends_a_program_as_in_a_shell(own: Path) -> None:
    """Python ignores SIGPIPE, and what it starts would, too."""
    told(own, "sh", "-c", "yes | head -1; yes 2>/dev/null | true; echo over")
    done = launched(own)
    assert done.stdout.splitlines() == ["y", "over"] and "roken pipe" not in done.stderr
