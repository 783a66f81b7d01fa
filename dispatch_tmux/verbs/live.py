"""Following a worker's screen without being attached to it, as the inbox does."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

if TYPE_CHECKING:
    from dispatch_tmux.tmux.live import Follower

GAP = 0.05  # seconds between two looks at a screen that never rests
EVERY = 1.0  # seconds between two looks where tmux tells nothing
LINGERS = 2.0  # seconds for which a connection is kept though nothing is shown
AGAIN = 3.0  # seconds until a window that was not there is looked for again


class Frame(NamedTuple):
    """A worker's screen at one moment: `text` has colours as SGR escapes and is untrusted, `size` counts cells."""

    text: str
    size: tuple[int, int]
    dead: bool


def live(project: Project, which: Which) -> Iterator[Frame]:
    """The task's screen now, and anew within 0.1 s each time that it changes, until its window is gone. Raises TaskNotFound."""
    task = tasks.task_of(project, which)
    drawn: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
    follower = Live(project, lambda id, frame: drawn.put(frame))
    follower.show(task)
    try:
        while (frame := drawn.get()) is not None:
            yield frame
    finally:
        follower.close()


class Live:
    """Shows one task's screen at a time, as it changes.

    DREW is called in a thread of ours with the task's id and its `Frame`, within 0.1 s of a change; with None once its
    window is not there. While nothing is shown nothing is asked of tmux.
    """

    def __init__(self, project: Project, drew: Callable[[str, Frame | None], None]) -> None:
        self._project, self._drew = project, drew
        self._task: Task | None = None
        self._wake = threading.Event()
        self._followers: dict[str, Follower] = {}  # by the server's name; '' is ours
        self._closed = False
        self._thread: threading.Thread | None = None

    def show(self, task: Task | None) -> None:
        """Show TASK's screen from now on; None: no one's. Returns at once."""
        before, self._task = self._task, task
        if task is None and before is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="live", daemon=True)
            self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """End; the windows stay as they are."""
        self._closed, self._task = True, None
        self._wake.set()
        if self._thread:
            self._thread.join(2.0)
        for follower in self._followers.values():
            follower.close()

    def _run(self) -> None:
        pause: float | None = None
        while not self._closed:
            self._wake.wait(pause)
            self._wake.clear()
            task = self._task
            if task is None or self._closed:
                pause = None
                if not self._closed:
                    self._rest()
                continue
            frame, hears = self._look(task)
            pause = (None if hears else EVERY) if frame else AGAIN
            if task is self._task:
                self._drew(task.id, frame)
            time.sleep(GAP)

    def _rest(self) -> None:
        """Close the connections, unless a screen is shown again soon; that the last one still changes is no reason to keep them."""
        end = time.monotonic() + LINGERS
        while (left := end - time.monotonic()) > 0:
            self._wake.wait(left)
            self._wake.clear()
            if self._task or self._closed:
                self._wake.set()
                return
        for follower in self._followers.values():
            follower.close()

    def _look(self, task: Task) -> tuple[Frame | None, bool]:
        """TASK's screen now, and whether its next change is told."""
        if not task.pane:
            return None, False
        try:
            follower = self._follower(task)
            seen = follower.look(task.pane)
            ours = seen is not None and (seen.pid == task.pid if task.adopted else seen.task == task.id)
            return Frame(seen.text, seen.size, seen.dead) if seen and ours else None, follower.hears
        except DispatchError:
            return None, False

    def _follower(self, task: Task) -> Follower:
        name = task.server if task.adopted else ""
        if name not in self._followers:
            from dispatch_tmux.supervisor import session
            from dispatch_tmux.tmux.live import Follower

            self._followers[name] = Follower(session.server_for(self._project, task), self._wake.set)
        return self._followers[name]
