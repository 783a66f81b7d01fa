"""The sessions that agent CLIs keep: which one is a worker's, and what is written to it while the worker works."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dispatch_tmux.backends import usage
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, processes
from dispatch_tmux.store.tree import Tree

if TYPE_CHECKING:
    from dispatch_tmux.backends.load import Backend

NEWEST = 200  # files that are looked into
BEGINNING = 400_000  # bytes: the first prompt, which names the task's directory, stands here
AT_ONCE = 1 << 22  # bytes of a record that are read in one go
AGAIN, MOST_AGAIN = 0.3, 10.0  # seconds until a session that was not found is looked for again; each time twice as many


def of(backend: Backend, task_dir: str, env: Mapping[str, str]) -> str:
    """The id of the newest session in which BACKEND's CLI worked on the task at TASK_DIR; '' when none is found."""
    if backend.sessions.id is None:
        return ""
    if backend.sessions.told:
        told = backend.sessions.id.search(Tree.of(task_dir).read("session", most=1000) or "")
        return told["id"] if told else ""
    path = find(backend, task_dir, env)
    if not path:
        return ""
    told = backend.sessions.id.search(os.path.basename(path)) or backend.sessions.id.search(_beginning(path))
    return told["id"] if told else ""


def find(backend: Backend, task_dir: str, env: Mapping[str, str], since: float = 0.0) -> str:
    """The newest record that names TASK_DIR, as every first prompt does, and was written to SINCE then; '' for none."""
    rules = backend.sessions
    if not rules.files:
        return ""
    home = env.get(rules.home, "") or os.path.join(env.get("HOME", os.path.expanduser("~")), rules.default)
    found = ((_time(path), path) for path in glob.glob(os.path.join(glob.escape(home), rules.files)))
    marks = [
        f"{folder}/{name}" for folder in (task_dir, json.dumps(task_dir)[1:-1]) for name in ("plan.md", "prompt.md")
    ]
    newest = sorted((f for f in found if f[0] >= since), reverse=True)[:NEWEST]
    return next((path for _, path in newest if any(mark in _beginning(path) for mark in marks)), "")


def _beginning(path: str) -> str:
    try:
        return _tree(path).read(os.path.basename(path), most=BEGINNING) or ""
    except DispatchError:
        return ""


def _tree(path: str) -> Tree:
    """Where the record PATH lies: a worker may have put anything there, a pipe that nobody writes to among it."""
    return Tree(os.path.dirname(path))


def _time(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


class Record:
    """What the CLI writes of the session in which ATTEMPT works on the task at TASK_DIR."""

    def __init__(self, backend: Backend, task_dir: str, own: str, attempt: int) -> None:
        self._backend, self._dir, self._own, self._attempt = backend, task_dir, own, attempt
        self._path, self._at = "", 0
        self._next, self._pause = float("-inf"), AGAIN  # when to look for it again

    def news(self, now: float) -> list[object]:
        """The lines that have come since the last call, parsed. NOW: seconds on any clock."""
        if not self._backend.sessions.takes:
            return []
        if not self._path and now >= self._next:
            self._next, self._pause = now + self._pause, min(2 * self._pause, MOST_AGAIN)
            claim = processes.launched(self._own, self._attempt)
            env = processes.environment(claim[0]) if claim else None
            if env is not None:
                self._path = find(self._backend, self._dir, env, processes.claimed(self._own, self._attempt))
        return self._read() if self._path else []

    def _read(self) -> list[object]:
        try:
            size = os.stat(self._path).st_size
            if size <= self._at:
                self._at = min(self._at, size)
                return []
            with _tree(self._path).opened(os.path.basename(self._path), flags=os.O_RDONLY) as fd:
                data = os.pread(fd, AT_ONCE, self._at)
        except OSError:
            return []
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == AT_ONCE:
            whole = len(data)  # a line of megabytes: pass over it
        self._at += whole
        return [parsed for line in data[:whole].split(b"\n") if (parsed := _parsed(line)) is not None]


def _parsed(line: bytes) -> object | None:
    try:
        return json.loads(line) if line.strip() else None
    except (ValueError, RecursionError):
        return None


def kept(own: str) -> usage.Usage:
    """What is known of the use; the supervisor keeps it among what is OWN to dispatch."""
    try:
        return of_data(json.loads(Tree(own).read("usage.json", most=2000) or "{}"))
    except (ValueError, RecursionError, DispatchError):
        return usage.Usage()


def of_data(data: object) -> usage.Usage:
    """DATA as what is known of the use; nothing where it is none of ours."""
    try:
        found = usage.Usage(**data)  # type: ignore[arg-type]
    except TypeError:
        return usage.Usage()
    return found if list(map(type, found)) == list(map(type, usage.Usage())) else usage.Usage()


def keep(own: str, used: usage.Usage) -> None:
    files.replace(os.path.join(own, "usage.json"), json.dumps(used._asdict()))
