"""The real Codex, Gemini CLI and opencode as workers of `dispatch`; only the model is a script, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import install
import pytest
from stub_service import Service
from terminal import wait_until

PATIENCE = float(os.environ.get("DISPATCH_TEST_PATIENCE", "120"))  # opencode needs 20 s to start on two busy cores
MODELS = {"codex": "gpt-5.5", "gemini": "gemini-3.1-pro", "opencode": "lab/small-1"}
BATCH = {
    "codex": 'codex exec -C "$(pwd)"',
    "gemini": "gemini --approval-mode yolo -p",
    "opencode": "opencode run",
}


class Desk:
    """A person's project in which one of the CLIs is set up to talk to the stub service."""

    def __init__(self, crew: Any, name: str, service: Service) -> None:
        self.crew, self.name, self.service = crew, name, service
        self.model = MODELS[name]
        self.sent = self.model.rpartition("/")[2]
        client = install.other(name)
        subprocess.run(["git", "init", "-q", str(crew.root)], check=True)  # codex exec runs nowhere else
        crew.env["PATH"] = f"{client.parent}:{crew.env['PATH']}"
        getattr(self, f"_{name}")(crew.home, str(crew.root.resolve()))

    def configure(self, command: str = "", **more: Any) -> None:
        backends = {self.name: {"command": command}} if command else {}
        entry = {"backend": self.name, **more}
        self.crew.configure({}, backends=backends, models={self.model: entry, "demo": {"backend": "demo"}})

    def set(self, **settings: Any) -> None:
        """Further settings of opencode."""
        self.opencode_json.write_text(json.dumps({**json.loads(self.opencode_json.read_text()), **settings}))

    def _codex(self, home: Path, root: str) -> None:
        folder = home / ".codex"
        folder.mkdir()
        (folder / "config.toml").write_text(
            'model = "gpt-other"\nmodel_provider = "stub"\ncheck_for_update_on_startup = false\n'
            f'[model_providers.stub]\nname = "Stub"\nbase_url = "{self.service.url}/v1"\nwire_api = "responses"\nenv_key = "STUB_KEY"\n'
            "request_max_retries = 0\nstream_max_retries = 0\n"
            '[tui.model_availability_nux]\n"gpt-6.1-sol" = 4\n[notice.model_migrations]\n"gpt-5.5" = "gpt-6-sol"\n'
            f'[projects."{root}"]\ntrust_level = "trusted"\n'
        )
        self.crew.env["STUB_KEY"] = "sk-stub"

    def _gemini(self, home: Path, root: str) -> None:
        folder = home / ".gemini"
        folder.mkdir()
        settings = {
            "security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False},
            "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False, "maxAttempts": 1},
            "telemetry": {"enabled": False},
        }  # fmt: skip
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "trustedFolders.json").write_text(json.dumps({root: "TRUST_FOLDER"}))
        self.crew.env |= {"GEMINI_API_KEY": "stub", "GOOGLE_GEMINI_BASE_URL": self.service.url}

    def _opencode(self, home: Path, root: str) -> None:
        folder = home / ".config" / "opencode"
        folder.mkdir(parents=True)
        provider = {
            "npm": "@ai-sdk/openai-compatible", "name": "Lab", "options": {"baseURL": f"{self.service.url}/v1", "apiKey": "stub"},
            "models": {"small-1": {"name": "Small"}, "other-1": {"name": "Other"}},
        }  # fmt: skip
        (folder / "opencode.json").write_text(
            json.dumps({"autoupdate": False, "share": "disabled", "model": "lab/other-1", "small_model": "lab/other-1",
                        "provider": {"lab": provider}})
        )  # fmt: skip
        self.opencode_json = folder / "opencode.json"
        for variable in ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD"):
            self.crew.env[f"OPENCODE_DISABLE_{variable}"] = "1"


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.close()


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest, crew: Any, service: Service) -> Desk:
    if shutil.which("npm") is None and not os.environ.get("DISPATCH_TEST_CLIENTS"):
        pytest.skip("npm is not on PATH, so the CLI cannot be installed for this test")
    try:
        return Desk(crew, request.param, service)
    except install.NotAvailable as reason:
        pytest.skip(str(reason))


