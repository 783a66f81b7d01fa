"""Real Claude Code and Gemini CLI as one team: a sweep in five parts, worktrees, and going on after a crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import install
import pytest
from stub_model import Script, plan_editor
from stub_service import Service
from terminal import wait_until
from test_claude_dispatch import Desk, desk
from test_others_dispatch import Desk as OtherDesk

PATIENCE = 120.0
SWEEP = """
tasks:
  - id: security-audit
    group: Sweep
    model: opus
    worktree: true
    prompt: "security audit; flag anything critical immediately, ask me if anything is unclear"
    items:
      - 'look {{dispatch flag "a key is in the history"}}'
      - 'decide {{dispatch ask "Which scope?" --choice api --choice all}}'
      - 'note {{echo audit > audit.txt}}'
  - {id: performance, group: Sweep, model: sonnet, worktree: true, prompt: performance, items: ['measure {{echo p > perf.txt}}']}
  - {id: frontend-audit, group: Sweep, model: sonnet, prompt: frontend audit, items: ['look {{true}}']}
  - {id: api-docs, group: Sweep, model: gemini, permissions: skip, prompt: API docs, items: [write them]}
  - {id: error-handling, group: Sweep, model: sonnet, worktree: true, prompt: error handling, items: ['look {{true}}']}
"""


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.close()


def repository(root: Path) -> None:
    who = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*who, "init", "-q", "-b", "main"], cwd=root, check=True)
    subprocess.run([*who, "commit", "-q", "--allow-empty", "-m", "first"], cwd=root, check=True)


def test_the_sweep_of_five_is_one_call_with_real_clis(desk: Callable[[Script], Desk], service: Service) -> None:
    at = desk(plan_editor)
    crew = at.crew
    repository(crew.root)
    try:
        crew.env["PATH"] = f"{install.other('gemini').parent}:{crew.env['PATH']}"
    except install.NotAvailable as reason:
        pytest.skip(str(reason))
    other = OtherDesk.__new__(OtherDesk)
    other.crew, other.service = crew, service
    other._gemini(crew.home, str(crew.root.resolve()))
    crew.configure(
        models={
            "opus": {"backend": "claude"},
            "sonnet": {"backend": "claude"},
            "gemini-3.1-pro": {"backend": "gemini"},
        },
        aliases={"gemini": {"model": "gemini-3.1-pro"}},
    )
    said = crew.run("run", "--batch", "-", stdin=SWEEP).stdout
    assert said.count("● ") == 5 and said.count("(worktree)") == 3
    kinds: dict[str, list[str]] = {}
    while len(kinds.get("done", [])) < 5:
        done = crew.run("wait", "--as", "session", "--json", "--timeout", "150")
        for news in json.loads(done.stdout):
            kinds.setdefault(news["kind"], []).append(news["task"])
            assert news["kind"] in ("question", "flag", "done"), (news, crew.tell(news["task"]))
            if news["kind"] == "question":
                assert news["text"].splitlines()[0] == "Which scope?", crew.tell(news["task"])
                crew.run("answer", news["task"], "--choice", "2")
    assert kinds["question"] == kinds["flag"] == ["security-audit"] and len(kinds["done"]) == 5
    families = {r.body.get("model", "") for r in at.model.main_requests}
    assert any("opus" in m for m in families) and any("sonnet" in m for m in families)
    assert service.models == {"gemini-3.1-pro"}
    for id, name in (("security-audit", "audit.txt"), ("performance", "perf.txt")):
        tree = Path(crew.task(id).worktree)
        assert (tree / name).exists() and not (crew.root / name).exists()
    assert "1 file changed" in crew.run("diff", "performance", "--stat").stdout
    crew.run("merge", "performance", "--commit", "measure")
    assert (crew.root / "perf.txt").read_text() == "p\n"


def test_T15_claude_goes_on_in_its_own_session_after_a_killed_tmux_server(desk: Callable[[Script], Desk]) -> None:
    at = desk(plan_editor)
    crew = at.crew
    ask = 'decide {{dispatch ask "Which one?" --choice red --choice green}}'
    id = at.start("--item", "one {{echo 1 > one.txt}}", "--item", ask, prompt="the first words")
    crew.until(id, "question", PATIENCE)
    sessions = {r.session for r in at.model.main_requests}
    os.kill(int(crew.tmux("display-message", "-p", "#{pid}").text), signal.SIGKILL)
    wait_until(lambda: not crew.store.supervised())
    crew.run("resume", "--all")
    task = crew.until(id, "done", PATIENCE)
    assert task.attempt == 2
    assert task.marks == "x!"  # the scripted model takes the command that was cut off for one that failed
    assert {r.session for r in at.model.main_requests} == sessions
    assert any("You were interrupted" in text for text in at.model.user_texts())
