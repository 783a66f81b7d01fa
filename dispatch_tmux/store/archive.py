"""What is kept of tasks that were cleaned away: a file each, among the records, where no worker writes.

    archive/<id>.<when the task was made, in ms, hexadecimal>.json.gz

is JSON in one gzip member: facts of the task, and its files as text (bytes that are no UTF-8 as surrogates, PEP 383) with their
times. A file is whole or not there. It has no environment, no request, no screen, no raw output.
"""

from __future__ import annotations

import json
import os
import re
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, task_file
from dispatch_tmux.store.journal import parse
from dispatch_tmux.store.plan_file import CHECKLIST
from dispatch_tmux.store.question_files import MOST_QUESTION
from dispatch_tmux.store.tree import Tree

if TYPE_CHECKING:
    from dispatch_tmux.store.store import Store

VERSION = 1
OUTPUT = 1 << 20  # bytes that are kept of a result, and of the context that it left
JOURNAL = 16 << 20  # bytes of a journal that is kept whole; of a longer one its beginning and its end, HALF each
HALF = 4 << 20
ASKED = 4 << 20  # bytes of all files through which one worker has asked and was answered
WHOLE = 128 << 20  # bytes of an archived task, unpacked
LEVEL = 1  # of compression: what more would take a `clean` twice as long for a tenth less
ASKING = re.compile(r"[0-9]{3,20}\.(?:question|answer|done|flag)(?:\.former)?|\.done")
OURS = {"journal.jsonl": JOURNAL, "task.yaml": 1 << 20, "usage.json": 2000}
THEIRS = {"plan.md": CHECKLIST, "output.md": OUTPUT, "context.md": OUTPUT, "session": 1000, ".done": 1}
HARMLESS = (  # what of a task.yaml is kept: what `run` and `retry` have written
    "prompt", "prefix", "model", "backend_model", "backend", "cwd", "context", "fallbacks", "permissions", "mark", "worktree",
    "base", "fresh",
)  # fmt: skip
_LINE = re.compile(r'[a-z_]+: (?:["[{0-9]|true|false|null)')  # as `task_file.render` writes it: JSON has no line break
_NAME = re.compile(r"([a-z0-9-]{1,64})\.([0-9a-f]{1,16})\.json\.gz")
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_FACTS = ("title", "model", "backend", "group", "why", "cwd", "created", "since", "ran", "attempt", "marks")


class Entry(NamedTuple):
    """An archived task, by the name of its file: the task's id, a key that no other has; size and time (ns) of the file."""

    key: str
    id: str
    size: int
    time: int


class Archived(NamedTuple):
    """A task as it was kept: facts in TASK (not its questions), its files' texts and times (ns), and the bytes that were cut off.

    `key` is '' for one that is not in the archive (yet).
    """

    key: str
    task: Task
    files: dict[str, str]
    times: dict[str, int]
    cut: dict[str, int]


def folder(records: str) -> str:
    """Where the archive of the project is whose records are in RECORDS."""
    return os.path.join(records, "archive")


@contextmanager
def alone(records: str) -> Iterator[None]:
    """While nobody else puts a task into the archive, or takes one out. Raises DispatchError."""
    try:
        files.private_dir(folder(records))
    except OSError as e:
        raise DispatchError(
            f"cannot make {folder(records)}: {e.strerror}", hint="`dispatch clean --forget` keeps nothing"
        ) from e
    with files.Lock(os.path.join(folder(records), ".lock"), lambda: None):
        yield


def keep(store: Store, tasks: Sequence[Task]) -> dict[str, str]:
    """Archive TASKS, `alone`; returns those that could not be, id → why. On return what was kept is on the disk.

    A task of which nothing is left, as somebody else has removed it meanwhile, is passed over.
    """
    fresh = _being_made(store.records)
    where, making = (
        os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for path in (folder(store.records), fresh)
    )
    failed, made = {}, []
    try:
        for task in tasks:
            try:
                if name := _write(making, store, task):
                    made.append(name)
            except (OSError, DispatchError) as e:
                failed[task.id] = f"it cannot be archived: {getattr(e, 'strerror', None) or e}"
        files.sync(making)  # all at once: a file each would take a disk as many turns
        for name in made:
            os.rename(name, name, src_dir_fd=making, dst_dir_fd=where)
        os.fsync(where)
    finally:
        os.close(where)
        os.close(making)
    return failed


