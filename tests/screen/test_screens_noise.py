"""Every recorded screen of every CLI, as it is and with noise: no false question, no missed one."""

from __future__ import annotations

import pytest
from noise import ASKS, CASES, LABELS, NOISES, is_right, seen


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("name, state", CASES)
def test_S17_a_recorded_screen_is_read_right_with_noise_around_it(name: str, state: str, noise: str) -> None:
    assert is_right(name, state, noise), f"{LABELS[name][state]}: {seen(name, state, noise)}"


def test_there_are_screens_of_five_clis() -> None:
    assert len(CASES) == 147 and len(LABELS) == 5
    assert sum(LABELS[name][state] in ASKS for name, state in CASES) > 40


@pytest.mark.parametrize("name, state", [(n, s) for n, s in CASES if LABELS[n][s] == "ready"])
def test_D5_a_draft_is_seen_as_one(name: str, state: str) -> None:
    if seen(name, state, "as recorded").composer is None or "mode" in state:
        return
    shown = seen(name, state, "a draft")
    assert shown.composer and "1. SQLite" in shown.composer.text


@pytest.mark.parametrize("noise", [n for n in NOISES if n != "as recorded"])
def test_each_noise_is_one(noise: str) -> None:
    from noise import plain

    changed = [c for c in CASES if LABELS[c[0]][c[1]] == "ready" and NOISES[noise](c[0], plain(*c)) != plain(*c)]
    assert len(changed) > (2 if noise == "a notice below" else 20)
