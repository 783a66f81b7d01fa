"""Being told of file changes instead of looking: watchdog, narrowed to what matters here."""

from __future__ import annotations

import logging
import os
import queue
import sys
from collections.abc import Callable, Sequence

from watchdog.events import (
    DirCreatedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

for _name in ("watchdog", "fsevents"):  # else their warnings reach the person's terminal
    logging.getLogger(_name).addHandler(logging.NullHandler())

# A file counts when it is whole: renamed into place, or closed by its writer. inotify tells that; elsewhere every
# change has to do. Without the modified event an append costs nothing until it is over.
_KINDS: list[type[FileSystemEvent]] = [FileCreatedEvent, DirCreatedEvent, FileMovedEvent, FileDeletedEvent]
_KINDS.append(FileClosedEvent if sys.platform == "linux" else FileModifiedEvent)


class _Told(FileSystemEventHandler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.dest_path or event.src_path)
        if not path.endswith(".tmp"):
            self._tell(path)


class Watch:
    """Tells of changes below FOLDERS until `close`. TELL gets a path, in a thread of the watch.

    `working` is False where the system has no watches left: then only looking again helps.
    """

    def __init__(self, folders: Sequence[str], tell: Callable[[str], None], *, recursive: bool = False) -> None:
        self._observer = Observer()
        self._observer.daemon = True
        self.working = True
        try:
            for folder in folders:
                self._observer.schedule(_Told(tell), folder, recursive=recursive, event_filter=_KINDS)
            self._observer.start()
        except OSError:
            self.working = False

    def close(self) -> None:
        if self.working:
            self._observer.stop()


class Bell:
    """Waits for changes of files in FOLDER whose names are among NAMES (all when there are none)."""

    def __init__(self, folder: str, *names: str) -> None:
        self._rung: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._names = names
        self._watch = Watch([folder], self._take)

    def _take(self, path: str) -> None:
        if not self._names or os.path.basename(path) in self._names:
            self._rung.put(path)

    def wait(self, seconds: float) -> bool:
        """Whether something changed within SECONDS; changes since the last call count."""
        try:
            self._rung.get(timeout=max(seconds, 0) if self._watch.working else min(max(seconds, 0), 0.2))
        except queue.Empty:
            return not self._watch.working
        while not self._rung.empty():
            self._rung.get()
        return True

    def close(self) -> None:
        self._watch.close()