def _being_made(records: str) -> str:
    """Where files lie until they are whole, without what killed ones have left there."""
    tree = Tree(records, "archive", ".new")
    files.private_dir(tree.path)
    for name in tree.names():
        tree.remove(name)
    return tree.path


def _write(making: int, store: Store, task: Task) -> str:
    """Write what is kept of TASK into the open directory MAKING; returns the file's name, '' when there is nothing to keep."""
    made, data = _packed(store, task)
    if not data:
        return ""
    name = f"{task.id}.{made:x}.json.gz"
    with open(
        os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=making), "wb", 0
    ) as file:
        files.write_all(file.fileno(), data)
    return name


def _packed(store: Store, task: Task) -> tuple[int, bytes]:
    """When TASK was made (ms since the epoch), and what its file is to be; b'' where there is nothing to keep."""
    found = gathered(store, task)
    if not found.files:
        return 0, b""
    whole = {
        "v": VERSION, "id": task.id, "state": task.state.value, **{name: getattr(task, name) for name in _FACTS},
        "files": found.files, "times": found.times, "cut": found.cut,
    }  # fmt: skip
    made = task.created or min(found.times.values()) / 1e9
    packer = zlib.compressobj(LEVEL, wbits=31)
    return round(made * 1000), packer.compress(_ENCODER.encode(whole).encode()) + packer.flush()


def gathered(store: Store, task: Task) -> Archived:
    """What there is to keep of TASK, as it lies there now; without files where somebody has removed it meanwhile."""
    own, theirs = store.own_tree(task.id), store.tree(task.id)
    left = ASKED

    def asking(name: str) -> int:
        return MOST_QUESTION if ASKING.fullmatch(name) else 0

    taken = own.gather(most=OURS)
    if not taken and not os.path.isdir(own.path):
        return Archived("", task, {}, {}, {})
    taken |= theirs.gather(most=THEIRS)
    for name, (data, facts) in theirs.gather("ipc", most=asking).items():
        taken[f"ipc/{name}"] = data[:left], facts
        left -= len(data[:left])
    cut = {name: facts.st_size - len(data) for name, (data, facts) in taken.items() if facts.st_size > len(data)}
    texts = {name: data.decode("utf-8", "surrogateescape") for name, (data, _) in taken.items()}
    if "journal.jsonl" in cut:
        texts["journal.jsonl"], cut["journal.jsonl"] = _halves(own)
    if "task.yaml" in texts:
        texts["task.yaml"] = _harmless(texts["task.yaml"])
    return Archived("", task, texts, {name: facts.st_mtime_ns for name, (_, facts) in taken.items()}, cut)


def _harmless(text: str) -> str:
    """What of TEXT, a task.yaml's, is kept."""
    lines = text.splitlines(keepends=True)
    if not all(map(_LINE.match, lines)):  # a person has edited it
        said = task_file.parse(text)
        return task_file.render({name: said[name] for name in HARMLESS if name in said})
    return "".join(line for line in lines if line.partition(":")[0] in HARMLESS)


def _halves(own: Tree) -> tuple[str, int]:
    """The beginning and the end of a long journal, by whole lines, and the number of bytes that are not kept."""
    with own.opened("journal.jsonl", flags=os.O_RDONLY) as fd:
        size = os.fstat(fd).st_size
        first, last = os.pread(fd, HALF, 0), os.pread(fd, HALF, max(HALF, size - HALF))
    first, last = first[: first.rfind(b"\n") + 1], last[last.find(b"\n") + 1 :]
    lost = size - len(first) - len(last)
    said = json.dumps({"t": round(time.time(), 3), "kind": "cut", "bytes": lost})
    return first.decode("utf-8", "surrogateescape") + said + "\n" + last.decode("utf-8", "surrogateescape"), lost


