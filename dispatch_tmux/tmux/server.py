"""The one door to tmux. Every call names our socket, speaks UTF-8 (-u) and has a deadline.

An answer of "no" and no answer at all are different things: `Answer.ok` is tmux's own verdict, TmuxError means that
nobody knows. libtmux's lists are empty on any error, so only its commands are used (`Server.cmd`), not its lists.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple, NewType, Protocol

from dispatch_tmux.core.text import lines_of
from dispatch_tmux.errors import DispatchError, TmuxError
from dispatch_tmux.tmux import lost_socket

DEADLINE = 8.0  # seconds for one tmux command; a healthy server answers in 0.01
OLDEST = (3, 2)
CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tmux.conf")
GONE = re.compile(r"no server running|error connecting|server exited|lost server|no sessions|can't find|no current")
NO_SERVER = re.compile(r"no server running|error connecting to .*(No such file|refused)|server exited|lost server")

PaneId = NewType("PaneId", str)


class Answer(NamedTuple):
    """What tmux said to one command."""

    ok: bool
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Tmux(Protocol):
    """Whatever takes tmux commands: a `Server`, the supervisor's `Line`."""

    def cmd(self, *command: str, deadline: float = DEADLINE) -> Answer: ...


def pane_id(text: str) -> PaneId:
    if not re.fullmatch(r"%\d+", text):
        raise TmuxError(f"{text[:40]!r} is not a pane id", hint="tmux writes them %0, %1, …")
    return PaneId(text)


def safe_name(text: str) -> str:
    """TEXT as a window name: tmux expands `#{…}` and *runs* `#(…)` in names, and splits targets at ':' and '.'."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:60] or "worker"


def literal(path: str) -> str:
    """PATH as a start directory (-c), in which tmux expands formats."""
    return path.replace("#", "##")


class Socket(NamedTuple):
    """Which tmux server: `-L name` or `-S path`; 'default' is the person's own, read with their own tmux.conf."""

    name: str = "dispatch"

    @property
    def flags(self) -> tuple[str, ...]:
        return ("-S", self.name) if "/" in self.name else ("-L", self.name)

    @property
    def is_ours(self) -> bool:
        return self.name != "default"

    @property
    def path(self) -> str:
        """The file that the server listens on, as tmux makes it of a name."""
        if "/" in self.name:
            return self.name
        base = os.path.realpath(os.environ.get("TMUX_TMPDIR") or "/tmp")
        return os.path.join(base, f"tmux-{os.getuid()}", self.name)

    def argv(self, *command: str) -> list[str]:
        """A whole tmux command line; the conf counts only where it starts the server. Only `;` alone ends a command."""
        return [binary(), "-u", *(("-f", CONF) if self.is_ours else ()), *self.flags, *map(_whole, command)]


def _whole(argument: str) -> str:
    """ARGUMENT for tmux's command line, where a `;` at its end would end the command and be lost."""
    return f"{argument[:-1]}\\;" if argument.endswith(";") and argument != ";" else argument


def binary() -> str:
    import shutil

    found = shutil.which("tmux")
    if not found:
        raise DispatchError(
            "tmux is not installed", hint="install it: apt install tmux · dnf install tmux · brew install tmux"
        )
    return found


def check() -> str:
    """The version of the installed tmux ('3.3a'). Raises DispatchError when there is none or it is older than 3.2."""
    import subprocess

    try:
        said = subprocess.run([binary(), "-V"], capture_output=True, text=True, timeout=DEADLINE).stdout.strip()
    except (OSError, subprocess.SubprocessError) as e:
        raise DispatchError(f"tmux does not run: {e}", hint="reinstall it") from e
    version = said.removeprefix("tmux ").strip()
    number = re.search(r"(\d+)\.(\d+)", version)
    if number and (int(number[1]), int(number[2])) < OLDEST:
        raise DispatchError(f"tmux {version} is too old", hint="dispatch needs tmux 3.2 or newer")
    return version


def environment() -> dict[str, str]:
    """What a tmux client of ours runs with: not inside another tmux, not inside an agent, UTF-8 whatever the locale."""
    kept = {k: v for k, v in os.environ.items() if k not in ("TMUX", "TMUX_PANE")}
    return {k: v for k, v in kept.items() if not k.startswith(("CLAUDE", "DISPATCH_TASK"))}


def run(socket: Socket, *command: str, deadline: float = DEADLINE) -> Answer:
    """Run one tmux command in a process of its own. Raises TmuxError when tmux does not answer in time."""
    import subprocess  # most verbs leave tmux to the supervisor, and start in half the time without it

    argv = socket.argv(*command)
    try:
        done = subprocess.run(
            argv, capture_output=True, timeout=deadline, env=environment(), stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        raise TmuxError(
            f"tmux does not answer (waited {deadline:g} s for {command[0]})",
            hint=f"look at it: tmux {' '.join(socket.flags)} list-sessions",
        ) from None
    except OSError as e:
        raise TmuxError(f"cannot run tmux: {e.strerror}") from e
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    if done.returncode and "protocol version mismatch" in err:
        raise TmuxError(
            "the tmux server is of another version than the tmux command",
            hint="workers are untouched; use the tmux that started it, or end it when they are done",
        )
    return Answer(done.returncode == 0, tuple(lines_of(out if done.returncode == 0 else err or out)))


class Server:
    """The tmux server behind a socket: sessions and windows through libtmux, ids instead of names."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    def cmd(self, *command: str, deadline: float = DEADLINE) -> Answer:
        answer = run(self.socket, *command, deadline=deadline)
        if not answer.ok and NO_SERVER.search(answer.text) and lost_socket.recover(self.socket.path):
            return run(self.socket, *command, deadline=deadline)
        return answer

    def running(self) -> bool:
        """Whether a server listens there. Raises TmuxError when it does not answer."""
        answer = self.cmd("display-message", "-p", "#{pid}")
        if not answer.ok and not GONE.search(answer.text):
            raise TmuxError(f"cannot talk to tmux: {answer.text}")
        return answer.ok or not NO_SERVER.search(answer.text)

    def end(self) -> None:
        """End the server and all that runs on it, if there is one. For one that we have made for ourselves."""
        self.cmd("kill-server")

    def sessions(self) -> dict[str, tuple[str, str]]:
        """Of every session: id → (name, the project it belongs to or '')."""
        answer = self.cmd("list-sessions", "-F", "#{session_id}\t#{session_name}\t#{@dispatch_project}")
        if not answer.ok:
            if GONE.search(answer.text):
                return {}
            raise TmuxError(f"cannot talk to tmux: {answer.text}")
        rows = [line.split("\t", 2) for line in answer.lines]
        return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}

    def session_of(self, root: str) -> str | None:
        """The id of the session that is tagged with the project at ROOT."""
        return next((id for id, (_, project) in self.sessions().items() if project == root), None)
