"""Edits of the user's config: one key each, refused where something would be left hanging, and never half."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from threads import at_once

from dispatch_tmux.config import edit, load
from dispatch_tmux.config.schema import Config
from dispatch_tmux.errors import DispatchError

FULL = """\
# mine
default: opus
models:
  opus: {backend: claude, fallbacks: [sonnet, gpt]}  # the good one
  sonnet: {backend: claude}
  gpt: {backend: codex, fallbacks: [opus, sonnet]}
aliases:
  quick: {model: sonnet}
  careful: {model: opus, prompt: "Look twice.", fallbacks: [sonnet]}
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISPATCH_CONFIG", str(tmp_path / "there" / "config.yaml"))
    return tmp_path / "there" / "config.yaml"


@pytest.fixture
def full(path: Path) -> Path:
    path.parent.mkdir()
    path.write_text(FULL)
    return path


def config() -> Config:
    found = load.load()
    assert found is not None
    return found


# --- adding


def test_the_first_entry_makes_the_file_private_with_a_word_where_to_read_on(path: Path) -> None:
    edit.add_model("opus", "claude")
    edit.set_default("opus")
    edit.add_alias("quick", "opus", prompt="Be quick.", fallbacks=("opus",))
    assert path.read_text().startswith("# The configuration of dispatch: docs/config.md")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = config()
    assert found.default == "opus" and found.models["opus"].backend == "claude"
    assert (found.aliases["quick"].prompt, found.aliases["quick"].fallbacks) == ("Be quick.", ("opus",))


def test_an_entry_of_the_same_name_is_replaced_and_comments_stay(full: Path) -> None:
    edit.add_model("sonnet", "mine", ("opus",))
    edit.set_default("sonnet")
    assert config().models["sonnet"].backend == "mine" and config().default == "sonnet"
    text = full.read_text()
    assert "# mine\n" in text and "# the good one" in text
    assert len(text.splitlines()) == len(FULL.splitlines())


def test_what_would_not_be_read_back_is_not_written(full: Path) -> None:
    for change in (
        lambda: edit.add_alias("x", ""),
        lambda: edit.add_alias("loop", "quick"),
        lambda: edit.add_model("", "claude"),
    ):
        with pytest.raises(DispatchError):
            change()
    assert full.read_text() == FULL


def test_a_broken_config_is_told_and_left_as_it_is(full: Path) -> None:
    full.write_text(broken := FULL + "oops: [\n")
    with pytest.raises(DispatchError, match=f"{full}, line 1"):
        edit.set_default("sonnet")
    assert full.read_text() == broken


def test_an_edit_keeps_the_file_s_mode(full: Path) -> None:
    full.chmod(0o640)
    edit.set_default("sonnet")
    assert stat.S_IMODE(full.stat().st_mode) == 0o640


def test_many_edits_at_once_are_all_there(path: Path) -> None:
    at_once(lambda n: edit.add_model(f"m{n}", "claude"), range(8))
    assert sorted(config().models) == [f"m{n}" for n in range(8)]


# --- removing


@pytest.mark.parametrize(
    ("change", "said", "hint"),
    [
        (lambda: edit.remove_alias("nobody"), "there is no alias 'nobody'", "quick, careful"),
        (lambda: edit.remove_model("nobody"), "there is no model 'nobody'", "opus, sonnet, gpt"),
        (
            lambda: edit.remove_model("opus"),
            "'opus' is used by default, aliases.careful.model, models.gpt.fallbacks",
            "--use OTHER",
        ),
        (lambda: edit.remove_model("opus", "nobody"), "there is no model 'nobody'", "sonnet"),
        (lambda: edit.remove_model("opus", "opus"), "cannot replace itself", ""),
    ],
)
def test_what_cannot_be_removed_is_told_with_why_and_what_there_is(
    full: Path, change: object, said: str, hint: str
) -> None:
    with pytest.raises(DispatchError) as told:
        change()  # type: ignore[operator]
    assert said in str(told.value) and hint in told.value.hint
    assert full.read_text() == FULL


def test_whatever_used_a_removed_model_uses_the_other_one_once(full: Path) -> None:
    edit.remove_model("opus", "sonnet")
    found = config()
    assert sorted(found.models) == ["gpt", "sonnet"] and found.default == "sonnet"
    assert found.aliases["careful"].model == "sonnet"
    assert found.models["gpt"].fallbacks == ("sonnet",)  # not twice
    assert "# mine\n" in full.read_text() and "Look twice." in full.read_text()


def test_an_alias_goes_and_one_that_is_the_default_does_not(full: Path) -> None:
    edit.set_default("quick")
    with pytest.raises(DispatchError, match="'quick' is the default") as told:
        edit.remove_alias("quick")
    assert "set-default" in told.value.hint
    edit.set_default("opus")
    edit.remove_alias("quick")
    edit.remove_alias("careful")
    assert config().aliases == {} and sorted(config().models) == ["gpt", "opus", "sonnet"]


def test_an_agent_of_the_old_format_can_be_removed_as_well(full: Path) -> None:
    full.write_text("agents:\n  harvey: {command: claude -p}\n  mike: {command: codex exec}\n")
    edit.remove_alias("harvey")
    assert list(config().agents) == ["mike"]


# --- upgrading


def test_nothing_to_migrate_leaves_no_copy(full: Path) -> None:
    assert edit.migrate() == ""
    assert full.read_text() == FULL and not list(full.parent.glob("*.bak"))


def test_agents_become_aliases_and_the_old_file_is_kept(full: Path) -> None:
    full.write_text(old := "# old\nagents:\n  harvey: {command: claude -p}\n")
    kept = edit.migrate()
    assert Path(kept).read_text() == old and Path(kept).parent == full.parent
    assert config().aliases["harvey"].command == "claude -p" and config().agents == {}
    assert "# old\n" in full.read_text()


def test_a_name_that_is_both_is_not_guessed(full: Path) -> None:
    full.write_text(old := "agents: {a: {command: claude -p}}\naliases: {a: {command: codex exec}}\n")
    with pytest.raises(DispatchError, match="'a' is an agent and an alias"):
        edit.migrate()
    assert full.read_text() == old and not list(full.parent.glob("*.bak"))


def test_copies_of_one_second_have_names_of_their_own(full: Path) -> None:
    copies = {edit.backup(str(full)) for _ in range(5)}
    assert len(copies) == 5 and {Path(c).read_text() for c in copies} == {FULL}
    assert {stat.S_IMODE(os.stat(c).st_mode) for c in copies} == {0o600}


def test_an_aged_command_is_given_its_current_form_wherever_it_stands(full: Path) -> None:
    full.write_text(
        "backends:\n  codex: {command: 'codex exec --full-auto -C \"$(pwd)\"'}  # mine\n"
        "aliases:\n  fast: {command: codex exec --full-auto}\n  other: {command: claude -p}\n"
    )
    told = edit.aged(config())
    assert sorted(name for name, *_ in told) == ["codex", "fast"]
    assert all("--full-auto" in old and "--full-auto" not in new and why for _, old, new, why in told)
    assert edit.renew() == told
    assert "--full-auto" not in full.read_text() and "# mine" in full.read_text()
    assert config().aliases["other"].command == "claude -p"
    assert edit.renew() == [] and edit.aged(config()) == []
