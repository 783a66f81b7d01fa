"""Dialogues of real CLIs on screens too low for them, recorded by shrinking the window (tests/screen/low)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_tmux.backends.load import load
from dispatch_tmux.screen import read as screen

FOLDER = Path(__file__).parent / "low"
LABELS = ["SQLite", "PostgreSQL", "An answer with a rather long label of its own"]
WHOLE = "Which database shall it be, given that the service has to run on a small machine"


@pytest.mark.parametrize(
    ("name", "kind", "question", "labels"),
    [
        ("claude-multi-50x24", "multi", WHOLE, LABELS),
        ("claude-ask-60x16", "choice", "stopping? 1. is not a choice here.", LABELS),
        ("claude-two-40x20", "choice", "not a choice here. Esc to cancel is not a hint here.", LABELS),
        ("gemini-own-question-50x24", "choice", WHOLE, LABELS),
        ("gemini-own-question-80x12", "choice", "... 3 hidden (Ctrl+O) ...", LABELS[:1]),
    ],
)
def test_a_dialogue_without_its_head_is_a_question(name: str, kind: str, question: str, labels: list[str]) -> None:
    backend = load(name.partition("-")[0])
    seen = screen.look(backend.screen, (FOLDER / f"{name}.txt").read_text())
    assert (seen.shows, seen.kind) == ("question", kind)
    assert question in f"{seen.question} {seen.detail}"
    assert [c.label for c in seen.choices][: len(labels)] == labels
