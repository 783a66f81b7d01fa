"""Being told of file changes instead of looking: inotify on Linux, elsewhere what watchdog has.

Where the system tells nothing, or not of all (its watches are used up), `trouble` says so, and only looking again helps.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from dispatch_tmux.store import inotify
from dispatch_tmux.store.inotify import Inotify

LOOK = 0.2  # seconds between two looks of a `Bell` that hears nothing


class Watch:
    """Tells of changes in ROOTS and in the folders that are added to them, for the life of the process.

    TELL gets a path, and LOST is called when changes may have been missed; both in a thread of the watch. Of what is in
    ROOTS a new time counts as a change, too.
    """

    def __init__(self, roots: Iterable[str], tell: Callable[[str], None], lost: Callable[[], None]) -> None:
        self._tell, self._lost = tell, lost
        self._missing: dict[str, int] = {}  # folder that should be watched → for what
        self._inotify: Inotify | None = None
        self._broken = self._short = ""
        if sys.platform != "linux":
            self._observe(roots)
            return
        try:
            self._inotify = Inotify()
        except OSError as e:
            self._broken = _said(e)
            return
        for root in roots:
            self._add(root, inotify.CHANGES | inotify.TOUCHED)
        threading.Thread(target=self._read, args=(self._inotify,), name="inotify", daemon=True).start()

    @property
    def trouble(self) -> str:
        """Why not all changes are told, in words; '' when they are."""
        return self._broken or (self._short if self._missing else "")

    def add(self, folders: Iterable[str]) -> None:
        """Watch FOLDERS, too. One that is not there is left out, and watched as soon as it is made."""
        for folder in folders:
            self._add(folder, inotify.CHANGES)

    def remove(self, folders: Iterable[str]) -> None:
        for folder in folders:
            self._missing.pop(folder, None)
            if self._inotify:
                self._inotify.remove(folder)

    def mend(self) -> None:
        """Try again to watch what could not be watched."""
        for folder, what in list(self._missing.items()):
            self._add(folder, what)

    def _add(self, folder: str, what: int) -> None:
        if self._inotify is None:
            return
        self._missing.pop(folder, None)
        try:
            self._inotify.add(folder, what)
        except OSError as e:
            if inotify.knob(e):  # else there is no such directory: whoever made it odd has nothing to say
                self._missing[folder], self._short = what, _said(e)

    def _read(self, told: Inotify) -> None:
        while True:
            for path in told.read():
                if path == inotify.LOST:
                    self._lost()
                elif not path.endswith(".tmp"):
                    self._tell(path)

    def _observe(self, roots: Iterable[str]) -> None:
        try:
            _observer(list(roots), self._tell, recursive=True)
        except OSError as e:
            self._broken = _said(e)


def _said(error: OSError) -> str:
    knob = inotify.knob(error)
    return f"{error.strerror or error}" + (f" ({knob} is used up)" if knob else "")


class Bell:
    """Waits for changes of files in FOLDER whose names are among NAMES (all when there are none).

    `trouble` says why it hears nothing ('' = it does); then `wait` looks again after `LOOK` seconds.
    """

    def __init__(self, folder: str, *names: str) -> None:
        self._names = names
        self._inotify: Inotify | None = None
        self._rung: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._observer: Any = None
        self.trouble = ""
        try:
            if sys.platform == "linux":
                self._inotify = Inotify()
                self._inotify.add(folder)
            else:
                self._observer = _observer([folder], self._take, recursive=False)
        except OSError as e:
            self.close()
            self.trouble = _said(e)

    def _take(self, path: str) -> None:
        if self._counts(path):
            self._rung.put(path)

    def _counts(self, path: str) -> bool:
        return not self._names or path == inotify.LOST or os.path.basename(path) in self._names

    def wait(self, seconds: float) -> bool:
        """Whether something changed within SECONDS; changes since the last call count."""
        seconds = max(seconds, 0)
        if self._inotify:
            end = time.monotonic() + seconds
            while found := self._inotify.read(end - time.monotonic()):
                if any(map(self._counts, found)):
                    return True
            return False
        try:
            self._rung.get(timeout=min(seconds, LOOK) if self.trouble else seconds)
        except queue.Empty:
            return bool(self.trouble)
        while not self._rung.empty():
            self._rung.get()
        return True

    def close(self) -> None:
        if self._inotify:
            self._inotify.close()
            self._inotify = None
        if self._observer:
            self._observer.stop()


def _observer(folders: list[str], tell: Callable[[str], None], *, recursive: bool) -> Any:
    """A started observer of watchdog's. Raises OSError."""
    import logging

    from watchdog import events
    from watchdog.observers import Observer

    for name in ("watchdog", "fsevents"):  # else their warnings reach the person's terminal
        logging.getLogger(name).addHandler(logging.NullHandler())
    kinds = [
        events.FileCreatedEvent, events.DirCreatedEvent, events.FileMovedEvent, events.FileDeletedEvent,
        events.FileModifiedEvent,
    ]  # fmt: skip

    class Told(events.FileSystemEventHandler):
        def on_any_event(self, event: events.FileSystemEvent) -> None:
            path = os.fsdecode(event.dest_path or event.src_path)
            if not path.endswith(".tmp"):
                tell(path)

    observer = Observer()
    observer.daemon = True
    for folder in folders:
        observer.schedule(Told(), folder, recursive=recursive, event_filter=kinds)
    observer.start()
    return observer