def test_the_model_that_was_asked_for_arrives_and_the_plan_is_worked_off(desk: Desk) -> None:
    desk.configure()
    id = desk.crew.start("-m", desk.model, "--permissions", "skip", "--item", "one", "--item", "two", "do both")
    task = desk.crew.until(id, "done", PATIENCE)

    assert desk.service.models == {desk.sent}
    assert task.marks == "xx"
    text = next(r.text for r in desk.service.requests if r.main)
    assert str(desk.crew.dir(id) / "plan.md") in text and "do both" in text
    assert desk.crew.task(id).exit_code is None  # it sits at its composer, to be talked to


def test_a_command_of_the_users_is_a_batch_worker_with_the_same_model(desk: Desk) -> None:
    desk.configure(BATCH[desk.name])
    id = desk.crew.start("-m", desk.model, "--item", "one", "do it")
    task = desk.crew.until(id, "done", PATIENCE)

    assert desk.service.models == {desk.sent}
    wait_until(lambda: desk.crew.task(id).exit_code == 0, seconds=PATIENCE)
    assert task.marks == "x"
    wait_until(lambda: "All done" in desk.crew.run("logs", id).stdout)


@pytest.mark.parametrize("status, cause", [(401, "auth"), (404, "model"), (429, "quota"), (503, "overloaded")])
def test_S10_each_failure_of_the_service_has_its_cause_and_a_retry_that_works(
    desk: Desk, status: int, cause: str
) -> None:
    if desk.name != "codex" and status in (429, 503):
        pytest.skip(f"{desk.name} retries {status} by itself for minutes")
    desk.configure(BATCH[desk.name])
    desk.service.fail[""] = status
    id = desk.crew.start("-m", desk.model, "--item", "one", "do it")
    task = desk.crew.until(id, "failed", PATIENCE)
    assert task.cause == cause, desk.crew.run("logs", id).stdout[-2000:]

    desk.crew.run("retry", id, "-m", "demo")
    assert desk.crew.until(id, "done", PATIENCE).model == "demo"


def test_todays_codex_refuses_full_auto_in_its_own_words(crew: Any, service: Service) -> None:
    try:
        desk = Desk(crew, "codex", service)
    except install.NotAvailable as reason:
        pytest.skip(str(reason))
    desk.configure('codex exec --full-auto -C "$(pwd)"')
    id = crew.start("-m", desk.model, "do it")
    task = crew.until(id, "failed", PATIENCE)

    assert task.exit_code == 2 and "--full-auto" in task.why and task.cause == "flag"
    assert "dispatch config renew" in crew.run("status", id).stdout
    crew.run("config", "renew", "--yes")
    crew.run("retry", id)
    assert crew.until(id, "done", PATIENCE).attempt == 2


def test_what_the_cli_can_run_is_found_out(desk: Desk) -> None:
    found = [entry["id"] for entry in desk.crew.json("models", "--refresh") if entry["backend"] == desk.name]

    assert found, desk.crew.run("models").stderr
    if desk.name == "opencode":
        assert "lab/small-1" in found


@pytest.mark.parametrize("desk", ["codex", "gemini"], indirect=True)
@pytest.mark.parametrize("status, cause", [(401, "auth"), (404, "model")])
def test_S10_a_failure_on_the_screen_of_a_living_cli_has_its_cause(desk: Desk, status: int, cause: str) -> None:
    desk.configure()
    desk.service.fail[""] = status
    id = desk.crew.start("-m", desk.model, "--item", "one", "do it")
    if desk.name == "gemini" and status == 404:  # it asks instead: keep trying, or stop
        desk.crew.until(id, "question", PATIENCE)
        assert [c.label for c in desk.crew.task(id).open_questions[0].choices] == ["Keep trying", "Stop"]
        return
    task = desk.crew.until(id, "failed", PATIENCE)
    assert task.cause == cause, desk.crew.screen(id)
    desk.crew.run("retry", id, "-m", "demo")
    assert desk.crew.until(id, "done", PATIENCE).model == "demo"
