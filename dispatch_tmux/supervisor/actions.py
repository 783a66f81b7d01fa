"""What the supervisor does about a worker: sees that each request and each thing that is due is taken in hand.

Returns at once: what takes time has a thread, one a worker.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import NamedTuple

from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.models import choose
from dispatch_tmux.store import processes, task_file
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import retry
from dispatch_tmux.supervisor.conversation import Conversation, Requests
from dispatch_tmux.supervisor.due import Due
from dispatch_tmux.supervisor.worker import Worker

AGAIN = 0.7  # seconds until a held message is tried again


class Outlet(NamedTuple):
    """Where an action leads to. `launch` starts a worker's next attempt with this environment; raises DispatchError."""

    queue: Callable[[Worker, str, bool], None]  # let a worker wait for its turn, or not; with its request's id
    launch: Callable[[Worker, dict[str, str]], None]
    review: Callable[[str], None]  # look at the worker of this task soon; from any thread
    log: Callable[[str], None]


class Actions:
    """Actions on the workers of the tasks in STORE."""

    def __init__(self, store: Store, outlet: Outlet) -> None:
        self._store, self._outlet = store, outlet

    def carry_out(self, worker: Worker, dues: tuple[Due, ...]) -> None:
        """Do what is asked of WORKER, and what is due. Raises DispatchError when a start fails."""
        requests = self._store.requests(worker.id)
        worker.asked = bool(requests)
        if requests and requests[0][1].get("kind") == "launch":
            self._outlet.queue(worker, requests[0][0], bool(requests[0][1].get("at_once")))
            return
        for due in dues:
            if due.kind == "restart" and not requests:
                self._restart(worker)
                return
            if due.kind == "stop":
                self._stop(worker)
                return
            if due.kind == "fallback":
                self._fall_back_soon(worker)
                return
        if not worker.sight.typing and (requests or dues):
            worker.sight.typing = True
            threading.Thread(target=self._converse, args=(worker, requests, dues), daemon=True).start()

    def _restart(self, worker: Worker) -> None:
        try:
            self._outlet.launch(worker, dict(os.environ))
        except DispatchError as e:  # once: whoever wants it tried again says `retry`
            task = worker.task
            worker.record.append("state", f"state:{task.states + 1}", state=State.FAILED.value, why=str(e))

    def _stop(self, worker: Worker) -> None:
        worker.record.append("stopping", f"stopping:{worker.task.attempt}", by="dispatch")
        process = processes.launched(worker.own, worker.task.attempt)
        threading.Thread(target=processes.end, args=(worker.dir, process), daemon=True).start()

    def _converse(self, worker: Worker, requests: Requests, dues: tuple[Due, ...]) -> None:
        settled = True
        try:
            settled = Conversation(self._store, worker, self._outlet.log).hold(requests, dues)
        finally:
            worker.sight.typing = False
            if settled:
                self._outlet.review(worker.id)
            else:
                threading.Timer(AGAIN, self._outlet.review, args=(worker.id,)).start()

    def _fall_back_soon(self, worker: Worker) -> None:
        """Let the next of the task's fallbacks take over from a worker whose model failed. In a thread: it ends processes."""
        if worker.sight.typing:
            return
        worker.sight.typing, worker.falling_from = True, worker.task.attempt
        threading.Thread(target=self._fall_back, args=(worker,), daemon=True).start()

    def _fall_back(self, worker: Worker) -> None:
        task = worker.task
        try:
            chosen = choose.next_fallback(task_file.read(self._store, worker.id))
            if chosen:
                retry.begin_again(self._store, task, chosen, dict(os.environ), why=task.why, at_once=True)
        except DispatchError as e:
            self._outlet.log(f"{worker.id}: {e}")
            worker.falling_from = 0
        finally:
            worker.sight.typing = False
            self._outlet.review(worker.id)
