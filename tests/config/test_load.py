"""Where the configuration comes from, what counts without one, and what of it others ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatch_tmux.config import load
from dispatch_tmux.config import schema as config_schema
from dispatch_tmux.core import schedule
from dispatch_tmux.core.state import Limits
from dispatch_tmux.errors import DispatchError


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISPATCH_CONFIG", str(tmp_path / "config.yaml"))
    return tmp_path / "config.yaml"


def test_it_lies_in_the_home_unless_a_variable_names_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DISPATCH_CONFIG", raising=False)
    assert load.path() == str(tmp_path / ".dispatch/config.yaml")
    monkeypatch.setenv("DISPATCH_CONFIG", "")
    assert load.path() == str(tmp_path / ".dispatch/config.yaml")
    monkeypatch.setenv("DISPATCH_CONFIG", "/elsewhere.yaml")
    assert load.path() == "/elsewhere.yaml"


def test_without_a_file_the_defaults_count(path: Path) -> None:
    assert load.text() is None and load.load() is None
    assert load.socket(None) == load.OWN_SOCKET
    assert load.times(None) == Limits()
    assert load.schedule_limits(None) == schedule.Limits()
    assert load.user_backends(None) == {}
    assert load.backend("demo").name == "demo"


def test_an_empty_file_says_the_same_as_none(path: Path) -> None:
    path.write_text("# nothing yet\n")
    found = load.load()
    assert found is not None
    assert load.socket(found) == load.OWN_SOCKET
    assert load.times(found) == Limits()
    assert load.schedule_limits(found) == schedule.Limits()


def test_what_is_said_comes_through(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path.write_text(
        "tmux: {socket: ~/s}\ntimes: {settle: 5, nudge: 0, quiet: 1.5}\n"
        "limits: {max_workers: 4, per_backend: {claude: 2}, per_group: {nightly: 1}, stagger: 1, memory: 0}\n"
    )
    found = load.load()
    assert load.socket(found) == str(tmp_path / "s")
    assert load.times(found) == Limits(5.0, 0.0, 1.5)
    assert load.schedule_limits(found) == schedule.Limits(4, {"claude": 2}, {"nightly": 1}, 1.0, 0)


def test_a_byte_order_mark_is_no_part_of_the_first_key(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfdefault: opus\r\nmodels: {opus: {backend: claude}}\r\n")
    found = load.load()
    assert found is not None and found.default == "opus"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"default: opus\n# caf\xe9\n", "line 2: not UTF-8"),
        ("default: opus\n".encode("utf-16"), "line 1: not UTF-8"),
        (b"# " + b"x" * (1 << 20), "more than 1 MiB"),
    ],
    ids=["latin-1", "utf-16", "huge"],
)
def test_what_cannot_be_a_config_is_told_with_its_line(path: Path, raw: bytes, said: str) -> None:
    path.write_bytes(raw)
    with pytest.raises(DispatchError, match=said) as told:
        load.load()
    assert str(path) in str(told.value) and told.value.hint


def test_a_directory_in_its_place_is_told_with_the_way_out(path: Path) -> None:
    path.mkdir()
    with pytest.raises(DispatchError, match=r"cannot read .*: Is a directory") as told:
        load.load()
    assert "DISPATCH_CONFIG" in told.value.hint


def test_a_file_where_its_directory_should_be_is_no_config(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("")
    monkeypatch.setenv("DISPATCH_CONFIG", str(path / "config.yaml"))
    assert load.load() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limits:\n  max_workers: -1", "line 2: limits.max_workers: expected a whole number, 0 or more"),
        ("limits: {max_workers: 1.5}", "limits.max_workers: expected int"),
        ("limits: {max_workers: many}", "limits.max_workers: expected int"),
        ("limits: {memory: -5}", "limits.memory: expected a whole number, 0 or more"),
        ("limits: {per_backend: {claude: -2}}", "limits.per_backend: expected a whole number, 0 or more"),
        ("limits: {per_group: [nightly]}", "limits.per_group: expected keys and values"),
        ("limits: {stagger: .nan}", "limits.stagger: expected a number, 0 or more"),
        ("times:\n  nudge: 5\n  settle: -5", "line 3: times.settle: expected a number, 0 or more"),
        ("times: {settle: .nan}", "times.settle: expected a number, 0 or more"),
        ("times: {quiet: true}", "times.quiet: expected float, got bool"),
        ("tmux: {socket: 5}", "tmux.socket: expected text"),
        ("worktree: {setup: 'npm i && npm t'}", "worktree.setup: command"),
        ("worktree: {link: node_modules}", "worktree.link: expected"),
    ],
)
def test_a_number_that_would_stop_everything_is_refused_where_it_stands(text: str, said: str) -> None:
    """With -1 workers none starts, and what is not a number is never over."""
    with pytest.raises(DispatchError) as told:
        config_schema.parse("config.yaml", text)
    assert said in str(told.value)


def test_for_ever_is_a_time() -> None:
    assert config_schema.parse("c", "times: {nudge: .inf}").times.nudge == float("inf")


def test_commands_of_aliases_and_agents_are_backends_and_what_backends_says_counts_most(path: Path) -> None:
    path.write_text(
        "agents: {harvey: {command: claude -p}, mike: {command: codex exec}}\n"
        "aliases: {mike: {command: gemini -p}, quick: {model: opus}}\nmodels: {opus: {backend: claude}}\n"
        "backends: {harvey: {permissions: skip}}\n"
    )
    found = load.user_backends(load.load())
    assert found == {"harvey": {"permissions": "skip"}, "mike": {"command": "gemini -p"}}
    assert load.backend("mike").argv[0] == "gemini"


def test_a_backend_has_the_user_s_changes_and_an_unknown_one_is_refused(path: Path) -> None:
    path.write_text("backends: {claude: {permissions: skip}, mine: {command: ./agent --go}}\n")
    assert load.backend("claude").permissions == "skip"
    assert load.backend("mine").argv[:2] == ("./agent", "--go")
    with pytest.raises(DispatchError, match="no backend 'cluade'"):
        load.backend("cluade")


def test_nothing_in_the_working_directory_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DISPATCH_CONFIG", raising=False)
    os.makedirs(tmp_path / "project/.dispatch/backends")
    (tmp_path / "project/.dispatch/config.yaml").write_text("default: evil\n")
    monkeypatch.chdir(tmp_path / "project")
    assert load.load() is None
