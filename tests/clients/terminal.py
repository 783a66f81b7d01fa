"""A private tmux server for one test, and windows in it that a real CLI runs in."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TMUX_SECONDS = 10.0
POLL_SECONDS = 0.02
SETTLED_SECONDS = 0.3  # a pasted text submitted sooner was left in Claude Code's composer (19 of 20 at 0 s)
STATUS = 'status=$1; shift; "$@"; echo $? > "$status.tmp"; mv "$status.tmp" "$status"'


def wait_until(true: Callable[[], object], seconds: float = 20.0, why: Callable[[], str] = str) -> None:
    """Returns when the condition holds; raises TimeoutError with what `why` says."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {why()}")
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A tmux server on a socket of its own (a socket's path may have about 100 bytes, so `folder` is short)."""

    folder: Path

    def tmux(self, *arguments: str) -> str:
        """One tmux command; raises CalledProcessError when tmux refuses it."""
        command = ["tmux", "-u", "-S", str(self.folder / "t"), "-f", os.devnull, *arguments]
        plain = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=TMUX_SECONDS, check=True, env=plain)
        return done.stdout

    def open(self) -> None:
        keep = ["new-session", "-d", "-s", "lab", "-x", "120", "-y", "40", "-n", "keep", "cat"]
        self.tmux("set", "-g", "remain-on-exit", "on", ";", "set", "-g", "remain-on-exit-format", "", ";", *keep)

    def close(self) -> None:
        try:
            self.tmux("kill-server")
        except subprocess.CalledProcessError:
            pass  # it is gone already

    def run(self, name: str, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Window:
        """Starts the command in a new window, with this environment and nothing else."""
        status = self.folder / f"{name}.status"
        status.unlink(missing_ok=True)
        pairs = [f"{key}={value}" for key, value in env.items()]
        launch = ["env", "-i", *pairs, "sh", "-c", STATUS, "sh", str(status), *command]
        pane = self.tmux(
            "new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "lab:", "-n", name, "-c", str(cwd), *launch
        )
        return Window(self, pane.strip(), status, time.monotonic())


@dataclass(frozen=True, slots=True)
class Window:
    """A running CLI, as a person at the keyboard has it."""

    terminal: Terminal
    pane: str
    status: Path
    started: float

    @property
    def screen(self) -> str:
        return self.terminal.tmux("capture-pane", "-p", "-t", self.pane)

    @property
    def title(self) -> str:
        return self.terminal.tmux("display-message", "-p", "-t", self.pane, "#{pane_title}").rstrip("\n")

    @property
    def pid(self) -> int:
        """The CLI's own process: the child of the launching shell."""
        shell = self.terminal.tmux("display-message", "-p", "-t", self.pane, "#{pane_pid}").strip()
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])

    def shows(self, pattern: str) -> bool:
        return re.search(pattern, self.screen, re.MULTILINE) is not None

    def wait_to_show(self, pattern: str, seconds: float = 20.0) -> None:
        wait_until(lambda: self.shows(pattern), seconds, lambda: f"{pattern!r} on this screen:\n{self.screen}")

    def wait_for_title(self, pattern: str, seconds: float = 20.0) -> None:
        wait_until(
            lambda: re.search(pattern, self.title), seconds, lambda: f"title {self.title!r}, screen:\n{self.screen}"
        )

    def wait_for_exit(self, seconds: float = 20.0) -> int:
        wait_until(self.status.exists, seconds, lambda: f"still running:\n{self.screen}")
        return int(self.status.read_text())

    def press(self, *keys: str) -> None:
        self.terminal.tmux("send-keys", "-t", self.pane, *keys)

    def paste(self, text: str) -> None:
        """As dispatch does it: through a file and a buffer, bracketed, newlines kept."""
        body = self.status.with_suffix(".paste")
        body.write_text(text)
        self.terminal.tmux("load-buffer", "-b", "body", str(body))
        self.terminal.tmux("paste-buffer", "-p", "-r", "-d", "-b", "body", "-t", self.pane)

    def wait_to_settle(self, seconds: float = 20.0) -> None:
        """Returns when the screen has been the same for a moment."""
        seen, since = self.screen, time.monotonic()
        deadline = since + seconds
        while time.monotonic() - since < SETTLED_SECONDS:
            now = self.screen
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the screen does not come to rest:\n{now}")
            time.sleep(POLL_SECONDS)

    def submit(self, text: str) -> None:
        """Pastes a text, sees it in the composer, presses Enter."""
        before = self.screen
        self.paste(text)
        wait_until(lambda: self.screen != before, why=lambda: f"nothing was pasted:\n{self.screen}")
        self.wait_to_settle()
        self.press("Enter")
