"""Each file of a task, of a project and of ~/.dispatch replaced by something else, while another worker is at work.

Wanted: the other worker is served, no verb hangs or fails inside, and all is well when the damage is gone. A case is `PLACE | KIND`.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from chaos.rig import HUNG, Result, Rig, chosen, progress, remove, rig, until

TRIES = 0  # every place with every kind
SERVED = 5.0  # seconds in which the other worker's question must be on record
VERBS = (
    ("status", "--json"), ("status", "V", "--why"), ("questions",), ("brief",), ("report",), ("report", "--html", "R"), ("events", "V"),
    ("screen", "V"), ("logs", "V"), ("wait", "--timeout", "0", "--as", "chaos"), ("doctor",), ("note", "V", "a note"),
    ("answer", "V", "an answer"), ("status", "--graph"), ("diff", "V"), ("clean", "-n", "--all"),
)  # fmt: skip

# --- what is put there


def put(data: bytes | str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)


def link(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def sparse(path: Path) -> None:
    with open(path, "wb") as f:
        f.truncate(1 << 38)


def deep(path: Path) -> None:
    """Directories in each other, deeper than a path may be long."""
    path.mkdir()
    fd = os.open(path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 40, dir_fd=fd)
        fd, before = os.open("d" * 40, os.O_RDONLY, dir_fd=fd), fd
        os.close(before)
    os.close(fd)


def crowded(path: Path) -> None:
    path.mkdir()
    for n in range(3000):
        (path / f"{n:03}.question").touch()


def odd_names(path: Path) -> None:
    path.mkdir()
    names = (
        b"\xff\xfe",
        b"a\nb.question",
        b"\x1b[31m.json",
        b"001.question\n",
        "٠٠١.question".encode(),
        b"-rf",
        b"9" * 200 + b".question",
    )
    for name in names:
        open(os.fsencode(path) + b"/" + name, "wb").close()


def bind(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # its path may be longer than a socket's
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path.name)
    finally:
        os.chdir(here)


ANYWHERE: dict[str, Callable[[Path], object]] = {
    "garbage": put(bytes((n * 167 + n // 256 * 13) % 256 for n in range(65536))), "empty": put(b""), "nul": put(b"\0" * 4096),
    "fifo": os.mkfifo, "directory": lambda p: p.mkdir(), "deep directory": deep, "full directory": crowded, "odd names": odd_names,
    "link to itself": lambda p: p.symlink_to(p.name), "dangling": link("/nowhere/x"), "-> /etc/passwd": link("/etc/passwd"),
    "-> /dev/zero": link("/dev/zero"), "-> /dev/tty": link("/dev/tty"), "-> /proc/self/mem": link("/proc/self/mem"), "-> /": link("/"),
    "socket": bind, "gone": lambda p: None, "sparse 256 GB": sparse, "10 MB line": put(b"x" * 10_000_000), "newlines": put(b"\n" * 1_000_000),
}  # fmt: skip
TEXTS: dict[str, Callable[[Path], object]] = {
    "deep json": put("[" * 200_000), "deep object": put('{"a":' * 200_000), "list": put("[1, 2]\n"), "number": put("5\n"), "null": put("null\n"),
    "string": put('"x"\n'), "wrong object": put('{"kind": 5, "t": "x", "rid": [], "env": 3, "keys": 4, "q": {}, "text": {}, "attempt": []}\n'),
    "huge number": put("1" * 5000 + " " + "2" * 5000 + "\n"), "superscripts": put("1 ²\n"), "1e999": put('{"t": 1e999, "kind": "launch", "attempt": 1e999}'),
    "surrogate": put('{"kind": "send", "text": "\\ud800", "t": 1, "q": "\\ud800"}\n'), "yaml aliases": put("a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))),
    "bom": put("\ufeff{}\n"), "utf-16": put("{}".encode("utf-16")), "a process that is ours": lambda p: p.write_text(f"{os.getpid()} 1\n"), "minus": put("-1 -1\n"),
}  # fmt: skip
EVIL: list[dict[str, Any]] = [  # lines of a journal that are JSON, and wrong
    {"t": 1, "kind": "question", "key": "e1", "q": "001", "choices": [[]]}, {"t": 10**400, "kind": "x"}, {"t": 1, "kind": "starting", "attempt": 1e999},
    {"t": 1e308, "kind": "state", "state": "done"}, {"t": float("nan"), "kind": "state", "state": "working"}, {"t": 1, "kind": "created", "after": [[1]]},
    {"t": 1, "kind": "created", "priority": float("inf")}, {"t": 1, "kind": "started", "attempt": 1, "pane": [], "pid": 10**30},
    {"t": 1, "kind": "started", "attempt": 1, "pane": "-t", "pid": -1}, {"t": 1, "kind": "progress", "marks": "x" * 100_000},
    {"t": 1, "kind": "worktree", "path": "/etc", "cwd": "/", "branch": "--x"}, {"t": 1, "kind": "worktree", "path": ["/"], "cwd": None, "branch": 3},
    {"t": 1, "kind": "state", "state": "done", "why": {"a": 1}, "instead": 5}, {"t": 1, "kind": "question", "key": "e2", "q": 5, "text": 7, "via": [], "choices": [["1", "a"]]},
    {"t": 1, "kind": "exited", "code": "x"}, {"t": -1e18, "kind": "state", "state": "working"}, {"t": 1, "kind": "delivered", "rid": [], "how": 1},
    {"t": 1, "kind": "switched", "model": [], "backend": "../../x", "attempt": 3}, {"t": 1, "kind": "late", "why": None}, {"t": 1, "kind": "released"},
    {"t": 1, "kind": "question", "q": "s1", "via": "screen", "type": {}, "mark": [], "choices": "abc"}, {"t": 5e11, "kind": "state", "state": "working"},
    {"t": 1, "kind": "state", "state": "queued", "surfaced": "yes", "why": "\ud800"}, {"t": 1, "kind": "exited", "code": 10**20},
    {"t": True, "kind": "state", "state": True}, {"t": 1, "kind": "created", "title": ["x"], "model": {}, "backend": 1, "cwd": 5, "marks": 7},
    {"t": 1, "kind": "created", "after": "abc", "group": [], "timeout": "x", "deadline": [], "stop_late": 3}, {"t": 1, "kind": "flag", "text": {}, "id": []},
    {"t": 1, "kind": "answer", "q": None, "answer": [], "by": {}}, {"t": 1, "kind": "closed", "q": {}, "how": []}, {"t": 1, "kind": "conflict", "files": 3, "into": []},
    {"t": 1, "kind": "strayed", "files": {"a": 1}}, {"t": 1, "kind": "note", "text": 3}, {"t": 1, "kind": "held", "how": []}, {"t": 1, "kind": "nudge", "n": "x"},
    {"t": 1, "kind": "waived", "task": [], "id": 3}, {"t": 1, "kind": "progress", "marks": ["x"], "changed": 3}, {"t": 1, "kind": "starting", "attempt": -1},
]  # fmt: skip

# --- where

WORKERS = (
    "plan.md", "prompt.md", "output.md", "context.md", "session", "door", "door/open", "ipc", "ipc/001.question", "ipc/001.answer", "ipc/001.done",
    "ipc/.done", "ipc/001.flag", "signals", "signals/x.json", "",
)  # fmt: skip
OWN = (
    "journal.jsonl", "task.yaml", "inbox", "inbox/x.json", "launch-1-0.json", "process-1", "exit", "usage.json", "screen.txt", "terminal.log",
    "main-checkout.json", "set-up", "old-layout", "",
)  # fmt: skip
RECORDS = (
    "root", "key", "bell", "consumers", "consumers/shell.json", "summaries.json", "supervisor.lock", "supervisor.log", "session.lock", "tasks/.paused",
    "tasks/stray", "tasks/stray-dir/journal.jsonl",
)  # fmt: skip
PROJECT = ("project", ".gitignore", "worktrees", "rescued", "left", "tasks/stray")
HOME = ("models.json", "confirmed.json", "backends", "backends/x.yaml", "config.yaml")
PLACES = [
    *(f"dir/{name}" for name in WORKERS), *(f"own/{name}" for name in OWN), *(f"records/{name}" for name in RECORDS),
    *(f"project/{name}" for name in PROJECT), *(f"home/{name}" for name in HOME),
]  # fmt: skip
TEXTUAL = (".json", ".jsonl", ".yaml", "exit", "process-1", "session", "old-layout", ".lock", "project", "root", "key")
OURS = {"root", "key", "project"}  # without them the project is foreign, and that is said


def cases() -> list[str]:
    found = [
        f"{place} | {kind}"
        for place in PLACES
        for kind in (*ANYWHERE, *(TEXTS if place.endswith(TEXTUAL) else ()), "locked", "leased")
    ]
    return found + [f"evil | {json.dumps(line)[:100]}" for line in EVIL]


# --- the campaign


def campaign(seed: int, tries: int) -> Result:
    failures: list[str] = []
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # how the kernel asks for a lease back
    names = chosen(cases(), seed, tries)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))  # what reads /dev/zero ends, and not the machine
    with rig("files") as r:
        r.configure({"w": "sh -c 'exec sleep 100000'"})
        r.start("-m", "w", "--id", "other", "x")
        r.until("other", "working")
        for n, name in enumerate(names):
            found = [f"{name}: {problem}" for problem in _Case(r, n, name).problems()]
            progress(n, len(names), found)
            failures += found
    return Result(len(names), failures)


class _Case:
    def __init__(self, r: Rig, n: int, name: str) -> None:
        self.r, self.n = r, n
        self.place, _, self.kind = name.partition(" | ")
        self.whole = self.place.partition("/")[0] in ("records", "project", "home")
        self.victim = "other" if self.whole else f"v{n}"
        self.asked = 0

    def problems(self) -> list[str]:
        r = self.r
        if not self.whole:
            made = r.d("run", "-m", "w", "--id", self.victim, "x")
            if made.code:
                return [f"no new worker before it: {made}"]
        before = r.supervisor()
        with self._damage():
            found = list(self._seen(before))
        if not self.whole:
            found += self._removed()
        if not until(lambda: r.d("status").code == 0, 3):
            found.append(f"nothing works after the damage is gone: {r.d('status')}")
        elif not self._served():
            found.append("the other worker is not served after the damage is gone")
            r.d("resume", "--all")
        return found

    def _seen(self, before: int) -> Iterator[str]:
        r = self.r
        foreign = self.place.rpartition("/")[2] in OURS and self.place.partition("/")[0] in ("records", "project")
        if not foreign:
            if not self._served():
                yield f"the other worker is not served (supervisor {before}, now {r.supervisor()}): {' '.join(r.log().splitlines()[-2:])}"
            elif r.supervisor() != before and "supervisor.lock" not in self.place:
                yield f"the supervisor died: {' '.join(r.log().splitlines()[-2:])}"
        hung = 0
        for verb in VERBS:
            said = r.d(*({"V": self.victim, "R": str(r.base / "r.html")}.get(word, word) for word in verb), seconds=15)
            general = "V" not in verb and verb[0] in ("status", "questions", "brief", "report", "wait")
            named = self.whole and said.code == 1 and self.place.rpartition("/")[2].partition(".")[0] in said.err
            if said.broken or (general and not foreign and not named and said.code not in (0, 5, 124)):
                yield str(said)
            hung += said.code == HUNG
            if hung > 2:
                return

    def _served(self) -> bool:
        """Whether the supervisor writes down what the OTHER worker asks."""
        ipc = self.r.root / ".dispatch" / "tasks" / "other" / "ipc"
        self.asked += 1
        q = f"{self.n * 10 + self.asked:03}"
        (ipc / "tmp").write_text("still there?\n")
        (ipc / "tmp").rename(ipc / f"{q}.question")
        try:
            return until(lambda: any(e.data.get("q") == q for e in self.r.events("other", "question")), SERVED, 0.02)
        finally:
            for name in (f"{q}.answer", f"{q}.done"):
                (ipc / name).touch()
            for path in ipc.iterdir() if self.n % 10 == 9 else ():
                path.unlink(missing_ok=True)

    def _removed(self) -> Iterator[str]:
        """The victim can be stopped and removed; where that is refused the reason is said."""
        r = self.r
        for words in (("stop", self.victim), ("clean", self.victim, "--force")):
            said = r.d(*words, seconds=30)
            if said.broken:
                yield str(said)
        for path in (r.dir(self.victim), r.own(self.victim)):
            remove(path)
        for pane, task in r.windows():
            if task == self.victim:
                r.tmux("kill-pane", "-t", pane)

    # --- the damage

    def _path(self) -> Path:
        where, _, name = self.place.partition("/")
        folder = {
            "dir": lambda: self.r.dir(self.victim), "own": lambda: self.r.own(self.victim), "records": lambda: Path(self.r.store.records),
            "project": lambda: Path(self.r.store.dir), "home": lambda: self.r.home / ".dispatch",
        }[where]()  # fmt: skip
        return Path(folder / name) if name else Path(folder)

    @contextmanager
    def _damage(self) -> Iterator[None]:
        if self.place == "evil":
            line = next(line for line in EVIL if json.dumps(line)[:100] == self.kind)
            with open(self.r.own(self.victim) / "journal.jsonl", "a") as f:
                f.write(json.dumps(line) + "\n")
            yield
            return
        path = self._path()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_name(f"chaos-{path.name}")
        there = os.path.lexists(path)
        with ExitStack() as held:
            if self.kind in ("locked", "leased"):
                if not there:
                    path.touch()
                self._hold(path, held)
            else:
                if there:
                    os.rename(path, aside)
                {**ANYWHERE, **TEXTS}[self.kind](path)
            yield
        if os.path.lexists(aside):
            remove(path)
            os.rename(aside, path)
        elif not there:
            remove(path)

    def _hold(self, path: Path, held: ExitStack) -> None:
        """Somebody has it locked (flock), or leased: whoever opens it waits for 45 seconds, unless it opens without waiting."""
        if path.is_dir() and self.kind == "leased":
            return
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        held.callback(os.close, fd)
        try:
            if self.kind == "locked":
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError:
            pass  # somebody is at it
