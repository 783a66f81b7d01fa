"""Faults S19-S27: workers that live and look idle: stopped, at their usage limit, busy in the background, not quite done.

The CLI is a painter: a script that draws what it finds in a file as Claude Code would, and whose screens are read by Claude Code's rules.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from crew import Crew, wait_until

BACKENDS = Path(__file__).parents[2] / "dispatch_tmux" / "backends"
PAINTER = """
echo $$ >"$DISPATCH_TASK_DIR/pid"
stty -echo 2>/dev/null
printf '\\033[?2004h'
was=
while :; do
  if [ -f "$DISPATCH_TASK_DIR/paint" ] && [ "$(cat "$DISPATCH_TASK_DIR/paint")" != "$was" ]; then
    was="$(cat "$DISPATCH_TASK_DIR/paint")"
    printf '\\033[2J\\033[H%s\\n' "$was"
  fi
  sleep 0.05
done
"""
RULE = "─" * 80
MODE = "  ⏸ manual mode on · ? for shortcuts"
BUSY = "  ⏸ manual mode on · esc to interrupt"
MENU = f"""{RULE}
 What do you want to do?

 ❯ 1. Stop and wait for limit to reset
   2. Upgrade your plan

 Enter to confirm · Esc to cancel"""
LIMIT = "You've hit your session limit · resets 12:10am (Europe/Dublin)"
OLD = "● earlier\n  ⎿  You've hit your session limit · resets 3:10am (Europe/Dublin)\n\n❯ go on\n\n● went on"


def screen(above: str, below: str = MODE) -> str:
    return f"{above}\n\n{RULE}\n❯\u00a0\n{RULE}\n{below}"


class Painted:
    """A worker whose screen and signals the test decides."""

    def __init__(self, crew: Crew) -> None:
        claude = yaml.safe_load((BACKENDS / "claude.yaml").read_text())
        signals = {name: claude["signals"][name] for name in ("field", "prompt", "background", "means", "answers")}
        fake = {
            "argv": ["sh", str(crew.root / "paint.sh"), "{prompt}"], "interactive": True, "prompt": "argument",
            "screen": claude["screen"], "signals": signals, "env": {"DISPATCH_TASK_DIR": "{task_dir}"},
        }  # fmt: skip
        crew.script("paint.sh", PAINTER)
        crew.configure(
            backends={"fake": fake}, models={"fake": {"backend": "fake"}}, times={"settle": 0.3, "nudge": 0.5}
        )
        self.crew, self.told = crew, 0
        self.id = crew.start("-m", "fake", "--item", "one", "job")
        self.dir = crew.dir(self.id)
        self.tells("UserPromptSubmit", prompt="job")
        self.paints(screen("❯ job\n\n✻ Working…", BUSY))
        crew.until(self.id, "working")

    @property
    def pid(self) -> int:
        return int(wait_until(lambda: (self.dir / "pid").exists() and (self.dir / "pid").read_text().strip()))

    def paints(self, what: str) -> None:
        (self.dir / "paint.tmp").write_text(what)
        (self.dir / "paint.tmp").rename(self.dir / "paint")

    def tells(self, event: str, **data: Any) -> None:
        self.told += 1
        name = f"{time.time_ns()}-{self.told}"
        written = self.dir / "signals" / f".{name}.tmp"  # whole or not at all, as the real hooks do it
        written.write_text(json.dumps({"hook_event_name": event, **data}))
        written.rename(self.dir / "signals" / f"{name}.json")

    def until(self, state: str) -> dict[str, Any]:
        self.crew.until(self.id, state)
        found: dict[str, Any] = self.crew.json("status", self.id)
        return found

    def nudged(self) -> bool:
        return bool(self.crew.events(self.id, "nudge"))


@pytest.fixture
def worker(crew: Crew) -> Painted:
    return Painted(crew)


def test_S25_a_stopped_program_is_said_to_be_that_nothing_is_typed_and_a_verb_lets_it_go_on(worker: Painted) -> None:
    crew, id = worker.crew, worker.id
    worker.paints(screen("● ok\n\n✻ Cooked for 1s"))
    os.kill(worker.pid, signal.SIGSTOP)
    assert "dispatch continue" in worker.until("suspended")["why"]
    assert not worker.nudged()
    (news,) = crew.json("wait", id, "--for", "suspended")
    assert news["kind"] == "suspended" and "stopped" in news["text"]

    sent = crew.run("send", id, "hello", ok=False)
    assert sent.returncode == 6 and "is stopped" in sent.stderr + sent.stdout
    pressed = crew.run("keys", id, "Enter", ok=False)
    assert pressed.returncode == 6 and f"dispatch continue {id}" in pressed.stderr
    assert f"dispatch continue {id}" in crew.run("status", id).stdout

    assert "goes on" in crew.run("continue", id).stdout
    worker.paints(screen("❯ job\n\n✻ Working…", BUSY))
    worker.until("working")
    assert "was not stopped" in crew.run("continue", id).stdout
    kinds = [e.data.get("how", "") for e in crew.events(id, "held")]
    assert kinds and "is stopped" in kinds[0]


def test_S25_one_that_only_says_that_it_is_suspended_gets_the_signal_it_waits_for(worker: Painted) -> None:
    worker.paints("Claude Code is suspended. Run `fg` to bring it back.\nTo undo typing, press ctrl+_.")
    worker.until("suspended")
    still = worker.crew.run("continue", worker.id, ok=False)  # the painter does not care for signals
    assert still.returncode == 6 and "still shows" in still.stderr
    assert not worker.crew.task(worker.id).open_questions and not worker.nudged()
    worker.paints(screen("● ok\n\n✻ Cooked for 1s"))
    worker.until("idle")


def test_S25_a_worker_that_has_ended_cannot_go_on(worker: Painted) -> None:
    worker.crew.run("stop", worker.id)
    refused = worker.crew.run("continue", worker.id, ok=False)
    assert refused.returncode == 6 and "not running" in refused.stderr


def test_S20_a_usage_limit_is_limited_with_its_time_from_the_banner_and_from_the_menu_over_it(worker: Painted) -> None:
    crew, id = worker.crew, worker.id
    worker.paints(screen(f"{OLD}\n\n❯ job\n  ⎿  {LIMIT}"))
    status = worker.until("limited")
    assert status["cause"] == "limit" and status["zone"] == "Europe/Dublin"
    assert "resets 12:10am (Europe/Dublin)" in status["why"]
    assert time.time() - 700 < status["resets"] < time.time() + 86400
    assert time.strftime("%M", time.gmtime(status["resets"])) == "10"
    (news,) = crew.json("wait", id, "--for", "limited")
    assert (news["kind"], news["cause"], news["resets"]) == ("limited", "limit", status["resets"])

    sent = crew.run("send", id, "hello", ok=False)
    assert sent.returncode == 6 and "usage limit" in sent.stderr + sent.stdout

    worker.paints(f"{OLD}\n\n❯ job\n  ⎿  {LIMIT}\n\n{MENU}")
    wait_until(lambda: crew.task(id).open_questions)
    assert crew.task(id).open_questions[0].kind == "limit"
    assert (crew.task(id).state.value, crew.json("status", id)["resets"]) == ("limited", status["resets"])

    worker.paints(screen("❯ job\n\n✻ Working…", BUSY))
    assert worker.until("working")["resets"] is None
    assert not crew.events(id, "go-on")  # S21: its CLI has taken it up again by itself
    worker.paints(
        screen(f"❯ job\n  ⎿  {LIMIT}\n\n❯ job\n\n● went on\n\n✻ Cooked for 3s")
    )  # the old banner is no second limit
    worker.until("idle")


def test_S26_what_runs_in_the_background_when_the_turn_is_over_is_work_and_nobody_is_told_to_go_on(
    worker: Painted,
) -> None:
    running = {"id": "a1", "type": "local_agent", "status": "running", "description": "count the files"}
    over = {"id": "a0", "type": "shell", "status": "completed", "description": "an old one"}
    worker.tells("Stop", background_tasks=[over, running])
    worker.paints(screen("● started\n\n✻ Cooked for 1s", "  3 agents configured · main\n" + MODE))
    wait_until(lambda: "count the files" in worker.crew.task(worker.id).why, lambda: worker.crew.tell(worker.id))
    assert worker.crew.task(worker.id).state.value == "working"
    assert "an old one" not in worker.crew.task(worker.id).why
    time.sleep(1.0)  # longer than until a reminder
    assert not worker.nudged() and worker.crew.task(worker.id).state.value == "working"

    worker.tells("Stop", background_tasks=[over])
    worker.until("idle")
    wait_until(worker.nudged)


def test_F_done_waits_for_the_turn_in_which_the_last_item_is_ticked(worker: Painted) -> None:
    crew, id = worker.crew, worker.id
    (worker.dir / "ipc").mkdir(exist_ok=True)
    (worker.dir / "ipc" / ".done").touch()
    time.sleep(0.5)
    assert crew.task(id).state.value == "working"
    plan = worker.dir / "plan.md"
    plan.write_text(plan.read_text().replace("[ ]", "[x]"))
    assert worker.until("done")["why"] == ""
    assert [e.data["state"] for e in crew.events(id, "state")].count("done") == 1


# --- D27


LONG_QUESTION = (
    "Do you really want to proceed with the deployment of all of it to the servers of the other continent? [y/N] "
)


@pytest.mark.parametrize("size", [(60, 10), (30, 5)], ids=["60x10", "30x5"])
def test_D27_a_prompt_that_wraps_is_seen_whole_and_stays_one_question_when_the_window_grows(
    crew: Crew, size: tuple[int, int]
) -> None:
    go = crew.base / "go"
    crew.configure(
        {
            "asks": crew.script(
                "a.sh",
                f'while [ ! -e {go} ]; do sleep 0.05; done\nprintf "%s" "{LONG_QUESTION}"\nread x\necho "got $x"\nsleep 600\n',
            )
        }
    )
    id = crew.start("-m", "asks", "job")
    crew.until(id, "working")
    width, height = size
    crew.tmux("resize-window", "-t", crew.task(id).pane, "-x", str(width), "-y", str(height))
    go.touch()
    asked = crew.until(id, "question").open_questions[0]
    assert LONG_QUESTION.strip() in asked.text and [c.key for c in asked.choices] == ["y", "n"]

    crew.tmux("resize-window", "-t", crew.task(id).pane, "-x", "150", "-y", "50")
    crew.run("answer", id, "y")
    wait_until(lambda: "got y" in crew.screen(id))
    assert [q.closed for q in crew.task(id).questions] == ["answered"]


def test_D27_a_screen_that_is_one_line_is_no_prompt() -> None:
    from dispatch_tmux.backends.load import load
    from dispatch_tmux.screen import line_prompt

    rules = load("command").screen.lines
    assert rules is not None
    for length, found in ((990, True), (4000, False)):
        line = "x" * length + "? [y/N] "
        assert (line_prompt.read(rules, [line], len(line), 0) is not None) is found


def test_D27_what_shows_only_since_the_window_has_grown_is_seen_though_nothing_is_printed(crew: Crew) -> None:
    prompt = "Continue? [y/N] "
    crew.configure({"asks": crew.script("a.sh", f'printf "%s" "{prompt}"\nread x\nsleep 600\n')})
    id = crew.start("-m", "asks", "job")
    crew.until(id, "question")
    pane = crew.task(id).pane
    for width in ("8", "150"):  # wrapped in the middle of its sign, and whole again
        crew.tmux("resize-window", "-t", pane, "-x", width, "-y", "4" if width == "8" else "50")
        wait_until(lambda width=width: crew.tmux("display-message", "-p", "-t", pane, "#{pane_width}").text == width)
    assert crew.until(id, "question").open_questions[0].text.startswith("Continue?")
    crew.run("answer", id, "n")
    wait_until(lambda: crew.task(id).questions[0].closed)


def hook(worker: Painted, command: str) -> subprocess.Popen[bytes]:
    """A hook that waits for the answer to the permission for COMMAND, as Claude Code's does."""
    pipe = worker.dir / "door" / f"{time.time_ns()}-{len(command)}.fifo"
    pipe.parent.mkdir(exist_ok=True)
    os.mkfifo(pipe, 0o600)
    written = worker.dir / "signals" / f".{pipe.stem}.tmp"
    asked = {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": command}}
    written.write_text(json.dumps(asked))
    written.rename(worker.dir / "signals" / f"{pipe.stem}.json")
    return subprocess.Popen(["sh", "-c", 'cat "$1"; rm -f "$1"', "hook", str(pipe)], stdout=subprocess.PIPE)


def permission(command: str, of: str = "") -> str:
    return f"""{RULE}
 Bash command{of}

   {command}
   one step

 This command requires approval

 Do you want to proceed?
 ❯ 1. Yes
   2. No

 Esc to cancel · Tab to amend"""


def test_S23_a_hook_that_waits_lets_go_when_its_dialogue_does_not_come_and_so_it_comes(worker: Painted) -> None:
    waiting = hook(worker, "touch one")
    assert waiting.communicate(timeout=30)[0] == b""  # let go without an answer: now the CLI shows its dialogue
    worker.paints(permission("touch one", " · from the general-purpose agent"))
    worker.until("waiting")
    assert "general-purpose agent" in worker.crew.task(worker.id).open_questions[0].text


def test_S23_what_queues_behind_a_dialogue_is_a_question_of_its_own_as_soon_as_it_shows(worker: Painted) -> None:
    crew, id = worker.crew, worker.id
    commands = ("touch one", "touch two")
    worker.paints(permission(commands[0]))
    waiting = [hook(worker, command) for command in commands]
    for command, its in zip(commands, waiting, strict=True):
        worker.paints(permission(command))
        (asked,) = wait_until(lambda command=command: [q for q in crew.task(id).open_questions if command in q.text])
        with crew.popen("answer", id, "yes", "--question", asked.id) as answering:
            assert b'"allow"' in its.communicate(timeout=30)[0]
            worker.paints(screen("✻ Working…", BUSY))
            assert answering.wait(30) == 0
