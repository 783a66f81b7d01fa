from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import logs as verb


@click.command()
@click.argument("task")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=verb.LINES, metavar="N", help="How many lines (200)."
)
@click.option("--raw", is_flag=True, help="All that it wrote, frame by frame.")
def logs(task: str, follow: bool, lines: int, raw: bool) -> None:
    """What TASK's program has written, as text. Of one that draws its screen, each line that it showed, once, in order.

    \b
    dispatch logs auth -f
    """
    pieces = verb.logs(common.project(), task, lines=lines, follow=follow, raw=raw)
    shown = next(pieces)
    click.echo(shown, nl=not follow and not shown.endswith("\n"))
    for piece in pieces:
        click.echo(piece, nl=False)
