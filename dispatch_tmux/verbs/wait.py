"""`wait`: without polling, until a worker needs somebody; each reader is told each thing once."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dispatch_tmux.core import plan
from dispatch_tmux.core.plan import Item
from dispatch_tmux.core.task import ENDED, HALTED, Need, Question, State, Task, needs
from dispatch_tmux.errors import DispatchError, NothingToWaitFor, UsageProblem
from dispatch_tmux.store import summaries
from dispatch_tmux.store.consumers import Consumer, Told
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.tree import Tree
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

KINDS = ("question", "flag", "idle", "undelivered", "late", *sorted(s.value for s in ENDED | HALTED))
CHECK = 2.0  # seconds between looks at whether there still is a supervisor
SESSION = "session"  # as a reader: the agent session that the command runs in


class News(NamedTuple):
    """Something about TASK that wants somebody: KIND is one of `KINDS`, TEXT its words.

    `question` is the whole question of that kind, `output` the path of the task's result where it has left one, `key`
    names this piece of news for good.
    """

    task: Task
    kind: str
    text: str
    question: Question | None
    output: str
    key: str


def wait(
    project: Project,
    *which: Which,
    kinds: str | Sequence[str] = (),
    timeout: float | None = None,
    reader: str = "api",
    acknowledge: bool = True,
    watching: Callable[[Sequence[Task]], None] | None = None,
) -> list[News]:
    """Block until the tasks WHICH (by default any) need somebody: the news, oldest first; [] after TIMEOUT seconds.

    What happened before the call counts, too. KINDS are those that count (all of `KINDS` by default). Each READER is
    told each thing once; "session" is the agent session that runs this. With ACKNOWLEDGE what is returned counts as
    told; without, `acknowledge` says what does. WATCHING is given the tasks as they stand, at first and whenever something
    has happened. Raises NothingToWaitFor when no task is running and nothing is unread,
    UsageProblem for kinds, a reader's name or a timeout that are none.
    """
    if timeout is not None and math.isnan(timeout):
        raise UsageProblem("the timeout is no number of seconds", hint="dispatch wait --timeout 600")
    wanted = checked_kinds(kinds)
    ids = tasks.ids_of(project, which)
    as_reader = Reader(project, consumer(reader))
    news = _until_news(as_reader, ids, wanted, timeout, watching)
    if acknowledge:
        as_reader.acknowledge(news)
    return news


def acknowledge(project: Project, news: Sequence[News], reader: str = "api") -> None:
    """NEWS have reached READER, which is not told of them again."""
    Reader(project, consumer(reader)).acknowledge(news)


def result(news: News, most: int = 20_000) -> str:
    """The beginning of the result that NEWS is about, MOST bytes of it; '' when there is none."""
    return (Tree.of(os.path.dirname(news.output)).read("output.md", most=most) or "") if news.output else ""


def unread(project: Project, which: Sequence[Task]) -> set[str]:
    """The ids of those of WHICH whose result (done, failed) no reader was told."""
    told: dict[str, set[str]] = {}
    for reader in Consumer(project.store.records, SESSION).others(""):
        for id, keys in reader.items():
            told.setdefault(id, set()).update(keys)
    results = (State.DONE.value, State.FAILED.value)
    return {
        task.id for task in which for need in needs(task)
        if need.kind in results and not {need.key, _mark(task, need.key)} & told.get(task.id, set())
    }  # fmt: skip


def left_open(project: Project, which: Which) -> list[Item]:
    """The items that the task has not checked off."""
    return [i for i in plan.parse(project.store.plan(tasks.id_of(project, which))) if i.mark != plan.DONE]


def checked_kinds(kinds: str | Sequence[str]) -> tuple[str, ...]:
    """KINDS, with commas between or one by one; all when there are none. Raises UsageProblem for what is none."""
    listed = kinds.split(",") if isinstance(kinds, str) else kinds
    wanted = tuple(k.strip() for k in listed if k.strip()) or KINDS
    if wrong := [k for k in wanted if k not in KINDS]:
        raise UsageProblem(f"{wrong[0]!r} is nothing to wait for", hint=f"there is: {', '.join(KINDS)}")
    return wanted


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
            raise UsageProblem(f"{name[:40]!r} cannot be a reader's name", hint="use letters, digits, '.', '_' and '-'")
        self.project, self.store = project, project.store
        self._consumer = Consumer(self.store.records, name)
        self._inherits = name.startswith(f"{SESSION}-") and self._consumer.is_new()

    def read(self, there: Sequence[Task], kinds: Sequence[str]) -> list[News]:
        """For what the tasks THERE want somebody, as far as it was not acknowledged, oldest first."""
        seen = self._seen()
        found = [
            self._news(task, need)
            for task in there
            for need in needs(task)
            if need.kind in kinds and not {need.key, _mark(task, need.key)} & set(seen.get(task.id, ()))
        ]
        return sorted(found, key=lambda n: n.question.asked if n.question else n.task.since)

    def _news(self, task: Task, need: Need) -> News:
        path = self.store.path(task.id, "output.md")
        asked = tasks.whole(self.store, task, need.question) if need.question else None
        return News(
            task, need.kind, need.text, asked, path if self.store.tree(task.id).has("output.md") else "", need.key
        )

    def tasks(self, only: Sequence[str]) -> list[Task]:
        """The tasks ONLY, by default all, as they are now."""
        supervised = self.store.supervised()
        all_tasks = [t for t in summaries.all(self.store) if not only or t.id in only]
        return [summaries.current(self.store, t, supervised) for t in all_tasks]

    def acknowledge(self, news: Sequence[News]) -> None:
        """These have been told."""
        if not news:
            return
        with self._consumer.changing():
            seen = self._seen()
            self._inherits = False
            for item in news:
                seen[item.task.id] = [*seen.get(item.task.id, ()), _mark(item.task, item.key)]
            self._consumer.write(seen)

    def _seen(self) -> Told:
        """What counts as told: in a new session what the person was told in others, but for questions still open."""
        if not self._inherits:
            return self._consumer.told()
        found: Told = {}
        for told in self._consumer.others(f"{SESSION}-"):
            for id, keys in told.items():
                found[id] = [*found.get(id, ()), *(key for key in keys if not key.startswith("question:"))]
        return found


def _mark(task: Task, key: str) -> str:
    """What stands for news in a reader's file: an id is used again, so its task's beginning belongs to it (F13)."""
    return f"{key}@{task.created:.3f}"


def _until_news(
    reader: Reader,
    only: Sequence[str],
    kinds: Sequence[str],
    timeout: float | None,
    watching: Callable[[Sequence[Task]], None] | None,
) -> list[News]:
    """Block until there is news; [] after TIMEOUT seconds. Raises NothingToWaitFor when none can come."""
    from dispatch_tmux.store.watch import Bell

    store = reader.store
    if not store.exists():
        raise NothingToWaitFor("no task has been dispatched here yet", hint="dispatch run --help")
    bell = Bell(store.records, "bell")
    end = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            there = reader.tasks(only)
            if news := reader.read(there, kinds):
                return news
            if all(t.ended for t in there):
                raise NothingToWaitFor("no task is running, and nothing is unread", hint="dispatch status")
            if watching:
                watching(there)
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
