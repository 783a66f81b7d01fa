"""What CLIs say of themselves, in their output and through their hooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dispatch_tmux.backends.load import load
from dispatch_tmux.backends.signals import Signals, digest


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
