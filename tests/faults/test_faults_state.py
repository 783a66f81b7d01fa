"""Faults S: how a worker ended, and what a quiet one is doing. (Those that need a CLI's own screens are elsewhere.)"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, wait_until

import dispatch_tmux

TICK_ALL = 'sed \'s/\\[ \\]/[x]/\' "$DISPATCH_TASK_DIR/plan.md" >p && mv p "$DISPATCH_TASK_DIR/plan.md"\n'
PID = 'echo $$ >"$DISPATCH_TASK_DIR/pid"\n'
QUICK = {"settle": 0.3, "nudge": 0.5}


def status(crew: Crew, id: str) -> tuple[str, str]:
    data = crew.json("status", id)
    return data["state"], data["why"]


def ended(crew: Crew, script: str, *args: str) -> tuple[str, str]:
    """How a worker of SCRIPT ends, by `dispatch status`."""
    crew.configure({"sh": crew.script("w.sh", script)})
    id = crew.start("-m", "sh", *args, "job")
    wait_until(lambda: crew.task(id).ended, lambda: crew.tell(id))
    return status(crew, id)


def living(crew: Crew, script: str = PID + "exec sleep 600") -> tuple[str, int]:
    crew.configure({"sh": crew.script("w.sh", script)})
    id = crew.start("-m", "sh", "job")
    pid = wait_until(lambda: (crew.dir(id) / "pid").exists() and (crew.dir(id) / "pid").read_text().strip())
    return id, int(pid)


# --- S11: one end is not another


def test_S11_a_clean_exit_after_the_work_is_done(crew: Crew) -> None:
    assert ended(crew, TICK_ALL + ': >"$DISPATCH_TASK_DIR/ipc/.done"') == ("done", "")


@pytest.mark.parametrize(
    ("script", "state", "why"),
    [
        ("exit 0", "failed", "nothing checked off"),
        ("exit 3", "failed", "exit code 3"),
        ("kill -9 $$", "failed", "SIGKILL"),
        ("kill -SEGV $$", "failed", "SIGSEGV"),
        ("exec no-such-program-here", "failed", "exit code 127"),
    ],
)
def test_S11_an_exit_without_the_work_says_which_exit_it_was(crew: Crew, script: str, state: str, why: str) -> None:
    found = ended(crew, script)
    assert found[0] == state
    assert why in found[1]


def test_S11_a_program_that_is_not_there_is_said_before_anything_is_written(crew: Crew) -> None:
    crew.configure({"gone": "no-such-program-here"})
    said = crew.run("run", "-m", "gone", "job", ok=False)
    assert said.returncode == 1 and "no-such-program-here is not installed" in said.stderr
    assert not crew.store.ids()


def test_S11_a_program_that_cannot_be_started_is_failed_with_the_systems_words(crew: Crew) -> None:
    program = crew.base / "bin" / "broken"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    crew.configure({"gone": str(program)})
    id = crew.start("-m", "gone", "job")
    crew.until(id, "failed")
    assert "12" in status(crew, id)[1]  # 126 or 127, by the shell
    assert "not found" in crew.run("screen", id).stdout


def test_S11_an_agent_killed_from_outside_is_failed_with_the_signal(crew: Crew) -> None:
    id, pid = living(crew)
    os.kill(pid, signal.SIGKILL)
    crew.until(id, "failed")
    assert "SIGKILL" in status(crew, id)[1]


def test_S11_a_window_killed_by_a_person_is_lost_and_said_so(crew: Crew) -> None:
    id, _ = living(crew)
    crew.tmux("kill-window", "-t", crew.task(id).window)
    crew.until(id, "lost")
    assert "window was closed" in status(crew, id)[1]
    assert [n["kind"] for n in crew.json("wait")] == ["lost"]


def test_S11_a_tmux_server_that_is_gone_is_said_also_when_nobody_supervises(crew: Crew) -> None:
    id, _ = living(crew)
    crew.tmux("kill-server")
    wait_until(lambda: not crew.store.supervised())
    wait_until(lambda: status(crew, id)[0] == "lost", lambda: status(crew, id))
    assert [n["kind"] for n in crew.json("wait")] == ["lost"]


# --- S12: the plan and the marker disagree


def test_S12_done_with_unchecked_items_is_done_and_warns(crew: Crew) -> None:
    state, why = ended(crew, ': >"$DISPATCH_TASK_DIR/ipc/.done"; sleep 600', "--item", "a", "--item", "b")
    assert state == "done"
    assert "2 unchecked" in why


def test_S12_all_checked_without_the_marker_is_done(crew: Crew) -> None:
    assert ended(crew, TICK_ALL + "sleep 600", "--item", "a", "--item", "b")[0] == "done"


DEMO = Path(dispatch_tmux.__file__).parent / "backends/demo_worker.py"


@pytest.mark.skipif(not DEMO.exists(), reason="needs the demo worker")
def test_S12_idle_with_items_open_is_nudged_and_goes_on(crew: Crew) -> None:
    crew.configure(times=QUICK)
    id = crew.start("-m", "demo", "--item", "look around", "--item", "stop early", "--item", "never reached", "job")
    crew.until(id, "done")
    assert len(crew.events(id, "nudge")) == 1


@pytest.mark.skipif(not DEMO.exists(), reason="needs the demo worker")
def test_S12_one_that_does_not_go_on_is_told_twice_and_brought_to_the_person(crew: Crew) -> None:
    crew.configure(times=QUICK)
    id = crew.start("-m", "demo", "--item", "stop early for good", "--item", "never reached", "job")
    shown = crew.run("wait", id).stdout
    assert "stopped early: 2 items open, reminded twice" in shown and f"dispatch send {id}" in shown
    assert len(crew.events(id, "nudge")) == 2
    assert crew.run("wait", id, "--timeout", "1", ok=False).stdout == ""  # said once


# --- S13: silence


def test_S13_a_silent_worker_keeps_working(crew: Crew) -> None:
    id, _ = living(crew)
    crew.until(id, "working")
    assert crew.run("wait", "--timeout", "3", ok=False).returncode == 124
    assert status(crew, id) == ("working", "")


def test_S13_a_screen_that_does_not_change_for_the_configured_time_is_mentioned_and_not_given_up(crew: Crew) -> None:
    options: dict[str, Any] = {"times": {"quiet": 0.5}}
    crew.configure({"sh": crew.script("w.sh", 'sleep 4; printf x; : >"$DISPATCH_TASK_DIR/ipc/.done"')}, **options)
    id = crew.start("-m", "sh", "job")
    (news,) = crew.json("wait", "--for", "idle", "--timeout", "20")
    assert "has not changed" in news["text"]
    assert news["state"] == "working"
    crew.until(id, "done")


# --- a turn that is over


def test_a_turn_is_over_as_soon_as_the_cli_says_so_and_not_after_the_rest_of_a_screen(crew: Crew) -> None:
    crew.configure(models={"demo": {"backend": "demo"}}, times={"settle": 3600})
    id = crew.start("-m", "demo", "--item", "stop early", "--item", "never reached", "job")
    assert crew.until(id, "idle").marks == "  "
    assert (
        crew.events(id, "state")[-1].data["signs"]["rested"] < 5
    )  # found by its word, not by the look at everything each 10 s


def test_a_dialogue_stays_one_question_when_the_supervisor_is_killed(crew: Crew) -> None:
    id = crew.start("-m", "demo", "--item", "choose: colour? (choices: red | blue)", "--item", "look", "job")
    crew.until(id, "question")
    for _ in range(3):
        old = crew.supervisor_pid()
        crew.kill_supervisor()
        wait_until(lambda old=old: crew.store.supervised() and crew.supervisor_pid() != old)
    crew.run("answer", id, "--question", "s1", "--choice", "2")
    crew.until(id, "done")
    assert [e.data["q"] for e in crew.events(id, "question")] == ["s1"]
    states = [e.data["state"] for e in crew.events(id, "state")]
    assert "starting" not in states[states.index("waiting") :]


def test_S9_a_screen_that_no_rule_knows_is_brought_with_its_words_and_answered_by_keys(crew: Crew) -> None:
    script = (
        'printf "Choose a flavour\\n [v] vanilla  [l] lemon\\n"; stty -icanon; key=$(dd bs=1 count=1 2>/dev/null)\n'
    )
    crew.script("w.sh", script + 'echo "$key" >got\n' + TICK_ALL + "sleep 600")
    backend = {"argv": ["sh", "w.sh"], "interactive": True,
               "screen": {"composer": {"prompt": "^> "}}}  # fmt: skip
    crew.configure(backends={"odd": backend}, models={"odd": {"backend": "odd"}})
    id = crew.start("-m", "odd", "job")
    shown = crew.run("wait", id, "--for", "question").stdout
    assert "Choose a flavour" in shown and "[l] lemon" in shown and f"dispatch keys {id}" in shown
    assert "dispatch keys" in crew.run("answer", id, "lemon", ok=False).stderr
    crew.run("keys", id, "l")
    wait_until(lambda: (crew.root / "got").exists(), lambda: crew.tell(id))
    assert (crew.root / "got").read_text() == "l\n"
    wait_until(lambda: not crew.task(id).open_questions, lambda: crew.tell(id))


DRAW = 'draw() { clear; stty size; echo "$1"; i=0; while [ $i -lt 12 ]; do echo; i=$((i+1)); done; printf "> "; }\n'
ODD = {"argv": ["sh", "w.sh"], "interactive": True,
       "screen": {"composer": {"prompt": "^> ?"}, "errors": [{"kind": "api", "line": "^ERR (?P<detail>.*)"}]}}  # fmt: skip


def test_a_failure_stays_one_when_a_person_comes_with_a_smaller_terminal(crew: Crew) -> None:
    crew.script("w.sh", DRAW + 'trap "draw \'ERR boom\'" WINCH; draw "ERR boom"; while :; do sleep 0.1; done')
    crew.configure(backends={"odd": ODD}, models={"odd": {"backend": "odd"}})
    id = crew.start("-m", "odd", "job")
    crew.until(id, "failed")
    crew.tmux("resize-window", "-t", crew.task(id).pane, "-x", "60", "-y", "8")
    wait_until(lambda: "8 60" in (crew.own(id) / "terminal.log").read_text(), lambda: crew.tell(id))
    assert "ERR" not in crew.screen(id)
    crew.run("status", id)
    assert crew.task(id).state.value == "failed"


def test_a_failure_is_not_the_next_attempts_however_large_its_window_is(crew: Crew) -> None:
    crew.script("w.sh", DRAW + 'while [ ! -e go ]; do sleep 0.1; done; draw "$(cat go)"; exec sleep 600')
    crew.configure(backends={"odd": ODD}, models={"odd": {"backend": "odd"}})
    id = crew.start("-m", "odd", "job")
    crew.tmux("resize-window", "-t", crew.task(id).pane, "-x", "100", "-y", "30")
    (crew.root / "go").write_text("ERR boom")
    crew.until(id, "failed")
    (crew.root / "go").write_text("fine")
    crew.run("retry", id)
    wait_until(
        lambda: "fine" in (crew.own(id) / "terminal.log").read_text(), lambda: crew.tell(id)
    )  # it has been looked at
    crew.run("status", id)
    assert crew.task(id).state.value == "starting", crew.tell(id)


# --- F29


def test_F29_after_the_server_went_all_are_resumed_at_once_whoever_supervises_by_then(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    ids = [crew.start("-m", "sh", "--id", f"t{n}", "job") for n in range(4)]
    for id in ids:
        crew.until(id, "working")
    crew.tmux("kill-server")
    crew.run("resume-queue")  # a supervisor is there again, and may have looked at nothing yet
    said = crew.run("resume", "--all").stdout
    assert {line.split(" ")[0] for line in said.splitlines()} >= {*ids}, said  # some of them in a moment
    for id in ids:
        assert crew.until(id, "working").attempt == 2
