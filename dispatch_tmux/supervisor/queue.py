"""The queue: tasks whose start was asked for, until what they come after is done and there is room for them."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import schedule
from dispatch_tmux.core.schedule import Circumstances, Turn
from dispatch_tmux.core.task import Question, State, Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import worktree
from dispatch_tmux.store import files, processes, task_file

if TYPE_CHECKING:
    from dispatch_tmux.supervisor.loop import Supervisor
    from dispatch_tmux.supervisor.worker import Worker

AGAIN = 5.0  # seconds until what may have changed unnoticed (memory) is looked at again
RUNS = frozenset({State.STARTING, State.WORKING, State.WAITING, State.IDLE})
ANYWAY, PATIENT, STOP = "Do without it", "Wait until it is done after all", "Stop this task"


class Queue:
    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor, self.store = supervisor, supervisor.store
        self.wanting: dict[str, str] = {}  # task id → id of the request for its start
        self.preparing: set[str] = set()  # their worktrees are being made
        self.prepared: set[str] = set()
        self.stale = False
        self.due: float | None = None
        self.next_start = 0.0

    def add(self, worker: Worker, rid: str) -> None:
        self.wanting[worker.id] = rid
        self.stale = True

    def turn(self, now: float) -> None:
        """Start what may start, and write down what the others wait for."""
        if not self.stale and (self.due is None or now < self.due):
            return
        self.stale, self.due = False, None
        queued = self._queued()
        if not queued:
            return
        limits = configuration.schedule_limits(self._config())
        here = Circumstances(self.store.paused(), processes.free_memory())
        for id, turn in schedule.turns(queued, self._running(), self._others(queued), limits, here).items():
            worker = self.supervisor.workers[id]
            if turn.start and now < self.next_start:
                self._note(worker, State.QUEUED, schedule.SOON)
                self._again(self.next_start)
            elif turn.start:
                self.next_start = now + limits.stagger
                self._start(worker)
            else:
                self._hold(worker, turn)
                self._again(now + AGAIN)

    def _again(self, when: float) -> None:
        self.due = when if self.due is None else min(self.due, when)

    def _config(self) -> Any:
        try:
            return configuration.load()
        except DispatchError as e:
            self.supervisor.log.write(str(e))
            return self.supervisor.config

    def _queued(self) -> list[Task]:
        """What waits for its turn; what goes on with another model does not wait again."""
        found = []
        for id, rid in list(self.wanting.items()):
            worker = self.supervisor.workers.get(id)
            request = dict(self.store.requests(id)).get(rid) if worker and os.path.isdir(worker.dir) else None
            if worker is None or request is None or (worker.refresh().stopping and not worker.task.attempt):
                self.wanting.pop(id)
            elif request.get("at_once") or id in self.prepared:
                self._launch(worker)
            elif id not in self.preparing:
                found.append(worker.task)
        return found

    def _running(self) -> list[Task]:
        return [
            w.task for id, w in self.supervisor.workers.items()
            if id in self.preparing or (w.task.attempt and w.task.state in RUNS and id not in self.wanting)
        ]  # fmt: skip

    def _others(self, queued: list[Task]) -> dict[str, Task]:
        """The tasks that QUEUED come after; one that is not there any more has no `created`."""
        ids = {id for task in queued if not task.attempt for id, _ in task.after}
        live = self.supervisor.workers
        return {id: live[id].refresh() if id in live else self.store.task(id) for id in ids}

    # --- one that starts

    def _start(self, worker: Worker) -> None:
        asked = task_file.read(self.store, worker.id)
        if asked.get("worktree") and not os.path.isdir(worker.task.worktree or "\0"):
            self.preparing.add(worker.id)
            threading.Thread(target=self._prepare, args=(worker, asked), daemon=True).start()
        else:
            self._launch(worker)

    def _launch(self, worker: Worker) -> None:
        rid = self.wanting.pop(worker.id)
        self.prepared.discard(worker.id)
        request = dict(self.store.requests(worker.id)).get(rid)
        for q in worker.task.open_questions:
            if q.via == "dispatch":
                worker.append("closed", f"closed:{q.id}", q=q.id, how="gone")
        if request is None:
            return
        try:
            self.supervisor.carrier.launch_request(worker, rid, request)
        except DispatchError as e:
            self._failed(worker, str(e))

    def _prepare(self, worker: Worker, asked: dict[str, Any]) -> None:
        """Make the task's worktree. In a thread: a checkout may take minutes."""
        root, task = self.supervisor.project.root, worker.task
        try:
            config = self._config()
            place = os.path.expanduser(config.worktree.dir if config else ".dispatch/worktrees")
            path = task.worktree or os.path.join(root, place, worker.id)
            made = worktree.make(
                root, path, str(asked["worktree"]), "" if task.worktree else str(asked.get("base") or "")
            )
            worktree.furnish(root, made.path, config.worktree.link if config else ())
            below = os.path.relpath(str(asked.get("cwd") or root), root)
            cwd = os.path.normpath(os.path.join(made.path, below))
            if below.startswith("..") or not os.path.isdir(cwd):
                cwd = made.path
            worker.append(
                "worktree", "", path=made.path, branch=made.branch, base=task.base or made.base, cwd=cwd,
                ours=made.ours or task.ours,
            )  # fmt: skip
            footprint = json.dumps(worktree.footprint(root))
            files.replace(os.path.join(worker.own, "main-checkout.json"), footprint)
            self.prepared.add(worker.id)
        except (DispatchError, OSError) as e:
            self._failed(worker, f"no worktree: {e}")
        finally:
            self.preparing.discard(worker.id)
            self.stale = True
            self.supervisor.inbox.put(("review", worker.id))

    def _failed(self, worker: Worker, why: str) -> None:
        self.supervisor.log.write(f"{worker.id}: {why}")
        rid = self.wanting.pop(worker.id, "")
        self._note(worker, State.FAILED, why)
        if rid:
            self.store.drop_request(worker.id, rid)

    # --- one that waits

    def _hold(self, worker: Worker, turn: Turn) -> None:
        mine = [q for q in worker.task.questions if q.via == "dispatch"]
        for q in mine:
            asks_still = turn.failed and q.mark == self._mark(q.mark.rsplit(":", 2)[0])
            if not (asks_still or q.closed or q.answer is not None):
                worker.append("closed", f"closed:{q.id}", q=q.id, how="gone")
        if not turn.failed:
            self._note(worker, State.QUEUED, turn.why)
            return
        mark = self._mark(turn.failed)
        asked = next((q for q in mine if q.mark == mark), None)
        if asked is None:
            self._ask(worker, f"d{len(mine) + 1}", mark, turn)
        elif asked.answer is None:
            self._note(worker, State.WAITING, turn.why)
        else:
            self._decide(worker, asked, turn)

    def _mark(self, id: str) -> str:
        """What a question about the task ID is about: once it goes on, another failure of it is another question."""
        task = self.store.task(id)
        return f"{id}:{task.attempt}:{task.states}"

    def _ask(self, worker: Worker, q: str, mark: str, turn: Turn) -> None:
        text = f"{worker.id} has not begun: {turn.why}. What now?"
        choices = [["1", ANYWAY], ["2", PATIENT], ["3", STOP]]
        worker.append("question", f"question:{q}", q=q, via="dispatch", text=text, choices=choices, mark=mark)
        self._note(worker, State.WAITING, turn.why)

    def _decide(self, worker: Worker, asked: Question, turn: Turn) -> None:
        worker.append("closed", f"closed:{asked.id}", q=asked.id, how="answered")
        if asked.answer == ANYWAY:
            worker.append("waived", f"waived:{asked.id}", task=turn.failed)
            self.stale = True
        elif asked.answer == STOP:
            self._note(worker, State.STOPPED, turn.why)
            self.store.drop_request(worker.id, self.wanting.pop(worker.id))
        else:
            self._note(worker, State.QUEUED, turn.why)

    def _note(self, worker: Worker, state: State, why: str) -> None:
        task = worker.task
        if (task.state, task.why) != (state, why):
            worker.append("state", f"state:{task.states + 1}", state=state.value, why=why)
            self.supervisor.carrier.board.stale = True
