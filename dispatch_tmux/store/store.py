"""The `.dispatch` directory of a project: task directories, their journals, their question files.

Paths are strings (importing pathlib costs each verb its share of "instant").
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any, NamedTuple

from dispatch_tmux.core import plan
from dispatch_tmux.core.task import Event, Task, fold, task_id
from dispatch_tmux.errors import DispatchError, TaskNotFound
from dispatch_tmux.store import files

_QUESTION = re.compile(r"(\d{3,})\.question")
_FLAG = re.compile(r"\d{3,}\.flag")
_CHOICE = re.compile(r"[ \t]*(\d{1,2})[.)][ \t]+(\S.*?)[ \t]*")
CUT = 2000  # characters of a question kept in the journal; the file has the rest
MOST_QUESTION = 256 * 1024  # bytes of a question file that are read


class Asked(NamedTuple):
    """A question file: its number as written ('001'), its text, its choices, and what has become of it."""

    q: str
    text: str
    choices: tuple[tuple[str, str], ...]
    answered: bool
    acknowledged: bool


class Store:
    """All that dispatch keeps of the project at ROOT."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.dir = os.path.join(root, ".dispatch")
        self.tasks_dir = os.path.join(self.dir, "tasks")
        self.lock_path = os.path.join(self.dir, "supervisor.lock")
        self.bell_path = os.path.join(self.dir, "bell")

    def prepare(self) -> None:
        """Make `.dispatch` (0700, ignored by git). Raises DispatchError when that cannot be."""
        try:
            for path in (self.dir, self.tasks_dir):
                files.private_dir(path)
        except OSError as e:
            raise DispatchError(f"cannot make {self.dir}: {e.strerror}", hint="dispatch needs to write there") from e
        ignore = os.path.join(self.dir, ".gitignore")
        if not os.path.exists(ignore):
            files.replace(ignore, "*\n")

    # --- tasks

    def ids(self) -> list[str]:
        """Ids of all tasks; a stray file or link among them is none."""
        if os.path.islink(self.dir) or os.path.islink(self.tasks_dir):
            raise DispatchError(f"{self.dir} is a symbolic link", hint="remove it; it may lead out of the project")
        try:
            with os.scandir(self.tasks_dir) as entries:
                return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False) and _is_id(e.name))
        except FileNotFoundError:
            return []

    def path(self, id: str, *names: str) -> str:
        """A path in the directory of task ID (whose form is checked; a link is refused)."""
        directory = os.path.join(self.tasks_dir, task_id(id))
        if os.path.islink(directory):
            raise DispatchError(f"{directory} is a symbolic link", hint="remove it; it may lead out of the project")
        return os.path.join(directory, *names)

    def own(self, id: str, *names: str) -> str:
        """A path among what dispatch alone writes of task ID: its journal, requests, process and exit code."""
        return self.path(id, *names)

    def find(self, name: str) -> str:
        """The id NAME stands for: itself, or the only one that begins with it. Raises TaskNotFound."""
        ids = self.ids()
        if name in ids:
            return name
        near = [id for id in ids if name and id.startswith(name)]
        if len(near) == 1:
            return near[0]
        listed = ", ".join((near or [id for id in ids if name and name in id] or ids)[-5:])
        raise TaskNotFound(
            f"{'several tasks begin with' if near else 'no task'} {name[:80]!r}{'' if near else ' in this project'}",
            hint=f"there is: {listed}" if listed else "no task has been dispatched here yet: dispatch run --help",
        )

    def claim(self, id: str) -> bool:
        """Make the directories of task ID; False when it exists. Of two at once one wins."""
        try:
            os.mkdir(self.path(id), 0o700)
        except FileExistsError:
            return False
        except OSError as e:
            raise DispatchError(f"cannot make {self.path(id)}: {e.strerror}") from e
        for name in ("ipc", "signals", "inbox"):
            os.mkdir(self.path(id, name), 0o700)
        return True

    # --- journal

    def append(self, id: str, kind: str, key: str = "", **data: Any) -> bool:
        """Write an event at the end of the journal; False (and nothing written) when its KEY is there already."""
        path = self.own(id, "journal.jsonl")
        try:
            fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise DispatchError(f"cannot write {path}: {e.strerror}") from e
        try:
            with files.locked(fd):
                if key and _has_key(fd, key):
                    return False
                event = {"t": round(time.time(), 3), "kind": kind, **({"key": key} if key else {}), **data}
                files.append_line(fd, json.dumps(event, ensure_ascii=False).encode("utf-8", "replace"))
        except OSError as e:
            raise DispatchError(f"cannot write {path}: {e.strerror}") from e
        finally:
            os.close(fd)
        self.ring()
        return True

    def events(self, id: str) -> list[Event]:
        """The journal, in order. Damaged lines are left out; `damage` counts them."""
        return [e for e in map(_event, self._lines(id)) if e]

    def damage(self, id: str) -> int:
        """Lines of the journal that say nothing (half written before a power cut)."""
        return sum(1 for line in self._lines(id) if line.strip() and not _event(line))

    def _lines(self, id: str) -> list[bytes]:
        try:
            with open(self.own(id, "journal.jsonl"), "rb") as f:
                return f.read().split(b"\n")
        except FileNotFoundError:
            return []

    def task(self, id: str) -> Task:
        return fold(id, self.events(id))

    def ring(self) -> None:
        """Tell those who wait that some journal has grown: they watch this one file."""
        try:
            os.close(os.open(self.bell_path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError:
            pass  # they look again by themselves every two seconds

    # --- questions

    def asked(self, id: str) -> list[Asked]:
        """The question files of task ID, by number; gaps do not matter, leftovers of a rename are none."""
        ipc = self.path(id, "ipc")
        try:
            names = set(os.listdir(ipc))
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = [m[1] for m in map(_QUESTION.fullmatch, names) if m]
        whole = [
            q for q in found if f"{q}.answer" in names or not files.being_written(os.path.join(ipc, f"{q}.question"))
        ]
        return [self._asked(ipc, q, names) for q in sorted(whole, key=lambda q: (int(q), q))]

    def flags(self, id: str) -> list[tuple[str, str]]:
        """What the worker of task ID wants known at once: (number, text), in order."""
        ipc = self.path(id, "ipc")
        try:
            names = sorted(name for name in os.listdir(ipc) if _FLAG.fullmatch(name))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [(name[:-5], (files.read_text(os.path.join(ipc, name), CUT) or "").strip()) for name in names]

    def _asked(self, ipc: str, q: str, names: set[str]) -> Asked:
        text = (files.read_text(os.path.join(ipc, f"{q}.question"), MOST_QUESTION) or "").strip()
        return Asked(q, text, choices_of(text), f"{q}.answer" in names, f"{q}.done" in names)

    def write_answer(self, id: str, q: str, text: str) -> bool:
        """Answer question Q through its file; False when it has one already."""
        return files.replace(self.path(id, "ipc", f"{q}.answer"), text + "\n", exclusive=True)

    def answer_of(self, id: str, q: str) -> str | None:
        text = files.read_text(self.path(id, "ipc", f"{q}.answer"))
        return None if text is None else text.removesuffix("\n")

    def is_marked_done(self, id: str) -> bool:
        return any(os.path.exists(self.path(id, *where)) for where in (("ipc", ".done"), (".done",)))

    def is_acknowledged(self, id: str, q: str) -> bool:
        return os.path.exists(self.path(id, "ipc", f"{q}.done"))

    # --- requests to the supervisor: a file each, so that none is lost with it

    def request(self, id: str, kind: str, **data: Any) -> str:
        """Leave a request for the supervisor and return its id; requests are carried out in the order of their ids."""
        rid = f"{time.time_ns():x}-{os.getpid():x}"
        files.replace(self.own(id, "inbox", f"{rid}.json"), json.dumps({"kind": kind, **data}))
        return rid

    def requests(self, id: str) -> list[tuple[str, dict[str, Any]]]:
        try:
            names = sorted(n for n in os.listdir(self.own(id, "inbox")) if n.endswith(".json"))
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = []
        for name in names:
            try:
                found.append((name[:-5], dict(json.loads(files.read_text(self.own(id, "inbox", name), 1 << 24) or ""))))
            except ValueError:
                self.drop_request(id, name[:-5])  # nobody can carry it out, and the verb that left it has said so
        return found

    def drop_request(self, id: str, rid: str) -> None:
        try:
            os.unlink(self.own(id, "inbox", f"{rid}.json"))
        except FileNotFoundError:
            pass

    # --- the queue

    @property
    def _pause_path(self) -> str:
        """While this file is there nothing new starts. It lies where the supervisor sees it come and go."""
        return os.path.join(self.tasks_dir, ".paused")

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
        """The plan as it is now; '' when the worker has removed it."""
        return files.read_text(self.path(id, "plan.md")) or ""

    def put_note(self, id: str, text: str) -> None:
        """Add a note to the plan if it is not there. Appended in one write, so that no mark of the worker's is undone.

        A worker that writes its older copy over it loses it; the supervisor sees that and puts it there again.
        """
        before = self.plan(id)
        if plan.has_note(before, text):
            return
        path = self.path(id, "plan.md")
        after = plan.with_note(before, text)
        if not files.append(path, after[len(before) :]):
            files.replace(path, after)

    def exit_code(self, id: str, attempt: int) -> int | None:
        """The exit code that the launch line wrote for ATTEMPT, or None."""
        words = (files.read_text(self.own(id, "exit"), 200) or "").split()
        if len(words) == 2 and words[0] == str(attempt) and words[1].isdigit():
            return int(words[1])
        return None

    def supervised(self) -> bool:
        return files.is_locked(self.lock_path)


def choices_of(text: str) -> tuple[tuple[str, str], ...]:
    """The numbered lines (`1. JWT`) at the end of a question, two at least, counted from 1."""
    found: list[tuple[str, str]] = []
    for line in reversed(text.splitlines()):
        if match := _CHOICE.fullmatch(line):
            found.insert(0, (match[1], match[2]))
        elif line.strip():
            break
    return tuple(found) if len(found) > 1 and [k for k, _ in found] == [str(i + 1) for i in range(len(found))] else ()


def _is_id(name: str) -> bool:
    try:
        return bool(task_id(name))
    except DispatchError:
        return False


def _has_key(fd: int, key: str) -> bool:
    """Whether an event of that key is in the open journal; a quick look for its bytes comes first."""
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    needle = b'"key": ' + json.dumps(key, ensure_ascii=False).encode()
    return any(event and event.key == key for event in map(_event, data.split(b"\n"))) if needle in data else False


def _event(line: bytes) -> Event | None:
    try:
        data = json.loads(line)
        return Event(float(data.pop("t")), str(data.pop("kind")), str(data.pop("key", "")), data)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
