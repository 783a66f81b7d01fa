"""States that look alike, on the real Claude Code: work in the background, a usage limit, a stopped program, a view of a person's."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import install
import pytest
from conftest import Lab
from stub_model import Fail, Hang, Script, Step, StubModel, Use, bash, by_prompt, one_after_the_other
from stub_model import Say as Says
from terminal import Terminal, wait_until
from test_claude_dispatch import Desk

DAY = 86400


@pytest.fixture
def desk(
    crew: Any, claude_client: install.Client, start_model: Callable[[Script], StubModel]
) -> Iterator[Callable[..., Desk]]:
    def at(script: Script, **env: str) -> Desk:
        lab = Lab(claude_client, Terminal(crew.base), crew.home, crew.root)
        model = start_model(script)
        lab.lend(crew, model)
        crew.env |= env
        return Desk(crew, lab, model)

    yield at


def begins_with(*steps: Step) -> Script:
    return by_prompt({"begin": one_after_the_other(*steps)})


def states(desk: Desk, id: str) -> list[str]:
    return [e.data["state"] for e in desk.crew.events(id, "state")]


def status(desk: Desk, id: str) -> dict[str, Any]:
    found: dict[str, Any] = desk.crew.json("status", id)
    return found


def test_S26_a_subagent_that_goes_on_when_the_turn_is_over_is_work(desk: Callable[..., Desk]) -> None:
    agent = Use(
        "Agent", {"description": "count the files", "prompt": "SUBAGENT count", "subagent_type": "general-purpose"}
    )
    at = desk(
        by_prompt({"SUBAGENT": one_after_the_other(Hang(12)), "begin": one_after_the_other(agent, Says("started it"))})
    )
    id = at.start()
    at.until_shown(id, "started it")
    end = time.monotonic() + 6
    while time.monotonic() < end:
        assert at.crew.task(id).state.value == "working", at.crew.tell(id)
        time.sleep(0.2)
    assert not at.crew.events(id, "nudge")
    wait_until(lambda: at.crew.task(id).state.value == "idle", 60, lambda: at.crew.tell(id))


def test_S23_what_a_background_subagent_asks_is_brought_and_answered_as_what_the_main_session_asks(
    desk: Callable[..., Desk],
) -> None:
    agent = Use("Agent", {"description": "ask", "prompt": "SUBAGENT ask", "subagent_type": "general-purpose"})
    makes = 'python3 -c \'open("from-{}", "w")\''
    asks, own = bash(makes.format("subagent"), "one step"), bash(makes.format("main"), "another step")
    at = desk(
        by_prompt({
            "SUBAGENT": one_after_the_other(asks, Says("the subagent is done")),
            "begin": one_after_the_other(agent, own, Says("started it")),
        })
    )  # fmt: skip
    id = at.start()
    seen = []
    for _ in range(2):  # one behind the other
        seen.append(at.crew.until(id, "question").open_questions[0].text)
        at.crew.run("answer", id, "yes")
    assert "general-purpose agent" in "".join(seen)
    wait_until(
        lambda: (at.crew.root / "from-subagent").exists() and (at.crew.root / "from-main").exists(),
        60,
        lambda: at.crew.tell(id),
    )


def test_S26_a_shell_in_the_background_is_work_and_named(desk: Callable[..., Desk]) -> None:
    shell = bash("python3 -c 'import time; time.sleep(8)'", "sleep a while", run_in_background=True)
    at = desk(begins_with(shell, Says("started it")))
    id = at.start()
    at.crew.until(id, "question")
    at.crew.run("answer", id, "--choice", "1")
    at.until_shown(id, "started it")
    wait_until(lambda: status(at, id)["state"] == "working" and not at.crew.events(id, "nudge"))
    time.sleep(3)
    assert status(at, id)["state"] == "working" and not at.crew.events(id, "nudge"), at.crew.tell(id)


@pytest.mark.parametrize("how", ["Ctrl-Z", "SIGSTOP"])
def test_S25_a_stopped_one_is_suspended_and_continue_lets_it_go_on(desk: Callable[..., Desk], how: str) -> None:
    at = desk(begins_with(Says("done")))
    id = at.at_rest()
    if how == "Ctrl-Z":
        at.type(id, "C-z")
    else:
        for child in _children(int((at.crew.own(id) / "process-1").read_text().split()[0])):
            os.kill(child, signal.SIGSTOP)
    at.crew.until(id, "suspended")
    assert at.crew.run("send", id, "hello", ok=False).returncode == 6
    at.crew.run("continue", id)
    at.until_heard("hello")


def _children(pid: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as f:
                    if f.read().rpartition(")")[2].split()[1] == str(pid):
                        found.append(int(name))
            except OSError:
                pass
    return found


def test_S27_a_view_that_a_person_opened_holds_messages_until_it_is_closed(desk: Callable[..., Desk]) -> None:
    at = desk(begins_with(Says("done")))
    id = at.at_rest()
    at.type(id, "-l", "/model")
    at.until_shown(id, "/model")
    time.sleep(0.5)
    at.type(id, "Enter")
    at.until_shown(id, "Select model")
    held = at.crew.run("send", id, "hello", ok=False)
    assert held.returncode == 6 and "view" in held.stdout + held.stderr, held
    at.type(id, "Escape")
    at.model.wait_until(lambda: "hello" in at.heard())


@pytest.mark.parametrize(
    "fail, kind",
    [
        (
            Fail(400, "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."),
            "quota",
        ),
        (Fail(413, "Request exceeds the maximum size"), "api"),
        (Fail(400, "This organization has been disabled."), "auth"),
        (Fail(403, "This organization has been disabled."), "auth"),
    ],
    ids=["credit", "413", "organisation-400", "organisation-403"],
)
def test_S10_what_ends_a_turn_for_good_has_its_cause(desk: Callable[..., Desk], fail: Fail, kind: str) -> None:
    at = desk(one_after_the_other(fail))
    id = at.start()
    at.crew.until(id, "failed")
    assert status(at, id)["cause"] == kind, at.crew.tell(id)
    assert not at.crew.events(id, "nudge")


SUBSCRIBED = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-stub-only-for-tests-on-loopback"}


def limit_until(resets: int) -> Fail:
    """What a subscription's usage limit is answered with, which ends at RESETS."""
    headers = {
        "anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": str(resets),
        "anthropic-ratelimit-unified-representative-claim": "five_hour", "anthropic-ratelimit-unified-5h-status": "rejected",
        "anthropic-ratelimit-unified-5h-reset": str(resets), "anthropic-ratelimit-unified-5h-utilization": "1.0",
        "anthropic-ratelimit-unified-overage-status": "rejected", "anthropic-ratelimit-unified-overage-disabled-reason": "out_of_credits",
    }  # fmt: skip
    return Fail(429, "This request would exceed your account's rate limit.", headers=headers)


