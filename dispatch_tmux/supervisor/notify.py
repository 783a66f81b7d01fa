"""Tells the person of what happens, by their config's `notify:`: a thread that sleeps until the loop has heard of something.

    the loop ─tasks─▶ this thread ─core/alerts.py: which events?─▶ core/post.py: when? ─▶ messenger.py, a thread a receiver

What counts as told is written down before it is sent: a kill at that very moment costs a message, and never sends one twice.
Whatever a receiver does, the loop does not wait for it.
"""

from __future__ import annotations

import math
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import alerts
from dispatch_tmux.core.alerts import ALL_DONE, Entry, Item, Message, To
from dispatch_tmux.core.post import Post
from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import notified, processes, summaries
from dispatch_tmux.store.notified import Notified
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import messenger
from dispatch_tmux.supervisor.messenger import Outcome
from dispatch_tmux.tmux.server import Server


class Box(NamedTuple):
    """A receiver: where it is, what it is to be told, and where it is written down what it was."""

    to: To
    post: Post
    kept: Notified


class _Sent(NamedTuple):
    box: Box
    message: Message
    outcome: Outcome


class Notifier:
    """Notifications of PROJECT; SESSION on SERVER has the terminals that are rung. WALL and TICK: see core/post.py."""

    def __init__(
        self,
        project: Project,
        server: Server,
        session: str,
        log: Callable[[str], None],
        *,
        wall: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
        deadline: float = messenger.DEADLINE,
    ) -> None:
        self._project, self._server, self._session, self._log = project, server, session, log
        self._wall, self._tick, self._deadline = wall, tick, deadline
        self._began = wall()
        self._came: queue.SimpleQueue[Task | _Sent | None] = queue.SimpleQueue()
        self._last: dict[str, Task] = {}  # by task id, as the loop has told it last
        self._tasks: dict[str, Task] = {}  # the same, as far as this thread has come
        self._items: dict[str, dict[str, Item]] = {}  # what each of them wants
        self._entries: tuple[Entry, ...] = ()
        self._boxes: list[Box] = []
        self._said = ""

    def start(self) -> None:
        """Take up what a former supervisor may have left, and go on from there, in a thread."""
        threading.Thread(target=self._run, name="notify", daemon=True).start()

    def heard(self, *tasks: Task) -> None:
        """The loop has looked at TASKS. Costs next to nothing where nothing has happened."""
        for task in tasks:
            if task is not self._last.get(task.id) and task.created:
                self._last[task.id] = task
                self._came.put(task)

    # --- the thread

    def _run(self) -> None:
        self._safely(self._configure)
        while True:
            wait = self._safely(self.step)
            try:
                came = [self._came.get(timeout=wait)]
            except queue.Empty:
                continue
            while not self._came.empty():
                came.append(self._came.get())
            self._safely(lambda came=came: self.take(came))  # type: ignore[misc]

    def _safely(self, what: Callable[[], float | None]) -> float | None:
        """Nothing that goes wrong here ends the thread."""
        try:
            return what()
        except Exception as e:
            self._tell(str(e) if isinstance(e, DispatchError) else traceback.format_exc())
            return 60.0

    def _tell(self, text: str) -> None:
        """Write once in the log what is wrong: it may be so at each event."""
        if text != self._said:
            self._said = text
            self._log(f"notifications: {text}")

    def take(self, came: list[Task | _Sent | None]) -> None:
        """Take in what has CAME: tasks as they are now, messages that went out or did not."""
        fresh: list[Item] = []
        ended = False
        for each in came:
            if isinstance(each, _Sent):
                self._sent(each)
            elif each is not None:
                before = self._items.get(each.id, {})
                found = {item.mark: before.get(item.mark, item) for item in alerts.items(each, self._wall())}
                ended = ended or (each.ended and not (each.id in self._tasks and self._tasks[each.id].ended))
                self._tasks[each.id], self._items[each.id] = each, found
                fresh += [item for mark, item in found.items() if mark not in before]
        if fresh or ended:
            self._configure()
            self._offer([*fresh, *(self._all_done() if ended else ())])

    def step(self) -> float | None:
        """Send what is due; seconds until something is, None: nothing waits."""
        waits = []
        for box in self._boxes:
            message = box.post.cut(self._wall(), self._tick(), self._stands)
            if message:
                self._launch(box, message)
            if (wait := box.post.wait(self._wall(), self._tick())) is not None:
                waits.append(wait)
        return min(waits, default=None)

    def _launch(self, box: Box, message: Message) -> None:
        """Send MESSAGE in a thread of its own, once it is written down that it was: else it would be sent again."""
        mark = box.kept.new_mark()
        if self._write(box, flight=mark):
            threading.Thread(target=self._send, args=(box, message, mark), name="notification", daemon=True).start()
        else:
            box.post.failed(message, self._tick(), again=True)

    def _send(self, box: Box, message: Message, mark: str) -> None:
        try:
            data = alerts.data(message, self._wall(), self._project.root)
            outcome = messenger.send(box.to, data, self._server, self._session, mark, self._deadline)
        except Exception as e:
            outcome = Outcome(False, f"{type(e).__name__}: {e}")
        self._came.put(_Sent(box, message, outcome))

    def _sent(self, sent: _Sent) -> None:
        box, outcome = sent.box, sent.outcome
        if outcome.ok:
            box.post.over(self._tick())
        else:
            box.post.failed(sent.message, self._tick(), again=outcome.again)
            self._tell(f"{box.to}: {outcome.said}")
        trouble = "" if outcome.ok else outcome.said
        self._write(box, trouble=trouble, failures=box.post.failures, at=self._wall(), flight="")

    def _write(self, box: Box, **changed: Any) -> bool:
        """Write down what counts as told, and what has CHANGED of the rest of its `Record`; False when that cannot be."""
        try:
            box.kept.write(box.kept.read()._replace(told=box.post.as_told(), **changed))
        except (DispatchError, OSError) as e:
            self._tell(str(e))
            return False
        return True

    # --- what there is to tell

    def _stands(self, item: Item) -> bool:
        if item.kind == ALL_DONE:
            return any(item.mark == each.mark for each in self._all_done())
        return item.mark in self._items.get(item.task, {})

    def _all_done(self) -> list[Item]:
        """That all is over, of the project and of the groups that are asked for."""
        groups = dict.fromkeys(entry.group for entry in self._entries if ALL_DONE in entry.on)
        there = summaries.all(self._project.store) if groups else []
        return [item for group in groups if (item := alerts.all_done(there, group))]

    def _offer(self, items: list[Item], only: Box | None = None) -> None:
        for box in [only] if only else self._boxes:
            changed = False
            for item in items:
                if item.kind == ALL_DONE and item.at <= self._last_all_done(box, item.group):
                    continue
                changed |= box.post.take(item, self._wall(), self._tick())
            if changed:
                self._write(box)

    def _last_all_done(self, box: Box, group: str) -> float:
        """The last time that all was over, as far as it counts as told: tasks that are cleaned make none of it new."""
        marks = [mark for mark in box.post.told.get("", ()) if mark.startswith(alerts.all_done_mark(group))]
        return max(map(alerts.ended_at, marks), default=-math.inf)

    # --- the config

    def _configure(self) -> float | None:
        """Look whom to tell, and take up what they have not been told: it may have changed since the last event."""
        try:
            config = configuration.load()
        except DispatchError as e:
            self._tell(str(e))  # the last one that could be read holds on
            return None
        entries = config.notify if config else ()
        if entries == self._entries and (entries or self._boxes):
            return None
        former, self._entries = self._entries, entries
        try:
            if not entries:
                self._boxes = []
                notified.forget(self._project.store.records)
                return None
            if not former:
                self._look_at_all()
            before = {box.to: box for box in self._boxes}
            self._boxes = [self._box(to, before.get(to)) for to in dict.fromkeys(entry.to for entry in entries)]
        except BaseException:
            self._entries = former  # it is tried again at the next event
            raise
        return None

    def _look_at_all(self) -> None:
        """Whatever happened while nobody supervised, or nobody was to be told."""
        for task in summaries.all(self._project.store):
            if task.id not in self._tasks:
                self._tasks[task.id] = task
                self._items[task.id] = {item.mark: item for item in alerts.items(task, task.since)}

    def _box(self, to: To, before: Box | None) -> Box:
        """The receiver TO, with all that it was not told yet."""
        entries = [entry for entry in self._entries if entry.to == to]
        if before:
            before.post.change(entries)
            return before
        kept = Notified(self._project.store.records, repr(to))
        record = kept.read()
        since = self._since() if record.new else 0.0
        told = {id: marks for id, marks in record.told.items() if not id or id in self._tasks}
        box = Box(to, Post(entries, told, since), kept)
        if record.flight:  # its supervisor was killed, and cannot end it any more
            processes.kill_family(record.flight)
        there = [item for found in self._items.values() for item in found.values()]
        if record.new:
            over = [item for item in there if item.at < since and self._tasks[item.task].ended]
            box.post.drop([*over, *(item for item in self._all_done() if item.at < since)])
            there = [item for item in there if item not in over]
        self._offer([*there, *self._all_done()], box)
        self._write(box, flight="")
        return box

    def _since(self) -> float:
        """From when on events are news to somebody who was never told: from the config that names them on, or our start."""
        try:
            changed = os.stat(configuration.path()).st_mtime
        except OSError:
            changed = 0.0
        return max(self._began, min(changed, self._wall()))
