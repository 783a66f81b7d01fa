from __future__ import annotations

import click

from dispatch_tmux.cli import common


@click.command()
def pause() -> None:
    """Start no more workers until `dispatch resume-queue`; those that run go on."""
    store = common.project().store
    store.prepare()
    click.echo("nothing new starts now; dispatch resume-queue" if store.pause() else "it is paused already")


@click.command("resume-queue")
def resume_queue() -> None:
    """Let waiting tasks start again after `dispatch pause`."""
    from dispatch_tmux.supervisor import session

    project = common.project()
    paused = project.store.unpause()
    if paused:
        session.ensure(project)
    click.echo("waiting tasks start again" if paused else "it was not paused")
