"""The supervisor: one process per project, in window 0. Turns what tmux and files tell into events, and acts on them.

    tmux ─notices─▶ ┐                       ┌─▶ journal
    files ─paths──▶ ├─▶ one queue ─▶ review ┼─▶ launches, nudges, answers (a thread each, one a pane)
    time ─────────▶ ┘                       └─▶ the board, while somebody looks

It may be killed at any instant: see worker.py.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from typing import Any

from dispatch_tmux.backends.load import Backend
from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError, TmuxError
from dispatch_tmux.models import choose as choosing
from dispatch_tmux.store import files, summaries, task_file
from dispatch_tmux.store.log import Log
from dispatch_tmux.store.project import Project, at
from dispatch_tmux.store.watch import Watch
from dispatch_tmux.supervisor.actions import Carrier
from dispatch_tmux.supervisor.foreign import Foreign
from dispatch_tmux.supervisor.queue import Queue
from dispatch_tmux.supervisor.worker import Worker
from dispatch_tmux.tmux import connection as hub
from dispatch_tmux.tmux.control import Notice
from dispatch_tmux.tmux.server import Server, Socket

QUIET = 0.03  # seconds without output after which a screen counts as drawn
RESTLESS = 0.12  # the same for a screen read less than half a second ago: a spinner rests 0.1 s between two frames
LONGEST = 1.0  # seconds after which a screen that never rests is looked at all the same
TICK = 0.025
RESCAN = 10.0  # seconds between two looks at everything, in case a file event was missed


class Supervisor:
    def __init__(self, project: Project) -> None:
        self.project, self.store = project, project.store
        self.config = configuration.load()
        self.limits = configuration.limits(self.config)
        self.linger = self.config.times.linger if self.config else 600.0
        self.log = Log(self.store.log_path)
        self.workers: dict[str, Worker] = {}
        self.by_pane: dict[str, Worker] = {}
        self.inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.drawing: dict[str, float] = {}  # ids of workers whose screen is changing → since when
        self.drawing_lock = threading.Lock()
        self.ending = False
        self.lonely_since: float | None = None
        self.server = Server(Socket(configuration.socket(self.config)))
        self.session = self._session()
        self.line = hub.connect(self.server, self.session, self._heard)
        self.carrier = Carrier(self)
        self.queue = Queue(self)

    def _session(self) -> str:
        pane = os.environ.get("TMUX_PANE", "")
        answer = self.server.cmd("display-message", "-p", "-t", pane, "#{session_id}")
        if not answer.ok or not answer.text.startswith("$"):
            raise DispatchError("the supervisor runs in a tmux window only", hint="dispatch doctor")
        return answer.text

    # --- the loop

    def run(self) -> None:
        self.log.write(f"supervising {self.project.root} ({type(self.line).__name__.lower()})")
        watch = Watch(
            [self.store.tasks_dir, self.store.records_dir], lambda path: self.inbox.put(("file", path)), recursive=True
        )
        if not watch.working:
            self.log.write("no file notifications here: looking at the files once a second instead")
        self.every = RESCAN if watch.working else 1.0
        self.recover()
        next_scan = time.monotonic() + self.every
        while not self.ending:
            self._take(self._next(next_scan))
            now = time.monotonic()
            self._look_at_drawn(now)
            for worker in [w for w in self.workers.values() if w.recheck_at is not None and w.recheck_at <= now]:
                worker.recheck_at = None
                self.review(worker)
            self.queue.turn(now)
            self.carrier.board.draw(now)
            if now >= next_scan:
                next_scan = now + self.every
                self.scan()
        self.line.close()

    def _next(self, next_scan: float) -> list[tuple[str, Any]]:
        """Everything that has come, after a wait that ends when something is due."""
        due = [next_scan, *(w.recheck_at for w in self.workers.values() if w.recheck_at is not None)]
        due += [when for when in (self.carrier.board.due, self.queue.due) if when is not None]
        wait = TICK if self.drawing else max(0.0, min(due) - time.monotonic())
        if self.queue.stale:
            wait = 0.0
        try:
            came = [self.inbox.get(timeout=wait)]
        except queue.Empty:
            return []
        while not self.inbox.empty():
            came.append(self.inbox.get())
        return came

    def _take(self, came: list[tuple[str, Any]]) -> None:
        ids = dict.fromkeys(
            self._id_of(value) for kind, value in came if kind == "file" and not value.endswith("/terminal.log")
        )
        ids.update(dict.fromkeys(value for kind, value in came if kind == "review"))
        for kind, notice in came:
            if kind == "notice":
                self._take_notice(notice)
        for id in ids:
            if id.startswith("."):
                self.queue.stale = True  # paused, or not any more
            elif id and (worker := self.worker(id)):
                if any(path.endswith(".json") and "/signals/" in path for kind, path in came if kind == "file"):
                    worker.look(quiet=True)  # the CLI has just said that its screen means something else now
                self.review(worker)

    def _id_of(self, path: str) -> str:
        """The task that PATH belongs to: among its worker's files, or among our own."""
        base = self.store.records_dir if path.startswith(self.store.records_dir) else self.store.tasks_dir
        return os.path.relpath(path, base).split(os.sep)[0]

    # --- what tmux tells

    def _heard(self, notice: Notice) -> None:
        """In the reader's thread."""
        if notice.kind != "output":
            self.inbox.put(("notice", notice))
            return
        worker = self.by_pane.get(notice.target)
        if worker is None:
            return
        worker.heard(notice.data)
        if worker.id not in self.drawing:
            with self.drawing_lock:
                first = not self.drawing
                self.drawing[worker.id] = time.monotonic()
            if first:
                self.inbox.put(("drawing", None))

    def _take_notice(self, notice: Notice) -> None:
        if notice.kind == "windows":
            self.find_panes()
        elif notice.kind == "paused":
            self.line.cmd("refresh-client", "-A", f"{notice.target}:continue")
            self._mark_drawn(notice.target)
        elif notice.kind == "value" and notice.name == "facts":
            worker = self.by_pane.get(notice.target)
            if worker and notice.text.startswith("1,"):
                worker.pane_dead = True
                self.review(worker)
        elif notice.kind == "value" and notice.name == "board":
            self.carrier.board.looked_at(int(notice.text or 0) > 1)
        elif notice.kind == "closed" and not self.ending:
            self._reconnect()

    def _mark_drawn(self, pane: str) -> None:
        if worker := self.by_pane.get(pane):
            with self.drawing_lock:
                self.drawing.setdefault(worker.id, time.monotonic())

    def _reconnect(self) -> None:
        """The connection is gone. The server may be, too, and then so are we; else it comes again, or we ask."""
        self.log.write("the tmux connection closed; connecting again")
        try:
            self.line = hub.connect(self.server, self.session, self._heard)
        except TmuxError as e:
            self.log.write(f"tmux is gone: {e}")
            self.ending = True
            return
        self.carrier.board.subscribe()
        self.find_panes(anew=True)

    # --- workers

    def recover(self) -> None:
        """Take up every task that is not over, and find the windows that are there."""
        for id in summaries.unfinished(self.store):
            self.worker(id)
        self.find_panes(anew=True)
        self.carrier.board.subscribe()
        self.scan()

    def worker(self, id: str) -> Worker | None:
        """The worker of task ID, taken up if it was not; None for what is no task (yet)."""
        if id in self.workers:
            return self.workers[id]
        try:
            task = self.store.task(id)
            if not task.created:
                return None
            self.workers[id] = Worker(self.store, id, self.backend(task.backend), self.limits)
            self.workers[id].timeout = self.config.times.timeout if self.config else 0.0
            self.workers[id].instead = lambda: choosing.instead_of(self.store.task(id))
            self.workers[id].next_model = lambda: choosing.next_name(task_file.read(self.store, id))
        except DispatchError as e:
            self.log.write(f"{id}: {e}")
            return None
        if self.workers[id].task.adopted:
            self._adopted(self.workers[id])
        return self.workers[id]

    def _adopted(self, worker: Worker) -> None:
        """Watch a pane of the person's own tmux as if it were ours."""
        task = worker.task
        if task.ended or not task.started or worker.spawn is not None:
            return

        def changed() -> None:
            worker.last_output = worker.clock()
            with self.drawing_lock:
                self.drawing.setdefault(worker.id, time.monotonic())
            self.inbox.put(("review", worker.id))

        line = Foreign(worker.own, task, changed)
        worker.attach(line, task.pane, task.pid)
        changed()

    def backend(self, name: str) -> Backend:
        return configuration.backend(name)

    def find_panes(self, anew: bool = False) -> None:
        """Match windows and tasks by the tag that each pane carries, wherever a person has moved it."""
        listed = self.line.cmd("list-panes", "-a", "-F", "#{pane_id}\t#{pane_pid}\t#{session_id}\t#{@dispatch_task}")
        if not listed.ok:
            return  # no answer is not "no windows"
        rows = [line.split("\t") for line in listed.lines]
        there = {row[0]: row for row in rows if len(row) == 4}
        for pane, pid, _, id in there.values():
            if (
                id
                and (anew or pane not in self.by_pane)
                and (worker := self.worker(id))
                and self._is_its(worker, int(pid))
            ):
                worker.attach(self.line, pane, int(pid))
                self.by_pane[pane] = worker
                self._mark_drawn(pane)
        for pane, worker in list(self.by_pane.items()):
            if pane not in there:
                del self.by_pane[pane]
                if worker.pane == pane:
                    worker.pane_gone = True
                    worker.recheck_at = time.monotonic() + 0.5  # its launch line may be writing the exit code now
        self._adopt_orphans(there)

    def _is_its(self, worker: Worker, pid: int) -> bool:
        """Whether the pane of PID is that of the current attempt (a former one's may still be open)."""
        from dispatch_tmux.store import processes

        process = processes.launched(worker.own, worker.task.attempt)
        return process is not None and process[0] == pid

    def _adopt_orphans(self, there: dict[str, list[str]]) -> None:
        """Windows whose supervisor died between opening and tagging them are known by their launch line's pid."""
        from dispatch_tmux.store import processes

        for worker in self.workers.values():
            task = worker.task
            process = processes.launched(worker.own, task.attempt) if task.attempt and not worker.pane else None
            pane = next((row[0] for row in there.values() if process and row[1] == str(process[0])), None)
            if pane and process:
                self.line.cmd("set-option", "-p", "-t", pane, "@dispatch_task", worker.id)
                worker.attach(self.line, pane, process[0])
                self.by_pane[pane] = worker
                self._mark_drawn(pane)

    def _look_at_drawn(self, now: float) -> None:
        """Read the screens that have come to rest, and those that never do."""
        if not self.drawing:
            return
        for id, since in list(self.drawing.items()):
            worker = self.workers.get(id)
            restless = worker and now - worker.looked_at < 0.5 and not worker.is_due
            rest = RESTLESS if restless else QUIET
            quiet = worker is None or now - worker.last_output >= rest
            if not quiet and now - since < LONGEST:
                continue
            with self.drawing_lock:
                self.drawing.pop(id, None)
            if worker is None:
                continue
            if not worker.look(quiet):
                self._mark_drawn(worker.pane)
            worker.log.flush()
            self.review(worker)

    def review(self, worker: Worker) -> None:
        try:
            before = worker.task.state
            dues = worker.review()
            self.carrier.carry_out(worker, dues)
            if worker.task.state is not before:
                self.carrier.show_state(worker)
                self.carrier.look_for_strays(worker)
                self.carrier.board.stale = self.queue.stale = True
            if worker.task.stopping and worker.task.exit_code is not None:
                self.carrier.close(worker)
            self._retire(worker)
        except DispatchError as e:  # tmux too slow, a disk that is full, a directory removed: the other workers go on
            self.log.write(f"{worker.id}: {e}")

    def _retire(self, worker: Worker) -> None:
        task = worker.task
        if task.adopted and not task.ended:
            return
        gone = not os.path.isdir(worker.dir)
        over = task.ended and task.state is not State.BLOCKED and self.by_pane.get(worker.pane) is not worker
        if gone or (over and not self.store.requests(worker.id)):
            self.workers.pop(worker.id, None)
            worker.log.flush()

    def scan(self) -> None:
        """Look at everything: what no event told."""
        for worker in list(self.workers.values()):
            self.review(worker)
            worker.log.flush()
        self._end_when_alone(time.monotonic())

    def _end_when_alone(self, now: float) -> None:
        """A session without workers that nobody looks at ends by itself."""
        if any(not w.task.ended for w in self.workers.values()) or self.by_pane:
            self.lonely_since = None
            return
        self.lonely_since = self.lonely_since or now
        if now - self.lonely_since >= self.linger and not self.carrier.attached():
            self.log.write("no workers and nobody here: ending the session")
            self.ending = True
            self.line.cmd("kill-session", "-t", self.session)


def main(root: str) -> int:
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)  # keys pressed on the board are not meant for us
    project = at(root)
    lock = None
    for _ in range(50):  # a status command tests the lock for an instant
        lock = files.try_lock(project.store.lock_path)
        if lock is not None:
            break
        time.sleep(0.02)
    if lock is None:
        return 0  # another one is at it
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    try:
        Supervisor(project).run()
    except DispatchError as e:
        print(f"dispatch: {e}", file=sys.stderr)
        return 1
    return 0
