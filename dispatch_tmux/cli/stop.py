from __future__ import annotations

import time

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core import order
from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store import summaries
from dispatch_tmux.verbs import acting


@click.command()
@click.argument("tasks", nargs=-1, metavar="TASK…")
@click.option("--all", "every", is_flag=True, help="Every worker of this project.")
def stop(tasks: tuple[str, ...], every: bool) -> None:
    """End workers: every process of theirs, and their window. Their files stay.

    \b
    dispatch stop auth
    """
    project = common.project()
    if not tasks and not every:
        raise UsageProblem("which one?", hint="dispatch stop TASK, or --all")
    ids = (
        [t.id for t in summaries.all(project.store) if not t.adopted]
        if every
        else [project.store.find(name) for name in tasks]
    )
    live = [id for id in ids if not every or acting.is_running(project, id)]
    left = acting.stop(project, ids)
    if left:
        raise DispatchError(f"still running: {', '.join(left)}", hint="they may belong to another user")
    said = [f"{id}: {project.store.task(id).state.value}" for id in live]
    common.echo_lines(said or ["no worker is running"], "dispatch status --all")


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@click.option("--all", "every", is_flag=True, help="Failed and lost tasks, too.")
@click.option("--done", "only_done", is_flag=True, help="Done tasks only.")
@click.option("--older-than", default="", metavar="TIME", help="Only what ended that long ago: 12h, 7d.")
@click.option("--force", is_flag=True, help="Also worktrees with work that is nowhere else; branch and patch are kept.")
@click.option("--dry-run", "-n", is_flag=True, help="Only say what would go.")
def clean(tasks: tuple[str, ...], every: bool, only_done: bool, older_than: str, force: bool, dry_run: bool) -> None:
    """Remove done and stopped tasks (or the TASKs named): their windows, files, results and worktrees.

    What others wait for stays, and so does a worktree with work that is nowhere else.

    \b
    dispatch clean --dry-run --older-than 7d
    """
    project = common.project()
    kinds = {State.DONE} | (set() if only_done else {State.STOPPED}) | ({State.FAILED, State.LOST} if every else set())
    if tasks:
        found = [project.store.task(project.store.find(name)) for name in tasks]
        running = [t.id for t in found if not t.ended]
        if running:
            raise DispatchError(f"{running[0]} is not over", hint=f"dispatch stop {running[0]} first")
    else:
        found = [t for t in summaries.all(project.store) if t.state in kinds]
    if older_than:
        before = time.time() - order.seconds(older_than)
        found = [t for t in found if t.since < before]
    go, kept = acting.cleanable(project, found, force)
    rescued = [] if dry_run else acting.clean(project, go, force)
    said = [f"kept {id}: {why}" for id, why in kept]
    said += [f"  kept: {name}" for name in rescued]
    said += [f"{'would remove' if dry_run else 'removed'} {t.id} ({t.state.value})" for t in go]
    common.echo_lines(said if found else ["nothing to clean"], "dispatch status --all lists the tasks there are")
    if tasks and kept:
        raise DispatchError(
            f"{len(kept)} of them kept", hint="--force removes worktrees all the same, and keeps a branch and a patch"
        )
