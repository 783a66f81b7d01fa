from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import acting


@click.command()
@click.argument("task")
@click.argument("text", nargs=-1, required=True)
def send(task: str, text: tuple[str, ...]) -> None:
    """Type TEXT into TASK's live session, as one message, and see that it arrived. TEXT - reads standard input.

    \b
    dispatch send auth "also cover the logout path"
    """
    project, found = common.task_of(task)
    click.echo(f"{found.id}: {acting.send(project, found, common.text_of(text))}")


@click.command()
@click.argument("task")
@click.argument("text", nargs=-1, required=True)
def note(task: str, text: tuple[str, ...]) -> None:
    """Put TEXT into TASK's plan, and tell its worker. TEXT - reads standard input.

    \b
    dispatch note auth "leave the vendor directory alone"
    """
    project, found = common.task_of(task)
    click.echo(f"{found.id}: {acting.note(project, found, common.text_of(text))}")
