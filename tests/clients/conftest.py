"""Real agent CLIs in real tmux windows, each test with a home, a project and a tmux server of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import install
import pytest
import yaml
from stub_model import Script, StubModel
from terminal import Terminal, Window, wait_until

KEY = "sk-ant-stub-0000000000-only-for-tests-on-loopback"
CLAUDE_YAML = Path(__file__).parents[2] / "dispatch_tmux/backends/claude.yaml"
READY = r"^❯"


@pytest.fixture(scope="session")
def claude_client() -> install.Client:
    try:
        return install.claude()
    except install.NotAvailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not on PATH")
    folder = Path(tempfile.mkdtemp(prefix="dt", dir="/tmp"))
    server = Terminal(folder)
    server.open()
    yield server
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start_model() -> Iterator[Callable[[Script], StubModel]]:
    """Starts a stub model with a script; all of them end with the test, which fails if a script raised."""
    with ExitStack() as running:

        def start(script: Script, **more: Any) -> StubModel:
            return running.enter_context(StubModel(script, **more))

        yield start


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git project with one commit and a task directory of dispatch's."""
    folder = tmp_path / "project"
    (folder / ".dispatch/tasks/one/signals").mkdir(parents=True)
    (folder / ".dispatch/tasks/one/ipc").mkdir()
    (folder / ".dispatch/.gitignore").write_text("*\n")
    (folder / "README.md").write_text("# A project\n")
    person = ["-c", "user.name=A Person", "-c", "user.email=person@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*person, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *command], cwd=folder, env=_bare_env(tmp_path), check=True, timeout=30)
    return folder


def _bare_env(home: Path) -> dict[str, str]:
    """What every child gets: nothing of the host's but PATH."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Lab:
    """All that one live Claude Code needs; `start` runs it in a window."""

    client: install.Client
    terminal: Terminal
    home: Path
    project: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def task(self) -> Path:
        return self.project / ".dispatch/tasks/one"

    @property
    def config(self) -> Path:
        return self.home / ".claude"

    def env(self, model: StubModel) -> dict[str, str]:
        return {
            **_bare_env(self.home),
            "PATH": f"{self.client.bin}:{os.environ['PATH']}",
            "SHELL": "/bin/sh",
            "CLAUDE_CONFIG_DIR": str(self.config),
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISPATCH_TASK": "one",
            "DISPATCH_TASK_DIR": str(self.task),
            **self.extra,
        }

    def lend(self, crew: Any, model: StubModel) -> None:
        """Let CREW's workers find this client, in a project that is trusted, and MODEL behind it."""
        self.trust(crew.root)
        env = {name: value for name, value in self.env(model).items() if not name.startswith("DISPATCH_")}
        own = crew.env["PATH"].split(os.pathsep)[0]
        crew.env |= {**env, "PATH": f"{own}{os.pathsep}{env['PATH']}"}

    def trust(self, folder: Path) -> None:
        """No first-run page for this project, as after a person's first session in it."""
        path = self.config / ".claude.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        known |= {"hasCompletedOnboarding": True, "theme": "dark"}
        known["customApiKeyResponses"] = {"approved": [KEY[-20:]], "rejected": []}
        known.setdefault("projects", {})[str(folder)] = {"hasTrustDialogAccepted": True}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(known))

    def settings(self, **more: Any) -> str:
        """For `--settings`: dispatch's own hooks, each of which drops its payload as a file, and `more`."""
        return json.dumps({"hooks": self.backend["settings"]["hooks"], **more})

    @property
    def backend(self) -> dict[str, Any]:
        """The backend file, read plainly."""
        found: dict[str, Any] = yaml.safe_load(CLAUDE_YAML.read_text())
        return found

    def argv(self, prompt: str, **more: str) -> list[str]:
        """The backend file's own arguments, filled in."""
        settings = json.dumps(self.backend["settings"]).replace("{task_dir}", str(self.task))
        values = {"task_dir": str(self.task), "settings": settings, "id": "one", "session": str(uuid.uuid4()), **more}
        flags = {"{permission_flags}": self.backend["permission_flags"]["default"]}
        words = [word for part in self.backend["argv"] for word in flags.get(part, [part])]
        filled = [re.sub(r"\{(\w+)\}", lambda m: {**values, "prompt": prompt}[m[1]], part) for part in words]
        return filled[1:]

    def start(
        self, model: StubModel, *arguments: str, name: str = "one", ready: str = READY, cwd: Path | None = None
    ) -> Window:
        """In a window; returns when it shows `ready` (at once if that is empty)."""
        window = self.terminal.run(name, ["claude", *arguments], cwd=cwd or self.project, env=self.env(model))
        if ready:
            window.wait_to_show(ready)
        return window

    def run(self, model: StubModel, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Without a terminal."""
        command = [str(self.client.binary), *arguments]
        return subprocess.run(
            command,
            cwd=cwd or self.project,
            env=self.env(model),
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def signals(self, event: str = "") -> list[dict[str, Any]]:
        """What the hooks dropped, oldest first; only those of one event if it is named."""
        files = sorted((self.task / "signals").glob("*.json"))
        found = [json.loads(file.read_text()) for file in files]
        return [payload for payload in found if event in ("", payload["hook_event_name"])]

    def wait_for_signal(self, event: str, count: int = 1, seconds: float = 20.0) -> dict[str, Any]:
        """The newest payload of this event once there are `count` of them."""
        wait_until(lambda: len(self.signals(event)) >= count, seconds, lambda: f"{event} among {self._events()}")
        return self.signals(event)[-1]

    def _events(self) -> list[str]:
        return [payload["hook_event_name"] for payload in self.signals()]


@pytest.fixture
def lab(claude_client: install.Client, terminal: Terminal, tmp_path: Path, project: Path) -> Lab:
    made = Lab(claude_client, terminal, tmp_path / "home", project)
    made.trust(project)
    return made
