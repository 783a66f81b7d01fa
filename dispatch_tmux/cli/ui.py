from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dispatch_tmux import DispatchError
from dispatch_tmux.cli import common, show

if TYPE_CHECKING:
    from dispatch_tmux import Project


@click.command()
def ui() -> None:
    """The inbox: who needs you on top, the selected task beside it; `?` lists its keys. `dispatch` alone opens it, too.

    Without a terminal, or on one that cannot draw (TERM=dumb), the list as text.

    \b
    dispatch ui
    """
    opened()


def opened() -> None:
    """Show the inbox, and end with its exit status; where there is no terminal for it print the list of tasks."""
    project = common.project()
    if common.is_terminal() and show.draws():
        raise click.exceptions.Exit(inbox(project))
    from dispatch_tmux.cli import status

    status.listed(project)
    click.echo("`dispatch help` lists the verbs; on a terminal that can draw, this is the inbox")


def inbox(project: Project) -> int:
    """The inbox in this terminal until the person leaves it; its exit status. Raises what it failed with."""
    import gc

    gc.disable()  # a third of the time until it is seen would go into looking for garbage among what is loaded
    from dispatch_tmux.ui import feed
    from dispatch_tmux.ui.app import Inbox

    while True:
        app = Inbox(project, feed.read(project), edit)
        gc.freeze()
        gc.enable()
        status = app.run()
        if app.failed:
            raise app.failed
        if app.other is None:
            return status or 0
        project = app.other  # the person went to another one


def edit(project: Project, task: str) -> None:
    """`dispatch edit` of TASK, in our terminal; why it did not work is left there to be read."""
    from dispatch_tmux.cli.edit import edit as verb
    from dispatch_tmux.core.text import clean

    context = click.get_current_context()
    context.obj = project.root
    try:
        context.invoke(verb, task=task, file="")
    except click.Abort:
        pass
    except (DispatchError, click.ClickException, OSError) as e:
        click.echo(
            f"dispatch: {clean(e.format_message() if isinstance(e, click.ClickException) else str(e))}", err=True
        )
        click.pause("Enter: back to the inbox")
