from __future__ import annotations

import sys

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean, line
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.verbs import acting
from dispatch_tmux.verbs import merge as merging


@click.command()
@click.argument("task")
@click.option("--stat", is_flag=True, help="Only which files, and how much.")
def diff(task: str, stat: bool) -> None:
    """What TASK has changed in its worktree: committed or not, new files, too.

    \b
    dispatch diff auth --stat
    """
    project, found = common.task_of(task)
    text = merging.diff(project, found, stat)
    if sys.stdout.isatty():
        text = clean(text, 1 << 30)  # a patch that goes into a file or a pipe stays as it is
    click.echo(text.encode("utf-8", "surrogateescape") if text else "no changes")


@click.command()
@click.argument("task")
@click.option(
    "--into", default="", metavar="BRANCH", help="Where to; else the branch checked out in the project's root."
)
@click.option("--squash", is_flag=True, help="As one commit.")
@click.option(
    "--commit", "message", default="", metavar="MESSAGE", help="Commit what is uncommitted in the worktree first."
)
def merge(task: str, into: str, squash: bool, message: str) -> int:
    """Merge TASK's branch. With conflicts nothing is changed, and they are listed (exit status 1).

    \b
    dispatch merge auth --squash
    """
    project, found = common.task_of(task)
    _at_rest(found.id, found.ended or found.surfaced, "merge")
    if message:
        merging.commit_all(found, message)
    done = merging.merge(project, found, into=into, squash=squash)
    if done.conflicts:
        listed = "".join(f"\n    {line(name, 200)}" for name in done.conflicts[:20])
        raise DispatchError(
            f"{found.id} conflicts with {done.into} in {len(done.conflicts)} files; nothing was merged:{listed}",
            hint=f'dispatch send {found.id} "merge {done.into} into your branch and solve the conflicts", or do so in {found.worktree}',
        )
    click.echo(f"{found.id} is merged into {done.into} ({done.commit[:10]})")
    return 0


@click.command()
@click.argument("task")
@click.option("--draft", is_flag=True, help="Not to be merged yet.")
def pr(task: str, draft: bool) -> None:
    """Push TASK's branch and open a pull request, with GitHub's `gh`.

    \b
    dispatch pr auth
    """
    _, found = common.task_of(task)
    click.echo(clean(merging.propose(found, draft), 2000))


@click.command()
@click.argument("task")
@click.option("--force", is_flag=True, help="Also with work that is nowhere else; a branch and a patch of it are kept.")
def drop(task: str, force: bool) -> None:
    """Remove TASK's worktree, and the branch that was made for it.

    \b
    dispatch drop auth
    """
    project, found = common.task_of(task)
    _at_rest(found.id, found.ended, "drop")
    acting.stop(project, [found.id])  # a finished agent still sits there at its prompt
    kept = merging.drop(project, project.store.task(found.id), force)
    click.echo(f"the worktree of {found.id} is removed")
    for name in kept:
        click.echo(f"  kept: {name}")


def _at_rest(id: str, rests: bool, verb: str) -> None:
    if not rests:
        raise DispatchError(f"{id} is still at work", hint=f"dispatch wait, or dispatch stop {id}, then {verb}")
