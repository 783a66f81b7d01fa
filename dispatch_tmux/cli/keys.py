from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import keys as verb


@click.command()
@click.argument("task")
@click.argument("key", nargs=-1, required=True, metavar="KEY…")
def keys(task: str, key: tuple[str, ...]) -> None:
    """Press keys in TASK's window, for a dialogue that dispatch does not know: Down, Enter, Escape, C-c, y, 2, …

    \b
    dispatch keys auth Down Enter
    """
    done = verb.keys(common.project(), task, *key)
    click.echo(f"pressed in {done.task}: {' '.join(done.keys)}")
