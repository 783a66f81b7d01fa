from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import screen as verb


@click.command()
@click.argument("task")
def screen(task: str) -> None:
    """TASK's screen as it is now, or the last one when its window is gone.

    \b
    dispatch screen auth
    """
    click.echo(verb.screen(common.project(), task))
