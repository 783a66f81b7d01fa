"""What each receiver of notifications has been told of a project, and how it fares: a file a receiver, in its records."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, NamedTuple

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files
from dispatch_tmux.store.tree import Tree

MOST = 1 << 26  # bytes of one file
FOLDER = "notified"


class Record(NamedTuple):
    """TOLD: the marks of what counts as told, by task id; NEW: there is no file yet.

    `trouble`: why the last message did not go out ('' = it did), `failures` how many in a row, `at` when the last one went
    or failed, in seconds since the epoch; `flight`: what the processes are known by that bring one now ('' = none do).
    """

    told: dict[str, list[str]]
    trouble: str = ""
    failures: int = 0
    at: float = 0.0
    flight: str = ""
    new: bool = False


class Notified:
    """The receiver KEY, any words that name it for good, of the project whose records are in RECORDS."""

    def __init__(self, records: str, key: str) -> None:
        self._tree = Tree(records, FOLDER)
        self.name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def new_mark(self) -> str:
        """What the processes of one message are to be known by: see processes.kill_family."""
        return f"{self._tree.at(self.name)}.{os.urandom(4).hex()}"

    def read(self) -> Record:
        """What is written down; an empty one when that cannot be read."""
        try:
            text = self._tree.read(f"{self.name}.json", most=MOST)
            if text is None:
                return Record({}, new=True)
            data: Any = json.loads(text)
            told = {str(id): [str(key) for key in keys] for id, keys in data["told"].items()}
            return Record(told, str(data["trouble"]), int(data["failures"]), float(data["at"]), str(data["flight"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, DispatchError):
            return Record({}, new=True)

    def write(self, record: Record) -> None:
        """Write RECORD down. Raises DispatchError when the disk does not take it."""
        files.private_dir(self._tree.path)
        text = json.dumps({name: value for name, value in record._asdict().items() if name != "new"})
        files.replace(self._tree.at(f"{self.name}.json"), text)


def forget(records: str) -> None:
    """Nobody is to be told any more. Whoever is, later, is new."""
    tree = Tree(records, FOLDER)
    for name in tree.names():
        if name.endswith(".json"):
            tree.remove(name)
