from __future__ import annotations

import click

from dispatch_tmux import Dropped, Merged
from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import merge as verb


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@common.choosing
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
@click.option("--yes", "-y", is_flag=True, help="Do not ask, however many a pattern finds.")
def merge(meant: common.Meant, into: str, squash: bool, commit: str, message: str, no_verify: bool, yes: bool) -> int:
    """Merge TASK's branch. With conflicts nothing is changed, and they are listed (exit status 1).

    Hooks are those of your checkout, never any that the branch brings; one that refuses is shown with its words. TASK may
    be a pattern, in quotes; several are merged one after another, and one that cannot be does not stop the others.

    \b
    dispatch merge auth --squash
    dispatch merge auth --message "feat: {title}"
    dispatch merge --group Security
    """
    project = common.project()
    found = common.chosen(project, meant)
    common.announce("merging", found, ask=not yes)

    def one(id: str) -> Merged:
        return verb.merge(project, id, into=into, squash=squash, commit=commit, message=message, verify=not no_verify)

    return common.carry_out(
        found, one, lambda done: f"{done.task} is merged into {done.into} ({done.commit[:10]})", in_turn=True
    )


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
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@common.choosing
@click.option("--force", is_flag=True, help="Also with work that is nowhere else; a branch and a patch of it are kept.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask, however many a pattern finds.")
def drop(meant: common.Meant, force: bool, yes: bool) -> int:
    """Remove TASK's worktree, and the branch that was made for it. TASK may be a pattern, in quotes.

    \b
    dispatch drop auth
    dispatch drop 'auth-*' --state done
    """
    project = common.project()
    found = common.chosen(project, meant)
    common.announce("dropping the worktrees of", found, ask=not yes)
    return common.carry_out(found, lambda id: verb.drop(project, id, force=force), _dropped, in_turn=True)


def _dropped(done: Dropped) -> str:
    return "\n".join([f"the worktree of {done.task} is removed", *(f"  kept: {name}" for name in done.kept)])
