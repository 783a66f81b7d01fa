"""A worker's processes: is it alive, and ending all of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping

from dispatch_tmux.store import files
from dispatch_tmux.store.tree import Tree

GRACE = 2.0  # seconds between asking (SIGTERM) and killing


def pid_in(text: str) -> int:
    """The process that TEXT, of a file that may be damaged, names; 0 for none."""
    return int(text) if len(text) < 10 and text.isascii() and text.isdigit() else 0


def launched(own: str, attempt: int) -> tuple[int, str] | None:
    """(pid, start time) of the launch line of ATTEMPT, or None before it has claimed the attempt. OWN: as Store.own gives it."""
    words = (Tree(own).read(f"process-{attempt}", most=100) or "").split()
    return (pid, words[1]) if len(words) == 2 and (pid := pid_in(words[0])) else None


def claimed(own: str, attempt: int) -> float:
    """When the launch line of ATTEMPT began, in seconds since the epoch; 0.0 before it has."""
    try:
        return os.stat(os.path.join(own, f"process-{attempt}")).st_mtime
    except FileNotFoundError:
        return 0.0


def environment(pid: int) -> dict[str, str] | None:
    """What PID was started with; None when it is gone. Where the system does not tell, our own."""
    if not os.path.isdir("/proc/self"):
        return dict(os.environ)
    try:
        with open(f"/proc/{pid}/environ", "rb") as f:
            pairs = (os.fsdecode(pair).partition("=") for pair in f.read().split(b"\0") if b"=" in pair)
            return {name: value for name, _, value in pairs}
    except OSError:
        return None


def alive(process: tuple[int, str] | None) -> bool:
    """Whether that very process runs: its pid, and the start time that tells it from a later one."""
    if process is None:
        return False
    pid, started = process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    stat = _stat(pid)
    return stat is None or (stat[19] == started and stat[0] != "Z") if os.path.isdir("/proc/self") else True


def started(pid: int) -> str:
    """When PID began, as `launched` has it; '0' where the system does not tell."""
    stat = _stat(pid)
    return stat[19] if stat else "0"


def running(own: str, attempt: int, pid: int) -> bool | None:
    """Whether ATTEMPT's launch line runs. PID is what tmux started, which counts until the attempt is claimed; 0: None."""
    process = launched(own, attempt)
    if process:
        return alive(process)
    if not pid:
        return None
    stat = _stat(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return stat is None or stat[0] != "Z"


def in_front(pid: int) -> list[int]:
    """PID and those below it that belong to its group or to the one in its terminal's foreground: what Ctrl-Z stops."""
    own = _stat(pid)
    if own is None:
        return []
    groups = {own[2], own[5]}  # proc(5): pgrp, tpgid
    children = _children()
    found = [pid]
    for parent in found:
        found += [child for child, group in children.get(str(parent), ()) if group in groups and child != pid]
    return found


_KEPT: list[tuple[float, dict[str, list[tuple[int, str]]]]] = []  # the last of the following, and when it was made


def _children() -> dict[str, list[tuple[int, str]]]:
    """parent → (pid, process group) of each of its children; not older than a second, for all workers are looked at in a row."""
    now = time.monotonic()
    if not _KEPT or now - _KEPT[0][0] > 1.0:
        found: dict[str, list[tuple[int, str]]] = {}
        for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
            if name.isdigit() and (stat := _stat(int(name))):
                found.setdefault(stat[1], []).append((int(name), stat[2]))
        _KEPT[:] = [(now, found)]
    return _KEPT[0][1]


def stopped(pids: Iterable[int]) -> list[int]:
    """Those of PIDS that are stopped (SIGSTOP, SIGTSTP), which is not ended."""
    return [pid for pid in pids if (stat := _stat(pid)) and stat[0] == "T"]


def go_on(pids: Iterable[int]) -> None:
    """Let those of PIDS that are stopped go on."""
    _send(signal.SIGCONT, pids)


def _stat(pid: int) -> list[str] | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def free_memory() -> int | None:
    """MB that new processes may take (proc(5), MemAvailable; less where a control group allows less); None: unknown."""
    try:
        with open("/proc/meminfo", encoding="ascii") as f:
            facts = dict(line.split(":", 1) for line in f)
        free = int(facts["MemAvailable"].split()[0]) // 1024
    except (OSError, KeyError, ValueError):
        return None
    group = "/sys/fs/cgroup"
    most, used = (files.read_text(f"{group}/memory.{name}", 100) or "" for name in ("max", "current"))
    cached = (files.read_text(f"{group}/memory.stat", 10_000) or "").partition("inactive_file ")[2].partition("\n")[0]
    if most.strip().isdigit() and used.strip().isdigit():
        free = min(free, (int(most) - int(used) + int(cached or 0)) >> 20)
    return max(free, 0)


def busy() -> int | None:
    """How many processes want to run at this moment (proc(5), loadavg); None: unknown."""
    try:
        with open("/proc/loadavg", encoding="ascii") as f:
            return int(f.read().split()[3].partition("/")[0])
    except (OSError, IndexError, ValueError):
        return None


def _table() -> dict[int, int]:
    """pid → parent, of all processes."""
    if os.path.isdir("/proc/self"):
        stats = ((int(name), _stat(int(name))) for name in os.listdir("/proc") if name.isdigit())
        return {pid: int(stat[1]) for pid, stat in stats if stat and stat[0] != "Z"}
    import subprocess  # where there is no /proc

    listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, timeout=10).stdout
    return {int(row[0]): int(row[1]) for row in map(str.split, listed.splitlines()) if len(row) == 2}


