"""Whose pane is whose: workers and their windows, matched by the tag that each pane carries wherever a person moves it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from dispatch_tmux.store import processes
from dispatch_tmux.supervisor.worker import Worker
from dispatch_tmux.tmux import worker_windows as tmux
from dispatch_tmux.tmux.connection import Connection
from dispatch_tmux.tmux.worker_windows import Pane

CLOSING = 0.5  # seconds within which the launch line of a window that was closed may write an exit code


class Windows:
    """The panes of the workers.

    WORKER_OF gives the worker of a task id, taken up if need be; WORKERS all that are supervised; FOUND is called for
    one whose screen is to be read anew.
    """

    def __init__(
        self,
        connection: Connection,
        worker_of: Callable[[str], Worker | None],
        workers: Callable[[], Iterable[Worker]],
        found: Callable[[Worker], None],
    ) -> None:
        self._connection = connection
        self._worker_of, self._workers, self._found = worker_of, workers, found
        self.by_pane: dict[str, Worker] = {}

    def has(self, worker: Worker) -> bool:
        """Whether WORKER has an open window of ours."""
        return self.by_pane.get(worker.sight.pane) is worker

    def take(self, worker: Worker, pane: str, pid: int) -> None:
        """PANE, whose first process is PID, is WORKER's."""
        worker.attach(self._connection.line, pane, pid)
        self.by_pane[pane] = worker

    def close(self, worker: Worker) -> None:
        """Close the window of an attempt that has ended."""
        if self.has(worker):
            del self.by_pane[worker.sight.pane]
            tmux.close_pane(self._connection.line, worker.sight.pane)
        tmux.close_guests(self._connection.line, worker.id)

    def keep_whole(self, worker: Worker) -> None:
        """Move what WORKER's program has opened beside its pane out of its window; while a person looks it may be theirs."""
        line = self._connection.line
        if not worker.task.adopted and not tmux.is_attended(line, self._connection.session):
            tmux.move_guests(line, worker.task.window, worker.sight.pane, worker.id)

    def find(self, anew: bool = False) -> None:
        """See which windows have come and gone; ANEW: also those that were known are matched again."""
        listed = tmux.panes(self._connection.line)
        if listed is None:
            return  # no answer is not "no windows"
        there = {pane.id: pane for pane in listed}
        for pane in listed:
            if pane.task and (anew or pane.id not in self.by_pane):
                worker = self._worker_of(pane.task)
                if worker and _is_its(worker, pane):
                    self.take(worker, pane.id, pane.pid)
                    self._found(worker)
        for id, worker in list(self.by_pane.items()):
            if id not in there:
                del self.by_pane[id]
                if worker.sight.pane == id:
                    worker.sight.pane_gone = True
                    worker.review_at = time.monotonic() + CLOSING
        self._tag_orphans(listed)

    def _tag_orphans(self, listed: list[Pane]) -> None:
        """Windows whose supervisor died between opening and tagging them are known by their launch line's pid."""
        for worker in self._workers():
            task = worker.task
            process = processes.launched(worker.own, task.attempt) if task.attempt and not worker.sight.pane else None
            pane = next((pane.id for pane in listed if process and pane.pid == process[0]), None)
            if pane and process:
                tmux.tag(self._connection.line, pane, worker.id)
                self.take(worker, pane, process[0])
                self._found(worker)


def _is_its(worker: Worker, pane: Pane) -> bool:
    """Whether PANE is that of the current attempt (a former one's may still be open)."""
    if not pane.pid:  # its program has ended, and tmux does not say any more which it was
        return worker.task.started == worker.task.attempt and worker.task.pane == pane.id
    process = processes.launched(worker.own, worker.task.attempt)
    return process is not None and process[0] == pane.pid
