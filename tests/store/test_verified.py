"""What was found of each version of a CLI, kept in the home."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_tmux.store import home, verified
from dispatch_tmux.store.verified import Fault, Verdict

FAULT = Fault("several", "80x24", "wrong", "the model heard 'docs', which nobody chose")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def test_a_verdict_is_kept_for_its_version_and_a_new_one_takes_its_place() -> None:
    verified.keep("claude", Verdict("2.1.1", "2026-11-01", 60.0, 30, (FAULT,)), [])
    verified.keep("claude", Verdict("2.1.2", "2026-11-02", 61.0, 32), [])
    verified.keep("claude", Verdict("2.1.1", "2026-11-03", 62.0, 32), [])
    assert [(v.version, v.on) for v in verified.of("claude")] == [("2.1.1", "2026-11-03"), ("2.1.2", "2026-11-02")]
    assert verified.of("codex") == ()


def test_faults_come_back_as_they_were_and_only_the_wrong_ones_count_as_wrong() -> None:
    faults = (FAULT, FAULT._replace(verdict="refused"), FAULT._replace(verdict="untried"))
    verified.keep("claude", Verdict("1.0", "2026-11-01", 60.0, 30, faults), [])
    (kept,) = verified.of("claude")
    assert kept.faults == faults and kept.wrong == 1


def test_the_screens_of_the_last_trial_are_beside_it_and_those_of_the_one_before_are_gone() -> None:
    folder = Path(
        verified.keep("claude", Verdict("1.0", "2026-11-01", 1.0, 3), [("several-80x24.txt", "❯ 1. [ ] lint\n")])
    )
    assert (folder / "several-80x24.txt").read_text() == "❯ 1. [ ] lint\n"
    (folder / "mine").mkdir()  # put there by somebody
    verified.keep("claude", Verdict("1.0", "2026-11-02", 1.0, 3), [("draft-80x24.txt", "x\n")])
    assert [p.name for p in folder.iterdir()] == ["draft-80x24.txt"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_not_every_version_is_kept_for_ever() -> None:
    for n in range(verified.KEPT + 3):
        verified.keep("claude", Verdict(f"2.{n}", "2026-11-01", 1.0, 3), [])
    assert verified.of("claude")[0].version == f"2.{verified.KEPT + 2}"
    assert len(verified.of("claude")) == verified.KEPT


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"version": "1"}]', "null", '{"a": 1}', "[" * 100_000])
def test_a_file_that_cannot_be_read_is_no_verdict(text: str) -> None:
    Path(home.path("verified")).mkdir(parents=True)
    Path(home.path("verified", "claude.json")).write_text(text)
    assert verified.of("claude") == ()


@pytest.mark.parametrize(
    ("faults", "version", "said"),
    [
        ((), "2.1.1", "verified here on 2026-11-01"),
        ((FAULT,), "2.1.1", "verified here on 2026-11-01: 1 of 30 steps not right"),
        ((), "2.1.2", "not verified here (2.1.1 was): dispatch verify claude"),
    ],
)
def test_how_a_version_stands_is_said_in_words(faults: tuple[Fault, ...], version: str, said: str) -> None:
    assert verified.standing("claude", version) == "not verified here: dispatch verify claude"
    verified.keep("claude", Verdict("2.1.1", "2026-11-01", 60.0, 30, faults), [])
    assert verified.standing("claude", version) == said
