"""The faults of deliveries, on each real CLI: D6 to D9, D11, D13, D14, D17, D18 (D1 to D5, D12, D15 and D16 are counted by figures.py)."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crew import Crew
from figures import CLIENTS, Claude, Other, Stage, arrived
from terminal import wait_until

LEAVE = {"claude": "/exit", "codex": "/quit", "gemini": "/quit", "opencode": "/exit"}


LONGEST = {"gemini": 16_000}  # characters; more takes Gemini half a minute and longer before it asks its model


@pytest.fixture(params=CLIENTS, scope="module")
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """One live CLI for all tests of its; the one that leaves it comes last."""
    crew = Crew(Path(tempfile.mkdtemp(prefix="dt-", dir="/tmp")))
    try:
        yield Claude(crew) if request.param == "claude" else Other(crew, request.param, asks=False)
    finally:
        crew.close()


def once(stage: Stage, text: str) -> None:
    assert arrived(text, stage.requests) == 1, stage.crew.tell(stage.worker("idle"))


def test_D6_D8_a_message_goes_past_placeholder_and_copy_mode(stage: Stage) -> None:
    id = stage.worker("idle")
    stage.rest(id)
    stage.crew.tmux("copy-mode", "-t", stage.crew.task(id).pane)
    stage.crew.run("send", id, "past the mode")
    once(stage, "past the mode")


def test_D7_several_senders_at_once_never_interleave(stage: Stage) -> None:
    id = stage.worker("idle")
    texts = [f"sender {n}: " + f"word{n} " * 40 + "end" for n in range(4)]
    threads = [threading.Thread(target=stage.crew.run, args=("send", id, text), kwargs={"ok": None}) for text in texts]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for text in texts:
        once(stage, text)


def test_D11_control_characters_press_no_key(stage: Stage) -> None:
    id = stage.worker("idle")
    stage.rest(id)
    stage.crew.run("send", id, "one\x1b[201~\x07 two\x03\x04\x1b[A three\r\nfour\u202e \u200bfive")
    once(stage, "one two three\nfour five")


def test_D13_a_message_of_64_KiB_arrives_whole(stage: Stage) -> None:
    id = stage.worker("idle")
    stage.rest(id)
    size = LONGEST.get(stage.crew.task(id).backend, 65_000)
    text = "begin " + "0123456789abcde " * (size // 16) + "end 日本"
    stage.crew.run("send", id, text)
    assert arrived(text, stage.requests, 60.0) == 1, stage.crew.screen(id)


@pytest.mark.parametrize("columns", [60, 80])
def test_D21_a_long_draft_on_a_small_screen_is_sent(stage: Stage, columns: int) -> None:
    """Of 778 characters in one row 80x24 shows the end only; 20 short rows are the most that no CLI collapses."""
    id = stage.worker("idle")
    pane = stage.crew.task(id).pane
    stage.crew.tmux("resize-window", "-t", pane, "-x", str(columns), "-y", "24")
    for text in ("word " * 155 + f"e{columns}", "\n".join(f"{columns}: line {n} of a few" for n in range(20))):
        stage.rest(id)
        stage.crew.run("send", id, text)
        once(stage, text)


def test_D25_what_the_terminal_cannot_show_is_sent_all_the_same(stage: Stage) -> None:
    id = stage.worker("idle")
    stage.rest(id)
    for text in (
        "family 👩\u200d👩\u200d👧\u200d👦 of four",
        "a flag 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f too",
    ):
        stage.crew.run("send", id, text)
        once(stage, text)


def test_D17_the_words_of_a_message_stand_in_no_log(stage: Stage) -> None:
    id = stage.worker("idle")
    stage.rest(id)
    stage.crew.run("send", id, "the password is hunter2")
    once(stage, "the password is hunter2")
    assert "hunter2" not in Path(stage.crew.store.log_path).read_text()
    assert "hunter2" not in Path(stage.crew.own(id), "journal.jsonl").read_text()
    assert "hunter2" not in stage.crew.tmux("show-environment", "-g").text
    kept = [
        p
        for p in Path(stage.crew.dir(id)).rglob("*")
        if p.is_file() and p.parent.name != "ipc" and p.name != "terminal.log"
    ]
    assert [p.name for p in kept if b"hunter2" in p.read_bytes()] == []
    assert [p.name for p in kept if p.stat().st_mode & 0o077 and p.name != "output.md"] == []  # which it wrote itself


def test_D14_a_message_right_after_the_start_is_not_lost(crew: Any, request: pytest.FixtureRequest) -> None:
    """On Codex, Gemini and opencode; Claude Code has its own test."""
    from stub_service import Service
    from test_others_dispatch import Desk

    for name in ("codex", "gemini"):
        service = Service()
        for folder in (".codex", ".gemini"):
            if (crew.home / folder).exists():
                os.rename(crew.home / folder, crew.home / f"{folder}-old")
        desk = Desk(crew, name, service)
        desk.configure()
        id = crew.start("-m", desk.model, "--permissions", "skip", "--id", name, "--item", "one", "do it")
        crew.run("send", id, "right at once", ok=None)
        assert arrived("right at once", lambda s=service: [r.text for r in list(s.requests) if r.main], 60.0) == 1, (
            crew.tell(id)
        )
        crew.run("stop", id)


def test_D18_a_prompt_that_escape_puts_back_is_not_glued_to_the_next(stage: Stage) -> None:
    if not isinstance(stage, Claude):
        pytest.skip("only Claude Code puts a prompt back")
    id = stage.worker("idle")
    stage.rest(id)
    pane = stage.crew.task(id).pane
    stage.silent()
    stage.crew.run("send", id, "go on silently\nwith two lines")
    wait_until(lambda: "esc to interrupt" in stage.crew.screen(id), 20, lambda: stage.crew.screen(id))
    stage.crew.tmux("send-keys", "-t", pane, "Escape")
    wait_until(
        lambda: "go on silently" in "\n".join(stage.crew.screen(id).rstrip().splitlines()[-4:]),
        20,
        lambda: stage.crew.screen(id),
    )
    stage.crew.run("send", id, "another matter")
    once(stage, "another matter")
    assert not any("lines\nanother" in text or "linesanother" in text for text in stage.requests())
    assert "silently" not in "\n".join(stage.crew.screen(id).rstrip().splitlines()[-4:]), "it is still in the composer"


def test_D9_nothing_is_typed_after_it_has_been_left(stage: Stage) -> None:
    id = stage.worker("idle")
    stage.rest(id)
    stage.crew.tmux(
        "copy-mode", "-q", "-t", stage.crew.task(id).pane
    )  # a message at its own door leaves the person's mode alone
    stage.crew.tmux("send-keys", "-t", stage.crew.task(id).pane, "-l", LEAVE[stage.crew.task(id).backend])
    wait_until(lambda: LEAVE[stage.crew.task(id).backend] in stage.crew.screen(id))

    def left() -> bool:
        stage.crew.tmux("send-keys", "-t", stage.crew.task(id).pane, "Enter")
        return stage.crew.task(id).exit_code is not None

    wait_until(left, 90, lambda: stage.crew.screen(id))
    refused = stage.crew.run("send", id, "is anybody there", ok=False)
    assert refused.returncode == 6, refused.stderr
    assert not arrived("is anybody there", stage.requests, 1.0)
