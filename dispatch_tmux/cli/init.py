from __future__ import annotations

import sys

import click

from dispatch_tmux.config import load as config
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import init as first_run


@click.command()
@click.option("-y", "--yes", is_flag=True, help="Take the proposed default, ask nothing.")
@click.option("--default", "default", default="", metavar="MODEL", help="The default model.")
@click.option("--force", is_flag=True, help="Begin anew where there is a config; a copy of it is kept.")
def init(yes: bool, default: str, force: bool) -> None:
    """Find the installed agent CLIs and their models, and write a commented config."""
    set_up(yes, default, force)


def set_up(yes: bool, default: str, force: bool) -> str:
    """`init`; also what the first `run` without a config does. The default model. Raises DispatchError."""
    import os

    if os.path.exists(config.path()) and not force:
        raise first_run.exists()
    click.echo("looking for agent CLIs and their models …", err=True)
    found = first_run.look()
    if not found:
        raise first_run.nothing()
    for f in found:
        problem = f" ({f.listing.problem})" if f.listing.problem else ""
        count = len(f.listing.ids)
        what = f"{count} model{'' if count == 1 else 's'}" if count else "its own default model"
        click.echo(clean(f"found {f'{f.backend} {f.version}'.rstrip()}: {what}{problem}", 200))
    offered = first_run.proposals(first_run.models(found))
    if not default and not yes and sys.stdin.isatty() and len(offered) > 1:
        for n, name in enumerate(offered, 1):
            click.echo(f"  {n}. {name}")
        picked = click.prompt("Which one runs when a task names none?", default="1")
        default = offered[int(picked) - 1] if picked.isdigit() and 0 < int(picked) <= len(offered) else picked
    default = default or offered[0]
    kept = first_run.write(found, default, force=force)
    click.echo(f"default: {default}\nwrote {config.path()}" + (f", the former one is {kept}" if kept else ""))
    return default
