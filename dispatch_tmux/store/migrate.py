"""Taking the records of a project out of its `.dispatch`, where earlier versions kept them beside the workers' files.

Done once, by the first verb, for what was made here; `dispatch trust` does it for anything else, after a yes. It may be
interrupted at any point: it goes on where it stopped, and counts as done when the project's proof is there.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import time

from dispatch_tmux.core.fold import fold
from dispatch_tmux.core.task import Event
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, processes, trust
from dispatch_tmux.store.journal import parse
from dispatch_tmux.store.tree import Tree

_OURS = re.compile(
    r"journal\.jsonl|task\.yaml|process-\d+|exit|launch-\d+-\d+\.json|set-up|screen\.txt|terminal\.log(\.1)?|usage\.json|main-checkout\.json"
)
_SLACK = 5.0  # seconds between the writing of a task's files and the event that tells of it
_PROJECT = ("consumers", "supervisor.log", "supervisor.log.1")
MOST_JOURNAL = 1 << 28  # bytes


def made_here(root: str, base: str) -> bool:
    """Whether dispatch itself made at least one of the tasks in ROOT's old `.dispatch`, or there is none to believe in.

    A migration that was begun and interrupted has seen to that.
    """
    tree = Tree(root, ".dispatch")
    ids = _ids(tree)
    return not ids or bool(_interrupted(root, base)) or any(is_made_here(tree, id) for id in ids)


def is_made_here(tree: Tree, id: str) -> bool:
    """Whether the kernel's own time of the task's files (ctime, which nobody can set) is that of the events that tell of them.

    What an archive, a copy or a repository brings is as old as its unpacking; nobody can write that into a journal before.
    """
    facts = tree.stat("tasks", id, "task.yaml") or tree.stat("tasks", id, "process-1")
    told = [e.t for e in _events(tree, id) if e.kind in ("created", "switched")]
    return facts is not None and any(abs(facts.st_ctime - t) < _SLACK for t in told)


def migrate(root: str, base: str, *, everything: bool = False) -> str:
    """Move the records to BASE and return where they are. EVERYTHING: also of tasks that were not made here, without their
    requests. Raises DispatchError.
    """
    os.makedirs(os.path.join(base, "projects"), mode=0o700, exist_ok=True)
    with files.Lock(os.path.join(base, "projects", ".lock"), on_wait=lambda: None):
        found = trust.standing(root, base)
        if found.kind == "ours":
            return found.records  # another one was quicker
        _end_supervisor(root)
        records = _begun(root, base)
        old, new = Tree(root, ".dispatch"), Tree(records)
        for id in _ids(old):
            begun = os.path.isdir(new.at("tasks", id))  # what tells that it was made here may have been moved already
            if everything or begun or is_made_here(old, id):
                _move_task(old, new, id, requests=not everything)
        for name in _PROJECT:
            _move(old.at(name), new.at(name))
        if old.has("tasks", ".paused"):
            _move(old.at("tasks", ".paused"), new.at("tasks", ".paused"))
        for name in ("supervisor.lock", "session.lock", "bell", "summaries.json"):
            old.remove(name)
        name = os.path.basename(records)
        return trust.prove(root, base, name)


def take_over(root: str, base: str) -> str:
    """Make a `.dispatch` ours that is not, after a person's yes; returns where its records are. Requests in it are dropped.

    Raises ForeignProject for one that belongs to another user, or that others may write: that is not ours to take.
    """
    found = trust.standing(root, base)
    if found.kind in ("ours", "none"):
        return found.records
    tree = Tree(root, ".dispatch")
    if not trust.may_be_taken(root):
        raise trust.refusal(root, found)
    tree.remove("project")
    if _ids(tree):
        return migrate(root, base, everything=True)
    return trust.register(root, base)


def _ids(tree: Tree) -> list[str]:
    return [
        name
        for name in tree.names("tasks")
        if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name) and tree.has("tasks", name, "journal.jsonl")
    ]


def _events(tree: Tree, id: str) -> list[Event]:
    data = tree.read_bytes("tasks", id, "journal.jsonl", most=MOST_JOURNAL) or b""
    return [found for found in map(parse, data.split(b"\n")) if found]


def _begun(root: str, base: str) -> str:
    """The directory for the records: that of an interrupted migration of ROOT, or a new one."""
    if found := _interrupted(root, base):
        return found
    records = os.path.join(base, "projects", trust.new_name(root))
    for folder in (records, os.path.join(records, "tasks")):
        files.private_dir(folder)
    files.replace(os.path.join(records, "migrating"), root + "\n")
    return records


def _interrupted(root: str, base: str) -> str:
    """The records of a migration of ROOT that was begun and did not end; '' without one."""
    projects = Tree(base, "projects")
    marks = ((name, projects.read(name, "migrating", most=5000)) for name in projects.names())
    return next((projects.at(name) for name, said in marks if said == root + "\n"), "")


def _move_task(old: Tree, new: Tree, id: str, *, requests: bool) -> None:
    task = fold(id, _events(old, id))
    for folder in (("tasks", id), ("tasks", id, "inbox")):
        try:
            new.make(*folder)
        except FileExistsError:
            pass
    if task.attempt and task.exit_code is None:
        new.replace("tasks", id, "old-layout", text=f"{task.attempt}\n")  # its launch line writes its exit code there
    for name in old.names("tasks", id, "inbox"):
        if requests and name.endswith(".json"):
            _move(old.at("tasks", id, "inbox", name), new.at("tasks", id, "inbox", name))
    shutil.rmtree(old.at("tasks", id, "inbox"), ignore_errors=True)
    for name in sorted(
        old.names("tasks", id), key=lambda name: name == "journal.jsonl"
    ):  # without its journal it is no task
        if _OURS.fullmatch(name):
            _move(old.at("tasks", id, name), new.at("tasks", id, name))


def _move(source: str, target: str) -> None:
    """Move a file, or a directory of them one by one, so that half of it may be there; what is neither is left where it is."""
    try:
        mode = os.lstat(source).st_mode
        if stat.S_ISDIR(mode):
            os.makedirs(target, mode=0o700, exist_ok=True)
            for name in os.listdir(source):
                _move(os.path.join(source, name), os.path.join(target, name))
            shutil.rmtree(source, ignore_errors=True)
        elif stat.S_ISREG(mode):
            shutil.move(source, target)
    except FileNotFoundError:
        return
    except OSError as e:
        raise DispatchError(
            f"cannot move {source} to {target}: {e.strerror}", hint="make room there, then try again"
        ) from e


def _end_supervisor(root: str) -> None:
    """End the supervisor of the older version; its workers live on, and the next one finds them."""
    path = os.path.join(root, ".dispatch", "supervisor.lock")
    if not files.is_locked(path):
        return
    pid = processes.pid_in((Tree(root, ".dispatch").read("supervisor.lock", most=100) or "").strip())
    if _runs(pid, root):
        loop = _parent(pid)
        for one in ([loop] if loop and _runs(loop, root) else []) + [pid]:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                pass
    end = time.monotonic() + 5.0
    while files.is_locked(path):
        if time.monotonic() > end:
            raise DispatchError(f"an older dispatch still supervises {root}", hint=f"end it: process {pid}")
        time.sleep(0.02)


def _runs(pid: int, root: str) -> bool:
    """Whether PID is a supervisor of ROOT, or the loop that restarts it."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            words = f.read().split(b"\0")
    except OSError:
        return False
    return os.fsencode(root) in words and any(b"supervis" in word for word in words)


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
