"""The start pages of the real Claude Code: yes is yes, and no is no, whatever is preselected that day."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import install
import pytest
from conftest import KEY, Lab
from crew import wait_until
from stub_model import Script, StubModel, echo
from terminal import Terminal

StartModel = Callable[[Script], StubModel]


class Start:
    """A Claude Code that is about to be started for the first time; `known` is what it has written down."""

    def __init__(self, crew: Any, client: install.Client, model: StubModel) -> None:
        self.crew, self.model = crew, model
        self.lab = Lab(client, Terminal(crew.base), crew.home, crew.root)
        self.lab.lend(crew, model)

    @property
    def path(self) -> Path:
        return self.lab.config / ".claude.json"

    @property
    def known(self) -> dict[str, Any]:
        return dict(json.loads(self.path.read_text()))

    @property
    def here(self) -> dict[str, Any]:
        return dict(self.known.get("projects", {}).get(str(self.crew.root), {}))

    def forget(self, **more: Any) -> None:
        self.path.write_text(json.dumps({**self.known, **more}))

    def until_asked(self, kind: str) -> Any:
        self.id = self.crew.start("-m", "claude", "begin")

        def there() -> Any:
            return next((q for q in self.crew.task(self.id).open_questions if q.kind == kind), None)

        return wait_until(there, seconds=60, why=lambda: self.crew.tell(self.id))

    def until(self, there: Callable[[], object]) -> None:
        wait_until(there, seconds=40, why=lambda: f"{self.known}\n{self.crew.tell(self.id)}")


@pytest.fixture
def start(crew: Any, claude_client: install.Client, start_model: StartModel) -> Start:
    return Start(crew, claude_client, start_model(echo))


@pytest.mark.parametrize("word", ["yes", "no"])
def test_D22_the_folder_is_trusted_or_not(start: Start, word: str) -> None:
    start.forget(projects={})
    labels = [c.label for c in start.until_asked("trust").choices]
    assert len(labels) == 2 and any("trust" in label for label in labels)
    start.crew.run("answer", start.id, word)
    if word == "yes":
        start.until(lambda: start.here.get("hasTrustDialogAccepted") is True and start.model.main_requests)
    else:
        start.crew.until(start.id, "failed")
        assert not start.here.get("hasTrustDialogAccepted")


@pytest.mark.parametrize(("word", "list"), [("yes", "approved"), ("no", "rejected")])
def test_D22_the_key_is_used_or_not(start: Start, word: str, list: str) -> None:
    start.forget(customApiKeyResponses={"approved": [], "rejected": []})
    start.until_asked("apikey")
    start.crew.run("answer", start.id, word)
    start.until(lambda: start.known["customApiKeyResponses"][list] == [KEY[-20:]])


@pytest.mark.parametrize("words", [("yes",), ("no",), ("--choice", "2")])
def test_D22_a_server_of_the_project_is_used_or_not(start: Start, words: tuple[str, ...]) -> None:
    (start.crew.root / ".mcp.json").write_text(json.dumps({"mcpServers": {"lab": {"command": "true", "args": []}}}))
    question = start.until_asked("mcp")
    assert [c.key for c in question.choices] == ["1", "2", "3"]
    start.crew.run("answer", start.id, *words)

    def settled() -> dict[str, Any]:
        local = start.crew.root / ".claude" / "settings.local.json"
        return start.here | (json.loads(local.read_text()) if local.exists() else {})

    wanted = {"yes": "enabledMcpjsonServers", "no": "disabledMcpjsonServers"}.get(words[0])
    if wanted:
        start.until(lambda: settled().get(wanted) == ["lab"])
    else:
        start.until(lambda: settled().get("enableAllProjectMcpServers") is True)


@pytest.mark.parametrize("word", ["yes", "no"])
def test_D22_files_outside_are_imported_or_not(start: Start, word: str) -> None:
    outside = start.crew.base / "outside.md"
    outside.write_text("Be brief.\n")
    (start.crew.root / "CLAUDE.md").write_text(f"See @{outside}\n")
    start.until_asked("imports")
    start.crew.run("answer", start.id, word)
    start.until(
        lambda: start.here.get("hasClaudeMdExternalIncludesApproved") is (word == "yes") and start.model.main_requests
    )


@pytest.mark.parametrize("word", ["yes", "no"])
def test_D22_all_permissions_are_skipped_or_not(start: Start, word: str) -> None:
    start.crew.env["IS_SANDBOX"] = "1"  # else it refuses to, as root
    start.crew.configure(backends={"claude": {"permissions": "skip"}})
    start.until_asked("bypass")
    start.crew.run("answer", start.id, word)
    if word == "yes":
        start.until(lambda: start.model.main_requests)
    else:
        start.crew.until(start.id, "failed")
        assert not start.model.main_requests
