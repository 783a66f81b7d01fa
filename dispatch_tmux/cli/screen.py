from __future__ import annotations

import sys

import click

from dispatch_tmux.cli import common, show
from dispatch_tmux.core import fit
from dispatch_tmux.verbs import screen as verb


@click.command()
@click.argument("task")
def screen(task: str) -> None:
    """TASK's screen as it is now, or the last one when its window is gone. On a terminal it is fitted to its width.

    \b
    dispatch screen auth
    """
    text = verb.screen(common.project(), task, colours=show.has_colours())
    if not sys.stdout.isatty():
        click.echo(text)
        return
    width = show.width()
    lines = [part for row in text.split("\n") for part in fit.fitted(row, width)]
    click.echo("\n".join(lines) + ("\x1b[0m" if "\x1b" in text else ""))
