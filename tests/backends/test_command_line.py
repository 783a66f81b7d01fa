"""What starts a worker: the argv and the environment that a backend's words become, whatever stands in a prompt or a path."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

from dispatch_tmux.backends import command_line as lines
from dispatch_tmux.backends.load import Backend, load

TASK = "/p/.dispatch/tasks/auth"


def started(
    backend: Backend, prompt: str = "Fix it", resumes: bool = False, **more: str
) -> tuple[list[str], dict[str, str]]:
    asked = {"id": "auth", "task_dir": TASK, "cwd": "/p", "model": "", "prompt": prompt, **more}
    return lines.command_line(backend, lines.values_for(backend, **asked), resumes)


def built(**more: Any) -> Backend:
    return load("mine", user={"argv": ["agent", "{model_flags}", "{permission_flags}", "--", "{prompt}"], **more})


# --- arguments

PROMPTS = [
    "Fix it",
    "two\nlines",
    "'; rm -rf /",
    "$(touch x) `y` $HOME",
    "{cwd} {session} {model_flags}",
    "é日本\u200d",
    '"quoted"',
    "a\tb",
    " ",
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_is_one_argument_as_it_was_written(prompt: str) -> None:
    argv, _ = started(built(), prompt)
    assert argv == ["agent", "--", prompt]


@pytest.mark.parametrize("prompt", ["--help", "-p", "-", "--dangerously-skip-permissions and go on"])
def test_a_prompt_is_never_an_option(prompt: str) -> None:
    argv, _ = started(load("opencode"), prompt)
    assert argv[-1].strip() == prompt and not argv[-1].startswith("-") and prompt not in argv[:-1]


@pytest.mark.parametrize("prompt", ["x" * 100_001, "é" * 60_000, "🙂" * 40_000])
def test_a_prompt_too_long_for_an_argument_is_read_from_its_file(prompt: str) -> None:
    argv, _ = started(built(), prompt)
    assert argv[-1] == f"Read {TASK}/prompt.md and do what it says."
    assert len("x" * 100_000) == len(started(built(), "x" * 100_000)[0][-1])


def test_a_prompt_that_is_pasted_is_no_argument() -> None:
    argv, _ = started(built(prompt="paste"))
    assert argv == ["agent", "--"]


@pytest.mark.parametrize(
    ("asked", "flags"),
    [
        ({}, []),
        ({"model": "opus"}, ["--model", "opus"]),
        ({"permissions": "skip"}, ["--yes"]),
        ({"permissions": "ask", "model": "a b"}, ["--model", "a b", "--careful"]),
    ],
)
def test_flags_come_where_they_are_asked_for_only(asked: dict[str, str], flags: list[str]) -> None:
    backend = built(model_flags=["--model", "{model}"], permission_flags={"skip": ["--yes"], "ask": ["--careful"]})
    assert started(backend, **asked)[0] == ["agent", *flags, "--", "Fix it"]


def test_permissions_of_the_config_count_unless_the_task_has_its_own() -> None:
    backend = built(
        permissions="skip", permission_flags={"default": ["--some"], "skip": ["--yes"], "ask": ["--careful"]},
        permission_env={"skip": {"TRUST": "all"}, "default": {"TRUST": "some"}},
    )  # fmt: skip
    assert started(backend) == (["agent", "--yes", "--", "Fix it"], {"TRUST": "all"})
    assert started(backend, permissions="ask") == (["agent", "--careful", "--", "Fix it"], {})
    assert started(built(permission_flags={"default": ["--some"]}))[0] == ["agent", "--some", "--", "Fix it"]


def test_a_word_that_is_more_than_a_placeholder_stays_when_that_is_empty() -> None:
    backend = load("mine", user={"argv": ["agent", "--model={model}", "{model}", "{unknown}", "{prompt}"]})
    assert started(backend)[0] == ["agent", "--model=", "{unknown}", "Fix it"]


def test_variables_are_filled_and_empty_ones_left_out() -> None:
    backend = built(env={"A": "{model}", "B": "{task_dir}/x", "C": "{prompt}"})
    assert started(backend, prompt="{cwd}")[1] == {"B": f"{TASK}/x", "C": "{cwd}"}
    assert started(backend, model="opus")[1]["A"] == "opus"


@pytest.mark.parametrize("name", ["claude", "codex", "gemini", "opencode"])
def test_each_cli_takes_up_its_session_by_its_id(name: str) -> None:
    backend = load(name)
    values = lines.values_for(backend, id="auth", task_dir=TASK, cwd="/p", model="m", prompt="Go on")
    argv, _ = lines.command_line(backend, {**values, "session": "s-1"}, resumes=True)
    assert argv[0] == backend.executable and "s-1" in " ".join(argv)
    assert not [word for word in argv if "{" in word and word not in (values["settings"],)]


def test_two_starts_are_two_sessions() -> None:
    first, second = (
        lines.values_for(built(), id="a", task_dir=TASK, cwd="/p", model="", prompt="x")["session"] for _ in range(2)
    )
    assert first != second


@pytest.mark.parametrize("path", ['/p/"quoted"/x', "/p/back\\slash", "/p/é\u2028", "/p/{prompt}"])
def test_settings_are_whole_json_whatever_the_path_is_called(path: str) -> None:
    backend = load("claude")
    values = lines.values_for(backend, id="a", task_dir=path, cwd="/p", model="", prompt="x")
    settings = json.loads(values["settings"])
    assert any(path in rule for rule in settings["permissions"]["allow"])
    assert values["settings"] in lines.command_line(backend, values)[0]


# --- the environment


def test_the_worker_has_its_caller_s_environment_without_what_marks_an_agent() -> None:
    caller = {
        "HOME": "/h",
        "LANG": "C",
        "CLAUDECODE": "1",
        "DISPATCH_TASK_DIR": "/other",
        "DISPATCH_TASK_ID": "x",
        "DISPATCH_CONFIG": "/c",
        "A": "caller",
    }
    found = lines.environment(load("claude"), caller, {"A": "backend", "B": "1"}, {"DISPATCH_TASK_DIR": TASK})
    assert found["DISPATCH_TASK_DIR"] == TASK and "DISPATCH_TASK_ID" not in found and "CLAUDECODE" not in found
    assert (found["HOME"], found["LANG"], found["DISPATCH_CONFIG"], found["A"], found["B"]) == (
        "/h",
        "C",
        "/c",
        "backend",
        "1",
    )
    assert caller["CLAUDECODE"] == "1"  # the caller's own is not changed


def test_the_task_s_own_variables_win_over_all() -> None:
    found = lines.environment(built(), {"X": "caller"}, {"X": "backend"}, {"X": "task"})
    assert found["X"] == "task"


def test_our_programs_are_found_last_and_once() -> None:
    here = os.path.dirname(sys.executable)
    assert lines.environment(built(), {"PATH": "/usr/bin:/bin"}, {}, {})["PATH"] == f"/usr/bin:/bin:{here}"
    assert lines.environment(built(), {"PATH": f"{here}:/bin"}, {}, {})["PATH"] == f"{here}:/bin"
    assert lines.environment(built(), {}, {}, {})["PATH"].endswith(here)


@pytest.mark.parametrize(
    ("theirs", "found"),
    [
        (None, {"plugin": ["ours"], "share": "off"}),
        ("", {"plugin": ["ours"], "share": "off"}),
        ('{"plugin": ["mine"], "theme": "x", "share": "on"}', {"plugin": ["mine", "ours"], "theme": "x", "share": "off"}),
        ('{"plugin": "one"}', {"plugin": ["ours"], "share": "off"}),
        ("not json", "not json"), ("[1]", "[1]"), ("5", "5"), ("[" * 100_000, "[" * 100_000),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_document_is_laid_over_the_caller_s_and_one_we_cannot_read_is_left(theirs: str | None, found: Any) -> None:
    backend = built(env_json={"CONFIG_CONTENT": {"plugin": ["ours"], "share": "off"}})
    env = lines.environment(backend, {} if theirs is None else {"CONFIG_CONTENT": theirs}, {}, {})
    assert (json.loads(env["CONFIG_CONTENT"]) if isinstance(found, dict) else env["CONFIG_CONTENT"]) == found
