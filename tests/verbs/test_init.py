"""The config that `init` writes from what the installed CLIs list: who runs what, what is proposed, and that it can be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatch_tmux.backends.discovery import Listing
from dispatch_tmux.config import load as configuration
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.verbs import init
from dispatch_tmux.verbs.init import Found


def found(**listed: str) -> list[Found]:
    """CLIs by name, and the ids that each lists."""
    return [
        Found(name, f"about {name}", f"/opt/{name}", "1.2.3", Listing(name, tuple(ids.split())))
        for name, ids in listed.items()
    ]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "conf" / "config.yaml"
    monkeypatch.setenv("DISPATCH_CONFIG", str(path))
    return path


@pytest.mark.parametrize(
    ("there", "who"),
    [
        (found(claude="opus sonnet", cursor="opus gpt-5.3"), {"opus": "claude", "sonnet": "claude", "gpt-5.3": "cursor"}),
        (found(cursor="opus gpt-5.3 grok-4", codex="gpt-5.3"), {"gpt-5.3": "codex", "opus": "cursor", "grok-4": "cursor"}),
        (found(claude="opus", opencode="anthropic/opus x/kimi-k2"), {"opus": "claude", "anthropic/opus": "opencode", "x/kimi-k2": "opencode"}),
        (found(gemini="", codex="gpt-5.3"), {"gpt-5.3": "codex", "gemini": "gemini"}),
        (found(), {}),
    ],
)  # fmt: skip
def test_each_model_runs_at_its_own_cli_or_where_it_is_listed(there: list[Found], who: dict[str, str]) -> None:
    assert init.models(there) == who == init.models(list(reversed(there)))


def test_a_cli_that_lists_thousands_fills_no_file_of_thousands() -> None:
    assert len(init.models(found(opencode=" ".join(f"x/m-{n}" for n in range(3000))))) <= init.MOST


@pytest.mark.parametrize(
    ("there", "first"),
    [
        (found(claude="opus sonnet haiku", codex="gpt-5.3"), {"opus", "sonnet"}), (found(codex="gpt-5.2 gpt-5.3 gpt-5.3-mini"), {"gpt-5.3"}),
        (found(opencode="x/kimi-k2"), {"x/kimi-k2"}), (found(gemini=""), {"gemini"}),
    ],
)  # fmt: skip
def test_what_is_proposed_first_is_there(there: list[Found], first: set[str]) -> None:
    proposed = init.proposals(there)
    assert proposed[0] in first and set(proposed) <= set(init.models(there)) and len(proposed) <= 5


def test_what_is_written_is_read_back_and_is_the_users_alone(config: Path) -> None:
    odd = "opus[1m] yes no null 1.5 0x10 x/a:b @c gpt-5.3 #d"
    there = found(claude=odd, codex="gpt-5.3")
    written = init.write(there, "opus[1m]")
    assert (written.path, written.default, written.kept) == (str(config), "opus[1m]", "")
    read = configuration.load()
    assert read is not None and read.default == "opus[1m]"
    assert {name: model.backend for name, model in read.models.items()} == init.models(there)
    assert set(odd.split()) <= set(read.models) and read.aliases == {}
    assert config.stat().st_mode & 0o077 == 0


def test_a_default_that_no_cli_has_writes_nothing(config: Path) -> None:
    with pytest.raises(DispatchError, match="'gork-9' is not among the models found") as told:
        init.write(found(claude="opus"), "gork-9")
    assert "opus" in told.value.hint and not config.exists()


def test_a_config_that_is_there_stays_and_begun_anew_it_is_kept(config: Path) -> None:
    config.parent.mkdir()
    config.write_text("# mine\ndefault: opus\n")
    for call in (
        lambda: init.write(found(claude="opus"), "opus"),
        lambda: init.init(),
        lambda: init.refuse_existing(False),
    ):
        with pytest.raises(DispatchError, match="there is a config already"):
            call()
    assert config.read_text().startswith("# mine")
    kept = init.write(found(claude="sonnet"), "sonnet", force=True).kept
    assert Path(kept).read_text() == "# mine\ndefault: opus\n" and os.path.dirname(kept) == str(config.parent)
    read = configuration.load()
    assert read is not None and read.default == "sonnet"
