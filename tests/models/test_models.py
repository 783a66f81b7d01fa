"""Finding models: a stand-in CLI that answers well, slowly, with garbage, never; the first run; what is added by itself."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pexpect
import pytest
import yaml
from crew import DISPATCH, Crew

WELL = """\
case "$1" in
  models) printf 'Available models\\n\\nauto - Auto\\nsonnet-4.6 - Claude 4.6 Sonnet  (current)\\n'
          printf 'gpt-5.3-codex - GPT-5.3 Codex (default)\\ngrok-4 - Grok 4\\ngemini-3.1-pro - Gemini 3.1 Pro\\n\\nTip: --model\\n' ;;
  --version) echo 2026.11.1 ;;
  *) echo "ran with: $*" | head -c 300; exec sleep 600 ;;
esac
"""
LISTED = {"auto", "sonnet-4.6", "gpt-5.3-codex", "grok-4", "gemini-3.1-pro"}


class Programs:
    """Stand-ins for agent CLIs: the only ones on the PATH of a crew."""

    def __init__(self, crew: Crew) -> None:
        self.crew, self.folder = crew, crew.base / "fakes"
        self.folder.mkdir()
        crew.env["PATH"] = os.pathsep.join([str(self.folder), str(crew.base / "bin"), "/usr/bin", "/bin"])

    def add(self, name: str, script: str = "exec sleep 600") -> Path:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def asked(self) -> int:
        """How many times `agent models` was run, when its script counts."""
        counter = self.folder / "asked"
        return len(counter.read_text()) if counter.exists() else 0


@pytest.fixture
def programs(crew: Crew) -> Programs:
    return Programs(crew)


def test_agent_models_is_read(crew: Crew, programs: Programs) -> None:
    programs.add("agent", WELL)
    found = {entry["id"]: entry for entry in crew.json("models")}

    assert set(found) == LISTED
    assert {entry["backend"] for entry in found.values()} == {"cursor"}
    assert found["sonnet-4.6"]["family"] == "claude"
    assert "grok-4" in crew.run("models").stdout


def test_the_answer_is_kept_and_refresh_asks_again(crew: Crew, programs: Programs) -> None:
    agent = programs.add("agent", f"printf x >>{programs.folder}/asked\n{WELL}")
    for _ in range(3):
        crew.run("models")
    assert programs.asked() == 1

    crew.run("models", "--refresh")
    assert programs.asked() == 2

    agent.write_text(agent.read_text() + "# an update\n")
    crew.run("models")
    assert programs.asked() == 3


@pytest.mark.parametrize(
    "script, words",
    [
        ("exit 3", "exit code 3"),
        ("echo 'Please run agent login' >&2; exit 1", "Please run agent login"),
        ("head -c 3000000 /dev/urandom; echo; exit 0", "lists nothing that can be read"),
        ("echo; echo 'Welcome!'; echo '- bullet'; echo 'a  -  b'", "lists nothing that can be read"),
        ("printf '\\033[31m\\033]0;evil\\007\\n'", "lists nothing that can be read"),
    ],
)
def test_an_answer_that_is_garbage_is_told_and_harms_nothing(
    crew: Crew, programs: Programs, script: str, words: str
) -> None:
    programs.add("agent", script)
    done = crew.run("models")

    assert words in done.stderr and "\x1b" not in done.stderr + done.stdout


def test_ids_with_anything_strange_in_them_are_left_out(crew: Crew, programs: Programs) -> None:
    programs.add(
        "agent", "printf 'good-1 - Good\\n$(touch pwned) - Evil\\n--flag - Flag\\n\\033[1mbold-2\\033[0m - Bold\\n'"
    )

    assert {entry["id"] for entry in crew.json("models")} == {"good-1", "bold-2"}


def test_a_cli_that_never_answers_costs_its_deadline_once(crew: Crew, programs: Programs) -> None:
    programs.add("agent", f"printf x >>{programs.folder}/asked\nsleep 600 & sleep 600")
    began = time.monotonic()
    assert "did not answer within" in crew.run("models").stderr
    assert time.monotonic() - began < 25  # the deadline is 10 s
    assert "did not answer within" in crew.run("models").stderr  # from the cache

    assert programs.asked() == 1


def test_a_slow_cli_is_waited_for(crew: Crew, programs: Programs) -> None:
    programs.add("agent", f"sleep 1\n{WELL}")

    assert {entry["id"] for entry in crew.json("models")} == LISTED


def test_a_found_model_is_added_to_the_config_and_runs_at_once(crew: Crew, programs: Programs) -> None:
    programs.add("agent", WELL)
    text = f"# mine\ndefault: gemini-3.1-pro\nmodels:\n  gemini-3.1-pro:   {{ backend: cursor }}  # best\ntmux: {{socket: {crew.socket}}}\n"
    crew.config_path.write_text(text)
    done = crew.run("run", "use grok-4 to look around", "--id", "look")
    task = crew.until("look", "working")

    assert (task.model, task.backend) == ("grok-4", "cursor")
    assert "grok-4 is new: added to" in done.stderr
    assert crew.config_path.read_text() == text.replace("# best\n", "# best\n  grok-4: {backend: cursor}\n")
    assert "added" not in crew.run("run", "use grok-4 again").stderr


def test_a_model_that_is_nowhere_says_what_was_asked_and_what_is_near(crew: Crew, programs: Programs) -> None:
    programs.add("agent", WELL)
    done = crew.run("run", "-m", "gork-4", "look", ok=False)

    assert "Model gork-4 isn't available" in done.stderr
    assert "asked: cursor" in done.stderr and "grok-4" in done.stderr and "dispatch models" in done.stderr
    assert crew.store.ids() == []
    data = crew.run("resolve", "--json", "-m", "gork-4", ok=False)
    assert '"source": "unavailable"' in data.stdout


def test_a_cli_that_is_not_there_is_refused_with_what_is(crew: Crew, programs: Programs) -> None:
    programs.add("agent", WELL)
    crew.config_path.write_text("models: {opus: {backend: claude}, grok-4: {backend: cursor}}\n")
    done = crew.run("run", "-m", "opus", "look", ok=False)

    assert (
        "claude is not installed" in done.stderr and "npm install" in done.stderr and "installed: grok-4" in done.stderr
    )
    assert crew.store.ids() == []


# --- the default is confirmed once


def test_the_default_wants_to_be_confirmed_once_in_a_project(crew: Crew, programs: Programs) -> None:
    programs.add("agent", WELL)
    crew.config_path.write_text(
        f"default: grok-4\nmodels: {{grok-4: {{backend: cursor}}}}\ntmux: {{socket: {crew.socket}}}\n"
    )
    refused = crew.run("run", "look around", ok=False)
    assert refused.returncode == 4 and "the default is grok-4" in refused.stderr and "--yes" in refused.stderr
    assert crew.store.ids() == []
    assert crew.json("resolve", "look around")["needs_confirmation"] is True

    crew.run("run", "--yes", "look around")
    crew.run("run", "look again")  # once is enough
    assert crew.json("resolve", "look around")["needs_confirmation"] is False
    assert crew.run("run", "use grok-4 for this", ok=None).returncode == 0

    crew.run("config", "add-model", "auto", "--backend", "cursor")
    crew.run("config", "set-default", "auto")
    assert crew.run("run", "look", ok=False).returncode == 4  # another default is another question


# --- the first run


def test_init_finds_the_clis_and_writes_a_commented_config(crew: Crew, programs: Programs) -> None:
    crew.config_path.unlink()
    programs.add("agent", WELL)
    programs.add("claude", "[ \"$1\" = --version ] && echo '2.1.329 (Claude Code)'")
    programs.add("codex", '[ "$1" = --version ] && echo codex-cli 0.169.0; exit 1')
    said = crew.run("init", "--yes").stdout

    assert "found claude 2.1.329" in said and "found cursor 2026.11.1: 5 models" in said and "default: opus" in said
    text = crew.config_path.read_text()
    data = yaml.safe_load(text)
    assert data["default"] == "opus"
    models = {name: entry["backend"] for name, entry in data["models"].items()}
    assert models["sonnet-4.6"] == "claude"  # Claude's models go to claude, whoever lists them
    assert models["gpt-5.3-codex"] == "codex" and models["gemini-3.1-pro"] == "cursor" and models["opus"] == "claude"
    for heading in ("# Claude", "# GPT / OpenAI", "# Gemini", "# Others"):
        assert heading in text
    assert crew.json("resolve", "use sonnet")["backend"] == "claude"
    assert oct(crew.config_path.stat().st_mode & 0o777) == "0o600"


def test_init_never_overwrites(crew: Crew, programs: Programs) -> None:
    programs.add("agent", WELL)
    before = crew.config_path.read_text()
    assert "there is a config already" in crew.run("init", "--yes", ok=False).stderr
    assert crew.config_path.read_text() == before

    crew.run("init", "--yes", "--force")
    assert [p.read_text() for p in crew.base.glob("config.yaml.*.bak")] == [before]


def test_without_any_cli_init_says_what_to_install_and_that_the_demo_works(crew: Crew, programs: Programs) -> None:
    crew.config_path.unlink()
    done = crew.run("init", "--yes", ok=False)

    assert "no agent CLI found" in done.stderr and "npm install -g @anthropic-ai/claude-code" in done.stderr
    assert "dispatch demo" in done.stderr
    assert not crew.config_path.exists()


def test_a_run_without_config_on_no_terminal_starts_nothing_and_says_what_to_do(crew: Crew, programs: Programs) -> None:
    crew.config_path.unlink()
    programs.add("agent", WELL)

    assert "dispatch init" in crew.run("run", "look", ok=False).stderr
    assert not crew.config_path.exists()


def test_backends_tells_what_is_installed_and_what_was_verified(crew: Crew, programs: Programs) -> None:
    programs.add("agent", WELL)
    rows = {row["name"]: row for row in crew.json("backends")}

    assert {"claude", "codex", "cursor", "gemini", "opencode", "copilot", "aider", "goose", "demo"} <= set(rows)
    assert rows["cursor"]["version"] == "2026.11.1" and rows["claude"]["installed"] == ""
    assert rows["claude"]["verified"] and not rows["cursor"]["verified"]
    assert "argv: agent" in crew.run("backends", "--check", "cursor").stdout
    assert "no backend 'x'" in crew.run("backends", "--check", "x", ok=False).stderr


def test_a_file_of_the_users_adds_a_backend_and_overrides_one(crew: Crew, programs: Programs) -> None:
    programs.add("mycli")
    folder = crew.home / ".dispatch" / "backends"
    folder.mkdir(parents=True)
    (folder / "mycli.yaml").write_text(
        'name: mycli\nexecutable: mycli\nargv: [mycli, "{model_flags}", "{prompt}"]\nmodel_flags: [-x, "{model}"]\n'
    )
    crew.config_path.write_text("models: {big-1: {backend: mycli}}\n")

    assert crew.json("resolve", "use big-1")["argv"] == ["mycli", "-x", "big-1", "{prompt}"]
    (folder / "codex.yaml").write_text("name: codex\nexecutable: mycli\nargv: [mycli, codex]\n")
    assert crew.json("backends", "--check", "codex")[0]["installed"].endswith("/mycli")
    (folder / "bad.yaml").write_text("name: bad\nexecutable: x\nargv: [x]\nmodle: 1\n")
    assert "modle" in crew.run("backends", "--check", "bad", ok=False).stderr


def test_permissions_come_from_the_run_the_alias_the_model_or_the_backend(crew: Crew, programs: Programs) -> None:
    programs.add("claude", 'echo "args: $*" >"$DISPATCH_TASK_DIR/args"; exec sleep 600')
    crew.config_path.write_text(
        "backends: {claude: {permissions: skip}}\nmodels: {opus: {backend: claude}}\n"
        f"aliases: {{careful: {{model: opus, permissions: ask}}}}\ntmux: {{socket: {crew.socket}}}\nverify: never\n"
    )
    assert "--dangerously-skip-permissions" in crew.json("resolve", "-m", "opus")["argv"]
    assert crew.json("resolve", "-m", "careful")["argv"][1:3] == ["--permission-mode", "default"]

    crew.run("run", "-m", "opus", "--permissions", "ask", "--id", "asks", "x")
    crew.until("asks", "starting")
    args = crew.dir("asks") / "args"
    from crew import wait_until

    assert "--permission-mode default" in wait_until(lambda: args.exists() and args.read_text())


def test_F16_init_asks_again_after_a_typo_and_offers_every_model(crew: Crew, programs: Programs) -> None:
    crew.config_path.unlink()
    programs.add("agent", WELL)
    shown = pexpect.spawn(
        DISPATCH[0], [*DISPATCH[1:], "init"], cwd=str(crew.root), env=crew.env, encoding="utf-8", timeout=30
    )
    shown.expect("Which one runs")
    assert all(f". {model}\r\n" in str(shown.before) for model in LISTED)
    shown.sendline("gork-4")
    shown.expect("there is no model 'gork-4'")
    shown.expect("Which one runs")
    shown.sendline("grok-4")
    shown.expect(pexpect.EOF)
    assert yaml.safe_load(crew.config_path.read_text())["default"] == "grok-4"


def test_F16_a_person_is_told_what_model_an_alias_is(crew: Crew, programs: Programs) -> None:
    programs.add("claude")
    crew.configure(
        default="fast",
        models={"haiku": {"backend": "claude"}, "opus": {"backend": "claude"}},
        aliases={"fast": {"model": "haiku"}, "careful": {"model": "opus"}},
    )
    said = crew.run("run", "look", ok=False).stderr
    assert "the default is fast (haiku)" in said and "there are: careful, " in said
    shown = pexpect.spawn(
        DISPATCH[0], [*DISPATCH[1:], "run", "look"], cwd=str(crew.root), env=crew.env, encoding="utf-8", timeout=30
    )
    shown.expect_exact("Use fast (haiku)? [Y/n]")
    shown.sendline("n")
    shown.expect(pexpect.EOF)


@pytest.mark.parametrize(
    ("model", "cli", "package"), [("gemini", "gemini", "gemini-cli"), ("gpt-5.9", "codex", "openai/codex")]
)
def test_F16_a_model_whose_cli_is_missing_says_how_to_get_it(
    crew: Crew, programs: Programs, model: str, cli: str, package: str
) -> None:
    said = crew.run("run", "-m", model, "x", ok=False).stderr
    assert f"it runs in {cli}, which is not installed: npm install -g @" in said and package in said
