"""A project, a HOME, a config and a tmux server of its own, and `dispatch` in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forks
import pytest

from dispatch_tmux.core.task import Event, Task
from dispatch_tmux.store import project as projects
from dispatch_tmux.store.store import Store
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.tmux.server import Answer, Server, Socket

DISPATCH = [sys.executable, "-m", "dispatch_tmux.cli.main"]
LONG = 30.0  # seconds until a condition that should come true in far less counts as failed


def wait_until(done: Callable[[], Any], why: Callable[[], object] = lambda: "", seconds: float = LONG) -> Any:
    """The first true value of DONE(); fails with WHY() after SECONDS."""
    end = time.monotonic() + seconds
    while not (value := done()):
        if time.monotonic() > end:
            pytest.fail(f"it did not come true in {seconds:g} s: {why()}")
        time.sleep(0.02)
    return value


def alive(pid: int) -> bool:
    """Whether the process PID runs (Linux)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return stat[0] != "Z"


def parent(pid: int) -> int:
    """The parent of the process PID (Linux)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


class Crew:
    """`dispatch` in a scratch project, as a person with a shell has it."""

    # whether each command has an interpreter of its own (see forks.py)
    fresh = bool(os.environ.get("DISPATCH_TESTS_FRESH"))

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "project"
        self.home = base / "home"
        for folder in (self.root, self.home):
            folder.mkdir(parents=True, exist_ok=True)
        self.socket = str(base / "s")
        self.config_path = base / "config.yaml"
        self.configure()
        bin_dir = base / "bin"  # what a worker's shell finds as `dispatch`
        bin_dir.mkdir()
        launcher = bin_dir / "dispatch"
        launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dispatch_tmux.cli.main "$@"\n')
        launcher.chmod(0o755)
        self.env = forks.kept() | {
            "HOME": str(self.home), "DISPATCH_CONFIG": str(self.config_path), "TERM": "xterm-256color", "SHELL": "/bin/sh",
            "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip
        self.project = projects.at(str(self.root), str(self.home / ".dispatch"))
        self.store: Store = self.project.store

    def begin_anew(self) -> None:
        """As if nothing had been dispatched in the project yet."""
        for folder in (self.root / ".dispatch", self.home / ".dispatch" / "projects"):
            shutil.rmtree(folder, ignore_errors=True)
        self.project = projects.at(str(self.root), str(self.home / ".dispatch"))
        self.store = self.project.store

    def configure(self, commands: dict[str, str] | None = None, **more: Any) -> None:
        """Write the config: COMMANDS are backends (each with a model of its name); MORE replaces top-level keys."""
        commands = commands or {}
        data = {
            "backends": {name: {"command": command} for name, command in commands.items()},
            "models": {name: {"backend": name} for name in commands},
            "tmux": {"socket": self.socket},
            "verify": "never",  # stand-ins for agent CLIs are not asked for their versions
            **more,
        }
        self.config_path.write_text(json.dumps(data))  # JSON is YAML

    def script(self, name: str, text: str) -> str:
        """A shell script in the project; returns the command that runs it."""
        (self.root / name).write_text(text)
        return f"sh {name}"

    # --- the command

    def run(
        self, *args: str, ok: bool | None = True, stdin: str | None = None, cwd: Path | None = None, **env: str
    ) -> Any:
        """Run `dispatch ARGS`; OK=None accepts any exit status."""
        whole, where = {**self.env, **env}, cwd or self.root
        if self.fresh or not forks.fits(whole):
            done = subprocess.run(
                [*DISPATCH, *args], cwd=where, env=whole, capture_output=True, text=True, input=stdin, timeout=60,
                stdin=subprocess.DEVNULL if stdin is None else None,
            )  # fmt: skip
        else:
            done = forks.run(args, cwd=where, env=whole, input=stdin, timeout=60)
        if ok is not None:
            assert (done.returncode == 0) is ok, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *args: str, **env: str) -> Any:
        return json.loads(self.run(*args, "--json", **env).stdout)

    def start(self, *args: str, **env: str) -> str:
        """`dispatch run ARGS`; the new task's id."""
        return str(self.json("run", *args, **env)["id"])

    def popen(self, *args: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*DISPATCH, *args],
            cwd=self.root,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    # --- what there is

    def task(self, id: str) -> Task:
        return self.store.task(id)

    def dir(self, id: str) -> Path:
        """Where the worker may write."""
        return Path(self.store.path(id))

    def own(self, id: str) -> Path:
        """What dispatch alone writes of the task."""
        return Path(self.store.own(id))

    def events(self, id: str, kind: str = "") -> list[Event]:
        return [e for e in self.store.events(id) if not kind or e.kind == kind]

    def until(self, id: str, state: str, seconds: float = LONG) -> Task:
        """The task as soon as it is in STATE ('question' = has an open one)."""

        def there() -> Task | None:
            task = self.task(id)
            return task if task.state.value == state or (state == "question" and task.open_questions) else None

        return wait_until(there, lambda: f"{id} is {self.task(id).state}, not {state}\n{self.tell(id)}", seconds)

    def tell(self, id: str) -> str:
        """All that helps to see why a test failed."""
        log = Path(self.store.log_path)
        lines = [str(tuple(e)) for e in self.events(id)[-25:]]
        return "\n".join([*lines, self.screen(id), log.read_text() if log.exists() else ""])

    def screen(self, id: str) -> str:
        pane = self.task(id).pane
        return self.tmux("capture-pane", "-p", "-t", pane).text if pane else ""

    def tmux(self, *command: str) -> Answer:
        return tmux.run(Socket(self.socket), *command)

    @property
    def server(self) -> Server:
        return Server(Socket(self.socket))

    def supervisor_pid(self) -> int:
        text = Path(self.store.lock_path).read_text().partition("\n")[0]
        return int(text or 0)

    def kill_supervisor(self) -> int:
        """kill -9, as soon as there is one; returns the pid."""
        pid = wait_until(lambda: self.store.supervised() and self.supervisor_pid())
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    def end_supervisor(self) -> None:
        """kill -9, and first of the loop that starts it again; the workers' windows stay."""
        pid = wait_until(lambda: self.store.supervised() and self.supervisor_pid())
        for each in (parent(pid), pid):
            os.kill(each, signal.SIGKILL)
        wait_until(lambda: not self.store.supervised())

    def close(self) -> None:
        try:
            self.tmux("kill-server")
        except Exception:  # a test may have made the server unreachable
            pass
        for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
            if name.isdigit() and int(name) != os.getpid():
                try:
                    if f"DISPATCH_CONFIG={self.config_path}".encode() in Path("/proc", name, "environ").read_bytes():
                        os.kill(int(name), signal.SIGKILL)
                except OSError:
                    pass
        end = time.monotonic() + 5
        while os.path.isdir(self.base) and time.monotonic() < end:  # one that is being killed may write once more
            shutil.rmtree(self.base, ignore_errors=True)
            time.sleep(0.01)
