"""Waiting without polling: until something needs the caller, each consumer seeing each thing once."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.core.task import ENDED, Need, Task, needs
from dispatch_tmux.errors import DispatchError, NothingToWaitFor, UsageProblem
from dispatch_tmux.store import files, summaries
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session

KINDS = ("question", "flag", "idle", "undelivered", "late", *sorted(s.value for s in ENDED))
CHECK = 2.0  # seconds between looks at whether there still is a supervisor


class News(NamedTuple):
    task: Task
    need: Need


def check_kinds(text: str) -> tuple[str, ...]:
    wanted = tuple(k.strip() for k in text.split(",") if k.strip()) or KINDS
    wrong = [k for k in wanted if k not in KINDS]
    if wrong:
        raise UsageProblem(f"nothing to wait for is called {wrong[0]!r}", hint=f"there is: {', '.join(KINDS)}")
    return wanted


SESSION = "session"  # as a consumer: the agent session that the command runs in


def consumer(name: str) -> str:
    """NAME, or for `session` a name for the agent session that we run in (Claude Code tells its id to its shells)."""
    if name != SESSION:
        return name
    id = re.sub(r"[^A-Za-z0-9-]", "", os.environ.get("CLAUDE_CODE_SESSION_ID", ""))[:40]
    return f"{SESSION}-{id or 'host'}"


class Reader:
    """A consumer of news: NAME is whose acknowledgements count."""

    def __init__(self, project: Project, name: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}", name):
            raise UsageProblem(f"{name[:40]!r} is no consumer name", hint="use letters, digits, '.', '_' and '-'")
        self.project, self.store = project, project.store
        self._path = os.path.join(self.store.records, "consumers", f"{name}.json")
        self._inherits = name.startswith(f"{SESSION}-") and not os.path.exists(self._path)

    def read(self, only: Sequence[str], kinds: Sequence[str]) -> list[News]:
        """What wants the caller and was not acknowledged, oldest first."""
        seen = self._seen()
        if self._inherits:
            seen = self._of_former_sessions()
        found = [
            News(task, need)
            for task in self._tasks(only)
            for need in needs(task)
            if need.kind in kinds and need.key not in seen.get(task.id, ())
        ]
        return sorted(found, key=lambda n: n.need.question.asked if n.need.question else n.task.since)

    def _tasks(self, only: Sequence[str]) -> list[Task]:
        supervised = self.store.supervised()
        all_tasks = [t for t in summaries.all(self.store) if not only or t.id in only]
        return [summaries.current(self.store, t, supervised) for t in all_tasks]

    def anything_running(self, only: Sequence[str]) -> bool:
        return any(not t.ended for t in self._tasks(only))

    def acknowledge(self, news: Sequence[News]) -> None:
        """These have been shown."""
        if not news:
            return
        files.private_dir(os.path.dirname(self._path))
        with files.Lock(self._path + ".lock", lambda: None):
            seen = self._of_former_sessions() if self._inherits else self._seen()
            self._inherits = False
            for item in news:
                seen[item.task.id] = [*seen.get(item.task.id, ()), item.need.key]
            files.replace(self._path, json.dumps(seen))

    def _of_former_sessions(self) -> dict[str, list[str]]:
        """What the person has been told in another session; questions that are still open are told again."""
        found: dict[str, list[str]] = {}
        folder = os.path.dirname(self._path)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        for name in names:
            if name.startswith(f"{SESSION}-") and name.endswith(".json"):
                for id, keys in _load(os.path.join(folder, name)).items():
                    found[id] = [*found.get(id, ()), *(key for key in keys if not key.startswith("question:"))]
        return found

    def _seen(self) -> dict[str, list[str]]:
        return _load(self._path)


def _load(path: str) -> dict[str, list[str]]:
    try:
        data = json.loads(files.read_text(path, 1 << 26) or "{}")
    except ValueError:
        return {}
    return (
        {id: [str(key) for key in keys] for id, keys in data.items() if isinstance(keys, list)}
        if isinstance(data, dict)
        else {}
    )


def wait(reader: Reader, only: Sequence[str], kinds: Sequence[str], timeout: float | None) -> list[News]:
    """Block until there is news; [] after TIMEOUT seconds. Raises NothingToWaitFor when none can come."""
    from dispatch_tmux.store.watch import Bell

    store = reader.store
    if not store.exists():
        raise NothingToWaitFor("no task has been dispatched here yet", hint="dispatch run --help")
    bell = Bell(store.records, "bell")
    end = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            running = reader.anything_running(only)  # before the news: what ends in between is news then
            if news := reader.read(only, kinds):
                return news
            if not running:
                raise NothingToWaitFor("no task is running, and there is nothing unread", hint="dispatch status")
            left = CHECK if end is None else end - time.monotonic()
            if left <= 0:
                return []
            if not bell.wait(min(left, CHECK)):
                _revive(reader.project)
    finally:
        bell.close()


def _revive(project: Project) -> None:
    """While we wait somebody has to watch; one that cannot be started now may be later."""
    try:
        session.ensure(project)
    except DispatchError:
        pass
