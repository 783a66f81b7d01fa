"""What dispatch relies on in Claude Code, seen on the real CLI in a real tmux window; the model is a script."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Lab
from stub_model import (
    Say,
    StubModel,
    asks_by_dialogue,
    bash,
    by_prompt,
    echo,
    fails,
    hangs,
    needs_permission,
    one_after_the_other,
    plan_editor,
    plan_worker,
    unwrapped,
)
from terminal import Window, wait_until

from dispatch_tmux.backends.load import load
from dispatch_tmux.core.shown import Composer, Shown
from dispatch_tmux.screen.read import look

StartModel = Callable[..., StubModel]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
EDITS = ("--permission-mode", "acceptEdits")
PLAN = '# Plan\n\n- [ ] write {{echo one > one.txt}}\n- [ ] ask {{dispatch ask "JWT or cookies?"}}\n- [ ] the rest\n'


def live(lab: Lab, model: StubModel, *arguments: str, **settings: object) -> Window:
    """A worker as dispatch starts it, at rest after its first turn."""
    window = lab.start(model, "-n", "one", "--settings", lab.settings(**settings), *arguments, "--", "begin")
    lab.wait_for_signal("UserPromptSubmit")
    return window


def choice(window: Window, words: str) -> str:
    """The digit before these words in a dialogue."""
    found = re.search(rf"^[ ❯]*(\d)\. {words}", window.screen, re.MULTILINE)
    assert found, window.screen
    return found.group(1)


def with_dispatch(lab: Lab) -> None:
    """A stand-in for `dispatch` on the worker's PATH, which answers at once."""
    tool = lab.home / "bin/dispatch"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{shlex.quote(str(lab.task))}/asked\necho JWT\n')
    tool.chmod(0o755)
    lab.extra["PATH"] = f"{tool.parent}:{lab.client.bin}:{os.environ['PATH']}"


# ---------------------------------------------------------------- what goes in
@pytest.mark.parametrize(
    "prompt",
    [
        "hello",
        "- begins with a dash",
        'two\nlines, "quotes", $(not run) `nor this` \\ and 日本 🎉',
        "x " * 4000 + "end",
    ],
    ids=["plain", "dash", "shell", "8 kB"],
)
def test_the_prompt_after_two_dashes_arrives_unchanged(lab: Lab, start_model: StartModel, prompt: str) -> None:
    model = start_model(echo)
    lab.start(model, "--allowedTools", "Read", "--", prompt)
    model.wait_until(lambda: model.user_texts() == [prompt])


@pytest.mark.parametrize(
    "text",
    [
        "one line",
        "three\n\nlines",
        "six\n\n  lines\n- of\n# text\n$HOME `x` \\n;",
        "one long line " * 100 + "end",
        "\n".join(f"line {n}" for n in range(400)),
    ],
    ids=["one line", "3 lines", "6 lines", "1.4 kB", "400 lines"],
)
def test_a_pasted_text_arrives_unchanged_and_the_hook_is_its_receipt(
    lab: Lab, start_model: StartModel, text: str
) -> None:
    model = start_model(echo)
    window = live(lab, model)
    lab.wait_for_signal("Stop")
    window.submit(text)
    receipt = lab.wait_for_signal("UserPromptSubmit", 2)["prompt"]
    assert unwrapped(receipt) == text
    assert (receipt == text) == (len(text) <= 800 and text.count("\n") < 3)  # larger pastes are marked as such
    model.wait_until(lambda: model.user_texts() == ["begin", receipt])


def test_a_text_sent_while_it_works_arrives_once(lab: Lab, start_model: StartModel) -> None:
    model = start_model(by_prompt({"begin": one_after_the_other(Say("word " * 200, seconds=3))}))
    window = live(lab, model)
    window.wait_for_title("^[◐◑]")
    before = window.screen.count("also this")
    window.paste("also this")
    window.wait_to_show("also this")
    window.press("Enter")
    assert before == 0
    lab.wait_for_signal("Stop", 2)
    assert model.user_texts() == ["begin", "also this"]


@pytest.mark.parametrize("choice", ["sonnet", "opus", "haiku"])
def test_the_environment_chooses_the_model(lab: Lab, start_model: StartModel, choice: str) -> None:
    lab.extra["ANTHROPIC_MODEL"] = choice
    model = start_model(echo)
    assert lab.run(model, "-p", "--", "hi").returncode == 0
    assert choice in model.main_requests[0].body["model"]


def test_an_empty_choice_of_model_is_none(lab: Lab, start_model: StartModel) -> None:
    lab.extra["ANTHROPIC_MODEL"] = ""
    model = start_model(echo)
    assert lab.run(model, "-p", "--", "hi").returncode == 0
    assert model.main_requests[0].body["model"].startswith("claude-")


