"""The supervisor: one process per project, beside its tmux session. Turns what tmux and files tell into events, and acts on them.

    tmux ─notices─▶ ┐                       ┌─▶ record: the journal
    files ─paths──▶ ├─▶ one queue ─▶ review ┼─▶ actions: launches, reminders, answers (a thread each, one a worker)
    time ─────────▶ ┘                       └─▶ the face in window 0, begun when somebody looks

It may be killed at any instant: see worker.py. Here the pieces are put together and the one thread goes round; each piece
is given the few things it needs.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

from dispatch_tmux.config import load as configuration
from dispatch_tmux.config.schema import Config
from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError, TmuxError
from dispatch_tmux.store import removal, watchman
from dispatch_tmux.store.log import Log
from dispatch_tmux.store.project import Project, at
from dispatch_tmux.store.watch import Watch
from dispatch_tmux.store.watchman import Signs
from dispatch_tmux.supervisor import actions, checkout, face, session, status_line
from dispatch_tmux.supervisor import queue as queueing
from dispatch_tmux.supervisor.actions import Actions
from dispatch_tmux.supervisor.crew import Crew
from dispatch_tmux.supervisor.drawing import Drawing
from dispatch_tmux.supervisor.face import Face
from dispatch_tmux.supervisor.launcher import Launcher
from dispatch_tmux.supervisor.notify import Notifier
from dispatch_tmux.supervisor.queue import Queue
from dispatch_tmux.supervisor.windows import Windows
from dispatch_tmux.supervisor.worker import Worker
from dispatch_tmux.tmux import buffers, lost_socket
from dispatch_tmux.tmux import session as tmux_session
from dispatch_tmux.tmux import worker_windows as tmux
from dispatch_tmux.tmux.connection import Connection
from dispatch_tmux.tmux.control import Notice
from dispatch_tmux.tmux.server import Server, Socket

RESCAN = 10.0  # seconds between two looks at everything, in case a file event was missed
WITHOUT_WATCH = 1.0  # the same where the system tells nothing of files
WHOLE = 6  # each sixth of them is at every worker, also those whose files nobody has touched
LOOP = os.getppid()  # the loop that starts us again
LINGER = 600.0  # seconds without workers and without anybody attached after which the session ends, unless configured


class Supervisor:
    """The supervisor of PROJECT, whose tmux session on SERVER is OURS. SIGNS: what others see of it."""

    def __init__(self, project: Project, signs: Signs, config: Config | None, server: Server, ours: str) -> None:
        self.signs = signs
        self.scans = 0
        self.broken: dict[str, str] = {}  # what failed → what with, as far as it was told
        self.project, self.root, self.store = project, project.root, project.store
        self.linger = config.times.linger if config else LINGER
        self.log = Log(self.store.log_path).write
        self.inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.drawing = Drawing()
        self.ending = False
        self.lonely_since: float | None = None
        self.connection = Connection(server, ours, self._heard)
        self.watch = Watch([self.store.records_dir, *self._elsewhere()], self._changed, self._missed)
        self.crew = Crew(self.store, config, self.watch, changed=self._adopted_changed, log=self.log)
        self.windows = Windows(self.connection, self.crew.worker, self.crew.all, self._mark_drawn)
        self.launcher = Launcher(project, self.connection, self.windows)
        self.face = Face(project, self.connection)
        self.notifier = Notifier(project, server, ours, self.log)
        outlet = queueing.Outlet(self._launch, self._review_soon, self.log)
        self.queue = Queue(project, self.crew.workers, config, outlet)
        self.actions = Actions(
            self.store, actions.Outlet(self.queue.add, self.launcher.launch, self._review_soon, self.log)
        )
        self.connection.open()

    # --- the loop

    def run(self) -> None:
        """Supervise until the session ends, or its tmux server."""
        self.log(f"supervising {self.root} ({type(self.connection.line).__name__.lower()})")
        self._recover()
        threading.Thread(target=self._tidy, daemon=True).start()
        self.notifier.start()
        next_scan, next_beat = time.monotonic() + self._pace(), 0.0
        while not self.ending:
            self._take(self._next(min(next_scan, next_beat)))
            now = time.monotonic()
            if now >= next_beat:
                next_beat = now + watchman.BEAT
                self.signs.beat()
                self._keep_the_loop()
                for worker in self.crew.take_newer_rules():
                    self._mark_drawn(worker)
            self._look_at_drawn(now)
            for worker in [w for w in self.crew.all() if w.review_at is not None and w.review_at <= now]:
                worker.review_at = None
                self.review(worker)
            try:
                self.queue.turn(now)
                self.face.end_unseen(now)
            except Exception as e:
                self._broken("queue and window 0", e)
            self.notifier.heard(*(worker.task for worker in self.crew.all()))
            if now >= next_scan:
                self.scan()
                next_scan = now + self._pace()
        self.connection.line.close()

    def _keep_the_loop(self) -> None:
        """Without the loop that starts us again a crash would end it all: then another one takes over, with its own."""
        if os.getppid() == LOOP:
            return
        try:
            server, ours = self.connection.server, self.connection.session
            self.ending = tmux_session.supervise(server, ours, face.programs(self.project)).ok
        except TmuxError as e:
            self._broken("the loop that starts the supervisor again", e)

    def _recover(self) -> None:
        """Take up every task that is not over, and find the windows that are there."""
        self.crew.take_up_unfinished()
        self.windows.find(anew=True)
        self._subscribe()
        self.scan()

    def _tidy(self) -> None:
        """Remove the texts of messages that a supervisor which was killed had in its hands."""
        try:
            left = removal.left_over(self.root, self.store.records, self.store.ids()) + buffers.remove_left_over(
                self.connection.line
            )
        except (DispatchError, OSError) as e:
            self.log(f"left over: {e}")
        else:
            if left:
                self.log(f"removed {left} files and buffers that a killed supervisor had left")

    def _next(self, soonest: float) -> list[tuple[str, Any]]:
        """Everything that has come, after a wait that ends when something is due."""
        due = [soonest, *(w.review_at for w in self.crew.all() if w.review_at is not None)]
        due += [when for when in (self.face.due, self.queue.due) if when is not None]
        now = time.monotonic()
        if self.drawing:
            due.append(self.drawing.due(self.crew.workers, now))
        wait = max(0.0, min(due) - now)
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
        changed = [value for kind, value in came if kind == "file"]
        ids = dict.fromkeys(self._id_of(path) for path in changed if self._is_news(path))
        ids.update(dict.fromkeys(value for kind, value in came if kind == "review"))
        for kind, notice in came:
            if kind == "notice":
                self._take_notice(notice)
            elif kind == "missed":
                self.log("file events were lost (fs.inotify.max_queued_events): looking at everything")
                self.scan(whole=True)
        for id in ids:
            if id.startswith("."):
                self.queue.stale = True  # paused, or not any more
            elif id and (worker := self.crew.worker(id)):
                if any(path.endswith(".json") and "/signals/" in path for path in changed):
                    self._look_anew(worker)
                self.review(worker)
                self.queue.heard(id)

    def _is_news(self, path: str) -> bool:
        """Whether the change of the file PATH can say anything new: what we write ourselves does not."""
        if path.endswith("/terminal.log"):
            return False
        worker = self.crew.workers.get(self._id_of(path)) if path.endswith("/journal.jsonl") else None
        return worker is None or worker.record.has_grown()

    def _look_anew(self, worker: Worker) -> None:
        """The CLI has just said that its screen means something else now."""
        try:
            worker.sight.look(quiet=True)
        except Exception as e:
            self._broken(f"{worker.id}'s screen", e)

    def _id_of(self, path: str) -> str:
        """The task that PATH belongs to: among its worker's files, or among our own."""
        base = self.store.records_dir if path.startswith(self.store.records_dir) else self.store.tasks_dir
        return os.path.relpath(path, base).split(os.sep)[0]

    def _elsewhere(self) -> tuple[str, ...]:
        """Where the workers' directories are: watched as a whole where folders cannot be watched one by one."""
        return () if sys.platform == "linux" else (self.store.tasks_dir,)

    def _pace(self) -> float:
        """Seconds until the next look at the files; how they are watched is told to those who ask."""
        if self.watch.trouble and not self.signs.remark:
            self.log(f"file events: {self.watch.trouble}; looking at the files once a second instead")
        self.signs.remark = self.watch.trouble
        return WITHOUT_WATCH if self.watch.trouble else RESCAN

    # --- what comes in from other threads

    def _changed(self, path: str) -> None:
        self.inbox.put(("file", path))

    def _missed(self) -> None:
        self.inbox.put(("missed", None))

    def _heard(self, notice: Notice) -> None:
        """Called in the thread that reads from tmux."""
        if notice.kind != "output":
            self.inbox.put(("notice", notice))
        elif worker := self.windows.by_pane.get(notice.target):
            worker.sight.heard(notice.data)
            if self.drawing.mark(worker.id):
                self.inbox.put(("drawing", None))

    def _adopted_changed(self, worker: Worker) -> None:
        self.drawing.mark(worker.id)
        self._review_soon(worker.id)

    def _review_soon(self, id: str) -> None:
        self.inbox.put(("review", id))

    # --- what tmux tells

    def _take_notice(self, notice: Notice) -> None:
        if notice.kind == "windows":
            self.windows.find()
        elif notice.kind == "resized":  # what had no room may show now, though the program prints nothing
            for each in self.crew.all():
                if each.task.window == notice.target and each.sight.pane:
                    self.windows.keep_whole(each)
                    self._mark_drawn(each)
        elif notice.kind == "paused":
            tmux.go_on(self.connection.line, notice.target)
            if worker := self.windows.by_pane.get(notice.target):
                self._mark_drawn(worker)
        elif notice.kind == "value" and notice.name == "facts":
            worker = self.windows.by_pane.get(notice.target)
            if worker and notice.text.startswith("1,"):
                worker.sight.pane_dead = True
                self.review(worker)
        elif notice.kind == "closed" and not self.ending:
            self._reconnect()
            return
        try:
            self.face.heard(notice)
        except TmuxError as e:
            self.log(f"window 0: {e}")

    def _reconnect(self) -> None:
        """The connection is gone. The session may be, too, and then so are we; else it comes again, or we ask."""
        self.log("the tmux connection closed; connecting again")
        try:
            if self.connection.session not in self.connection.server.sessions():
                raise TmuxError("its session has ended")
            self.connection.open()
        except TmuxError as e:
            self.log(f"tmux is gone: {e}")
            self.ending = True
            return
        self._subscribe()
        self.windows.find(anew=True)

    def _subscribe(self) -> None:
        try:
            self.face.find()
        except TmuxError as e:
            self.log(f"window 0: {e}")

    # --- workers

    def _mark_drawn(self, worker: Worker) -> None:
        self.drawing.mark(worker.id)

    def _look_at_drawn(self, now: float) -> None:
        """Read the screens that have come to rest, and those that never do."""
        for worker, quiet in self.drawing.rested(self.crew.workers, now):
            try:
                if not worker.sight.look(quiet):
                    self._mark_drawn(worker)
                worker.sight.log.flush()
            except Exception as e:
                self._broken(f"{worker.id}'s screen", e)
            self.review(worker, seen_only=True)

    def review(self, worker: Worker, seen_only: bool = False) -> None:
        """Look at WORKER, do what is due, and show its state where that is a new one. SEEN_ONLY: its screen has changed."""
        try:
            before = worker.task.state
            files = not seen_only or worker.record.is_touched()
            dues = worker.review(files)
            if files or dues or worker.asked:
                self.actions.carry_out(worker, dues)
            if worker.task.state is not before:
                self._show(worker)
                self._look_for_strays(worker)
                self.queue.stale = True
            if worker.task.stopping and worker.task.exit_code is not None:
                self.windows.close(worker)
            self.notifier.heard(worker.task)
            self.crew.let_go(worker, self.windows.has(worker))
        except Exception as e:  # tmux too slow, a disk that is full, a file that is odd, a bug: the other workers go on
            self._broken(worker.id, e)

    def _broken(self, what: str, error: Exception) -> None:
        """Write once in the log what WHAT fails with: it may fail at each look."""
        text = str(error) if isinstance(error, DispatchError) else "".join(traceback.format_exception(error))
        if self.broken.get(what) != text:
            self.broken[what] = text
            self.log(f"{what}: {text}")

    def _show(self, worker: Worker) -> None:
        line, session = self.connection.line, self.connection.session
        try:
            status_line.show(line, session, worker, self.windows.has(worker), self.crew.all())
        except TmuxError as e:
            self.log(f"{worker.id}: {e}")

    def _look_for_strays(self, worker: Worker) -> None:
        if worker.task.worktree and worker.task.state in (State.IDLE, State.DONE, State.FAILED):
            arguments = (self.root, worker.record)
            threading.Thread(target=checkout.look_for_strays, args=arguments, daemon=True).start()

    def _launch(self, worker: Worker, rid: str, request: Mapping[str, Any]) -> None:
        self.launcher.carry_out(worker, rid, request)
        self.review(worker)

    def scan(self, whole: bool = False) -> None:
        """Look at everything: what no event told. But for a WHOLE one only at whose files are not what they were."""
        self.scans += 1
        whole = whole or self.scans % WHOLE == 0
        self.watch.mend()
        if lost_socket.recover(self.connection.server.socket.path):
            self.log("the tmux socket was gone, and is there again")
        self.crew.take_up_touched()
        for worker in self.crew.all():
            if whole or worker.record.is_touched() or worker.is_stopped():
                self.watch.add(worker.record.folders)
                self.review(worker)
            worker.sight.log.flush()
        self._end_when_alone(time.monotonic())

    def _end_when_alone(self, now: float) -> None:
        """A session without workers that nobody looks at ends by itself."""
        if not self.crew.is_at_rest or self.windows.by_pane:
            self.lonely_since = None
            return
        self.lonely_since = self.lonely_since or now
        line, session = self.connection.line, self.connection.session
        if now - self.lonely_since >= self.linger and not tmux.is_attended(line, session):
            self.log("no workers and nobody here: ending the session")
            self.ending = True
            tmux.end_session(line, session)


def main(root: str, place: str = "") -> int:
    """Supervise the project at ROOT, unless another process does; returns the exit status.

    PLACE: "beside" its session. A restart loop of an earlier version, which runs in window 0, gives none: then another one
    is started beside, and ends that loop.
    """
    project = at(root)
    try:
        if not project.store.exists():
            return 0  # removed, or moved away: whoever works with it there starts another one
        config = configuration.load()
        server = Server(Socket(configuration.socket(config)))
        if not place:
            session.start(server, project)
            return 0
        lock = watchman.lock(project.store.lock_path)
        if lock is None:
            return 0  # another one is at it
        signs = Signs(lock, project.root)
        if (ours := server.session_of(project.root)) is None:
            return 0  # it has ended, and we with it
        Supervisor(project, signs, config, server, ours).run()
    except DispatchError as e:
        print(f"dispatch: {e}", file=sys.stderr)
        return 1
    return 0
