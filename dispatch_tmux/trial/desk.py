"""A scratch home and project in which `dispatch` runs one agent CLI against our model, as a person would."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from dispatch_tmux.core.task import ENDED, Question, State, Task
from dispatch_tmux.git import run as git
from dispatch_tmux.store import files
from dispatch_tmux.store import project as projects
from dispatch_tmux.tmux import windows
from dispatch_tmux.tmux.server import Server, Socket
from dispatch_tmux.trial.clients import Client
from dispatch_tmux.trial.service import Service

DISPATCH = (sys.executable, "-m", "dispatch_tmux.cli.main")
PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "TMUX_TMPDIR")
NOWHERE = "http://127.0.0.1:9"  # where nobody listens: whatever wants out of the machine fails at once
POLL = 0.05  # seconds between two looks
ENDS = 5.0  # seconds for its supervisor to end, once its tmux server has


class Wrong(Exception):
    """What dispatch saw, did or told is not what was so."""


class Refused(Exception):
    """dispatch did nothing, and said why."""


class Halted(Exception):
    """Nobody wants to know any more: the course is broken off."""


class Said(NamedTuple):
    """What a command of dispatch ended with."""

    code: int
    out: str
    err: str

    @property
    def why(self) -> str:
        """The first line of its complaint."""
        return self.err.strip().split("\n")[0].removeprefix("dispatch: ")[:200]


class Desk:
    """One CLI, one worker. A context manager: in the end nothing of it is left, no process and no file.

    BIN is the directory of the CLI's program; SIZE the columns and rows of its window. Whatever is done or waited for
    raises Halted as soon as OVER is set.
    """

    def __init__(
        self, client: Client, bin: str, service: Service, size: tuple[int, int], over: threading.Event
    ) -> None:
        self.client, self.service, self.size, self._over = client, service, size, over
        self.base = tempfile.mkdtemp(prefix="dispatch-verify-")
        self.root = os.path.join(self.base, "project")
        home = os.path.join(self.base, "home")
        for folder in (self.root, home):
            os.mkdir(folder, 0o700)
        for name, text in client.files(service.url).items():
            os.makedirs(os.path.dirname(os.path.join(home, name)), mode=0o700, exist_ok=True)
            files.replace(os.path.join(home, name), text)
        config = {
            "models": {client.model: {"backend": client.name}}, "tmux": {"socket": os.path.join(self.base, "s")},
            "times": {"linger": 5},
        }  # fmt: skip
        files.replace(os.path.join(self.base, "config.yaml"), json.dumps(config))  # JSON is YAML
        own = os.path.join(self.base, "bin")
        os.mkdir(own)
        files.replace(
            os.path.join(own, "dispatch"), f'#!/bin/sh\nexec "{sys.executable}" -m dispatch_tmux.cli.main "$@"\n'
        )
        os.chmod(os.path.join(own, "dispatch"), 0o700)
        self.env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self.env |= {
            "HOME": home, "DISPATCH_CONFIG": os.path.join(self.base, "config.yaml"), "TERM": "xterm-256color",
            "SHELL": "/bin/sh", "PATH": os.pathsep.join([own, bin, os.environ.get("PATH", os.defpath)]),
            "HTTPS_PROXY": NOWHERE, "HTTP_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1,localhost",
            "GIT_CONFIG_NOSYSTEM": "1", "NO_UPDATE_NOTIFIER": "1",
        }  # fmt: skip
        self.env |= client.env(service.url, home)
        self._store = projects.at(self.root, os.path.join(home, ".dispatch")).store
        self._server = Server(Socket(os.path.join(self.base, "s")))
        self._count = 0
        self.id = ""

    def __enter__(self) -> Desk:
        git.init(self.root, self.env)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with contextlib.suppress(Wrong):  # the end of its server ends it as well
                self._dispatch(("stop", "--all"), 120.0)
        finally:
            self._server.end()
            self._store.is_left(ENDS)
            shutil.rmtree(self.base, ignore_errors=True)

    # --- what a person does

    def dispatch(self, *args: str, seconds: float = 120.0) -> Said:
        """Run `dispatch ARGS`. Raises Wrong when it ends with what it calls a bug, or not at all."""
        if self._over.is_set():
            raise Halted
        return self._dispatch(args, seconds)

    def _dispatch(self, args: tuple[str, ...], seconds: float) -> Said:
        try:
            done = subprocess.run(
                [*DISPATCH, *args], cwd=self.root, env=self.env, capture_output=True, text=True, errors="replace",
                stdin=subprocess.DEVNULL, timeout=seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Wrong(f"`dispatch {args[0]}` did not end within {seconds:.0f} s") from None
        if done.returncode == 3:
            raise Wrong(f"`dispatch {args[0]}` failed inside: {done.stderr.strip()[:200]}")
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self) -> None:
        """Start a worker, in a window of our size, that has nothing to do but what we let its model say."""
        if self.id:
            self.dispatch("stop", self.id)
        self._count += 1
        self.id = f"w{self._count}"
        arguments = ("-m", self.client.model, "--id", self.id, "--permissions", "ask", "--item", "wait for word")
        said = self.dispatch("run", *arguments, "hold yourself ready")
        if said.code:
            raise Wrong(f"it does not start: {said.why}")
        self.check_off()
        windows.resize(self._server, self.task.pane, *self.size)

    def check_off(self) -> None:
        """Check its plan off, so that it is not told to go on with it: it is `done` whenever it rests."""
        tree = self._store.tree(self.id)
        tree.replace("plan.md", text=self._store.plan(self.id).replace("[ ]", "[x]"))

    def answer(self, *words: str) -> None:
        """Answer its question with dispatch. Raises Refused when dispatch says that it did not."""
        said = self.dispatch("answer", self.id, *words)
        if said.code:
            raise Refused(said.why)

    def send(self, text: str) -> None:
        """Send it TEXT. Raises Refused when dispatch says that it did not."""
        said = self.dispatch("send", self.id, text)
        if said.code:
            raise Refused(said.why)

    def type(self, text: str) -> None:
        """Type TEXT into its window, as a person does who is attached."""
        for character in text:
            windows.press(self._server, self.task.pane, "Space" if character == " " else character)

    def press(self, key: str) -> None:
        windows.press(self._server, self.task.pane, key)

    # --- what is seen

    @property
    def task(self) -> Task:
        return self._store.task(self.id)

    @property
    def screen(self) -> str:
        """What its window shows; '' when it has none."""
        return windows.screen(self._server, self.task.pane) or "" if self.task.pane else ""

    @property
    def question(self) -> Question | None:
        """What it asks."""
        return next(iter(self.task.open_questions), None)

    def until(self, true: Callable[[], object], what: str, seconds: float = 0.0) -> None:
        """Wait until TRUE() holds. Raises Wrong, with WHAT was waited for, when it does not in the CLI's time."""
        end = time.monotonic() + (seconds or self.client.patience)
        while not true():
            if self._over.is_set():
                raise Halted
            if time.monotonic() > end:
                state = f"{self.task.state.value} {self.task.why}".strip()
                raise Wrong(f"{what} did not come about; dispatch calls it {state}")
            time.sleep(POLL)

    def rests(self) -> bool:
        """Whether it sits at its composer with nothing to do."""
        return self.task.state in (State.DONE, State.IDLE) and self.task.exit_code is None and not self.question

    def is_usable(self) -> bool:
        """Whether the worker can be given another thing to do."""
        task = self.task if self.id else None
        return (
            task is not None
            and bool(task.started)
            and task.exit_code is None
            and (task.state is State.DONE or task.state not in ENDED)
        )

    def asked(self, kind: str = "") -> Question:
        """Its question, as soon as it has one. Raises Wrong when none comes, or one of another KIND."""
        self.until(lambda: self.question, f"a question{f' of kind {kind}' if kind else ''}")
        found = self.question
        if found is None or (kind and found.kind != kind):
            raise Wrong(f"it asks, but as {found.kind or 'a question' if found else 'nothing'}, not {kind}")
        return found
