"""What the campaigns share: a project, HOME, configuration and tmux server of their own, and what became of it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import forks
from crew import DISPATCH, Crew

ONLY = ""  # --only
KEEP = False  # --keep
HUNG = 999  # the exit code of a command that did not end in time
BROKEN = 3  # dispatch's own for a bug
GIT_NAMES = {f"GIT_{who}_{what}": "chaos@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

T = TypeVar("T")


class Result(NamedTuple):
    """What a campaign found. A failure is one line, with what is needed to see it again beside the seed."""

    tries: int
    failures: list[str]
    notes: list[str] = []  # noqa: RUF012 - read only


class Said(NamedTuple):
    """What a command did: its exit code (HUNG: none in time), and what it wrote."""

    words: Sequence[str]
    code: int
    out: str
    err: str

    @property
    def broken(self) -> bool:
        """Whether it hung or ended in a bug; any other refusal may be right."""
        return self.code in (HUNG, BROKEN) or "Traceback" in self.out + self.err

    def __str__(self) -> str:
        text = " | ".join((self.err or self.out).strip().splitlines())
        return f"`dispatch {' '.join(self.words)[:80]}` → {'hangs' if self.code == HUNG else self.code}: {text[:200]}"


class Rig(Crew):
    """A crew that expects anything: its commands may fail, hang and be killed."""

    def d(self, *words: str, seconds: float = 60, cwd: Path | None = None, **env: str) -> Said:
        """`dispatch WORDS`, in a fork where that is the same; killed after SECONDS."""
        whole, where = {**self.env, **env}, cwd or self.root
        try:
            if self.fresh or not forks.fits(whole):
                done: Any = subprocess.run([*DISPATCH, *words], cwd=where, env=whole, capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds)  # fmt: skip
            else:
                done = forks.run(words, cwd=where, env=whole, timeout=seconds)
        except subprocess.TimeoutExpired as e:
            return Said(words, HUNG, _text(e.stdout), _text(e.stderr))
        return Said(words, done.returncode, _text(done.stdout), _text(done.stderr))

    def tasks(self) -> list[dict[str, Any]]:
        said = self.d("status", "--all", "--json")
        return json.loads(said.out) if said.code == 0 else []

    def git(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *words], cwd=cwd or self.root, env={**self.env, **GIT_NAMES}, capture_output=True, text=True)  # fmt: skip

    def repository(self) -> None:
        """Make the project a repository with a commit."""
        self.git("init", "-q", "-b", "main")
        for key in ("user.name", "user.email"):
            self.git("config", key, "chaos@example")
        (self.root / "f.txt").write_text("".join(f"line {n}\n" for n in range(200)))
        self.git("add", "f.txt")
        self.git("commit", "-qm", "one")

    def supervisor(self) -> int:
        """The pid of the living supervisor, or 0."""
        try:
            with open(
                os.open(self.store.lock_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            ) as f:  # whatever lies there
                pid = int(f.read(100).partition("\n")[0])
            return pid if b"supervisor" in Path(f"/proc/{pid}/cmdline").read_bytes() else 0
        except (OSError, ValueError):
            return 0

    def processes(self, needle: str = "") -> dict[int, str]:
        """pid → command line of this rig's living processes whose line has NEEDLE."""
        found = {}
        mark = f"DISPATCH_CONFIG={self.config_path}".encode()
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                try:
                    if mark not in Path("/proc", name, "environ").read_bytes().split(b"\0"):
                        continue
                    line = Path("/proc", name, "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                    if Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[0] != "Z" and needle in line:
                        found[int(name)] = line.strip()
                except OSError:
                    pass
        return found

    def lines(self, id: str) -> list[int]:
        """The launch line of task ID, which waits in its window for the program's end (two: two attempts live)."""
        return [pid for pid, words in self.processes("launch.sh").items() if f"/{id} " in words]

    def programs(self, id: str) -> list[int]:
        """The processes that the launch line of task ID has started."""
        return [pid for pid, words in self.processes().items() if "launch.sh" not in words and _task_of(pid) == id]

    def windows(self) -> list[tuple[str, str]]:
        """(pane, task) of each pane of ours; that of window 0 has the task ''."""
        listed = self.tmux("list-panes", "-a", "-F", "#{pane_id} #{@dispatch_task}")
        lines = listed.lines if listed.ok else ()
        return [(line.split(" ")[0], line.partition(" ")[2]) for line in lines]

    def window0(self) -> str:
        """The pane of the face; '' without one."""
        listed = self.tmux("list-panes", "-a", "-F", "#{pane_id} #{@dispatch_face}")
        return next((line.split()[0] for line in listed.lines if listed.ok and not line.endswith(" ")), "")

    def server_pid(self) -> int:
        """The process of the tmux server; 0 without one."""
        said = self.tmux("display-message", "-p", "#{pid}")
        return int(said.text) if said.ok and said.text.isdigit() else 0

    def log(self) -> str:
        try:
            return Path(self.store.log_path).read_text(errors="replace")
        except OSError:
            return ""


def _task_of(pid: int) -> str:
    """The task that the process PID works on, as its environment tells."""
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return ""
    return next((pair.partition("=")[2] for pair in pairs if pair.startswith("DISPATCH_TASK=")), "")


def _text(data: bytes | str | None) -> str:
    return data if isinstance(data, str) else (data or b"").decode("utf-8", "replace")


@contextmanager
def rig(name: str = "") -> Iterator[Rig]:
    """A rig that is gone afterwards, with all its processes (--keep: its files stay)."""
    # a short path: a socket's has 100 bytes
    made = Rig(Path(tempfile.mkdtemp(prefix=f"chaos-{name}-", dir="/tmp")))
    base = made.base
    try:
        yield made
    finally:
        if KEEP:
            made.base = Path(tempfile.mkdtemp(dir=base))
            print(f"  kept: {base}", file=sys.stderr)
        made.close()


def kill(pid: int, number: int = signal.SIGKILL) -> bool:
    """Whether there was somebody to get it; pid 0, nobody, is not the group of the campaign."""
    try:
        if pid > 1:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return pid > 1


def until(done: Callable[[], T], seconds: float = 20, step: float = 0.05) -> T:
    """The first true value of DONE(), or its last after SECONDS."""
    end = time.monotonic() + seconds
    while not (value := done()) and time.monotonic() < end:
        time.sleep(step)
    return value


def chosen(names: Sequence[str], seed: int, tries: int) -> list[str]:
    """TRIES of the cases NAMES in the seed's order (0: all), of those that --only leaves."""
    left = [name for name in names if ONLY in name]
    random.Random(seed).shuffle(left)
    return left[: tries or None]


def progress(n: int, of: int, found: Sequence[str]) -> None:
    """What try N found, at once, for whoever waits; the result has it again."""
    for failure in found:
        print(f"  [{n + 1} of {of}] {failure}", file=sys.stderr, flush=True)


def remove(path: Path) -> None:
    """Whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
