"""`dispatch ui` and bare `dispatch` as a person has them: in a real terminal, here a tmux of the person's own."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from crew import DISPATCH, Crew, alive, wait_until

from dispatch_tmux.tmux.server import Server, Socket

DRAWS = "i=0; while :; do i=$((i+1)); printf '\\033[2J\\033[H\\033[31mtick %s\\033[0m\\n' $i; sleep 0.2; done"


class Terminal:
    """A terminal of a person: a window of a tmux server that dispatch knows nothing of."""

    def __init__(self, crew: Crew) -> None:
        self.crew, self.server = crew, Server(Socket(str(crew.base / "t")))
        self.pane = ""

    def opens(self, *args: str, columns: int = 100, rows: int = 30, **env: str) -> None:
        """Run `dispatch ARGS` in it; what comes after it is told by 'left: STATUS'."""
        whole = {**self.crew.env, "TERM": "xterm-256color", **env}
        words = [f"{name}={value}" for name, value in whole.items()]
        line = f"env -i {shlex.join(words)} {shlex.join([*DISPATCH, *args])}; echo left: $?; exec cat"
        made = self.server.cmd(
            "new-session", "-d", "-P", "-F", "#{pane_id}", "-x", str(columns), "-y", str(rows), "-c", str(self.crew.root), line,
        )  # fmt: skip
        assert made.ok, made.text
        self.pane = made.text

    def text(self) -> str:
        return self.server.cmd("capture-pane", "-p", "-t", self.pane).text

    def sees(self, *words: str) -> str:
        def there() -> str:
            text = self.text()
            return text if all(word in text for word in words) else ""

        return str(wait_until(there, self.text))

    def press(self, *keys: str) -> None:
        self.server.cmd("send-keys", "-t", self.pane, *keys)

    def pid(self) -> int:
        """The inbox's process: the child of the window's shell."""
        shell = self.server.cmd("display-message", "-p", "-t", self.pane, "#{pane_pid}").text
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])


@pytest.fixture
def terminal(crew: Crew) -> Iterator[Terminal]:
    made = Terminal(crew)
    yield made
    made.server.end()


def test_a_person_answers_follows_and_stops_a_worker_without_typing_an_id(crew: Crew, terminal: Terminal) -> None:
    crew.configure({"drawer": crew.script("draws.sh", DRAWS)})
    crew.start("-m", "demo", "--id", "asks", "--item", "ask: Which? (choices: red | blue)", "paint", DEMO_PACE="0.01")
    crew.start("-m", "drawer", "--id", "draws", "x")
    crew.until("asks", "question")
    terminal.opens("ui")
    terminal.sees("needs you 1", "2  blue")
    time.sleep(0.6)  # a question that has only just come takes no digit
    terminal.press("2")
    terminal.sees("asks: answered: blue")
    crew.until("asks", "done")
    terminal.press("/", "d", "r", "a", "w", "Enter")
    first = terminal.sees("tick")
    wait_until(lambda: "tick" in terminal.text() and terminal.text() != first, terminal.text)
    assert "\x1b[31m" in terminal.server.cmd("capture-pane", "-p", "-e", "-t", terminal.pane).text
    terminal.press("x")
    terminal.sees("stop draws?  y/N")
    terminal.press("y")
    crew.until("draws", "stopped")
    terminal.sees("draws: stopped")
    terminal.press("q")
    terminal.sees("left: 0")


def test_without_a_verb_the_inbox_opens_and_without_a_screen_the_list_is_printed(
    crew: Crew, terminal: Terminal
) -> None:
    crew.start("-m", "demo", "--id", "one", "--item", "hang", "x")
    terminal.opens(columns=40, rows=20)
    terminal.sees("working 1", "── one")
    terminal.press("C-c")
    terminal.sees("left: 0")
    said = crew.run().stdout
    assert "one" in said and "dispatch help" in said and "\x1b" not in said
    assert "one" in crew.run("ui").stdout
    terminal.opens("ui", TERM="dumb")
    assert "\x1b" not in terminal.sees("left: 0", "one", "working")
    assert crew.run("--help").stdout.startswith("Usage")


def test_no_signal_no_odd_byte_and_no_crash_of_it_touches_the_supervisor(crew: Crew, terminal: Terminal) -> None:
    crew.start("-m", "demo", "--id", "one", "--item", "hang", "x")
    supervisor = crew.supervisor_pid()
    terminal.opens("ui")
    terminal.sees("working 1")
    terminal.press("-H", "ff", "fe", "c3", "28")  # no UTF-8
    terminal.press("C-\\", "C-z", "C-s", "C-d")
    terminal.press("?")
    terminal.sees("these keys")
    terminal.press("Escape")
    pid = terminal.pid()
    terminal.server.cmd("kill-pane", "-t", terminal.pane)  # the terminal is closed: SIGHUP
    wait_until(lambda: not alive(pid))
    terminal.opens("ui")
    terminal.sees("working 1")
    os.kill(terminal.pid(), signal.SIGKILL)
    terminal.sees("left: 137")
    assert crew.supervisor_pid() == supervisor and alive(supervisor)
    assert crew.task("one").state.value == "working"


def test_attach_takes_the_terminal_and_gives_it_back(crew: Crew, terminal: Terminal) -> None:
    crew.start("-m", "demo", "--id", "one", "--item", "hang", "x")
    terminal.opens("ui")
    terminal.sees("working 1")
    terminal.press("a")
    terminal.sees("d: leave", "esc to interrupt")
    terminal.press("C-b", "d")
    terminal.sees("working 1", "? keys")
