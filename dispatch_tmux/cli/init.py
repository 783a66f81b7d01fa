from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from dispatch_tmux.cli import show
from dispatch_tmux.core.text import clean, line
from dispatch_tmux.verbs import init as verb

if TYPE_CHECKING:
    from dispatch_tmux.verbs.init import Found

LISTED = 20  # models that have a number when a person is asked


@click.command()
@click.option("-y", "--yes", is_flag=True, help="Take the proposed default, ask nothing.")
@click.option("--default", "default", default="", metavar="MODEL", help="The default model.")
@click.option("--force", is_flag=True, help="Begin anew where there is a config; a copy of it is kept.")
def init(yes: bool, default: str, force: bool) -> None:
    """Find the installed agent CLIs and their models, and write a commented config."""
    set_up(yes, default, force)


def set_up(yes: bool, default: str, force: bool) -> str:
    """`init`; also what the first `run` without a config does. The default model. Raises DispatchError."""
    verb.refuse_existing(force)
    click.echo("looking for agent CLIs and their models …", err=True)
    found = verb.look()
    for f in found:
        click.echo(clean(_found(f), 200))
    offered = verb.offered(found)
    if not default and not yes and sys.stdin.isatty() and len(offered) > 1:
        default = _asked(offered)
    done = verb.write(found, default or offered[0], force=force)
    former = f"; the former one is kept as {done.kept}" if done.kept else ""
    click.echo(f"default: {done.default}\nwrote {done.path}{former}")
    return done.default


def _asked(offered: Sequence[str]) -> str:
    """The model of OFFERED that the person picks; what is none is asked for again."""
    for n, name in enumerate(offered[:LISTED], 1):
        click.echo(f"  {n}. {name}")
    if len(offered) > LISTED:
        click.echo(
            f"  … and {len(offered) - LISTED} more, by name: {line(', '.join(offered[LISTED:]), 3 * show.width())}"
        )
    while True:
        picked = chosen(offered, click.prompt("Which one runs when a task names none?", default="1"))
        if picked in offered:
            return picked
        click.echo(f"  there is no model {clean(picked, 60)!r}: a number of the list, or a name")


def chosen(offered: Sequence[str], picked: str) -> str:
    """The model that PICKED means, which is a number of the list, or a name."""
    return {str(n): name for n, name in enumerate(offered, 1)}.get(picked.strip(), picked)


def _found(f: Found) -> str:
    problem = f" ({f.listing.problem})" if f.listing.problem else ""
    count = len(f.listing.ids)
    what = show.many(count, "model") if count else "its own default model"
    return f"found {f'{f.backend} {f.version}'.rstrip()}: {what}{problem}"