def test_S20_the_usage_limit_of_a_subscription_is_limited_until_it_resets(desk: Callable[..., Desk]) -> None:
    resets = int(time.time()) + 3 * 3600
    at = desk(one_after_the_other(limit_until(resets)), **SUBSCRIBED)
    id = at.start()
    at.crew.until(id, "limited")
    said = status(at, id)
    assert said["cause"] == "limit" and abs(said["resets"] - resets) < 3700, at.crew.tell(id)  # told by the hour
    assert not at.crew.events(id, "nudge")


def test_S21_at_the_end_of_the_limit_it_goes_on_in_the_same_session(desk: Callable[..., Desk]) -> None:
    limit = one_after_the_other(limit_until(int(time.time()) + 60))
    at = desk(by_prompt({"limit has been reset": one_after_the_other(Says("I go on"))}, otherwise=limit), **SUBSCRIBED)
    at.crew.configure(times={"limited": 2, "nudge": 3600})
    id = at.start()
    at.crew.until(id, "limited")
    said = status(at, id)
    wait_until(
        lambda: any("limit has been reset" in text for text in at.model.user_texts()),
        seconds=180,
        why=lambda: at.crew.tell(id),
    )
    assert time.time() >= said["resets"]
    at.until_shown(id, "I go on")
    assert len(at.crew.events(id, "go-on")) == 1 and at.crew.task(id).attempt == 1
    assert states(at, id)[-1] in ("working", "idle"), at.crew.tell(id)
