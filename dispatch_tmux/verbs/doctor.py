"""`dispatch doctor`: what works here, and what to do about what does not."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from dispatch_tmux import __version__
from dispatch_tmux.backends import discovery, versions
from dispatch_tmux.backends.load import Backend
from dispatch_tmux.config import load as config
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import run as git
from dispatch_tmux.store import archive, home, summaries
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.tmux import server as tmux
from dispatch_tmux.verbs import standing
from dispatch_tmux.verbs.stop import program_lives

GIT = "git"  # what a check is called; no command, which are lists that begin with it


class Finding(NamedTuple):
    """What a check found; `ok` None: worth knowing, and not wrong."""

    name: str
    ok: bool | None
    said: str


def doctor(project: Project) -> list[Finding]:
    """What works on this machine and in this project, and what to do about what does not. Changes nothing."""
    checks: list[tuple[str, Callable[[], tuple[bool | None, str]]]] = [
        ("dispatch", lambda: (True, f"{__version__}, Python {sys.version.split()[0]}")),
        ("config", _config),
        ("tmux", lambda: (True, f"{tmux.check()} at {tmux.binary()}")),
        ("tmux server", lambda: _server(project)),
        ("control mode", lambda: _control(project)),
        ("supervisor", lambda: _supervisor(project)),
        ("project", lambda: _project(project)),
        ("writing", lambda: _writing(project)),
        (GIT, lambda: _git(project)),
        ("gh", _gh),
        ("file events", lambda: _events(project)),
        ("journals", lambda: _journals(project)),
        ("archive", lambda: _archive(project)),
        ("notifications", lambda: _notifications(project)),
    ]
    found = [_tried(name, check) for name, check in checks]
    return [*found, *_backends(), _tried("leftovers", lambda: _leftovers(project))]


def _tried(name: str, check: Callable[[], tuple[bool | None, str]]) -> Finding:
    try:
        return Finding(name, *check())
    except DispatchError as e:
        return Finding(name, False, f"{e}{f' — {e.hint}' if e.hint else ''}")
    except OSError as e:
        return Finding(name, False, str(e))


def _config() -> tuple[bool | None, str]:
    return (
        (True, config.path()) if config.load() else (None, f"none at {config.path()}; the built-in settings are used")
    )


def _server(project: Project) -> tuple[bool | None, str]:
    server = session.server_of(project)
    flags = " ".join(server.socket.flags)
    return (
        (True, f"answers on {flags}")
        if server.running()
        else (None, f"none on {flags}; the first `dispatch run` starts it")
    )


def _control(project: Project) -> tuple[bool | None, str]:
    from dispatch_tmux.tmux.control import Control

    server = session.server_of(project)
    found = server.session_of(project.root) if server.running() else None
    if not found:
        return None, "no session to try it on yet"
    try:
        Control(server.socket, found, lambda notice: None).close()
    except DispatchError:
        return (
            False,
            "tmux refuses control clients, dispatch asks once a second instead — workers are safe; restart tmux when they are done",
        )
    return True, "works"


def _supervisor(project: Project) -> tuple[bool | None, str]:
    if project.store.supervised():
        return True, "running"
    return None, "not running; `dispatch run`, `wait` and `answer` start it"


def _project(project: Project) -> tuple[bool | None, str]:
    folder = project.store.dir
    if not os.path.exists(folder):
        return None, f"{project.root}, nothing dispatched yet"
    mode = os.stat(folder).st_mode & 0o777
    return (True, folder) if mode == 0o700 else (False, f"{folder} is open to others ({mode:o}) — chmod 700 {folder}")


def _writing(project: Project) -> tuple[bool | None, str]:
    """Whether the files of the project and our own can be written: asked of the system, nothing is tried."""
    for what, path in (("this project", project.root), ("dispatch's own files", home.path())):
        there = path
        while not os.path.exists(there):
            there = os.path.dirname(there)
        if not os.access(there, os.W_OK | os.X_OK):
            why = "the medium is read-only" if os.statvfs(there).f_flag & os.ST_RDONLY else "you may not"
            return False, f"{there} cannot be written ({why}): {what} would be there"
    return True, f"works in {project.root}"


def _git(project: Project) -> tuple[bool | None, str]:
    version = git.version()
    if not version:
        return None, "not installed (not on PATH): without it there are no worktrees, diff, merge"
    there = (
        ""
        if os.path.exists(os.path.join(project.root, ".git"))
        else "; this project is no repository: no worktrees, diff, merge"
    )
    return True, version + there


def _gh() -> tuple[bool | None, str]:
    import shutil

    found = shutil.which("gh")
    return (
        (True, found)
        if found
        else (None, "not installed (not on PATH): only `dispatch pr` needs it, https://cli.github.com")
    )


def _events(project: Project) -> tuple[bool | None, str]:
    import tempfile

    from dispatch_tmux.store.watch import Bell

    found = project.store.watchman()
    if found and found.remark:  # what is in force, whatever we could do ourselves
        return False, f"the supervisor does not hear of all, and looks once a second instead: {found.remark}"
    with tempfile.TemporaryDirectory() as folder:
        bell = Bell(folder)
        with open(os.path.join(folder, "x"), "w", encoding="ascii"):
            pass
        works, why = bell.wait(2.0) and not bell.trouble, bell.trouble or "nothing is told"
        bell.close()
    return (True, "work") if works else (False, f"do not work here, dispatch looks again and again instead: {why}")


def _journals(project: Project) -> tuple[bool | None, str]:
    ids = project.store.ids()
    if odd := summaries.unreadable(project.store):
        id, why = next(iter(odd.items()))
        more = f", and {len(odd) - 1} more" if len(odd) > 1 else ""
        return False, f"{id} cannot be read: {why}{more} — `dispatch clean {id}` removes it"
    damaged = [id for id in ids if project.store.damage(id)]
    if damaged:
        return None, f"half-written lines left out in: {', '.join(damaged[:5])}"
    return True, f"{len(ids)} task{'' if len(ids) == 1 else 's'}"


def _archive(project: Project) -> tuple[bool | None, str]:
    """What `clean` has kept, and how large it is."""
    found = archive.entries(project.store.records) if project.store.exists() else []
    if not found:
        return True, "empty"
    megabytes = archive.size(found) / 1e6
    size = f"{megabytes:.1f} MB" if megabytes >= 0.1 else f"{megabytes * 1000:.0f} KB"
    where = archive.folder(project.store.records)
    return (
        True,
        f"{len(found)} task{'' if len(found) == 1 else 's'}, {size} in {where} (config: limits: archive_days, archive_mb)",
    )


def _notifications(project: Project) -> tuple[bool | None, str]:
    """Whether those whom the config names can be told, as far as that shows without telling them."""
    loaded = config.load()
    if not loaded or not loaded.notify:
        return None, "nobody is told when you do not look; docs/notify.md says how"
    from dispatch_tmux.supervisor import messenger
    from dispatch_tmux.verbs import notify

    for receiver, entry in zip(notify.list_receivers(project), loaded.notify, strict=True):
        if trouble := receiver.trouble or messenger.trouble(entry.to):
            times = f" ({receiver.failures} times in a row)" if receiver.failures > 1 else ""
            return False, f"{receiver.to}: {trouble}{times} — dispatch notify test {receiver.number}"
    return True, f"{len(loaded.notify)} in the config"


def _leftovers(project: Project) -> tuple[bool | None, str]:
    """Workers whose task is over and whose program still runs: nobody looks after them any more."""
    over = [task for task in summaries.all(project.store) if task.ended and not task.adopted]
    alive = [task.id for task in over if program_lives(project.store, task)]
    if not alive:
        return True, "none"
    return None, f"these are over and their programs still run — dispatch stop {' '.join(alive[:5])}"


def _backends() -> list[Finding]:
    from pathlib import Path

    from dispatch_tmux.backends import load as backends

    findings = []
    folder = home.backends_dir()
    try:
        loaded = config.user_backends(config.load())
    except DispatchError:
        loaded = {}
    for name in sorted({*backends.names(Path(folder)), *loaded} - {"command"}):
        check = functools.partial(_backend, name, loaded, folder)
        findings.append(_tried(f"backend {name}", check))
    return findings


def _backend(name: str, loaded: dict[str, Any], folder: str) -> tuple[bool | None, str]:
    from dispatch_tmux.backends.own import backend_of

    ok, said = _cli(backend_of(name, loaded, folder))
    from dispatch_tmux.verbs import rules  # which loads what reads configurations

    if trouble := rules.trouble(name):
        return False, f"{trouble} — dispatch backends rollback {name}"
    known = rules.standing(name) if ok else ""
    return ok, f"{said}, {known}" if known else said


def _cli(backend: Backend) -> tuple[bool | None, str]:
    found = discovery.installed(backend)
    if not found:
        return None, f"{backend.executable} is not installed"
    if backend.name == "demo":
        return True, "built in"
    version = discovery.version(backend)
    if not version:
        return None, f"{found} does not tell its version"
    known = standing.of(backend.name, versions.number(version))
    return True, f"{found} {version}" + (f", {known}" if known else "")
