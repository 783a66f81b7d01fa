from __future__ import annotations

import sys

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import merge as verb


@click.command()
@click.argument("task")
@click.option("--stat", is_flag=True, help="Only which files, and how much.")
def diff(task: str, stat: bool) -> None:
    """What TASK has changed in its worktree: committed or not, new files, too.

    \b
    dispatch diff auth --stat
    """
    text = verb.diff(common.project(), task, stat=stat)
    if sys.stdout.isatty():
        text = clean(text, 1 << 30)  # a patch that goes into a file or a pipe stays as it is
    click.echo(text.encode("utf-8", "surrogateescape") if text else "no changes")


@click.command()
@click.argument("task")
@click.option("--into", default="", metavar="BRANCH", help="Where to; else the branch of the checkout you are in.")
@click.option("--squash", is_flag=True, help="As one commit.")
@click.option("--commit", default="", metavar="MESSAGE", help="Commit what is uncommitted in the worktree first.")
@click.option(
    "--message",
    default="",
    metavar="TEMPLATE",
    help="The merge's message; {task}, {branch}, {into} and {title} are filled in.",
)
@click.option("--no-verify", is_flag=True, help="Run none of the repository's hooks.")
def merge(task: str, into: str, squash: bool, commit: str, message: str, no_verify: bool) -> None:
    """Merge TASK's branch. With conflicts nothing is changed, and they are listed (exit status 1).

    Hooks are those of your checkout, never any that the branch brings; one that refuses is shown with its words.

    \b
    dispatch merge auth --squash
    dispatch merge auth --message "feat: {title}"
    """
    done = verb.merge(
        common.project(), task, into=into, squash=squash, commit=commit, message=message, verify=not no_verify
    )
    click.echo(f"{done.task} is merged into {done.into} ({done.commit[:10]})")


@click.command()
@click.argument("task")
@click.option("--draft", is_flag=True, help="Not to be merged yet.")
def pr(task: str, draft: bool) -> None:
    """Push TASK's branch and open a pull request, with GitHub's `gh`.

    \b
    dispatch pr auth
    """
    click.echo(clean(verb.pr(common.project(), task, draft=draft).address, 2000))


@click.command()
@click.argument("task")
@click.option("--force", is_flag=True, help="Also with work that is nowhere else; a branch and a patch of it are kept.")
def drop(task: str, force: bool) -> None:
    """Remove TASK's worktree, and the branch that was made for it.

    \b
    dispatch drop auth
    """
    done = verb.drop(common.project(), task, force=force)
    click.echo(f"the worktree of {done.task} is removed")
    for name in done.kept:
        click.echo(f"  kept: {name}")
