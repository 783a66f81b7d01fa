"""New rules tried on the recorded screens."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from dispatch_tmux.backends import fixtures
from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends.fixtures import Label
from dispatch_tmux.backends.rules import ScreenRules, compiled
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.screen import judge

SCREEN = backends.screen_of("copilot") or {}


def made(**change: Any) -> ScreenRules:
    return msgspec.convert({**copy.deepcopy(SCREEN), **change}, ScreenRules, dec_hook=compiled)


def judged(**change: Any) -> dict[str, Any]:
    return judge.judged("copilot", made(**change), made())


def test_the_same_rules_read_all_as_before() -> None:
    verdict = judged()
    assert verdict["all"] == len(verdict["before"]) == len(verdict["after"]) == 12
    assert verdict["otherwise"] == verdict["slow"] == []


def test_rules_that_read_less_are_seen_to() -> None:
    verdict = judged(dialogues=[])
    assert len(verdict["after"]) < len(verdict["before"]) == 12


def test_choices_that_are_read_otherwise_are_named() -> None:
    verdict = judged(choice=r"^\W{0,6}?(?P<key>\d{1,2})\. (?P<label>\S)")
    assert verdict["after"] == verdict["before"] and verdict["otherwise"]
    assert all(fixtures.labels()["copilot"][state].shows in ("question", "startup") for state in verdict["otherwise"])


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"\s*\s*\s*\s*x"])
def test_a_pattern_that_hangs_is_named_and_no_screen_is_read(pattern: str) -> None:
    verdict = judged(skip=["ok", pattern])
    assert verdict["slow"] == ["screen.skip[1]"] and verdict["all"] == 0


def test_a_cli_without_recorded_screens_is_tried_on_none() -> None:
    assert judge.judged("aider", made(), made())["all"] == 0


@pytest.mark.parametrize(
    ("shown", "label", "right"),
    [
        (Shown("ready"), Label("ready"), True), (Shown("busy"), Label("ready"), False), (Shown("busy"), Label("ready", ("busy",)), True),
        (Shown("error", "quota"), Label("error", kind="auth"), False), (Shown("error", "auth"), Label("error", kind="auth"), True),
        (Shown("ready", "x"), Label("error", ("ready",), "auth"), True),
    ],
)  # fmt: skip
def test_what_is_right(shown: Shown, label: Label, right: bool) -> None:
    assert judge.is_right(shown, label) is right


def test_it_is_a_process_of_its_own() -> None:
    given = json.dumps({"copilot": {"new": SCREEN, "old": {}}})
    done = subprocess.run(
        [sys.executable, "-m", "dispatch_tmux.screen.judge"], input=given, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)["copilot"]
    assert len(verdict["after"]) == 12 > len(verdict["before"])


def test_every_recorded_screen_comes_with_the_package() -> None:
    labels = fixtures.labels()
    assert sum(map(len, labels.values())) > 250
    assert all(fixtures.text(name, state).strip() for name in labels for state in labels[name])
    project = (fixtures.place().parents[2] / "pyproject.toml").read_text()
    assert '"tests/screen/recorded" = "dispatch_tmux/screens"' in project
    assert 'only-include = ["dispatch_tmux", "skill", "tests/screen/recorded"]' in project
