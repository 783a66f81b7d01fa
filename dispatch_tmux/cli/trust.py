from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import trust as trusting


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def trust(yes: bool) -> None:
    """Take over a .dispatch that came with an archive, a copy or a repository, or from another machine.

    Until then nothing in it is believed or run. Its tasks become yours; none of them starts by itself.

    \b
    dispatch trust
    """
    project = common.project()
    brought = trusting.look(project)
    if brought is None:
        click.echo("this project is yours already; there is nothing to take over")
        return
    click.echo(f"{clean(brought.path)} {brought.why}.")
    click.echo(f"Tasks in it: {', '.join(brought.tasks[:20]) or 'none'}{' …' if len(brought.tasks) > 20 else ''}")
    if not yes and not click.confirm("Take it over? Look at what is in it first.", default=False):
        click.echo("left as it is; nothing in it is run")
        return
    ids = trusting.trust(project)
    click.echo(f"taken over; tasks: {', '.join(ids) or 'none'}")
