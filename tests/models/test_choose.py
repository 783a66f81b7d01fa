"""The model for a task by configuration and what is installed: who takes over, what is confirmed, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError, NeedsDecision
from dispatch_tmux.models import choose
from dispatch_tmux.models.choose import Shop
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import home

Configure = Callable[..., Shop]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Writes the configuration; the CLIs that are named in INSTALLED are on PATH, and no other one is."""
    config, bin_dir = tmp_path / "config.yaml", tmp_path / "bin"
    bin_dir.mkdir()
    (tmp_path / "home").mkdir()
    for name, value in (("DISPATCH_CONFIG", config), ("PATH", bin_dir), ("HOME", tmp_path / "home")):
        monkeypatch.setenv(name, str(value))

    def write(*installed: str, **data: object) -> Shop:
        for name in installed:
            (bin_dir / name).write_text("#!/bin/sh\nexit 1\n")
            (bin_dir / name).chmod(0o755)
        config.write_text(json.dumps(data))
        return Shop()

    return write


MODELS = {
    "opus": {"backend": "claude"},
    "gpt": {"backend": "codex"},
    "flash": {"backend": "gemini"},
    "fast": {"backend": "codex"},
}


def test_who_could_take_over_runs_here_and_another_cli_comes_first(configure: Configure) -> None:
    shop = configure("claude", "codex", models=MODELS)
    assert shop.alternatives("gpt", "codex") == ["opus", "fast"]
    assert shop.alternatives("opus", "claude") == ["gpt", "fast"]
    assert shop.alternatives() == ["opus", "gpt", "fast"]
    assert choose.instead_of(Task("t", model="gpt", backend="codex")) == ["opus", "fast"]


def test_with_a_config_that_cannot_be_read_nobody_takes_over(configure: Configure, tmp_path: Path) -> None:
    configure("claude", models=MODELS)
    (tmp_path / "config.yaml").write_text("models: [")
    assert choose.instead_of(Task("t", model="gpt", backend="codex")) == []
    assert choose.next_name({"fallbacks": ["opus"]}) == ""


@pytest.mark.parametrize(
    ("fallbacks", "name", "left"),
    [
        (["opus", "gpt"], "opus", ("gpt",)), (["gpt", "opus", "fast"], "opus", ("fast",)), (["nosuch-1", "opus"], "opus", ()), (["gpt"], "", ()),
        ([], "", ()), (None, "", ()),
    ],
)  # fmt: skip
def test_the_next_fallback_is_the_first_that_can_run(
    configure: Configure, fallbacks: list[str] | None, name: str, left: tuple[str, ...]
) -> None:
    configure("claude", models=MODELS)
    found = choose.next_fallback({"fallbacks": fallbacks})
    assert (found.name if found else "") == name == choose.next_name({"fallbacks": fallbacks})
    assert (found.fallbacks if found else ()) == left


def test_a_model_whose_cli_is_missing_gives_way_to_its_fallback_or_is_refused(configure: Configure) -> None:
    shop = configure("claude", models={**MODELS, "gpt": {"backend": "codex", "fallbacks": ["opus"]}})
    assert choose.runnable(shop, choose.for_task(shop, "gpt", "x")).name == "opus"
    with pytest.raises(DispatchError, match="codex is not installed") as told:
        choose.runnable(shop, choose.for_task(shop, "fast", "x"))
    assert "installed: opus" in told.value.hint


def test_without_any_cli_the_demo_is_named(configure: Configure) -> None:
    shop = configure(models=MODELS)
    with pytest.raises(DispatchError) as told:
        choose.must_run(shop, choose.for_task(shop, "opus", "x"))
    assert "-m demo needs no agent CLI" in told.value.hint
    assert choose.runnable(shop, choose.for_task(shop, "demo", "x")).backend == "demo"


def test_a_backend_that_there_is_not_is_named_with_its_place(configure: Configure, tmp_path: Path) -> None:
    shop = configure(models={"opus": {"backend": "clode"}})
    with pytest.raises(DispatchError, match=r"models\.opus\.backend: there is no backend 'clode'") as told:
        choose.for_task(shop, "opus", "x")
    assert "claude" in told.value.hint and str(tmp_path / "config.yaml") in str(told.value)


def test_a_backend_of_ones_own_without_a_command_is_refused(configure: Configure) -> None:
    shop = configure(models={"mine": {"backend": "command"}})
    with pytest.raises(DispatchError, match="has no command"):
        choose.must_run(shop, Resolution("mine", "mine", "command", "named"))


# --- the default


def test_a_default_is_confirmed_for_one_project_and_one_model(configure: Configure) -> None:
    shop = configure("claude", default="opus", models=MODELS)
    chosen = choose.for_task(shop, "", "look around")
    assert chosen.name == "opus" and choose.needs_confirmation(chosen, "/a")
    choose.confirm("/a", "opus")
    assert not choose.needs_confirmation(chosen, "/a") and choose.needs_confirmation(chosen, "/b")
    choose.confirm("/b", "gpt")
    assert choose.confirmed("/a", "opus") and not choose.confirmed("/b", "opus")
    assert not choose.needs_confirmation(choose.for_task(shop, "opus", "x"), "/c")  # it was named


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "null", "[" * 50_000])
def test_a_damaged_memory_of_confirmations_asks_again(configure: Configure, text: str) -> None:
    configure(models=MODELS)
    choose.confirm("/a", "opus")
    Path(home.path("confirmed.json")).write_text(text)
    assert not choose.confirmed("/a", "opus")
    choose.confirm("/a", "opus")
    assert choose.confirmed("/a", "opus")


def test_what_is_undecided_says_how_to_decide() -> None:
    told = choose.undecided(Resolution("opus", "opus", "claude", "default"), ["gpt", "flash"])
    assert isinstance(told, NeedsDecision) and "--yes" in str(told) and "gpt, flash" in told.hint


def test_a_model_that_was_found_is_added_once_and_only_to_a_config(configure: Configure, tmp_path: Path) -> None:
    shop = configure("claude", models={"gpt": {"backend": "codex"}})
    chosen = choose.for_task(shop, "sonnet-4.6", "x")
    assert chosen.add and "sonnet-4.6 is new: added to" in choose.add_if_new(shop, chosen)
    again = Shop()
    assert (
        not choose.for_task(again, "sonnet-4.6", "x").add
        and choose.add_if_new(again, choose.for_task(again, "sonnet-4.6", "x")) == ""
    )
    (tmp_path / "config.yaml").unlink()
    assert choose.add_if_new(Shop(), chosen) == "" and not (tmp_path / "config.yaml").exists()


def test_the_command_that_would_run_keeps_what_only_a_task_has_as_it_is(configure: Configure) -> None:
    shop = configure("claude", models=MODELS)
    argv, variables, _ = choose.command(shop, choose.for_task(shop, "opus", "x"), "/w")
    assert argv[0] == "claude" and "opus" in [*argv, *variables.values()] and "{prompt}" in argv
    assert "DISPATCH_TASK_DIR" not in variables
