"""The workers that are supervised: taken up when their task is first heard of, let go when it is over."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.models import choose
from dispatch_tmux.store import kept_rules, summaries, task_file
from dispatch_tmux.store.store import Store
from dispatch_tmux.store.watch import Watch
from dispatch_tmux.supervisor.foreign import Foreign
from dispatch_tmux.supervisor.worker import Worker

if TYPE_CHECKING:
    from dispatch_tmux.config.schema import Config


class Crew:
    """The workers of the tasks in STORE, by id; WATCH tells of changes of their files.

    CHANGED is called, in a thread, when the pane of an adopted one is new.
    """

    def __init__(
        self,
        store: Store,
        config: Config | None,
        watch: Watch,
        *,
        changed: Callable[[Worker], None],
        log: Callable[[str], None],
    ) -> None:
        self._store, self._watch, self._changed, self._log = store, watch, changed, log
        self._touched: dict[str, int] = {}  # task id → when its directory had changed last, at the last look
        self._unmade: set[str] = (
            set()
        )  # were no tasks yet at the last look: whoever makes one may be killed before it tells
        self._limits = configuration.times(config)
        self._timeout = config.times.timeout if config else 0.0
        self._rules = kept_rules.changed()
        self.workers: dict[str, Worker] = {}

    def all(self) -> list[Worker]:
        return list(self.workers.values())

    def take_up_unfinished(self) -> None:
        """Take up every task that is not over."""
        self._touched = dict(self._store.touched())
        for id in summaries.unfinished(self._store):
            self.worker(id)

    def take_up_touched(self) -> None:
        """Take up those that have changed since the last look and are not supervised: whatever told of it was missed."""
        before, self._touched = self._touched, dict(self._store.touched())
        unmade, self._unmade = self._unmade, set()
        for id, time in self._touched.items():
            if id not in self.workers and (before.get(id) != time or id in unmade):
                self.worker(id)

    def worker(self, id: str) -> Worker | None:
        """The worker of task ID, taken up if it was not; None for what is no task (yet)."""
        if id in self.workers:
            return self.workers[id]
        try:
            task = self._store.task(id)
            if not task.created:
                self._unmade.add(id)
                return None
            worker = Worker(
                self._store, id, configuration.backend(task.backend), self._limits, timeout=self._timeout,
                instead=lambda: choose.instead_of(self._store.task(id)),
                next_model=lambda limited: choose.next_name(task_file.read(self._store, id), limited),
            )  # fmt: skip
        except Exception as e:  # one task that cannot be read costs that task
            self._log(f"{id}: {type(e).__name__}: {e}")
            return None
        self.workers[id] = worker
        self._watch.add(worker.record.folders)
        worker.record.refresh()  # what came before it was watched
        if worker.task.adopted:
            self._watch_adopted(worker)
        return worker

    def take_newer_rules(self) -> list[Worker]:
        """The workers whose screens are read by other rules from now on, because `dispatch backends update` was run."""
        before, self._rules = self._rules, kept_rules.changed()
        found = []
        for worker in self.all() if before != self._rules else ():
            try:
                rules = configuration.backend(worker.task.backend).screen
            except DispatchError as e:
                self._log(f"{worker.id}: its screen is read by the rules of its start: {e}")
                continue
            if rules != worker.sight.backend.screen:
                worker.sight.read_by(rules)
                found.append(worker)
        return found

    def _watch_adopted(self, worker: Worker) -> None:
        """Watch a pane of the person's own tmux as if it were ours."""
        task = worker.task
        if task.ended or not task.started or worker.sight.spawn is not None:
            return

        def changed() -> None:
            worker.sight.last_output = worker.sight.clock()
            self._changed(worker)

        worker.attach(Foreign(worker.own, task, changed), task.pane, task.pid)
        changed()

    def let_go(self, worker: Worker, has_window: bool) -> None:
        """Supervise WORKER no more, if its task is over and its window closed, and nothing is asked of it."""
        task = worker.task
        if task.adopted and not task.ended:
            return
        gone = not os.path.isdir(worker.own)
        over = task.ended and task.state is not State.BLOCKED and not has_window
        if gone or (over and not self._store.requests(worker.id)):
            self.workers.pop(worker.id, None)
            self._watch.remove(worker.record.folders)
            worker.sight.log.flush()

    @property
    def is_at_rest(self) -> bool:
        """Whether the tasks of all workers have ended."""
        return all(worker.task.ended for worker in self.workers.values())
