from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dispatch_tmux.cli import common

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
    if common.is_terminal() and os.environ.get("TERM", "") not in ("", "dumb", "unknown"):
        raise click.exceptions.Exit(show(project))
    from dispatch_tmux.cli import status

    status.listed(project)
    click.echo("`dispatch help` lists the verbs; on a terminal that can draw, this is the inbox")


def show(project: Project) -> int:
    """The inbox in this terminal until the person leaves it; its exit status. Raises what it failed with."""
    import gc

    gc.disable()  # a third of the time until it is seen would go into looking for garbage among what is loaded
    from dispatch_tmux.ui import feed
    from dispatch_tmux.ui.app import Inbox

    app = Inbox(project, feed.read(project))
    gc.freeze()
    gc.enable()
    with _deaf():
        status = app.run()
    if app.failed:
        raise app.failed
    return status or 0


@contextmanager
def _deaf() -> Iterator[None]:
    """Let Ctrl-C and Ctrl-\\ not end us in the moments in which they are no keys: the terminal would stay as the inbox draws on it."""
    import signal

    numbers = (signal.SIGINT, signal.SIGQUIT)
    # not ignored: what it starts would ignore it, too
    before = [signal.signal(number, lambda *_: None) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
