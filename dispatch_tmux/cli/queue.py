from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import queue as verb


@click.command()
def pause() -> None:
    """Start no more workers until `dispatch resume-queue`; those that run go on."""
    paused = verb.pause(common.project())
    click.echo("nothing new starts now; `dispatch resume-queue` ends that" if paused else "the queue is paused already")


@click.command("resume-queue")
def resume_queue() -> None:
    """Let waiting tasks start again after `dispatch pause`."""
    resumed = verb.unpause(common.project())
    click.echo("waiting tasks start again" if resumed else "the queue was not paused")