def test_the_session_is_the_one_asked_for_and_can_be_resumed(lab: Lab, start_model: StartModel) -> None:
    session = str(uuid.uuid4())
    model = start_model(echo)
    window = lab.start(model, "--settings", lab.settings(), "--session-id", session, "--", "first")
    assert lab.wait_for_signal("Stop")["session_id"] == session
    window.press("C-d", "C-d")
    assert window.wait_for_exit() == 0
    lab.start(model, "--settings", lab.settings(), "--resume", session, "--", "second", name="two")
    assert lab.wait_for_signal("Stop", 2)["session_id"] == session
    assert model.user_texts(session) == ["first", "second"]


def test_a_session_id_serves_once(lab: Lab, start_model: StartModel) -> None:
    session = str(uuid.uuid4())
    model = start_model(echo)
    assert lab.run(model, "-p", "--session-id", session, "--", "hi").returncode == 0
    again = lab.run(model, "-p", "--session-id", session, "--", "hi")
    assert again.returncode == 1
    assert "already in use" in again.stderr


# ---------------------------------------------------------------- what comes out
def test_each_hook_leaves_one_whole_file(lab: Lab, start_model: StartModel) -> None:
    window = live(lab, start_model(needs_permission), *EDITS)
    assert lab.wait_for_signal("PermissionRequest")["tool_input"]["command"] == "python3 -c 'print(6*7)'"
    window.wait_to_show("Do you want to proceed")
    window.press(choice(window, "Yes$"))
    assert lab.wait_for_signal("Stop")["last_assistant_message"] == "Computed."
    window.press("C-d", "C-d")
    assert window.wait_for_exit() == 0
    events = [payload["hook_event_name"] for payload in lab.signals() if payload["hook_event_name"] != "Notification"]
    assert events == ["SessionStart", "UserPromptSubmit", "PermissionRequest", "PostToolUse", "Stop", "SessionEnd"]
    assert lab.signals("SessionEnd")[0]["reason"] == "prompt_input_exit"
    assert not list((lab.task / "signals").glob("*.tmp")) + list((lab.task / "signals").glob(".*.tmp"))


@pytest.mark.parametrize(
    "status, error",
    [(401, "authentication_failed"), (404, "model_not_found"), (429, "rate_limit"), (529, "server_error")],
)
def test_a_failed_turn_says_why(lab: Lab, start_model: StartModel, status: int, error: str) -> None:
    lab.extra["CLAUDE_CODE_MAX_RETRIES"] = "1"
    live(lab, start_model(fails(status)))
    assert lab.wait_for_signal("StopFailure")["error"] == error
    assert not lab.signals("Stop")


def test_an_error_that_passes_is_retried_unseen(lab: Lab, start_model: StartModel) -> None:
    model = start_model(fails(529, times=1))
    live(lab, model)
    assert lab.wait_for_signal("Stop")["last_assistant_message"] == "It works again."
    assert len(model.main_requests) == 2


def test_the_title_tells_idle_from_busy(lab: Lab, start_model: StartModel) -> None:
    window = live(lab, start_model(one_after_the_other(Say("word " * 50, seconds=3))))
    window.wait_for_title("^[◐◑] one$")
    lab.wait_for_signal("Stop")
    window.wait_for_title("^✳ one$")


def test_an_interrupted_turn_fires_no_stop_and_puts_the_prompt_back(lab: Lab, start_model: StartModel) -> None:
    model = start_model(by_prompt({"begin": hangs}))
    window = live(lab, model)
    model.wait_until(lambda: model.main_requests)
    window.wait_to_show("esc to interrupt")
    window.press("Escape")
    window.wait_for_title("^✳ one$")
    window.wait_to_show(r"^❯\s*begin")
    assert not lab.signals("Stop") + lab.signals("StopFailure")


@pytest.mark.parametrize(
    "end, status",
    [(("C-c", "C-c"), 0), (("C-d", "C-d"), 0), ("TERM", 143), ("HUP", 129), ("KILL", 137)],
    ids=lambda value: str(value[0] if isinstance(value, tuple) else value),
)
def test_the_exit_status_tells_how_it_ended(
    lab: Lab, start_model: StartModel, end: tuple[str, ...] | str, status: int
) -> None:
    window = live(lab, start_model(echo))
    lab.wait_for_signal("Stop")
    window.wait_to_settle()
    if isinstance(end, tuple):
        window.press(*end)
    else:
        subprocess.run(["kill", f"-{end}", str(window.pid)], check=True, timeout=10)
    assert window.wait_for_exit() == status
    assert len(lab.signals("SessionEnd")) == (0 if end == "KILL" else 1)


