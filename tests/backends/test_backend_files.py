"""Backend files: what is read, what is refused and how that is said, what a user may change."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from dispatch_tmux.backends import load as backends
from dispatch_tmux.errors import DispatchError

MINIMAL = "name: mine\nexecutable: mine\nargv: [mine]\n"
PLACEHOLDERS = {
    "prompt",
    "model",
    "id",
    "session",
    "settings",
    "task_dir",
    "python",
    "demo_worker",
    "cwd",
    "model_flags",
    "permission_flags",
}
DOCS = Path(__file__).parents[2] / "docs" / "backends.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(MINIMAL)
    return tmp_path


# --- what is built in


@pytest.mark.parametrize("name", backends.names())
def test_each_built_in_file_loads_under_its_own_name(name: str) -> None:
    backend = backends.load(name)

    assert backend.name == name
    assert backend.about
    used = set(re.findall(r"\{(\w+)\}", " ".join([*backend.argv, *backend.resume, *backend.env.values()])))
    assert used <= PLACEHOLDERS


def test_claude_is_started_with_its_prompt_behind_the_options() -> None:
    claude = backends.load("claude")

    assert claude.argv[-2:] == ("--", "{prompt}")
    assert "--model" not in claude.argv  # the model goes through the environment
    assert claude.env["ANTHROPIC_MODEL"] == "{model}"
    assert claude.verified.on == "2026-11-21"


def test_S15_the_variables_of_a_surrounding_agent_are_taken_away() -> None:
    assert {"CLAUDECODE", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_SESSION_ID"} <= set(backends.load("claude").unset)


@pytest.mark.parametrize(
    "text, safe",
    [
        ("use JWT", "use JWT"),
        ("!rm -rf x", "Answer: !rm -rf x"),
        ("/exit", "Answer: /exit"),
        ("  /exit", "Answer:   /exit"),
        ("a\n/exit", "a\n/exit"),
        ("C:\\", "C:\\ ."),
        ("!x\\", "Answer: !x\\ ."),
        ("a\\\nb", "a\\\nb"),
    ],
)
def test_D12_a_message_is_never_a_command(text: str, safe: str) -> None:
    assert backends.load("claude").protected(text) == safe


# --- claude's hooks


def hook_command() -> str:
    return backends.load("claude").settings["hooks"]["Stop"][0]["hooks"][0]["command"]


def test_every_signal_has_its_hook() -> None:
    claude = backends.load("claude")

    assert set(claude.signals.means) <= set(claude.settings["hooks"])
    assert json.loads(json.dumps(claude.settings)) == claude.settings


def test_a_hook_drops_each_event_whole_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "signals").mkdir()

    for n in range(3):
        done = subprocess.run(
            ["sh", "-c", hook_command()],
            input=json.dumps({"n": n, "text": "é" * 100_000}),
            env={"PATH": os.environ["PATH"], "DISPATCH_TASK_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    files = sorted((tmp_path / "signals").iterdir())
    assert [json.loads(file.read_text())["n"] for file in files] == [0, 1, 2]
    assert all(file.suffix == ".json" and file.stat().st_mode & 0o077 == 0 for file in files)


@pytest.mark.parametrize("task_dir", ["", "is-not-there"])
def test_a_hook_without_its_directory_says_nothing_and_blocks_nothing(tmp_path: Path, task_dir: str) -> None:
    done = subprocess.run(
        ["sh", "-c", hook_command()],
        cwd=tmp_path,
        input="{}",
        env={"PATH": os.environ["PATH"], "DISPATCH_TASK_DIR": task_dir},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- the user's own


def test_a_users_file_is_a_backend(folder: Path) -> None:
    assert "mine" in backends.names(folder)
    assert backends.load("mine", folder=folder).argv == ("mine",)


def test_a_users_file_replaces_the_built_in_one_of_its_name(folder: Path) -> None:
    (folder / "claude.yaml").write_text(MINIMAL.replace("mine", "claude"))

    assert backends.load("claude", folder=folder).argv == ("claude",)


def test_a_users_changes_are_merged_key_by_key() -> None:
    changed = backends.load("claude", user={"submit": {"delay": 1.0}, "env": {"X": "1"}, "argv": ["my-claude"]})

    assert changed.submit == backends.Submit(delay=1.0)
    assert changed.env["X"] == "1" and "ANTHROPIC_MODEL" in changed.env
    assert changed.argv == ("my-claude",)
    assert changed.screen.dialogues == backends.load("claude").screen.dialogues


def test_a_users_config_alone_can_define_one() -> None:
    mine = backends.load("mine", user={"argv": ["mine", "{prompt}"]})

    assert (mine.name, mine.executable, mine.interactive) == ("mine", "mine", True)


# --- mistakes


@pytest.mark.parametrize("name", ["nope", "", "../backends/claude", "/etc/passwd", "claude.yaml", "*"])
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(DispatchError) as error:
        backends.load(name)

    assert repr(name) in str(error.value)
    assert "claude" in error.value.hint and "command" in error.value.hint


@pytest.mark.parametrize(
    "text, named",
    [
        ("argvv: [x]", "argvv"),
        ("argv: claude", "$.argv"),
        ("prompt: keyboard", "$.prompt"),
        ("submit: {dealy: 1}", "dealy"),
        ("screen: {busy: {above: [{lines: x}]}}", "$.screen.busy.above[0]"),
        ("screen: {skip: ['(']}", "$.screen.skip[0]"),
        ("screen: {skip: [1]}", "$.screen.skip[0]"),
        ("screen: {dialogues: [{kind: x, foot: y, has: []}]}", "two signs"),
        ("screen: {errors: [{kind: api, line: 'Error: .*'}]}", "(?P<detail>"),
        ("screen: {choice: '(?P<key>.)'}", "(?P<label>"),
        ("signals: {means: {Stop: finished}}", "finished"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(folder: Path, text: str, named: str) -> None:
    key = text.partition(":")[0]
    kept = "".join(line for line in MINIMAL.splitlines(keepends=True) if not line.startswith(f"{key}:"))
    (folder / "mine.yaml").write_text(f"{kept}{text}\n")

    with pytest.raises(DispatchError) as error:
        backends.load("mine", folder=folder)

    assert named in str(error.value)
    assert str(folder / "mine.yaml") in error.value.hint


@pytest.mark.parametrize("text", ["argv: [", "- a list", "", "!!python/object/apply:os.system [x]", "\x00"])
def test_X6_a_broken_file_is_a_clear_error(folder: Path, text: str) -> None:
    (folder / "mine.yaml").write_text(text)

    with pytest.raises(DispatchError) as error:
        backends.load("mine", folder=folder)

    assert str(folder / "mine.yaml") in str(error.value)


def test_a_mistake_in_the_users_changes_says_so() -> None:
    with pytest.raises(DispatchError) as error:
        backends.load("claude", user={"submitt": {}})

    assert "submitt" in str(error.value)
    assert "your config" in error.value.hint


# --- the documentation


def test_the_documented_examples_load(tmp_path: Path) -> None:
    whole, _rules_file = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.S)
    (tmp_path / "mycli.yaml").write_text(whole)

    assert backends.load("mycli", folder=tmp_path).screen.dialogues[0].kind == "permission"


def test_every_key_is_documented() -> None:
    from dispatch_tmux.backends import rules

    structs = [backends.Backend, backends.Signals, backends.Submit, backends.Protection]
    structs += [kind for kind in vars(rules).values() if isinstance(kind, type) and issubclass(kind, rules._Rule)]
    keys = {field for struct in structs for field in struct.__struct_fields__}

    assert {key for key in keys if not re.search(rf"\b{key}\b", DOCS.read_text())} == set()
