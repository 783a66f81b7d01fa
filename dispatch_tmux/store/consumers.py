"""What each reader of `wait` has been told: a file a reader, with the keys of its news by the ids of tasks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from dispatch_tmux.store import files
from dispatch_tmux.store.tree import Tree

MOST = 1 << 26  # bytes of one file

Told = dict[str, list[str]]


class Consumer:
    """The reader NAME, a plain file name, of the project whose records are in RECORDS."""

    def __init__(self, records: str, name: str) -> None:
        self._tree, self._file = Tree(records, "consumers"), f"{name}.json"

    def is_new(self) -> bool:
        """Whether it was never told anything."""
        return not self._tree.has(self._file)

    def told(self) -> Told:
        """What it was told; {} when that cannot be read."""
        return self._read(self._file)

    def others(self, prefix: str) -> list[Told]:
        """What those were told whose names begin with PREFIX."""
        names = sorted(name for name in self._tree.names() if name.startswith(prefix) and name.endswith(".json"))
        return [self._read(name) for name in names]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """While nobody else changes it. Raises DispatchError."""
        files.private_dir(self._tree.path)
        with files.Lock(self._tree.at(self._file + ".lock"), lambda: None):
            yield

    def write(self, told: Told) -> None:
        """It was told TOLD, all in all. Raises DispatchError."""
        files.replace(os.path.join(self._tree.path, self._file), json.dumps(told))

    def _read(self, name: str) -> Told:
        try:
            data = json.loads(self._tree.read(name, most=MOST) or "{}")
        except (ValueError, RecursionError):
            return {}
        entries = data.items() if isinstance(data, dict) else ()
        return {id: [str(key) for key in keys] for id, keys in entries if isinstance(keys, list)}
