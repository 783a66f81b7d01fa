"""The /dispatch skill in a real Claude Code session: a script plays the host's model and makes the calls the skill asks for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from conftest import READY
from stub_model import Conversation, Heard, Say, Script, Step, Use, bash, plan_editor, play
from terminal import Window, wait_until
from test_claude_dispatch import Desk, desk

BATCH = """dispatch run --batch - <<'BATCH'
tasks:
  - id: auth
    title: "Rework the login"
    group: "Security"
    model: claude
    prompt: "rework the login"
    items:
      - 'decide {{dispatch ask "JWT or cookies?" --choice JWT --choice cookies}}'
      - "write it to output.md"
  - id: docs
    group: "Docs"
    model: claude
    prompt: "write the docs"
    items: ['look {{dispatch flag "a key is in the history"}}', 'write {{echo docs > docs.txt}}']
BATCH"""
WAIT = "dispatch wait --as session"


class Inbox:
    """What has come and was not dealt with: files of background waits that are over, and what the person typed."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.typed: list[str] = []

    def take(self, heard: Heard) -> str:
        for text in heard.said:
            found = re.findall(r"<output-file>(.*?)</output-file>", text)
            self.files += found
            if not found:
                self.typed.append(text.strip().splitlines()[-1])
        return heard.result


def host(heard: Heard) -> Any:
    """What the skill prescribes, step by step: dispatch, wait in the background, tell, answer, wait again."""
    inbox = Inbox()
    told = inbox.take((yield bash(BATCH, "dispatch both")))
    inbox.take((yield bash(WAIT, "wait for workers", run_in_background=True)))
    while True:
        if inbox.files:
            news = inbox.take((yield Use("Read", {"file_path": inbox.files.pop(0)})))
            if "no task is running" in news:
                told += "ALL OVER"
                continue
            inbox.take((yield bash(WAIT, "wait for workers", run_in_background=True)))
            told += f"NEWS\n{news}\n"
        elif inbox.typed:
            answer = f"dispatch answer auth {shlex.quote(inbox.typed.pop(0))}"
            told += "PASSED ON: " + inbox.take((yield bash(answer, "pass the answer on")))
        else:
            inbox.take((yield Say(told)))
            told = ""


def both(conversation: Conversation) -> Step:
    """The host and its workers ask the same model: the first words tell which it is."""
    first = conversation.heard[0].text
    if "You are a worker of `dispatch`" in first:
        return plan_editor(conversation)
    if "<command-name>/dispatch" in first:
        return play(host)(conversation)
    return Say("I am here.")


def open_host(at: Desk, *arguments: str) -> Window:
    env = dict(at.crew.env)
    window = at.lab.terminal.run("host", ["claude", *arguments], cwd=at.crew.root, env=env)
    window.wait_to_show(READY)
    return window


@pytest.fixture
def with_skill(desk: Callable[[Script], Desk], terminal: Any) -> Desk:
    at = desk(both)
    object.__setattr__(at.lab, "terminal", terminal)
    at.crew.run("skill", "install", "--user", CLAUDE_CONFIG_DIR=str(at.lab.config))
    return at


def test_the_skill_is_listed_and_its_text_arrives_with_the_arguments(with_skill: Desk) -> None:
    at = with_skill
    window = open_host(at)
    window.press("-l", "/disp")
    window.wait_to_show(r"/dispatch .*Dispatch coding work")
    window.press("-l", "atch ")
    window.press("-l", "status please")
    window.wait_to_show(r"/dispatch status please")
    window.press("Enter")
    wait_until(lambda: "<command-args>status please</command-args>" in said(at), why=lambda: said(at)[-2000:])
    text = said(at)
    assert "The request: status please" in text and "Wait: never poll" in text
    assert f"Base directory for this skill: {at.lab.config}/skills/dispatch" in text


def said(at: Desk) -> str:
    return "\n".join(at.model.user_texts())


def results(at: Desk) -> str:
    """Every tool's result in every conversation."""
    parts = [heard.result for request in at.model.main_requests for heard in request.conversation.heard]
    return "\n".join(parts)


def test_a_request_becomes_workers_their_question_wakes_the_host_and_the_answer_reaches_them(with_skill: Desk) -> None:
    at = with_skill
    window = open_host(at, "--allowedTools", "Bash(dispatch:*)", "--", "/dispatch rework the login; and write the docs")
    window.wait_to_show(r"● auth — claude: Rework the login", 60)
    window.wait_to_show(r"JWT or cookies\?", 60)  # nobody asked for it: the end of the background wait woke the host
    wait_until(lambda: at.crew.task("auth").open_questions)
    window.wait_to_show(r"✓ docs done", 60)
    window.press("-l", "cookies")
    window.press("Enter")
    window.wait_to_show(r"PASSED ON", 40)
    at.crew.until("auth", "done", 60)
    window.wait_to_show(r"✓ auth done \(2/2 items\)", 60)
    window.wait_to_show("ALL OVER", 60)
    assert "! docs flags: a key is in the history" in results(at)
    assert at.crew.task("auth").questions[0].answer == "cookies"
    assert (at.crew.root / "docs.txt").read_text() == "docs\n"
    # what the host spent: one call to dispatch, one to wait, and for each news one to read and one to wait
    assert at.crew.store.ids() == ["auth", "docs"]


def test_a_new_session_is_told_of_open_questions(with_skill: Desk) -> None:
    at = with_skill
    at.crew.run("skill", "install", "--hooks", "--yes", CLAUDE_CONFIG_DIR=str(at.lab.config))
    at.crew.start("-m", "demo", "--id", "storage", "--item", "ask: which? (choices: a | b)", "set up storage")
    at.crew.until("storage", "question")
    window = open_host(at, "--", "hello")
    wait_until(lambda: "storage — demo, waiting" in everything(at), why=lambda: everything(at)[-3000:])
    window.wait_to_show(r"dispatch: .*1 waiting for you")  # the status line
    at.crew.run("answer", "storage", "--choice", "1")
    at.crew.until("storage", "done")


def everything(at: Desk) -> str:
    return "\n".join(str(r.body) for r in at.model.requests)
