from __future__ import annotations

import sys

import click

from dispatch_tmux.cli import common, show
from dispatch_tmux.core import fit
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
    click.echo(_fitted(shown), nl=not follow and not shown.endswith("\n"))
    for piece in pieces:
        click.echo(_fitted(piece), nl=False)


def _fitted(piece: str) -> str:
    """The whole lines of PIECE fitted to the terminal, where it goes to one."""
    if not sys.stdout.isatty():
        return piece
    whole, end, rest = piece.rpartition("\n")
    width = show.width()
    return "\n".join(part for row in whole.split("\n") for part in fit.fitted(row, width)) + end + rest
