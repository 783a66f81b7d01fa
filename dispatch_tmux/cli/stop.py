from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import stop as verb


@click.command()
@click.argument("tasks", nargs=-1, metavar="TASK…")
@click.option("--all", "every", is_flag=True, help="Every worker of this project.")
def stop(tasks: tuple[str, ...], every: bool) -> None:
    """End workers: all their processes, and their windows. Their files stay.

    \b
    dispatch stop auth
    """
    ended = verb.stop(common.project(), *tasks, every=every)
    said = [f"{task.id}: {task.state.value}" for task in ended]
    common.echo_lines(said or ["no worker is running"], "dispatch status --all")
