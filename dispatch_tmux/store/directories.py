"""Where what is kept of a project lies: its records, which dispatch alone writes, and the directories that its workers write in.

Paths are strings (importing pathlib costs each verb its share of "instant").
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from dispatch_tmux.core.task import task_id
from dispatch_tmux.errors import DispatchError, TaskNotFound
from dispatch_tmux.store import files, home, trust
from dispatch_tmux.store.tree import Tree

SHOWN = 5  # ids that are named where a task was not found


class Directories:
    """Where all that is kept of the project at ROOT lies, and which tasks there are.

    `dir` is its `.dispatch`, where each worker may write in a directory of its own; `records` is where dispatch keeps what it
    believes, out of every worker's reach (trust.py). BASE stands for `~/.dispatch`.
    """

    def __init__(self, root: str, base: str | None = None) -> None:
        self.root = root
        self.base = base or home.path()
        self.dir = os.path.join(root, ".dispatch")
        self.tasks_dir = os.path.join(self.dir, "tasks")
        self._records = ""

    @property
    def records(self) -> str:
        """Where the records are; a place that is not there while nothing was dispatched here.

        Raises ForeignProject when the `.dispatch` in the project is not of this user and machine.
        """
        if not self._records:
            found = trust.standing(self.root, self.base)
            if found.kind == "old" and _made_here(self.root, self.base):
                from dispatch_tmux.store import migrate

                self._records = migrate.migrate(self.root, self.base)
            elif found.kind in ("old", "foreign"):
                raise trust.refusal(self.root, found)
            else:
                self._records = found.records
        return self._records or os.path.join(self.base, "projects", "none")

    def exists(self) -> bool:
        """Whether anything was ever dispatched here. Raises ForeignProject."""
        return os.path.isdir(self.records)

    @property
    def records_dir(self) -> str:
        return os.path.join(self.records, "tasks")

    @property
    def lock_path(self) -> str:
        return os.path.join(self.records, "supervisor.lock")

    @property
    def log_path(self) -> str:
        return os.path.join(self.records, "supervisor.log")

    @property
    def bell_path(self) -> str:
        return os.path.join(self.records, "bell")

    def prepare(self) -> None:
        """Make `.dispatch` (0700, ignored by git) and the records. Raises DispatchError when that cannot be."""
        if self.exists():
            return
        trust.check_place(self.root)
        try:
            for path in (self.dir, self.tasks_dir):
                files.private_dir(path)
        except OSError as e:
            raise DispatchError(f"cannot make {self.dir}: {e.strerror}", hint="dispatch needs to write there") from e
        ignore = os.path.join(self.dir, ".gitignore")
        if not os.path.exists(ignore):
            files.replace(ignore, "*\n")
        self._records = trust.register(self.root, self.base)

    def forget(self) -> None:
        """Remove the project's records, for a project that goes as well."""
        import shutil

        if self.exists():
            shutil.rmtree(self.records, ignore_errors=True)
        self._records = ""

    # --- tasks

    def ids(self) -> list[str]:
        """Ids of all tasks; a stray file or link among them is none."""
        try:
            with os.scandir(self.records_dir) as entries:
                return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False) and _is_id(e.name))
        except FileNotFoundError:
            return []

    def touched(self) -> Iterator[tuple[str, int]]:
        """Each task's id, and when something came into its directory of ours or went, or it was rung for (nanoseconds)."""
        for id in self.ids():
            try:
                yield id, os.stat(self.own(id), follow_symlinks=False).st_mtime_ns
            except OSError:
                continue

    def path(self, id: str, *names: str) -> str:
        """A path in the directory of task ID's worker (the id's form is checked). To be shown or told, not opened: `tree`."""
        return os.path.join(self.tasks_dir, task_id(id), *names)

    def tree(self, id: str) -> Tree:
        """What is in the directory of task ID's worker, who may have put anything there."""
        return Tree(self.root, ".dispatch", "tasks", task_id(id))

    def own(self, id: str, *names: str) -> str:
        """A path among what dispatch alone writes of task ID: its journal, requests, process and exit code."""
        return os.path.join(self.records_dir, task_id(id), *names)

    def own_tree(self, id: str) -> Tree:
        return Tree(self.records, "tasks", task_id(id))

    def find(self, name: str) -> str:
        """The id NAME stands for: itself, or the only one that begins with it. Raises TaskNotFound."""
        ids = self.ids()
        if name in ids:
            return name
        several = [id for id in ids if name and id.startswith(name)]
        if len(several) == 1:
            return several[0]
        raise _not_found(name, several, ids)


def _not_found(name: str, several: list[str], ids: list[str]) -> TaskNotFound:
    """NAME is none of IDS, and the beginning of SEVERAL of them."""
    if not ids:
        hint = "no task has been dispatched here yet: dispatch run --help"
        return TaskNotFound(f"no task {name[:80]!r} in this project", hint=hint)
    like = several or [id for id in ids if name and name in id]
    if not like:
        from difflib import get_close_matches

        like = get_close_matches(name[:80], ids, SHOWN)
    if len(like) == 1:
        return TaskNotFound(f"no task {name[:80]!r} in this project; did you mean {like[0]!r}?")
    like = like or ids
    listed = ", ".join(like[-SHOWN:]) + (f" … and {len(like) - SHOWN} more" if len(like) > SHOWN else "")
    said = f"several tasks begin with {name[:80]!r}" if several else f"no task {name[:80]!r} in this project"
    return TaskNotFound(said, hint=f"there is: {listed}")


def _made_here(root: str, base: str) -> bool:
    from dispatch_tmux.store import migrate  # once in a project's life

    return migrate.made_here(root, base)


def _is_id(name: str) -> bool:
    try:
        return bool(task_id(name))
    except DispatchError:
        return False