# what each process of a worker, or of a receiver of notifications, is started with; daemons that left the tree still carry it
_MARKS = (b"DISPATCH_TASK_DIR=", b"DISPATCH_NOTIFY=")


def _marked(task_dirs: Iterable[str]) -> dict[str, set[int]]:
    """The processes that carry the mark of each of TASK_DIRS (Linux); one look at all processes, however many are asked for."""
    found: dict[str, set[int]] = {task_dir: set() for task_dir in task_dirs}
    wanted = {os.fsencode(task_dir): task_dir for task_dir in found}
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as f:
                    marks = [word for word in f.read().split(b"\0") if word.startswith(_MARKS)]
            except OSError:
                continue
            for mark in marks:
                if task_dir := wanted.get(mark.partition(b"=")[2]):
                    found[task_dir].add(int(name))
    return found


def families(roots: Mapping[str, int | None]) -> dict[str, list[int]]:
    """Of each worker (its directory → its first process) all processes, children before parents: the tree below the first
    one, and those that left it. Never us.
    """
    table, marked = _table(), _marked(roots)
    spared = _ancestors(table)
    children: dict[int, list[int]] = {}
    for pid, parent in table.items():
        children.setdefault(parent, []).append(pid)
    found = {}
    for task_dir, root in roots.items():
        order: dict[int, None] = {}
        stack = sorted(marked[task_dir] & table.keys(), reverse=True) + ([root] if root in table else [])
        while stack:
            pid = stack.pop()
            if pid not in order:
                order[pid] = None
                stack += children.get(pid, ())
        found[task_dir] = [pid for pid in reversed(order) if pid not in spared]
    return found


def _ancestors(table: dict[int, int]) -> set[int]:
    pid, found = os.getpid(), set()
    while pid and pid not in found:
        found.add(pid)
        pid = table.get(pid, 0)
    return found


def end(task_dir: str, process: tuple[int, str] | None) -> list[int]:
    """End a worker's whole family, as `end_all` does. What is left after that, normally nothing."""
    return end_all({task_dir: process})[task_dir]


def end_all(workers: Mapping[str, tuple[int, str] | None]) -> dict[str, list[int]]:
    """End the whole families of WORKERS (directory → launch line), all at once: SIGTERM, GRACE seconds, SIGKILL.

    The launch lines themselves are spared the SIGTERM: each ends with its program and writes the exit code. Returns what
    is left of each after that, normally nothing.
    """
    roots = {task_dir: process[0] if process and alive(process) else None for task_dir, process in workers.items()}
    first = set(roots.values())
    left = families(roots)
    _send(signal.SIGTERM, (pid for pids in left.values() for pid in pids if pid not in first))
    left = _wait(roots)
    _send(signal.SIGKILL, (pid for pids in left.values() for pid in pids if pid not in first))
    left = _wait(roots)
    _send(signal.SIGKILL, (pid for pids in left.values() for pid in pids))
    return _wait(roots)


def _wait(roots: Mapping[str, int | None]) -> dict[str, list[int]]:
    """What is left of the families once they have ended, or GRACE is over."""
    deadline = time.monotonic() + GRACE
    while any((left := families(roots)).values()) and time.monotonic() < deadline:
        time.sleep(0.03)
    return left


def kill_family(mark: str, pid: int | None = None) -> None:
    """End PID, all below it and all that carry MARK at once (SIGKILL), those that they begin meanwhile, too."""
    for _ in range(3):
        if not (left := families({mark: pid})[mark]):
            break
        _send(signal.SIGKILL, left)


def kill(pid: int) -> None:
    """End PID at once; nothing happens when it is gone."""
    if pid > 1:
        _send(signal.SIGKILL, [pid])


def _send(number: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass
