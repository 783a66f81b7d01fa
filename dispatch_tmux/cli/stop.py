from __future__ import annotations

import click

from dispatch_tmux import UsageProblem
from dispatch_tmux.cli import common
from dispatch_tmux.verbs import stop as verb


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@click.option("--all", "every", is_flag=True, help="Every worker of this project.")
@common.choosing
def stop(meant: common.Meant, every: bool) -> int:
    """End workers: all their processes, and their windows. Their files stay.

    TASK may be a pattern, in quotes.

    \b
    dispatch stop auth
    dispatch stop 'auth-*' --state idle
    """
    project = common.project()
    if every and meant:
        raise UsageProblem("either tasks, or all", hint="dispatch stop TASK, or --all")
    if not (every or meant):
        raise UsageProblem("no task is named", hint="dispatch stop TASK, or --all")
    if every:
        ids = verb.running(project)
    else:
        found = common.chosen(project, meant)
        common.announce("stopping", found)
        ids = found.ids
    if not ids:
        click.echo("no worker is running")
    return common.outcome(verb.stop_each(project, ids), lambda task: f"{task.id}: {task.state.value}")
