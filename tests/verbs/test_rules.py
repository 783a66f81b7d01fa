"""Newer screen rules through the Python API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from made import rules_after

import dispatch_tmux as dispatch
from dispatch_tmux.backends import load as backends
from dispatch_tmux.verbs import rules as verb

BUILT_IN = backends.load("copilot").rules


NEWER, NEWEST = rules_after(BUILT_IN), rules_after(BUILT_IN, 2)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DISPATCH_CONFIG", str(tmp_path / "none.yaml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def written(home: Path) -> Callable[..., str]:
    def write(version: str, name: str = "copilot", **changes: Any) -> str:
        entry = {"version": version, "screen": {**(backends.screen_of("copilot") or {}), **changes}}
        (home / "new.yaml").write_text(yaml.safe_dump({"rules": {name: entry}}, allow_unicode=True))
        return "new.yaml"

    return write


def version(name: str = "copilot") -> str:
    return {b.name: b.rules for b in dispatch.list_backends(name)}[name]


def test_rules_are_proposed_taken_and_given_back(written: Callable[..., str], home: Path) -> None:
    proposal = dispatch.propose_rules(written(NEWER, skip=["^ [~/]\\S*$"]))
    assert proposal.source == str(home / "new.yaml") and proposal.passed_over == ()
    (change,) = proposal.changes
    assert (change.name, change.old, change.new) == ("copilot", BUILT_IN, NEWER)
    assert change.changes.changed == ("skip",) and (change.screens, change.before, change.after) == (12, 12, 12)
    assert version() == f"rules {BUILT_IN}, built in"  # nothing is taken by asking

    assert dispatch.take_rules(proposal) == (change,)
    assert version().startswith(f"rules {NEWER} from")
    assert dispatch.rollback_rules("copilot") == [dispatch.RolledBack("copilot", NEWER, BUILT_IN)]
    with pytest.raises(dispatch.DispatchError, match="no rules were updated"):
        dispatch.rollback_rules()


def test_a_proposal_that_was_overtaken_changes_nothing(written: Callable[..., str]) -> None:
    mine = dispatch.propose_rules(written(NEWER))
    dispatch.take_rules(dispatch.propose_rules(written(NEWEST)))
    with pytest.raises(dispatch.DispatchError, match=rf"are {NEWEST} by now") as e:
        dispatch.take_rules(mine)
    assert "another update came first" in e.value.hint and version().startswith(f"rules {NEWEST} from")


def test_a_file_of_the_users_own_counts(written: Callable[..., str], home: Path) -> None:
    own = home / ".dispatch" / "backends" / "copilot.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("executable: copilot\nargv: [copilot]\n")
    proposal = dispatch.propose_rules(written(NEWER))
    assert proposal.changes == () and proposal.passed_over == (f"copilot: your own file counts, {own}",)
    assert version() == "rules of your own file"


def test_what_has_no_rules_can_be_given_some(written: Callable[..., str]) -> None:
    (change,) = dispatch.propose_rules(written(NEWER, name="goose")).changes
    assert (change.old, change.screens) == ("", 0) and "composer.prompt" in change.changes.added
    assert version("goose") == ""
    dispatch.take_rules(dispatch.propose_rules(written(NEWER, name="goose")))
    assert version("goose").startswith(f"rules {NEWER} from")


@pytest.mark.parametrize("trial", ["exit 0", "echo nonsense", "kill -9 $$", "exec sleep 60"])
def test_a_trial_that_does_not_end_well_refuses_the_rules(
    written: Callable[..., str], home: Path, monkeypatch: pytest.MonkeyPatch, trial: str
) -> None:
    program = home / "python"
    program.write_text(f"#!/bin/sh\n{trial}\n")
    program.chmod(0o755)
    monkeypatch.setattr(verb.sys, "executable", str(program))
    monkeypatch.setattr(verb, "DEADLINE", 0.5)
    with pytest.raises(dispatch.DispatchError, match="trying them on the recorded screens did not end"):
        dispatch.propose_rules(written(NEWER))


def test_sources_that_differ_are_told(written: Callable[..., str], home: Path) -> None:
    dispatch.take_rules(dispatch.propose_rules(written(NEWER)))
    (home / "new.yaml").rename(home / "first.yaml")
    dispatch.take_rules(dispatch.propose_rules(written(NEWER, name="goose")))
    (home / "new.yaml").rename(home / "second.yaml")
    for proposed in ("first.yaml", "second.yaml"):
        assert dispatch.propose_rules(proposed).passed_over
    with pytest.raises(dispatch.DispatchError, match="there is no file"):  # both came from new.yaml
        dispatch.propose_rules()
    with pytest.raises(dispatch.UsageProblem, match="cannot be renewed"):
        dispatch.rollback_rules("command")


def test_what_is_exported_comes_back_as_it_was(home: Path) -> None:
    text = dispatch.export_rules("claude", "copilot")
    data = yaml.safe_load(text)["rules"]
    assert data["claude"]["verified"]["version"] == backends.load("claude").verified.version
    assert data["copilot"]["screen"] == backends.screen_of("copilot")
    with pytest.raises(dispatch.UsageProblem):
        dispatch.export_rules("demo")


def test_the_trial_takes_no_module_from_where_one_stands(written: Callable[..., str], home: Path) -> None:
    """`python -m` looks in the working directory first; a repository could have a package of our name."""
    trap = home / "dispatch_tmux"
    trap.mkdir()
    (trap / "__init__.py").write_text(f"open({str(home / 'ran')!r}, 'w')")
    assert dispatch.propose_rules(written(NEWER)).changes
    assert not (home / "ran").exists()
