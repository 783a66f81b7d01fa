"""Every recorded screen of every CLI, as it is, with noise and in other sizes: no false question, no missed one."""

from __future__ import annotations

import pytest
from noise import ASKS, CASES, HIGHER, LABELS, NOISES, RULES, SCREENS, SIDE_BAR, SIZES, is_right, seen

from dispatch_tmux.screen.read import look


@pytest.mark.parametrize("noise", [*NOISES, *SIZES])
@pytest.mark.parametrize("name", LABELS)
def test_S17_the_recorded_screens_are_read_right_with_noise_and_at_each_size(name: str, noise: str) -> None:
    wrong = [(state, seen(name, state, noise)) for state in LABELS[name] if not is_right(name, state, noise)]
    assert not wrong


@pytest.mark.parametrize("name, state", CASES)
def test_colours_change_no_verdict(name: str, state: str) -> None:
    label = LABELS[name][state]
    shown = look(RULES[name], (SCREENS / name / f"{state}.ansi").read_text(), title=label.title)
    assert shown.shows in (label.shows, *label.also), shown


def test_there_are_screens_of_five_clis() -> None:
    assert len(CASES) == 254 and len(LABELS) == 5
    assert sum(LABELS[name][state].shows in ASKS for name, state in CASES) > 90
    assert len(HIGHER) < 5


@pytest.mark.parametrize("name, state", [(n, s) for n, s in CASES if LABELS[n][s].shows == "ready"])
def test_D5_a_draft_is_seen_as_one(name: str, state: str) -> None:
    if seen(name, state, "as recorded").composer is None or "mode" in state or (name, state) == SIDE_BAR:
        return
    shown = seen(name, state, "a draft")
    assert shown.composer and "1. SQLite" in shown.composer.text


@pytest.mark.parametrize("noise", [n for n in NOISES if n != "as recorded"])
def test_each_noise_is_one(noise: str) -> None:
    from noise import plain

    changed = [c for c in CASES if LABELS[c[0]][c[1]].shows == "ready" and NOISES[noise](c[0], plain(*c)) != plain(*c)]
    assert len(changed) > (2 if noise == "a notice below" else 20)


@pytest.mark.parametrize("size", ["60 columns", "120 columns", "16 rows", "50 rows"])
def test_each_size_is_one(size: str) -> None:
    from noise import plain

    changed = [c for c in CASES if SIZES[size](c[0], plain(*c)) != plain(*c)]
    assert len(changed) > 100
