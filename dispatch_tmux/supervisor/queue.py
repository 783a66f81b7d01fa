"""The queue: tasks whose start was asked for, until what they come after is done and there is room for them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import limit, schedule
from dispatch_tmux.core.schedule import Circumstances, Turn
from dispatch_tmux.core.task import Question, State, Task
from dispatch_tmux.core.text import clock
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import processes, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import checkout
from dispatch_tmux.supervisor.beginning import Beginnings
from dispatch_tmux.supervisor.worker import Worker

if TYPE_CHECKING:
    from dispatch_tmux.config.schema import Config

ALONE, LOCKED = 0.2, 1.0  # seconds for a person's change of a task that is to begin; until it is tried again
AGAIN = 5.0  # seconds until what may have changed unnoticed (memory) is looked at again
BURST = 0.05  # seconds of starting workers after which those that run have their turn
RUNS = frozenset({State.STARTING, State.WORKING, State.WAITING, State.IDLE, State.LIMITED, State.SUSPENDED})
ANYWAY, PATIENT, STOP = "Do without it", "Wait until it is done after all", "Stop this task"


class Outlet(NamedTuple):
    """What the queue sets going. `launch` starts a worker as the request with that id asks; raises DispatchError."""

    launch: Callable[[Worker, str, Mapping[str, Any]], None]
    review: Callable[[str], None]  # look at the worker of this task soon; from any thread
    log: Callable[[str], None]


class Queue:
    """The queue of PROJECT. WORKERS: all that are supervised, by task id. CONFIG: what counts while the file is broken."""

    def __init__(self, project: Project, workers: Mapping[str, Worker], config: Config | None, outlet: Outlet) -> None:
        self._root, self._store = project.root, project.store
        self._workers, self._last_config, self._outlet = workers, config, outlet
        self._wanting: dict[str, str] = {}  # task id → id of the request for its start
        self._at_once: set[str] = set()  # those of them that go on with another model: they do not wait again
        self._preparing: set[str] = set()  # their worktrees are being made
        self._prepared: set[str] = set()
        self._locked: dict[str, float] = {}  # those that somebody changes just now, and when they are tried again
        self._beginnings = Beginnings(project.store, outlet.log)
        self._next_start = 0.0
        self._starts: list[float] = []  # when the last ones were
        self._processors = os.cpu_count() or 1
        self.stale = False  # something has changed that a turn may depend on
        self.due: float | None = None  # when to look again although nothing has

    def add(self, worker: Worker, rid: str, at_once: bool = False) -> None:
        """Let WORKER have its turn; RID: the request for its start. AT_ONCE: now, whatever runs."""
        self._wanting[worker.id] = rid
        (self._at_once.add if at_once else self._at_once.discard)(worker.id)
        self.stale = True

    def heard(self, id: str) -> None:
        """Something has happened to task ID: it may be held now, or let go, or come before others."""
        self.stale = self.stale or id in self._wanting

    def turn(self, now: float) -> None:
        """Start what may start, and write down what the others wait for."""
        if not self.stale and (self.due is None or now < self.due):
            return
        self.stale, self.due = False, None
        queued = self._queued()
        if not queued:
            return
        limits = configuration.schedule_limits(self._config())
        self._starts = [when for when in self._starts if when > now - schedule.GROWS]
        here = Circumstances(self._store.paused(), processes.free_memory(), len(self._starts), self._spent())
        for id, turn in schedule.turns(queued, self._running(), self._others(queued), limits, here).items():
            try:
                self._grant(self._workers[id], turn, now, limits.stagger)
            except DispatchError as e:  # of this one nothing can be written down; the others have their turn
                self._outlet.log(f"{id}: {e}")
                self._again(now + AGAIN)

    def _grant(self, worker: Worker, turn: Turn, began: float, stagger: float) -> None:
        now = time.monotonic()
        if turn.start and (now < self._next_start or now > began + BURST):
            self._note(worker, State.QUEUED, schedule.SOON)
            self._again(self._next_start)
        elif turn.start:
            self._start(worker)
            now = time.monotonic()  # from when it has begun: that may take its time
            self._starts.append(now)
            self._next_start = now + max(stagger, schedule.pause(processes.busy(), self._processors))
        else:
            self._hold(worker, turn)
            self._again(now + AGAIN)

    def _again(self, when: float) -> None:
        self.due = when if self.due is None else min(self.due, when)

    def _config(self) -> Config | None:
        try:
            return configuration.load()
        except DispatchError as e:
            self._outlet.log(str(e))
            return self._last_config

    def _queued(self) -> list[Task]:
        """What waits for its turn; what goes on with another model does not wait again."""
        found = []
        for id, rid in list(self._wanting.items()):
            worker = self._workers.get(id)
            asked = worker is not None and self._store.is_requested(id, rid)
            if worker is None or not asked or (worker.record.refresh().stopping and not worker.task.attempt):
                self._wanting.pop(id)
            elif (until := self._locked.get(id, 0.0)) > time.monotonic():
                self._again(until)
            elif (id in self._at_once or id in self._prepared) and not worker.task.on_hold:
                self._launch(worker)
            elif id not in self._preparing:
                found.append(worker.task)
        return found

    def _running(self) -> list[Task]:
        return [
            w.task for id, w in self._workers.items()
            if id in self._preparing or (w.task.attempt and w.task.state in RUNS and id not in self._wanting)
        ]  # fmt: skip

    def _spent(self) -> dict[str, str]:
        """The backends whose usage limit is reached, and until when in words: none of theirs is started into it."""
        wall = time.time()
        found = limit.spent((w.task for w in list(self._workers.values()) if not w.task.adopted), wall)
        return {backend: clock(at, wall) if at else "" for backend, at in found.items()}

    def _others(self, queued: list[Task]) -> dict[str, Task]:
        """The tasks that QUEUED come after; one that is not there any more has no `created`."""
        ids = {id for task in queued if not task.attempt for id, _ in task.after}
        live = self._workers
        return {id: live[id].record.refresh() if id in live else self._store.task(id) for id in ids}

    # --- one that starts

    def _start(self, worker: Worker) -> None:
        asked = task_file.read(self._store, worker.id)
        if checkout.is_missing(worker.record, asked):
            self._preparing.add(worker.id)
            threading.Thread(target=self._prepare, args=(worker, asked), daemon=True).start()
        else:
            if not (worker.task.attempt or asked.get("worktree")):
                self._beginnings.take(worker.id, worker.task.cwd)
            self._launch(worker)

    def _launch(self, worker: Worker) -> None:
        """Begin it, unless a person is first who holds or changes it."""
        try:
            with self._store.alone(worker.id, ALONE):
                if not worker.record.refresh().on_hold:
                    self._begin(worker)
        except DispatchError as e:
            self._outlet.log(f"{worker.id}: {e}")
            self._locked[worker.id] = time.monotonic() + LOCKED  # the others have their turn
            self._again(self._locked[worker.id])

    def _begin(self, worker: Worker) -> None:
        rid = self._wanting.pop(worker.id)
        self._prepared.discard(worker.id)
        self._locked.pop(worker.id, None)
        request = dict(self._store.requests(worker.id)).get(rid)
        for q in worker.task.open_questions:
            if q.via == "dispatch":
                worker.record.append("closed", f"closed:{q.id}", q=q.id, how="gone")
        if request is None:
            return
        try:
            self._outlet.launch(worker, rid, request)
        except (DispatchError, OSError) as e:
            self._wanting[worker.id] = rid  # once: its request goes with the failure, and the others have their turn
            self._failed(worker, str(e))

    def _prepare(self, worker: Worker, asked: Mapping[str, Any]) -> None:
        """Make the task's worktree. In a thread: a checkout may take minutes."""
        try:
            checkout.make(self._root, worker.record, asked, self._config())
            self._prepared.add(worker.id)
        except (DispatchError, OSError) as e:
            self._failed(worker, f"no worktree: {e}")
        finally:
            self._preparing.discard(worker.id)
            self.stale = True
            self._outlet.review(worker.id)

    def _failed(self, worker: Worker, why: str) -> None:
        self._outlet.log(f"{worker.id}: {why}")
        rid = self._wanting.pop(worker.id, "")
        try:
            self._note(worker, State.FAILED, why)
        finally:  # also where nothing can be written down: else it would be tried again at once, for ever
            if rid:
                self._store.drop_request(worker.id, rid)

    # --- one that waits

    def _hold(self, worker: Worker, turn: Turn) -> None:
        mine = [q for q in worker.task.questions if q.via == "dispatch"]
        for q in mine:
            asks_still = turn.failed and q.mark == self._mark(q.mark.rsplit(":", 2)[0])
            if not (asks_still or q.closed or q.answer is not None):
                worker.record.append("closed", f"closed:{q.id}", q=q.id, how="gone")
        if not turn.failed:
            self._note(worker, State.QUEUED, turn.why)
            return
        mark = self._mark(turn.failed)
        asked = next((q for q in mine if q.mark == mark and q.closed != "gone"), None)
        if asked is None:
            self._ask(worker, f"d{len(mine) + 1}", mark, turn)
        elif asked.answer is None:
            self._note(worker, State.WAITING, turn.why)
        else:
            self._decide(worker, asked, turn)

    def _mark(self, id: str) -> str:
        """What a question about the task ID is about: once it goes on, another failure of it is another question."""
        task = self._store.task(id)
        return f"{id}:{task.attempt}:{task.states}"

    def _ask(self, worker: Worker, q: str, mark: str, turn: Turn) -> None:
        text = f"{worker.id} has not begun: {turn.why}. What now?"
        choices = [["1", ANYWAY], ["2", PATIENT], ["3", STOP]]
        worker.record.append("question", f"question:{q}", q=q, via="dispatch", text=text, choices=choices, mark=mark)
        self._note(worker, State.WAITING, turn.why)

    def _decide(self, worker: Worker, asked: Question, turn: Turn) -> None:
        worker.record.append("closed", f"closed:{asked.id}", q=asked.id, how="answered")
        if asked.answer == ANYWAY:
            worker.record.append("waived", f"waived:{asked.id}", task=turn.failed)
            self.stale = True
        elif asked.answer == STOP:
            self._note(worker, State.STOPPED, turn.why)
            self._store.drop_request(worker.id, self._wanting.pop(worker.id))
        else:
            self._note(worker, State.QUEUED, turn.why)

    def _note(self, worker: Worker, state: State, why: str) -> None:
        task = worker.task
        if (task.state, task.why) != (state, why):
            worker.record.append("state", f"state:{task.states + 1}", state=state.value, why=why)
