from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.config import load as config
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.verbs import brief as briefs
from dispatch_tmux.verbs import view as viewing


@click.command()
@click.option("--line", "one", is_flag=True, help="The first line only, as for a status line.")
@click.option("--quiet", is_flag=True, help="Nothing at all in a project without tasks.")
def brief(one: bool, quiet: bool) -> None:
    """What a fresh session must know: models, tasks, questions. Under 30 lines.

    \b
    dispatch brief
    """
    project = common.project()
    if quiet and not project.store.exists():
        return
    found = viewing.tasks(project)
    if quiet and not found:
        return
    try:
        said = config.load()
        names = (
            briefs.models(said.default, list(said.models), [*said.aliases, *said.agents])
            if said
            else briefs.models("", [], [])
        )
    except DispatchError as e:
        names = f"the config cannot be read: {e}"
    click.echo(briefs.line(names, found) if one else "\n".join(briefs.lines(names, found)))