# ---------------------------------------------------------------- its questions
def test_a_permission_is_given_by_the_digit_shown(lab: Lab, start_model: StartModel) -> None:
    model = start_model(needs_permission)
    window = live(lab, model, *EDITS)
    lab.wait_for_signal("PermissionRequest")
    window.wait_to_show("Esc to cancel")
    assert window.title == "✳ one"
    window.press(choice(window, "Yes$"))
    lab.wait_for_signal("Stop")
    assert model.tool_results() == ["42"]


def test_a_refused_permission_ends_the_turn_without_a_hook(lab: Lab, start_model: StartModel) -> None:
    model = start_model(needs_permission)
    window = live(lab, model, *EDITS)
    lab.wait_for_signal("PermissionRequest")
    window.wait_to_show("Esc to cancel")
    window.wait_to_settle()
    window.press(choice(window, "No$"))
    window.wait_to_show("What should Claude do instead")
    assert not lab.signals("Stop") + lab.signals("PostToolUse")


def test_a_question_is_answered_by_a_digit(lab: Lab, start_model: StartModel) -> None:
    model = start_model(asks_by_dialogue)
    window = live(lab, model, *EDITS)
    asked = lab.wait_for_signal("PermissionRequest")["tool_input"]["questions"][0]
    assert [option["label"] for option in asked["options"]] == ["SQLite", "PostgreSQL"]
    window.wait_to_show("Enter to select")
    window.press(choice(window, "PostgreSQL"))
    lab.wait_for_signal("Stop")
    assert '"Which database should it be?"="PostgreSQL"' in model.tool_results()[0]


def test_a_question_is_answered_in_ones_own_words(lab: Lab, start_model: StartModel) -> None:
    model = start_model(asks_by_dialogue)
    window = live(lab, model, *EDITS)
    window.wait_to_show("Enter to select")
    window.press(choice(window, "Type something"))
    window.wait_to_show("❯ 3")
    window.paste('MySQL, "8" or newer; $HOME')
    window.wait_to_show("MySQL")
    window.wait_to_settle()
    window.press("Enter")
    lab.wait_for_signal("Stop")
    assert 'MySQL, "8" or newer; $HOME' in model.tool_results()[0]


# ---------------------------------------------------------------- what a worker may do unasked
@pytest.mark.parametrize("where", ["in the project", "in a worktree"])
def test_the_protocol_needs_no_permission_and_nothing_else_is_given(
    lab: Lab, start_model: StartModel, where: str
) -> None:
    """With the backend file's own arguments it does its plan; for other programs it asks."""
    with_dispatch(lab)
    cwd = lab.project
    if where == "in a worktree":  # trusted with its repository: no page about it
        cwd = lab.project.parent / "worktree"
        subprocess.run(["git", "worktree", "add", "-q", str(cwd)], cwd=lab.project, check=True, timeout=30)
    (lab.task / "plan.md").write_text(PLAN)
    model = start_model(by_prompt({"compute": needs_permission}, plan_editor))
    window = lab.start(model, *lab.argv(f"Work through {lab.task}/plan.md"), cwd=cwd)
    lab.wait_for_signal("Stop")
    assert not lab.signals("PermissionRequest")
    assert (lab.task / "plan.md").read_text().count("- [x]") == 3
    assert (lab.task / "asked").read_text() == "ask JWT or cookies?\n"
    assert "JWT" in model.tool_results()
    assert (lab.task / "ipc/.done").exists() and (lab.task / "output.md").exists()
    assert (cwd / "one.txt").exists()
    window.submit("compute something")
    lab.wait_for_signal("PermissionRequest")


def test_without_the_tasks_directory_a_worker_in_a_worktree_has_to_ask(lab: Lab, start_model: StartModel) -> None:
    cwd = lab.project.parent / "worktree"
    subprocess.run(["git", "worktree", "add", "-q", str(cwd)], cwd=lab.project, check=True, timeout=30)
    (lab.task / "plan.md").write_text(PLAN)
    prompt = f"Work through {lab.task}/plan.md"
    lab.start(start_model(plan_editor), *EDITS, "--settings", lab.settings(), "--", prompt, cwd=cwd)
    assert "plan.md" in lab.wait_for_signal("PermissionRequest")["tool_input"]["command"]


def test_several_commands_in_one_line_are_not_covered_by_the_rule_for_one(lab: Lab, start_model: StartModel) -> None:
    with_dispatch(lab)
    model = start_model(one_after_the_other(bash('dispatch ask "A?" && python3 -V'), Say("ok")))
    live(lab, model, *EDITS, permissions={"allow": ["Bash(dispatch ask:*)"]})
    lab.wait_for_signal("PermissionRequest")
    assert not (lab.task / "asked").exists()


