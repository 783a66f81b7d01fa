"""What is kept of a project: journals, requests, questions and answers, plans, and who supervises. Where that lies: directories.py."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from dispatch_tmux.core.task import Event, Question, Task, number_of
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, plan_file, question_files, removal, watchman
from dispatch_tmux.store.directories import Directories
from dispatch_tmux.store.journal import Journal
from dispatch_tmux.store.question_files import CUT, MOST_OPEN, Asked
from dispatch_tmux.store.tree import Tree
from dispatch_tmux.store.watchman import Watchman

_FLAG = re.compile(r"[0-9]{3,}\.flag")
MAKING = 10.0  # seconds that the making of a task's files may take


class Store(Directories):
    """All that dispatch keeps of a project."""

    def __init__(self, root: str, base: str | None = None) -> None:
        super().__init__(root, base)
        self._journals: dict[str, Journal] = {}

    def forget(self) -> None:
        """Remove the project's records, for a project that goes as well."""
        super().forget()
        self._journals = {}

    # --- tasks

    def claim(self, id: str) -> bool:
        """Make the directories of task ID; False when it exists. Of two at once one wins."""
        own = self.own(id)
        try:
            os.mkdir(own, 0o700)
        except FileExistsError:
            if not self.is_abandoned(id):
                return False
            self.remove(id)
            return self.claim(id)
        except OSError as e:
            raise DispatchError(f"cannot make {own}: {e.strerror}") from e
        os.mkdir(os.path.join(own, "inbox"), 0o700)
        self._make_worker_dir(id)
        return True

    def is_abandoned(self, id: str) -> bool:
        """Whether the making of task ID was interrupted: its directory is there for a while, and no event in its journal."""
        try:
            made = os.stat(self.own(id)).st_mtime
        except OSError:
            return False
        return time.time() - made > MAKING and not self._has_begun(id)

    def _has_begun(self, id: str) -> bool:
        """Whether the journal of task ID has a whole line, or is odd, as no interrupted making leaves it."""
        if not os.path.lexists(self.own(id, "journal.jsonl")):
            return False
        begun = self.own_tree(id).read_bytes("journal.jsonl", most=1 << 16)
        return begun is None or b"\n" in begun or len(begun) == 1 << 16

    def _make_worker_dir(self, id: str) -> None:
        """The directory for task ID's worker; one that lies there without a task is put aside."""
        tree = Tree(self.root, ".dispatch", "tasks")
        try:
            if os.path.lexists(tree.at(id)):
                aside = os.path.join(self.dir, "left")
                files.private_dir(aside)
                os.rename(tree.at(id), os.path.join(aside, f"{id}-{time.time_ns():x}"))
            for names in ((id,), (id, "ipc"), (id, "signals")):
                tree.make(*names)
        except OSError as e:
            raise DispatchError(f"cannot make {tree.at(id)}: {e.strerror}") from e

    def remove(self, id: str) -> None:
        """Remove task ID and all that is kept of it. At once it is no task any more; its files go one by one.

        Raises DispatchError when something of it cannot be removed.
        """
        removal.delete(self.put_away(id))

    def put_away(self, id: str) -> list[str]:
        """At once there is no task ID any more. Returns what its files are in now, for removal.delete."""
        self._journals.pop(id, None)
        return [away for path in (self.own(id), self.path(id)) if (away := removal.put_away(path))]

    # --- journal

    def _journal(self, id: str) -> Journal:
        found = self._journals.get(id)
        if found is None:
            found = self._journals[id] = Journal(self.own_tree(id), id)
        return found

    def append(self, id: str, kind: str, key: str = "", **data: Any) -> bool:
        """Write an event at the end of the journal; False (and nothing written) when its KEY is there already."""
        written = self._journal(id).append(kind, key, **data)
        if written:
            self.ring()
            if kind == "created":
                self._ring_for(id)
        return written

    def write_journal(self, id: str, text: bytes) -> None:
        """TEXT is the journal of task ID, which has none yet."""
        self.own_tree(id).replace("journal.jsonl", text=text)
        self.ring()
        self._ring_for(id)

    def events(self, id: str) -> list[Event]:
        """The journal, in order. Damaged lines are left out; `damage` counts them."""
        return self._journal(id).events()

    def size(self, id: str) -> int:
        """Bytes of the journal, which only grows; 0 when there is none."""
        facts = self.own_tree(id).stat("journal.jsonl")
        return facts.st_size if facts else 0

    def damage(self, id: str) -> int:
        """Lines of the journal that say nothing (half written before a power cut)."""
        return self._journal(id).damage()

    def task(self, id: str) -> Task:
        return self._journal(id).task()

    def ring(self) -> None:
        """Tell those who wait that some journal has grown: they watch this one file."""
        try:
            os.close(
                os.open(self.bell_path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            )
        except OSError:
            pass  # they look again by themselves every two seconds

    @contextmanager
    def alone(self, id: str, seconds: float = files.WAIT) -> Iterator[None]:
        """Of several processes that change task ID, or begin it, one does. Raises DispatchError after SECONDS of waiting."""
        own = self.own(id)
        try:
            folder = os.open(own, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as e:
            raise DispatchError(f"cannot open {own}: {e.strerror}") from e
        try:
            with files.locked(folder, own, seconds):
                yield
        finally:
            os.close(folder)

    # --- questions

    def asked(self, id: str, known: Iterable[Question] = (), most: int = MOST_OPEN) -> list[Asked]:
        """The questions of task ID that are whole, by number, MOST of them; those that are KNOWN already are left out."""
        return question_files.asked(self.tree(id), known, most)

    def write_question(self, id: str, q: Question) -> bool:
        """Write down that a worker asks Q through a file; False when that is on record."""
        choices = [list(choice[:2]) for choice in q.choices]
        return self.append(
            id, "question", f"question:{q.id}", q=q.id, via="file", text=q.text, choices=choices, made=q.made
        )

    def flags(self, id: str) -> list[tuple[str, str]]:
        """What the worker of task ID wants known at once: (number, text), in order."""
        tree = self.tree(id)
        names = sorted(name for name in tree.names("ipc") if _FLAG.fullmatch(name))
        return [(name[:-5], (tree.read("ipc", name, most=CUT) or "").strip()) for name in names]

    def write_answer(self, id: str, q: str, text: str) -> bool:
        """Answer question Q through its file; False when it has one already."""
        tree = self.tree(id)
        question_files.put_aside_stale(tree, q)
        return tree.replace("ipc", f"{number_of(q)}.answer", text=text + "\n", exclusive=True)

    def answer_of(self, id: str, q: str) -> str | None:
        text = self.tree(id).read("ipc", f"{number_of(q)}.answer")
        return None if text is None else text.removesuffix("\n")

    def is_marked_done(self, id: str) -> bool:
        tree = self.tree(id)
        return tree.has("ipc", ".done") or tree.has(".done")

    # --- requests to the supervisor: a file each, so that none is lost with it

    def request(self, id: str, kind: str, *, rid: str = "", **data: Any) -> str:
        """Leave a request for the supervisor and return its id; requests are carried out in the order of their ids.

        RID: one of an id of its own, which is the same request when it is left once more.
        """
        rid = rid or f"{time.time_ns():x}-{os.getpid():x}"
        self.own_tree(id).replace("inbox", f"{rid}.json", text=json.dumps({"kind": kind, **data}))
        self._ring_for(id)
        return rid

    def _ring_for(self, id: str) -> None:
        """Tell the supervisor of task ID, which it may know nothing of yet: it sees the time of each task's directory."""
        try:
            os.utime(self.own(id), follow_symlinks=False)
        except OSError:
            pass  # it looks by itself after a while

    def requests(self, id: str) -> list[tuple[str, dict[str, Any]]]:
        tree = self.own_tree(id)
        found = []
        for name in sorted(n for n in tree.names("inbox") if n.endswith(".json")):
            try:
                found.append((name[:-5], dict(json.loads(tree.read("inbox", name, most=1 << 24) or ""))))
            except (ValueError, TypeError, RecursionError):
                self.drop_request(id, name[:-5])  # nobody can carry it out, and the verb that left it has said so
        return found

    def is_requested(self, id: str, rid: str) -> bool:
        """Whether the request RID is still there."""
        return self.own_tree(id).has("inbox", f"{rid}.json")

    def drop_request(self, id: str, rid: str) -> None:
        self.own_tree(id).remove("inbox", f"{rid}.json")

    # --- the queue

    @property
    def _pause_path(self) -> str:
        """While this file is there nothing new starts. It lies where the supervisor sees it come and go."""
        return os.path.join(self.records_dir, ".paused")

    def paused(self) -> bool:
        return os.path.exists(self._pause_path)

    def pause(self) -> bool:
        """Let nothing new start; False when that is so already."""
        return files.replace(self._pause_path, "", exclusive=True)

    def unpause(self) -> bool:
        """Let the queue start workers again; False when it was not paused."""
        try:
            os.unlink(self._pause_path)
        except FileNotFoundError:
            return False
        return True

    # --- the rest

    def plan(self, id: str) -> str:
        """The plan as it is now, as much as can be a checklist; '' when the worker has removed it. Not to be written back."""
        return self.tree(id).read(plan_file.NAME, most=plan_file.CHECKLIST) or ""

    def exit_code(self, id: str, attempt: int) -> int | None:
        """The exit code that the launch line wrote for ATTEMPT, or None."""
        own = self.own_tree(id)
        words = (own.read("exit", most=200) or "").split()
        if not words and (own.read("old-layout", most=100) or "").strip() == str(attempt):
            words = (self.tree(id).read("exit", most=200) or "").split()  # it was started before the records moved
        if len(words) == 2 and words[0] == str(attempt) and words[1].isascii() and words[1].isdigit():
            return int(words[1][:6])
        return None

    def supervised(self) -> bool:
        """Whether a supervisor watches the tasks now, and is able to."""
        found = self.watchman()
        return found is not None and not found.trouble

    def is_left(self, seconds: float) -> bool:
        """Whether its supervisor ends, or has ended, within SECONDS: what is removed before that it may write anew."""
        end = time.monotonic() + seconds
        while files.is_locked(self.lock_path):
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def watchman(self) -> Watchman | None:
        """The process that supervises, with what keeps it from its work; None when nobody does."""
        return watchman.find(self.records, self.root)
