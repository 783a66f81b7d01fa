"""What CLIs say of themselves, in their output and through their hooks."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dispatch_tmux.backends.load import load
from dispatch_tmux.backends.signals import KEPT, Asked, Signals, digest


@pytest.mark.parametrize(
    ("said", "over"),
    [
        (["working", "idle"], True), (["working"], False), (["idle", "working"], False), (["working", "done"], True), (["blocked"], False),
        (["working", "idle", "unheard-of"], True), (["blocked", "idle"], True),
        (["idle"], False),  # it waits for its prompt, which it has not taken up yet
    ],
)  # fmt: skip
def test_codex_tells_its_state_in_its_output(tmp_path: Path, said: list[str], over: bool) -> None:
    signals = Signals(str(tmp_path), load("codex").signals)
    for state in said:
        signals.hear(f"drawing\033]7501;state={state}:app=codex\007 more".encode())
    signals.read()
    assert signals.turn_over is over


def test_what_looks_like_it_in_plain_text_is_none(tmp_path: Path) -> None:
    signals = Signals(str(tmp_path), load("codex").signals)
    signals.hear(rb"he wrote ]7501;state=idle and \033]7501;state=idle")
    signals.read()
    assert signals.turn_over is False


def test_a_hooks_file_is_read_once_and_damage_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "signals").mkdir()
    (tmp_path / "signals" / "1.json").write_text("{half")
    (tmp_path / "signals" / "2.json").write_text(
        json.dumps({"hook_event_name": "UserPromptSubmit", "prompt": "use  JWT"})
    )
    (tmp_path / "signals" / "3.json").write_text(json.dumps({"hook_event_name": "Stop"}))
    signals = Signals(str(tmp_path), load("claude").signals)
    signals.read()
    assert signals.receipts == {digest("use JWT"): 1} and signals.turn_over
    assert list((tmp_path / "signals").iterdir()) == []


def test_a_screen_that_rests_no_longer_once_the_cli_tells_that_it_works(tmp_path: Path) -> None:
    signals = Signals(str(tmp_path), load("gemini").signals)
    for state, stirred in (("◇", False), ("✦", True), ("◇", False), ("✋", True)):
        signals.hear(f"\033]0;{state}  Ready (project)\007".encode())
        signals.read()
        assert signals.stirred is stirred, state
        signals.stirred = False


def told(folder: Path, *events: object, backend: str = "claude") -> Signals:
    """What is known once EVENTS have come, each by a hook's file."""
    (folder / "signals").mkdir(exist_ok=True)
    for n, event in enumerate(events):
        (folder / "signals" / f"{n:06}.json").write_text(event if isinstance(event, str) else json.dumps(event))
    signals = Signals(str(folder), load(backend).signals)
    while any((folder / "signals").glob("*.json")):
        signals.read()
    return signals


@pytest.mark.parametrize(
    "odd",
    [
        "", "null", "5", "[]", '"x"', "[[1, 2]]", "[" * 50_000, "\0", '{"hook_event_name": ["Stop"]}', '{"hook_event_name": null}',
        '{"hook_event_name": "UserPromptSubmit", "prompt": {"a": 1}}', '{"hook_event_name": "PermissionRequest", "tool_input": 5}',
        '{"hook_event_name": "Stop", "background_tasks": 7}', '{"hook_event_name": "Stop", "background_tasks": [5, null, {"description": ["x"]}]}',
    ],
)  # fmt: skip
def test_X9_whatever_a_worker_writes_there_costs_that_file_only(tmp_path: Path, odd: str) -> None:
    signals = told(
        tmp_path, odd, {"hook_event_name": "UserPromptSubmit", "prompt": "go on"}, odd, {"hook_event_name": "Stop"}
    )
    assert signals.receipts[digest("go on")] == 1 and signals.turn_over
    assert signals.hook_of("anything") == ""


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_X9_what_is_no_file_is_passed_over(tmp_path: Path, kind: str) -> None:
    (tmp_path / "signals").mkdir()
    (tmp_path / "mine.json").write_text(json.dumps({"hook_event_name": "UserPromptSubmit", "prompt": "secret"}))
    place = tmp_path / "signals" / "1.json"
    {"link": lambda: place.symlink_to(tmp_path / "mine.json"), "fifo": lambda: os.mkfifo(place), "folder": place.mkdir}[
        kind
    ]()
    (tmp_path / "signals" / "2.json").write_text(json.dumps({"hook_event_name": "UserPromptSubmit", "prompt": "go on"}))
    signals = Signals(str(tmp_path), load("claude").signals)
    signals.read()
    assert dict(signals.receipts) == {digest("go on"): 1}
    assert (tmp_path / "mine.json").exists()


def test_half_written_and_hidden_files_are_left_for_later(tmp_path: Path) -> None:
    (tmp_path / "signals").mkdir()
    for name in (".1.json", "1.json.tmp", ".1.tmp"):
        (tmp_path / "signals" / name).write_text(json.dumps({"hook_event_name": "Stop"}))
    signals = Signals(str(tmp_path), load("claude").signals)
    signals.read()
    assert not signals.turn_over and len(list((tmp_path / "signals").iterdir())) == 3


def test_of_thousands_the_last_ones_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker may tell of as many dialogues and prompts as it likes, for hours."""
    monkeypatch.setattr("dispatch_tmux.backends.signals.RECEIPTS", 100)
    rules = load("opencode").signals
    asks = next(word for word, meaning in rules.means.items() if meaning == "question")
    signals = told(tmp_path, *({rules.field: asks, rules.ref: f"r{n}"} for n in range(150)), backend="opencode")
    assert len(signals.asked) == KEPT and "r149" in signals.asked and "r0" not in signals.asked
    asked = [
        {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": f"make {n}."}}
        for n in range(60)
    ]
    said = [{"hook_event_name": "UserPromptSubmit", "prompt": f"prompt {n}"} for n in range(300)]
    signals = told(tmp_path, *asked, *said)
    for name in signals.hooks:
        os.makedirs(tmp_path / "door", exist_ok=True)
        os.mkfifo(tmp_path / "door" / f"{name}.fifo")  # where the hook waits
    assert len(signals.hooks) == KEPT and signals.hook_of("make 59.") and not signals.hook_of("make 3.")
    assert len(signals.receipts) == 100 and signals.receipts[digest("prompt 299")] == 1


def test_a_dialogue_that_was_answered_is_asked_no_more(tmp_path: Path) -> None:
    rules = load("opencode").signals
    asks = next(word for word, meaning in rules.means.items() if meaning == "question")
    ends = next(word for word, meaning in rules.means.items() if meaning == "busy")
    event = {rules.field: asks, rules.ref: "r1", "question": "Which?", "choices": ["A", "B", 5], "multiple": True}
    signals = told(tmp_path, event, backend="opencode")
    assert signals.asked == {"r1": Asked("Which?", ("A", "B", "5"), True)}
    signals = told(tmp_path, event, {rules.field: ends, rules.ref: "r1"}, backend="opencode")
    assert signals.asked == {}
    assert told(tmp_path, {**event, "choices": "A", "question": None}, backend="opencode").asked == {
        "r1": Asked("", (), True)
    }
