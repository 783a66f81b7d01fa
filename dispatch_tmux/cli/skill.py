from __future__ import annotations

import click

from dispatch_tmux import NeedsDecision
from dispatch_tmux.cli import common
from dispatch_tmux.verbs import skill as verb


@click.group(subcommand_metavar="VERB …")
def skill() -> None:
    """The /dispatch skill for Claude Code: install it, remove it."""


def _where(command: click.decorators.FC) -> click.decorators.FC:
    command = click.option(
        "--project", "in_project", is_flag=True, help="For this project only (.claude/ in its root)."
    )(command)
    return click.option("--user", "for_user", is_flag=True, help="For all of your projects (the default).")(command)


@skill.command()
@_where
@click.option("--link", is_flag=True, help="As a link to this dispatch's own copy, which stays current.")
@click.option("--hooks", is_flag=True, help="Also a session-start hook and a status line, in Claude Code's settings.")
@click.option("-y", "--yes", is_flag=True, help="Change the settings without asking.")
def install(in_project: bool, for_user: bool, link: bool, hooks: bool, yes: bool) -> None:
    """Install the skill. Once more brings it up to date; a copy that you edited is left alone.

    \b
    dispatch skill install
    dispatch skill install --project --hooks
    """
    folder = _folder(in_project, for_user)
    done = verb.install(folder, link)
    click.echo(f"{done.said}: {done.path}")
    if hooks:
        _change_settings(folder, add=True, yes=yes)
    if done.said in ("installed", "linked"):
        click.echo("in Claude Code: /dispatch audit the login, use opus")


@skill.command()
@_where
@click.option("-y", "--yes", is_flag=True, help="Change the settings without asking.")
def uninstall(in_project: bool, for_user: bool, yes: bool) -> None:
    """Remove the skill, and the hooks where they were installed.

    \b
    dispatch skill uninstall
    """
    folder = _folder(in_project, for_user)
    _change_settings(folder, add=False, yes=yes)  # first: when that needs a word, nothing is done by halves
    done = verb.uninstall(folder)
    click.echo(f"{done.said}: {done.path}" if done else "the skill is not installed there")


def _folder(in_project: bool, for_user: bool) -> str:
    if in_project and for_user:
        raise click.UsageError("--project or --user, not both")
    return verb.claude_dir(common.project().root if in_project else "")


def _change_settings(folder: str, add: bool, yes: bool) -> None:
    change = verb.planned(folder, add)
    if not change.is_needed:
        if add:
            click.echo(f"unchanged: {change.path}")
        return
    adding = f"add a SessionStart hook ({verb.HOOK}) and a status line"
    what = adding if add else "remove dispatch's hook and status line"
    if not yes:
        if not common.is_terminal():
            raise NeedsDecision(f"{change.path} would be changed: {what}", hint="add --yes to allow it")
        if not click.confirm(f"Change {change.path}: {what}?"):
            click.echo("the settings are unchanged")
            return
    verb.apply(change)
    click.echo(f"changed: {change.path}")
    if add and change.leaves_the_status_line:
        click.echo("  your own status line stays; `dispatch brief --line` prints ours")
