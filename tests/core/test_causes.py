"""Why a program ended in an error, read from what it printed last, and from nothing that it only talked about."""

from __future__ import annotations

import re

import pytest

from dispatch_tmux.core.causes import ELSEWHERE, LINES, SAID, Cause, cause

PROSE = ["I looked at the quota code.", "The tests pass now.", "I will commit that.", "Next: the login page."]

ENDINGS = [
    ("flag", ["error: unexpected argument '--full-auto' found", "", "  tip: to pass it as a value", "Usage: codex exec", "For more information, try --help"]),
    ("flag", ["error: unknown option '--yolo'"]),
    ("model", ["API Error: 404 {\"type\":\"not_found_error\",\"message\":\"model: opus-9\"}", "There's an issue with the selected model (opus-9)."]),
    ("model", ["ERROR: The model `gpt-9` does not exist or you do not have access to it."]),
    ("model", ["models/gemini-9 is not found for API version v1beta"]),
    ("quota", ["Error: 429 Too Many Requests"]),
    ("quota", ["You've hit your usage limit. Try again at 5pm."]),
    ("quota", ["API Error: Your credit balance is too low"]),
    ("overloaded", ["API Error: 529 {\"type\":\"overloaded_error\"}"]),
    ("overloaded", ["error: The service is temporarily unavailable (503)"]),
    ("auth", ["Invalid API key · Please run /login"]),
    ("auth", ["ERROR unexpected status 401 Unauthorized: Missing bearer"]),
    ("auth", ["Error: missing environment variable: OPENAI_API_KEY"]),
    ("network", ["Error: getaddrinfo ENOTFOUND api.example.invalid"]),
    ("network", ["stream error: error sending request for url"]),
    ("network", ["TypeError: fetch failed"]),
    ("", ["Traceback (most recent call last):", "ZeroDivisionError: division by zero"]),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "lines"), ENDINGS)
@pytest.mark.parametrize("before", [[], PROSE], ids=["alone", "after work"])
def test_the_last_words_tell_the_cause(kind: str, lines: list[str], before: list[str]) -> None:
    found = cause([*before, *lines], 1)
    assert found.kind == kind
    assert not lines or found.line


def test_where_no_rule_fits_the_last_line_that_says_error_is_told() -> None:
    assert cause(["start", "fatal: bad revision 'x'", "done in 3 s"], 1) == Cause("", "fatal: bad revision 'x'")
    assert cause(["one", "two"], 1) == Cause("", "two")


def test_a_program_that_is_missing_is_told_by_its_exit_code() -> None:
    assert cause(["sh: 1: claude: not found", ""], 127) == Cause("missing", "sh: 1: claude: not found")
    assert cause([], 127) == Cause("missing", "")


@pytest.mark.parametrize(
    "talk",
    ["The rate limit handler retries now.", "I set a usage limit in the config.", "I renamed quota to allowance.", "Overloaded functions are harder to read.", "Next I will fix the login required page."],
)  # fmt: skip
def test_an_agent_that_talks_about_such_things_has_not_run_into_them(talk: str) -> None:
    assert cause([talk, *PROSE], 1).kind == ""


def test_only_the_end_counts() -> None:
    old = ["Error: 429 Too Many Requests"]
    assert cause([*old, *["working"] * (LINES - 1)], 1).kind == "quota"
    assert cause([*old, *["working"] * LINES], 1).kind == ""


def test_what_comes_last_wins_over_what_came_before() -> None:
    assert cause(["Error: connection refused", "Error: 401 Unauthorized"], 1).kind == "auth"


def test_rules_of_the_backend_s_own_count_first() -> None:
    rules = [("quota", re.compile(r"come back tomorrow"))]
    assert cause(["Error: 401, come back tomorrow"], 1, rules).kind == "quota"
    assert cause(["Error: 401"], 1, rules).kind == "auth"


def test_a_line_is_bounded() -> None:
    assert len(cause(["Error: 429 " + "x" * 100_000], 1).line) == 300
    assert len(cause(["error " + "y" * 100_000], 1).line) == 300


def test_every_kind_has_words_and_another_model_may_help() -> None:
    assert {kind for kind, _ in ENDINGS} - {""} <= set(SAID) == set(ELSEWHERE)
