"""A task's journal: one JSON object a line, appended only. Its fold is the task (core/fold.py).

Read as far as it has grown since the last look, so that an event costs the same whatever came before it. Of a long one the
fold is kept, so that another process need not read it from the beginning either (kept_fold.py).
"""

from __future__ import annotations

import json
import os
import threading
import time
import zlib
from typing import Any

from dispatch_tmux.core.fold import Fold
from dispatch_tmux.core.task import Event, Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, kept_fold
from dispatch_tmux.store.kept_fold import Kept
from dispatch_tmux.store.tree import Tree

MOST = 1 << 30  # bytes that are read of one journal
MOST_LINE = 1 << 22  # bytes of one event; a longer line is damage
AT_ONCE = 1 << 24
STUCK = 10.0  # seconds for which a journal that somebody keeps locked is not tried again


class Journal:
    """The journal of task ID, in the directory that TREE is for. May be used by several threads."""

    def __init__(self, tree: Tree, id: str) -> None:
        self._tree, self._id = tree, id
        self._mutex = threading.Lock()
        self._stuck_until = 0.0
        self._forget()

    def _forget(self) -> None:
        self._fold = Fold(self._id)
        self._task: Task | None = None
        self._file = (0, 0)  # device and inode of what was read
        self._read = self._seen = 0  # bytes that are in the fold; the size at the last look
        self._damage = 0
        self._sum, self._kept = 0, 0  # the checksum of what was read; bytes of it whose fold is kept
        self._by_lines = True  # whether all of it was taken by whole lines, as somebody else would read it

    def task(self) -> Task:
        """The task as the journal has it now."""
        with self._mutex:
            self._catch_up()
            if self._task is None:
                self._task = self._fold.task()
            return self._task

    def damage(self) -> int:
        """Lines that say nothing: half written before a power cut, or no events of ours."""
        with self._mutex:
            self._catch_up()
            return self._damage

    def events(self) -> list[Event]:
        """All of it, in order, without what is damaged."""
        data = self._tree.read_bytes("journal.jsonl", most=MOST) or b""
        return [found for found in map(parse, data.split(b"\n")) if found]

    def append(self, kind: str, key: str = "", **data: Any) -> bool:
        """Write an event at the end; False (and nothing written) when its KEY is there already.

        Raises DispatchError when that cannot be: no space, locked by somebody, or the task is gone.
        """
        line = {"t": round(time.time(), 3), "kind": kind, **({"key": key} if key else {}), **data}
        text = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace")
        path = self._tree.at("journal.jsonl")
        flags = os.O_RDWR | os.O_APPEND | (os.O_CREAT if kind == "created" else 0)
        with self._mutex:
            if time.monotonic() < self._stuck_until:
                raise DispatchError(f"{path} is locked by another process", hint="dispatch doctor")
            try:
                with self._tree.opened("journal.jsonl", flags=flags) as fd, files.locked(fd, path):
                    self._catch_up(fd)
                    if key and key in self._fold.keys:
                        return False
                    files.append_line(fd, text)
            except OSError as e:
                raise DispatchError(f"cannot write {path}: {e.strerror}") from e
            except DispatchError:
                self._stuck_until = time.monotonic() + STUCK
                raise
        return True

    def _catch_up(self, fd: int | None = None) -> None:
        """Fold what has been added. FD: the open journal, else it is looked at by name and opened if it has grown."""
        if fd is None:
            facts = self._tree.stat("journal.jsonl")
            if facts is None:
                self._forget()
                return
            if (facts.st_dev, facts.st_ino) == self._file and facts.st_size == self._seen:
                return
            try:
                with self._tree.opened("journal.jsonl", flags=os.O_RDONLY) as opened:
                    self._catch_up(opened)
            except OSError:
                self._forget()
            return
        facts = os.fstat(fd)
        if (facts.st_dev, facts.st_ino) != self._file or facts.st_size < self._read:
            self._forget()
            self._file = (facts.st_dev, facts.st_ino)
        if facts.st_size == self._seen:
            return
        self._seen, self._task = facts.st_size, None
        if not self._read and facts.st_size >= kept_fold.WORTH:
            self._go_on_from_kept(fd)
        end = min(facts.st_size, MOST)
        while self._read < end:
            data = os.pread(fd, min(AT_ONCE, end - self._read), self._read)
            whole = data.rfind(b"\n") + 1
            if not whole and not self._last(data):
                break
            self._take(data[:whole])
            self._read += whole
            self._sum = zlib.crc32(data[:whole] if whole else data, self._sum)
        if self._by_lines and kept_fold.is_due(self._read, self._kept):
            self._kept = self._read
            kept_fold.save(self._tree, Kept(self._fold, self._read, self._sum, self._damage))

    def _go_on_from_kept(self, fd: int) -> None:
        if found := kept_fold.load(self._tree, self._id, fd):
            self._fold, self._read, self._sum, self._damage = found
            self._kept = self._read

    def _take(self, lines: bytes) -> None:
        for line in lines.split(b"\n"):
            if event := parse(line):
                self._fold.add(event)
            elif line and not line.isspace():
                self._damage += 1

    def _last(self, data: bytes) -> bool:
        """Take what stands after the last line end: a whole event, or what is too long for one. False: it may still grow."""
        if event := parse(data):
            self._fold.add(event)
        elif len(data) >= MOST_LINE:
            self._damage += 1
        else:
            return False
        self._read += len(data)
        self._by_lines = False
        return True


def parse(line: bytes) -> Event | None:
    """An event, or None for what is none: damage, or nothing that dispatch has written."""
    if (
        line[:1] != b"{" or len(line) > MOST_LINE
    ):  # what begins otherwise is not worth its error: there may be a million
        return None
    try:
        data = json.loads(line)
        t = float(data.pop("t"))
        if not 0 <= t < 1e11:  # not a number, or no time that a clock of ours has shown
            return None
        return Event(t, str(data.pop("kind")), str(data.pop("key", "")), data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
