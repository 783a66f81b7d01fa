"""Threads that read while the screen goes on: the tasks whenever the bell rings, and pages as they are asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import dispatch_tmux as dispatch
from dispatch_tmux import DispatchError, Project
from dispatch_tmux.ui.acts import said
from dispatch_tmux.ui.desk import Picture
from dispatch_tmux.verbs.status import changes

GAP = 0.1  # seconds between two readings, however often the bell rings
CHECK = 2.0  # seconds until it is looked whether somebody supervises; that rings no bell


def read(project: Project) -> Picture:
    """How PROJECT stands now; what keeps it from being read as the picture's problem."""
    try:
        return Picture(tuple(dispatch.status(project)), *_around(project))
    except DispatchError as e:
        return Picture(problem=f"{e}\n{e.hint}".strip())
    except Exception as e:  # an odd file or a bug: it is said, and read again
        return Picture(problem=said(e))


def _around(project: Project) -> tuple[bool, bool]:
    return dispatch.is_supervised(project), dispatch.is_paused(project)


class Feed:
    """Calls TOOK, in a thread of its own, with each new picture of PROJECT."""

    def __init__(self, project: Project, took: Callable[[Picture], None]) -> None:
        self._project, self._took = project, took
        self._last = Picture()
        self._stopped = False

    def start(self, last: Picture) -> None:
        """Go on from the picture LAST, until `stop`."""
        self._last = last
        threading.Thread(target=self._run, name="feed", daemon=True).start()

    def stop(self) -> None:
        """Read no more, from the next look on."""
        self._stopped = True

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._listen()
            except Exception:  # it cannot be read now; that is in the picture
                time.sleep(CHECK)

    def _listen(self) -> None:
        picture = self._last
        for rung in changes(self._project, CHECK):
            if self._stopped:
                return
            alone = not picture.supervised and any(
                not task.ended for task in picture.tasks
            )  # no bell tells their end then
            if not rung and not alone and not self._has_turned(picture):
                continue
            picture = read(self._project)
            if picture != self._last:
                self._last = picture
                self._took(picture)
            time.sleep(GAP)

    def _has_turned(self, picture: Picture) -> bool:
        """Whether what no bell tells is otherwise than in PICTURE."""
        try:
            return bool(picture.problem) or _around(self._project) != (picture.supervised, picture.paused)
        except Exception:
            return True


class Errands:
    """Does, in a thread of its own, the last thing that it was told to; what came in between is passed over."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._job: Callable[[], None] | None = None
        self._told = threading.Condition()
        self._started = False

    def do(self, job: Callable[[], None]) -> None:
        with self._told:
            self._job = job
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
            self._told.notify()

    def _run(self) -> None:
        while True:
            with self._told:
                while self._job is None:
                    self._told.wait()
                job, self._job = self._job, None
            job()
