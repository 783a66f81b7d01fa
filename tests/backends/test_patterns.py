"""Patterns that can take for ever are found before anybody has to wait for them."""

from __future__ import annotations

import re
import time

import pytest

from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends import patterns


def made(text: str) -> re.Pattern[str]:
    return re.compile(text, re.MULTILINE)


@pytest.mark.parametrize(
    "text",
    [
        r"(a+)+$", r"(?:\d+ ?)+x", r"^(?:.*,)*y", r"((?:ab)*c?)*d", r"(?:x{0,50})*y", r"(?:a|b+)*?c", r"(?=(?:a+)+b)", r"(?P<q>['\"]).*(?P=q)",
        r"(a?){30}(a?){30}a{30}", r"(?:|a){5}b", "x" * 2001,
    ],
)  # fmt: skip
def test_a_form_that_can_explode_is_refused_without_being_run(text: str) -> None:
    assert patterns.fault(made(text))


@pytest.mark.parametrize(
    "text",
    [
        r"(a|a)*$", r"(?:a|ab|b)*c", r"(?<=x)(?:b|bb)*c", r"(.*a){12}$", r"\s*\s*\s*\s*x", r".*.*.*=.*", r"a*a*a*a*a*b", r"(?:x{1,16}){1,16}y",
        r"Do you .* .* .* .* proceed", r"^ *(?:│| )*\s*(?:│|\s)*$",
    ],
)  # fmt: skip
def test_what_only_its_texts_show_is_found_and_broken_off(text: str) -> None:
    began = time.process_time()
    assert patterns.takes_for_ever(made(text))
    assert time.process_time() - began < 8  # texts before the one that hangs take their time, too


@pytest.mark.parametrize(
    "text",
    [
        r"^─{4}.*─$",
        r"(?:←\s+)?[☐☒✔] ",
        r"^\s+(?:.* · )?esc to int(?:errupt)?",
        r"^(\w|\d)+$",
        r"(?i:yes|no)",
        "",
        r"a{3}(?:bc){2,4}",
    ],
)
def test_plain_patterns_are_fine(text: str) -> None:
    assert not patterns.fault(made(text)) and not patterns.takes_for_ever(made(text))


def test_no_built_in_pattern_of_an_agent_cli_takes_long() -> None:
    """As they are tried when they come in a rules file; the slowest takes a quarter of what is allowed."""
    found = [
        (n, at, p)
        for n in backends.names()
        if n not in backends.FIXED
        for at, p in patterns.of(backends.load(n).screen)
    ]
    assert len(found) > 250
    assert [(name, at) for name, at, p in found if patterns.fault(p) or patterns.takes_for_ever(p)] == []


def test_each_pattern_has_its_place() -> None:
    places = [at for at, _ in patterns.of(backends.load("claude").screen)]
    assert {"screen.composer.prompt", "screen.busy.title", "screen.dialogues[0].has[1]", "screen.skip[0]"} <= {*places}
    assert len(places) == len({*places})


def test_what_is_broken_off_leaves_the_timer_as_it_was() -> None:
    began = time.process_time()
    assert not patterns.within(0.2, lambda: made(r"(a+)+$").search("a" * 40 + "!"))
    assert 0.1 < time.process_time() - began < 5
    assert patterns.within(5.0, lambda: None)
    end = time.process_time() + 0.3
    while time.process_time() < end:  # no signal comes late
        pass
