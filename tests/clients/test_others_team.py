"""Codex, Gemini and opencode in git worktrees, and taken up again after their tmux server was killed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from terminal import wait_until
from test_others_dispatch import PATIENCE, Desk, desk, service


def commit(desk: Desk) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "first"], cwd=desk.crew.root, check=True)


def test_a_worker_in_a_worktree_writes_its_plan_there_and_here(desk: Desk) -> None:
    desk.configure()
    commit(desk)
    desk.service.first = ["echo hello > new.txt"]
    args = () if desk.name == "codex" else ("--permissions", "skip")  # Codex with its sandbox on
    id = desk.crew.start("-m", desk.model, "--worktree", *args, "--item", "one", "do it")
    try:
        wait_until(lambda: desk.crew.task(id).ended or desk.crew.task(id).open_questions, seconds=PATIENCE)
        for _ in range(3):  # a question of trust for the new directory
            task = desk.crew.task(id)
            if task.open_questions:
                desk.crew.run("answer", id, "--choice", task.open_questions[0].choices[0].key)
                wait_until(lambda q=task.open_questions[0].id: desk.crew.task(id).question(q).closed, seconds=PATIENCE)
                wait_until(lambda: desk.crew.task(id).ended or desk.crew.task(id).open_questions, seconds=PATIENCE)
        task = desk.crew.until(id, "done", PATIENCE)
    finally:
        print(desk.crew.screen(id))
    assert task.marks == "x"
    assert (Path(task.worktree) / "new.txt").exists() and not (desk.crew.root / "new.txt").exists()
    assert not task.questions, [q.text for q in task.questions]


def test_T15_after_a_killed_tmux_server_it_goes_on_in_its_own_session(desk: Desk) -> None:
    desk.configure()
    desk.service.first = ["echo working > here.txt; sleep 600 || exit 1"]
    id = desk.crew.start("-m", desk.model, "--permissions", "skip", "--item", "one", "the first words")
    wait_until(lambda: (desk.crew.root / "here.txt").exists(), seconds=PATIENCE, why=lambda: desk.crew.screen(id))
    os.kill(int(desk.crew.tmux("display-message", "-p", "#{pid}").text), signal.SIGKILL)
    wait_until(lambda: not desk.crew.store.supervised())
    assert desk.crew.json("status", id)["state"] == "lost"

    desk.crew.run("resume", "--all")
    task = desk.crew.until(id, "done", PATIENCE)
    again = [r.text for r in desk.service.requests if r.main and "You were interrupted" in r.text]
    assert task.attempt == 2 and again
    assert any("the first words" in text for text in again), "it is not the same session"
