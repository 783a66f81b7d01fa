from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import carry_on as verb


@click.command("continue")
@click.argument("task")
def carry_on(task: str) -> None:
    """Let TASK's program go on after Ctrl-Z or a SIGSTOP, and see that it does."""
    done = verb.carry_on(common.project(), task)
    click.echo(f"{done.task} goes on" if done.was_stopped else f"{done.task} was not stopped")
