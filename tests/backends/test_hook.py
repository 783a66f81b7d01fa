"""The hook that waits for an answer: which dialogue is its, what it is to print, and how it is let go."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from crew import wait_until

from dispatch_tmux.backends import hook as answering
from dispatch_tmux.backends.load import load
from dispatch_tmux.backends.signals import Signals

QUESTION = {
    "question": "Which database?",
    "options": [{"label": "SQLite"}, {"label": "MySQL"}, {"label": "None, really"}],
}
ASK: dict[str, Any] = {"tool_name": "AskUserQuestion", "tool_input": {"questions": [QUESTION]}}
BASH: dict[str, Any] = {"tool_name": "Bash", "tool_input": {"command": "python3 -c 'print(1)'\necho two"}}
EDIT: dict[str, Any] = {"tool_name": "Edit", "tool_input": {"file_path": "/p/src/main.py"}}
LABELS = ["Yes", "Yes, and don't ask again", "No"]


@pytest.mark.parametrize(
    ("payload", "shown", "matches"),
    [
        (ASK, "☐ Choice\nWhich\n  database?", True), (ASK, "Which table?", False),
        (BASH, "Bash command\n  python3 -c\n  'print(1)'\n  echo two\nDo you want to proceed?", True), (BASH, "rm -rf x", False),
        (EDIT, "Do you want to make this edit to main.py?", True), (EDIT, "other.py", False),
        ({"tool_name": "X", "tool_input": {}}, "anything", False), ({}, "anything", False), ({"tool_input": None}, "x", False),
        ({"tool_name": "AskUserQuestion", "tool_input": {"questions": [QUESTION, QUESTION]}}, "Which database?", False),
        ({"tool_name": "AskUserQuestion", "tool_input": {"questions": "?"}}, "?", False),
    ],
)  # fmt: skip
def test_which_dialogue_is_its(payload: dict[str, Any], shown: str, matches: bool) -> None:
    assert answering.matches(payload, shown) is matches


@pytest.mark.parametrize(
    ("payload", "places", "text", "says"),
    [
        (ASK, [2], "", "MySQL"), (ASK, [1, 3], "", "SQLite, None, really"), (ASK, [], "two\nlines", "two\nlines"),
        (ASK, [4], "", None), (ASK, [0], "", None), (ASK, [], "", None), (ASK, [1, 9], "", None),
        (BASH, [1], "", "allow"), (BASH, [2], "", None), (BASH, [3], "", None), (BASH, [3], "use node", "deny: use node"),
        (BASH, [1], "words", None),
    ],
)  # fmt: skip
def test_what_it_is_to_print(payload: dict[str, Any], places: list[int], text: str, says: str | None) -> None:
    answer = answering.reply(payload, LABELS, places, text)
    if says is None:
        assert answer is None  # keys can say it
        return
    assert answer is not None
    output = answer["hookSpecificOutput"]
    assert output["hookEventName"] == "PermissionRequest"
    decision = output["decision"]
    if payload is ASK:
        assert decision["behavior"] == "allow"
        assert decision["updatedInput"] == {"questions": [QUESTION], "answers": {"Which database?": says}}
    else:
        assert ": ".join(filter(None, [decision["behavior"], decision.get("message", "")])) == says


@pytest.fixture
def hook(tmp_path: Path) -> Any:
    """Claude's own hook, as our backend writes it, waiting."""
    (tmp_path / "signals").mkdir()
    command = load("claude").settings["hooks"]["PermissionRequest"][0]["hooks"][0]["command"]
    process = subprocess.Popen(
        ["sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "DISPATCH_TASK_DIR": str(tmp_path)},
        start_new_session=True,
    )
    assert process.stdin
    process.stdin.write(json.dumps(ASK).encode())
    process.stdin.close()
    wait_until(lambda: list((tmp_path / "signals").glob("[0-9]*.json")))
    yield process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # with the cat in it that waits for the answer
    process.wait()
    process.stdout.close()  # type: ignore[union-attr]


def test_the_hook_drops_its_payload_waits_and_prints_the_answer(hook: Any, tmp_path: Path) -> None:
    (dropped,) = (tmp_path / "signals").glob("*.json")
    assert json.loads(dropped.read_text()) == ASK
    answer = {"text": "é" * 10_000}
    wait_until(lambda: answering.send(str(tmp_path), dropped.stem, answer))
    assert json.loads(hook.stdout.read()) == answer
    assert hook.wait() == 0 and os.listdir(tmp_path / "door") == []
    assert not answering.send(str(tmp_path), dropped.stem, answer), "nobody waits any more"


def test_a_hook_whose_dialogue_was_answered_at_the_keyboard_ends_without_a_word(hook: Any, tmp_path: Path) -> None:
    (dropped,) = (tmp_path / "signals").glob("*.json")

    def released() -> bool:
        answering.release(str(tmp_path), dropped.stem)
        return hook.poll() is not None

    wait_until(released)
    assert (hook.stdout.read(), hook.returncode) == (b"", 0)


def test_hooks_without_a_dialogue_are_let_go_after_a_while(hook: Any, tmp_path: Path) -> None:
    answering.release_old(str(tmp_path), 600.0)
    assert hook.poll() is None
    (pipe,) = (tmp_path / "door").iterdir()
    os.utime(pipe, (time.time() - 700, time.time() - 700))

    def released() -> bool:
        answering.release_old(str(tmp_path), 600.0)
        return hook.poll() is not None

    wait_until(released)
    assert hook.stdout.read() == b""
    answering.release_old(str(tmp_path / "nowhere"), 0.0)


def test_an_answer_too_long_for_the_pipe_is_left_to_the_keyboard(hook: Any, tmp_path: Path) -> None:
    (dropped,) = (tmp_path / "signals").glob("*.json")
    assert not answering.send(str(tmp_path), dropped.stem, {"text": "x" * 100_000})
    assert hook.poll() is None


@pytest.mark.parametrize("options", [None, 5, "Yes", {"label": "Yes"}, [None, "x", 5], [{}], [{"label": None}], []])
def test_X9_a_payload_of_the_worker_s_own_making_answers_nothing_and_stops_nobody(options: Any) -> None:
    payload = {
        "tool_name": "AskUserQuestion",
        "tool_input": {"questions": [{"question": "Which?", "options": options}]},
    }
    assert answering.matches(payload, "Which?")
    said = answering.reply(payload, ("A", "B"), [1], "")
    assert said is None or options in ([{}], [{"label": None}])
    typed = answering.reply(payload, ("A", "B"), [], "my words")
    assert typed is not None and "my words" in json.dumps(typed)


@pytest.mark.parametrize(
    "given",
    [
        None,
        5,
        "x",
        [],
        {},
        {"questions": None},
        {"questions": ["x"]},
        {"questions": [{}, {}]},
        {"command": {"a": 1}},
        {"file_path": 7},
    ],
)
def test_X9_a_payload_without_sense_is_no_dialogue_s(given: Any) -> None:
    for tool in ("AskUserQuestion", "Bash", None, 5):
        assert not answering.matches({"tool_name": tool, "tool_input": given}, "Do you want to proceed?")


def test_S22_of_two_hooks_that_read_alike_the_one_is_answered_whose_dialogue_is_shown(tmp_path: Path) -> None:
    (tmp_path / "door").mkdir()
    signals = Signals(str(tmp_path), load("claude").signals)
    begin = 'python3 -c \'import time; print("a long beginning that both of them have"); '
    asked = {"1-1": f"{begin}print(1)'", "2-2": f"{begin}print(2)'", "3-3": "ls", "4-4": "ls"}
    for name, command in asked.items():
        signals.hooks[name] = {"tool_name": "Bash", "tool_input": {"command": command}}
        os.mkfifo(tmp_path / "door" / f"{name}.fifo")
    assert signals.hook_of(f"Bash command\n{begin}print(2)'\nproceed?") == "2-2"
    assert signals.hook_of(f"Bash command\n{begin}print(1)'\nproceed?") == "1-1"
    assert signals.hook_of(f"Bash command\n{begin}…\nproceed?") == ""  # nobody can say
    assert signals.hook_of("ls") == "3-3"
    os.unlink(tmp_path / "door" / "3-3.fifo")  # it was answered
    assert signals.hook_of("ls") == "4-4"


def test_a_question_takes_words_by_its_hook_also_where_its_dialogue_has_no_field() -> None:
    assert answering.takes_words(ASK) and not answering.takes_words(BASH) and not answering.takes_words({})
    assert not answering.takes_words({"tool_name": "AskUserQuestion", "tool_input": "?"})