def entries(records: str) -> list[Entry]:
    """What is in the archive, in no order."""
    found = []
    try:
        with os.scandir(folder(records)) as there:
            for one in there:
                if (named := _NAME.fullmatch(one.name)) and one.is_file(follow_symlinks=False):
                    facts = one.stat(follow_symlinks=False)
                    found.append(Entry(one.name[:-8], named[1], facts.st_size, facts.st_mtime_ns))
    except OSError:
        return []  # none was made, or one went this moment
    return found


def load(records: str, key: str) -> Archived:
    """The archived task KEY. Raises DispatchError for one that is not there, damaged, or of a later version."""
    tree = Tree(records, "archive")
    path = tree.at(f"{key}.json.gz")
    packed = tree.read_bytes(f"{key}.json.gz", most=WHOLE)
    if packed is None:
        raise DispatchError(f"there is no {path}")
    try:
        unpacker = zlib.decompressobj(wbits=31)
        text = unpacker.decompress(packed, WHOLE)
        if not unpacker.eof:
            raise ValueError
        data = json.loads(text)
        if data["v"] != VERSION:
            raise DispatchError(f"{path} was written by another version of dispatch", hint="dispatch --version")
        return _archived(key, data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error):
        raise DispatchError(f"{path} is damaged", hint="nothing can be said of it; it may be removed") from None


def _archived(key: str, data: dict[str, Any]) -> Archived:
    kinds = Task("")
    facts = {name: type(getattr(kinds, name))(data[name]) for name in _FACTS}
    return Archived(
        key,
        Task(id=key.rpartition(".")[0], state=State(data["state"]), **facts),
        {str(name): str(text) for name, text in data["files"].items()},
        {str(name): int(ns) for name, ns in data["times"].items()},
        {str(name): int(count) for name, count in data["cut"].items()},
    )


def bring_back(store: Store, found: Archived, id: str) -> bool:
    """Make FOUND the task ID, `alone`; False when there is one of that id. Until its journal is there, at last, it is none.

    Raises DispatchError for one whose journal was damaged.
    """
    try:
        data = {name: text.encode("utf-8", "surrogateescape") for name, text in found.files.items() if _is_named(name)}
    except UnicodeEncodeError:
        data = {}
    journal = data.pop("journal.jsonl", b"")
    if not any((event := parse(line)) and event.kind == "created" for line in journal.split(b"\n")):
        raise DispatchError(
            f"the journal of {found.task.id} was damaged, it cannot come back",
            hint=f"`dispatch history {found.key}` prints what there is of it",
        )
    if not store.claim(id):
        return False
    for name, text in data.items():
        tree = store.own_tree(id) if name in OURS else store.tree(id)
        tree.replace(*name.split("/"), text=text)
        if name in found.times:
            tree.set_time(*name.split("/"), ns=found.times[name])
    said = json.dumps({"t": round(time.time(), 3), "kind": "restored", "from": found.key}).encode()
    store.write_journal(id, journal + (b"" if journal.endswith(b"\n") else b"\n") + said + b"\n")
    return True


def _is_named(name: str) -> bool:
    """Whether a file of that NAME is put into a task's directory."""
    return name in OURS or name in THEIRS or (name.startswith("ipc/") and bool(ASKING.fullmatch(name[4:])))


def remove(records: str, key: str) -> None:
    """Remove the archived task KEY."""
    Tree(records, "archive").remove(f"{key}.json.gz")


def bounded(records: str, days: float, megabytes: float) -> int:
    """Remove, `alone`, what is older than DAYS, and the oldest of what is over MEGABYTES (0: no bound). Returns how many went."""
    if not days and not megabytes:
        return 0
    before, room, gone = (time.time() - days * 86400) * 1e9 if days else 0.0, megabytes * 1e6, 0
    for entry in sorted(entries(records), key=lambda e: -e.time):
        room -= entry.size
        if entry.time < before or (megabytes and room < 0):
            remove(records, entry.key)
            gone += 1
    return gone


def size(found: Iterable[Entry]) -> int:
    """Bytes that FOUND take."""
    return sum(entry.size for entry in found)
