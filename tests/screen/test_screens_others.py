"""What Codex's and Gemini's recorded screens show; Claude Code's are in test_screen.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dispatch_tmux.backends import load as backends
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.screen.read import look

SCREENS = Path(__file__).parent / "recorded"
LABELS: dict[str, dict[str, str]] = yaml.safe_load((SCREENS / "labels.yaml").read_text())
RULES = {name: backends.load(name).screen for name in ("codex", "gemini")}
TITLES = {("codex", "busy_streaming"): "⠴ proj"}  # "no `esc to interrupt` line, only the title spins" (its README)
ALL = [(name, state) for name in RULES for state in LABELS[name]]


def shown(name: str, state: str, form: str = "txt") -> Shown:
    text = (SCREENS / name / f"{state}.{form}").read_text()
    return look(RULES[name], text, title=TITLES.get((name, state), ""))


@pytest.mark.parametrize("form", ["txt", "ansi"])
@pytest.mark.parametrize("name, state", ALL)
def test_each_recorded_screen_shows_what_it_is_labelled(name: str, state: str, form: str) -> None:
    assert shown(name, state, form).shows == LABELS[name][state]


@pytest.mark.parametrize(
    "name, state, kind",
    [
        ("codex", "auth_error", "auth"), ("codex", "auth_missing_key_env", "auth"), ("codex", "rate_limit", "quota"),
        ("codex", "rate_limit_in_stream", "quota"), ("codex", "quota_exceeded", "quota"), ("codex", "model_not_found", "model"),
        ("codex", "api_error", "overloaded"), ("codex", "bad_request", "api"), ("codex", "stream_cut", "network"),
        ("gemini", "auth_error", "auth"), ("gemini", "auth_error_api_key_invalid", "auth"), ("gemini", "stream_cut", "network"),
    ],
)  # fmt: skip
def test_S10_an_error_on_the_screen_has_its_cause(name: str, state: str, kind: str) -> None:
    seen = shown(name, state)

    assert seen.kind == kind and seen.detail


@pytest.mark.parametrize("name, state", [p for p in ALL if LABELS[p[0]][p[1]] == "ready"])
def test_S10_the_words_of_an_error_in_its_own_prose_are_none(name: str, state: str) -> None:
    text = (SCREENS / name / f"{state}.txt").read_text()
    prose = "• The API answers 429 when the quota is exceeded, and 401 Unauthorized without a key.\n\n" + text

    assert look(RULES[name], prose).shows == "ready"


@pytest.mark.parametrize(
    "name, state, question, choices",
    [
        (
            "codex",
            "approval_shell",
            "Would you like to run the following command?",
            ["Yes, proceed", "Yes, and don't", "No, and tell"],
        ),
        (
            "codex",
            "question_dialog",
            "Which database should the worker use?",
            ["SQLite", "Postgres", "None", "None of the above"],
        ),
        ("codex", "first_run_trust", "Trust this folder?", ["Trust and continue", "Back to Agent"]),
        (
            "gemini",
            "approval_shell",
            "Allow execution of [Shell]?",
            ["Allow once", "Allow for this session", "No, suggest"],
        ),
        ("gemini", "question_dialog", "Which database should the worker use?", ["SQLite", "Postgres", "None"]),
        ("gemini", "model_not_found", 'Model "no-such-model" was not found', ["Keep trying", "Stop"]),
        ("gemini", "first_run_trust", "Trusting a folder allows", ["Trust folder", "Trust parent", "Don't trust"]),
    ],
)
def test_a_dialogue_is_read_with_its_choices(name: str, state: str, question: str, choices: list[str]) -> None:
    seen = shown(name, state)

    assert question in seen.question
    assert [c.key for c in seen.choices] == [str(n) for n in range(1, len(choices) + 1)]
    assert all(c.label.startswith(label) for c, label in zip(seen.choices, choices, strict=True))
