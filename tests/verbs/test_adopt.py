"""A CLI in the person's own tmux under supervision, on a server of its own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

import pytest
from crew import Crew, wait_until

from dispatch_tmux.backends.command_line import HERE
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.server import Answer, Socket
from dispatch_tmux.verbs import adopt as adopting


class Own:
    """The person's tmux, with the demo worker's program started by hand in it."""

    def __init__(self, crew: Crew) -> None:
        self.crew, self.socket = crew, str(crew.base / "own")
        (crew.base / "mine" / "ipc").mkdir(parents=True)
        self.plan = crew.base / "mine" / "plan.md"

    def tmux(self, *command: str) -> Answer:
        return tmux.run(Socket(self.socket), *command)

    def start(self, *items: str) -> str:
        self.plan.write_text("".join(f"- [ ] {item}\n" for item in items))
        program = f"DISPATCH_TASK_DIR={self.crew.base}/mine {sys.executable} {os.path.join(HERE, 'demo_worker.py')} begin; exec sh"
        return self.tmux(
            "new-session", "-d", "-P", "-F", "#{pane_id}", "-x", "120", "-y", "40", "-c", str(self.crew.root), program
        ).text

    def screen(self, pane: str) -> str:
        return self.tmux("capture-pane", "-p", "-t", pane).text


@pytest.fixture
def own(crew: Crew) -> Iterator[Own]:
    made = Own(crew)
    yield made
    made.tmux("kill-server")


def adopt(own: Own, pane: str) -> str:
    wait_until(lambda: "❯" in own.screen(pane))
    own.crew.run("adopt", pane, "--id", "mine", "--backend", "demo", "--socket", own.socket)
    return "mine"


def test_its_question_is_seen_answered_and_it_is_given_back(own: Own) -> None:
    crew = own.crew
    pane = own.start("choose: which one? (choices: red | green)", "hang")
    id = adopt(own, pane)
    shown = crew.run("wait", "--for", "question").stdout
    assert "mine asks (s1): which one?" in shown and "2. green" in shown
    crew.run("answer", id, "--choice", "2")
    wait_until(lambda: "chosen: green" in own.screen(pane))
    assert "its screen" in crew.run("status", id).stdout and "which one?" in crew.run("screen", id).stdout
    assert "a program of yours" in crew.run("stop", id, ok=False).stderr
    assert "runs on" in crew.run("release", id).stdout
    assert crew.json("status", id)["state"] == "stopped"
    assert "hang" in own.screen(pane) and own.tmux("display-message", "-p", "-t", pane, "#{pane_dead}").text == "0"


def test_a_message_reaches_it_and_its_end_is_seen(own: Own) -> None:
    crew = own.crew
    pane = own.start("look")
    id = adopt(own, pane)
    crew.until(id, "idle")
    crew.run("send", id, "use JWT")
    wait_until(lambda: "You said: use JWT" in own.screen(pane))
    crew.until(id, "idle")
    crew.kill_supervisor()
    own.tmux("send-keys", "-t", pane, "C-c")
    own.tmux("send-keys", "-t", pane, "C-c")
    # the shell behind it is there: what is typed before it reads is thrown away
    wait_until(lambda: re.search(r"^[#$] ", own.screen(pane), re.MULTILINE), lambda: own.screen(pane))
    own.tmux("send-keys", "-t", pane, "C-d")
    wait_until(lambda: crew.store.supervised())
    task = crew.until(id, "done")
    assert task.why == "its program has ended"
    crew.run("clean", id)
    assert own.tmux("has-session").ok  # its window is theirs


def test_what_cannot_be_adopted_is_said(own: Own) -> None:
    crew = own.crew
    pane = own.tmux("new-session", "-d", "-P", "-F", "#{pane_id}", "sh").text
    assert "only a shell" in crew.run("adopt", pane, "--socket", own.socket, ok=False).stderr
    assert "there is no pane '%99'" in crew.run("adopt", "%99", "--socket", own.socket, ok=False).stderr
    pane = own.start("hang")
    wait_until(lambda: "❯" in own.screen(pane))
    assert "no backend is known" in crew.run("adopt", pane, "--socket", own.socket, ok=False).stderr
    adopt(own, pane)
    again = crew.run("adopt", pane, "--id", "other", "--backend", "demo", "--socket", own.socket, ok=False)
    assert "is the task mine already" in again.stderr
    assert "was not adopted" in crew.run("release", crew.start("-m", "demo", "x"), ok=False).stderr


@pytest.mark.parametrize(
    ("argv", "backend"),
    [
        (["claude"], "claude"), (["/usr/bin/node", "/x/bin/codex", "-m", "x"], "codex"), (["node", "/x/gemini.js"], "gemini"),
        (["python3", "x.py"], ""), ([], ""),
    ],
)  # fmt: skip
def test_the_cli_is_told_by_its_command_line(argv: list[str], backend: str) -> None:
    assert adopting.backend_of(argv, {"claude": "claude", "codex": "codex", "gemini": "gemini"}) == backend
