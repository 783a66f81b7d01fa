"""`clean`: taking tasks that are over out of the way, and removing nothing that is nowhere else: the archive has what was read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import order
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store import archive, removal, summaries
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.tmux import windows
from dispatch_tmux.verbs import merge, stop, tasks, wait
from dispatch_tmux.verbs.tasks import Which


class Kept(NamedTuple):
    """A task that `clean` leaves alone, and why.

    `unread`: neither `wait` nor the inbox has shown its result yet, and its branch is not merged. `failed`: the archive could not take it.
    """

    task: str
    why: str
    unread: bool = False
    failed: bool = False


class Cleaned(NamedTuple):
    """The tasks that were removed (or would be), those that were kept, and what of their work was saved: branches, patches.

    `archived`: what was read of the removed ones is kept, for `history` and `restore`.
    """

    removed: tuple[Task, ...] = ()
    kept: tuple[Kept, ...] = ()
    rescued: tuple[str, ...] = ()
    archived: bool = False


def clean(
    project: Project,
    *which: Which,
    group: str = "",
    every: bool = False,
    only_done: bool = False,
    older_than: float | str = 0.0,
    force: bool = False,
    forget: bool = False,
    dry_run: bool = False,
) -> Cleaned:
    """Remove the tasks WHICH (else all done and stopped ones whose results were read): their windows, files and worktrees.

    What can be read of them goes into the archive, for `history` and `restore`; with FORGET nothing is kept. GROUP: only
    those of that group. EVERY takes failed and lost ones and unread results, too, ONLY_DONE no stopped ones; OLDER_THAN
    (seconds, or "7d") only those that ended so long ago. What others wait for stays, and a worktree with work that is
    nowhere else; FORCE removes that one all the same, and keeps a branch and a patch of it. DRY_RUN removes nothing. One
    of several that is not over is kept; a single one raises DispatchError, ONLY_DONE beside EVERY or WHICH UsageProblem.
    """
    if only_done and (every or which):
        raise UsageProblem("only done tasks, or others, too?", hint="--done goes with neither --all nor a TASK")
    there = summaries.all(project.store)
    found, running = _named(project, which) if which else (_over(there, every, only_done), [])
    if group:
        found = [t for t in found if t.group == group]
    if older_than:
        before = time.time() - (order.seconds(older_than) if isinstance(older_than, str) else older_than)
        found = [t for t in found if t.since < before]
    go, kept = _cleanable(project, found, there, force)
    unread = set() if which or every else wait.unread(project, [t for t in go if not t.merged])
    kept += [Kept(t.id, "nobody has read its result", unread=True) for t in go if t.id in unread]
    go = [t for t in go if t.id not in unread]
    if dry_run:
        return Cleaned(tuple(go), (*running, *kept))
    rescued, failed = _remove(project, go, force, forget)
    kept += [Kept(id, why, failed=True) for id, why in failed.items()]
    return Cleaned(
        tuple(t for t in go if t.id not in failed), (*running, *kept), tuple(rescued), archived=bool(go) and not forget
    )


def _named(project: Project, which: Sequence[Which]) -> tuple[list[Task], list[Kept]]:
    """Of the tasks WHICH those that may go, and those that are not over. Raises DispatchError for a single one of these."""
    found = [project.store.task(id) for id in dict.fromkeys(tasks.ids_of(project, which))]
    running = [t for t in found if t.created and not t.ended]  # what cannot be read may go
    ways = {t.id: f"dispatch {'release' if t.adopted else 'stop'} {t.id} first" for t in running}
    if len(found) == 1 and running:
        raise DispatchError(f"{running[0].id} is not over", hint=ways[running[0].id])
    return [t for t in found if t.id not in ways], [Kept(id, f"it is not over: {way}") for id, way in ways.items()]


def _over(there: Sequence[Task], every: bool, only_done: bool) -> list[Task]:
    states = {State.DONE} | (set() if only_done else {State.STOPPED}) | ({State.FAILED, State.LOST} if every else set())
    return [t for t in there if t.state in states]


def _cleanable(
    project: Project, found: Sequence[Task], there: Sequence[Task], force: bool
) -> tuple[list[Task], list[Kept]]:
    """What of FOUND may go: not what others of those THERE wait for, nor what would be lost with its worktree (but with FORCE)."""
    waited = {id: t.id for t in there if not t.ended and not t.attempt for id, _ in t.after}
    go, kept = [], []
    for task in found:
        try:
            lost = merge.unsaved(project, task) if task.branch and not force else None
        except DispatchError as e:
            kept.append(Kept(task.id, str(e)))
            continue
        if task.id in waited:
            kept.append(Kept(task.id, f"{waited[task.id]} comes after it"))
        elif lost:
            way = f"`dispatch merge {task.id}`, or drop it" if merge.can_be_merged(lost) else "drop it with --force"
            kept.append(Kept(task.id, f"its worktree has {lost}: {way}"))
        else:
            go.append(task)
    return go, kept


def _remove(project: Project, found: Sequence[Task], force: bool, forget: bool) -> tuple[list[str], dict[str, str]]:
    """Remove the tasks, what still runs in their windows, and their worktrees. Returns what was rescued of those, and the
    tasks that are still there because the archive did not take them: id → why.
    """
    stop.end(project, [t.id for t in found if not t.ended or stop.program_lives(project.store, t)])
    server = session.server_of(project)
    home = server.session_of(project.root)
    panes = windows.of_tasks(server, home) if home else {}
    rescued: list[str] = []
    away: list[str] = []
    failed: dict[str, str] = {}
    try:
        for task in found:
            if task.branch:
                rescued += merge.remove(project, task, force)
            for pane in panes.get(task.id, ()):
                windows.close(server, pane)
        if found:
            failed = _put_away(project, found, forget, away)
    finally:
        removal.delete(away)
        project.store.ring()
    return rescued, failed


def _put_away(project: Project, found: Sequence[Task], forget: bool, away: list[str]) -> dict[str, str]:
    """Archive FOUND, and then only take them away: whoever is killed in between leaves both. What is to be deleted is in AWAY.

    Returns those that are still there, id → why.
    """
    store = project.store
    if forget:
        for task in found:
            away += store.put_away(task.id)
        return {}
    with archive.alone(store.records):
        try:
            failed = archive.keep(store, found)
        except OSError as e:
            failed = dict.fromkeys((task.id for task in found), f"it cannot be archived: {e.strerror}")
        for task in found:
            away += store.put_away(task.id) if task.id not in failed else ()
        config = configuration.load()
        if config:
            archive.bounded(store.records, config.limits.archive_days, config.limits.archive_mb)
    return failed