@AS_ROOT
@pytest.mark.parametrize("flag", [["--dangerously-skip-permissions"], ["--permission-mode", "bypassPermissions"]])
def test_root_is_refused_when_all_permissions_are_to_be_skipped(
    lab: Lab, start_model: StartModel, flag: list[str]
) -> None:
    window = lab.start(start_model(echo), *flag, "--", "hi", ready="")
    assert window.wait_for_exit() == 1
    assert "cannot be used with root/sudo privileges" in window.screen


def test_skipping_all_permissions_is_first_confirmed_by_a_person(lab: Lab, start_model: StartModel) -> None:
    """The page has no digits, and Enter alone means No."""
    lab.extra["IS_SANDBOX"] = "1"  # this test's machine is one; dispatch itself never claims it
    with_dispatch(lab)
    (lab.task / "plan.md").write_text(PLAN)
    model = start_model(plan_worker)
    prompt = f"Work through {lab.task}/plan.md"
    arguments = ["--dangerously-skip-permissions", "--settings", lab.settings(), "--", prompt]
    window = lab.start(model, *arguments, ready="Yes, I accept")
    assert "❯ No, exit" in window.screen
    window.wait_to_settle()
    window.press("Down")
    window.wait_to_show("❯ Yes, I accept")
    window.press("Enter")
    lab.wait_for_signal("Stop")
    assert not lab.signals("PermissionRequest")
    assert (lab.task / "plan.md").read_text().count("- [x]") == 3


def test_an_unknown_folder_is_first_trusted_by_a_person(lab: Lab, start_model: StartModel, tmp_path: Path) -> None:
    unknown = tmp_path / "unknown"
    unknown.mkdir()
    model = start_model(echo)
    window = lab.start(model, "--", "hi", ready="Yes, I trust this folder", cwd=unknown)
    assert "❯ No, exit" in window.screen
    assert model.user_texts() == []
    window.wait_to_settle()
    window.press("Enter")
    assert window.wait_for_exit() == 1


def test_nothing_of_the_host_reaches_the_worker(
    lab: Lab, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "the host's")
    model = start_model(one_after_the_other(bash('env | grep -c "the host\'s" || true'), Say("ok")))
    live(lab, model, *EDITS, permissions={"allow": ["Bash(env:*)", "Bash(grep:*)", "Bash(true)"]})
    wait_until(lambda: lab.signals("Stop"), why=lambda: str(lab.signals()[-1]))
    assert model.tool_results() == ["0"]


# ---------------------------------------------------------------- what dispatch makes of its screens
def seen(window: Window) -> Shown:
    rendered = window.terminal.tmux("capture-pane", "-p", "-e", "-t", window.pane)
    return look(load("claude").screen, rendered, title=window.title)


def wait_to_see(window: Window, shows: str) -> Shown:
    wait_until(lambda: seen(window).shows == shows, why=lambda: f"{seen(window)} on:\n{window.screen}")
    return seen(window)


def test_dispatch_reads_work_and_rest(lab: Lab, start_model: StartModel) -> None:
    window = lab.start(start_model(one_after_the_other(Say("word " * 50, seconds=3))), *lab.argv("begin"))
    wait_to_see(window, "busy")
    lab.wait_for_signal("Stop")
    assert wait_to_see(window, "ready").composer == Composer("")
    window.paste("half a dra")
    wait_until(lambda: seen(window).composer == Composer("half a dra"), why=lambda: window.screen)


def test_dispatch_reads_a_permission(lab: Lab, start_model: StartModel) -> None:
    window = lab.start(start_model(needs_permission), *lab.argv("begin"))
    shown = wait_to_see(window, "question")
    assert (shown.kind, shown.question) == ("permission", "Do you want to proceed?")
    assert [shown.choices[0].label, shown.choices[-1].label] == ["Yes", "No"]


def test_dispatch_reads_a_question(lab: Lab, start_model: StartModel) -> None:
    window = lab.start(start_model(asks_by_dialogue), *lab.argv("begin"))
    shown = wait_to_see(window, "question")
    assert (shown.kind, shown.question) == ("choice", "Which database should it be?")
    assert [choice.label for choice in shown.choices[:2]] == ["SQLite", "PostgreSQL"]


@pytest.mark.parametrize("status, kind", [(401, "auth"), (404, "model"), (429, "quota"), (529, "overloaded")])
def test_dispatch_reads_an_error(lab: Lab, start_model: StartModel, status: int, kind: str) -> None:
    lab.extra["CLAUDE_CODE_MAX_RETRIES"] = "1"
    window = lab.start(start_model(fails(status)), *lab.argv("begin"))
    shown = wait_to_see(window, "error")
    assert (shown.kind, shown.composer) == (kind, Composer(""))
