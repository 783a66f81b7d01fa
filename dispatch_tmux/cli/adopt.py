from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import adopt as verb


@click.command()
@click.argument("pane")
@click.option("--id", "id_", default="", metavar="ID", help="The task's name; else made of the CLI and its directory.")
@click.option("--backend", default="", metavar="NAME", help="Which CLI it is; else told by its command line.")
@click.option(
    "--socket", default="", metavar="SOCKET", help="The tmux server: a path or a name; else the one you are in."
)
def adopt(pane: str, id_: str, backend: str, socket: str) -> None:
    """Supervise a CLI that you run in PANE of your own tmux: its state, its questions, your answers.

    \b
    dispatch adopt %5
    """
    task = verb.adopt(common.project(), pane, id=id_, backend=backend, socket=socket)
    click.echo(f"{task.id} — {task.backend} in {task.pane}\n  dispatch status {task.id} · dispatch release {task.id}")


@click.command()
@click.argument("task")
def release(task: str) -> None:
    """Give an adopted CLI back: it goes on, unsupervised.

    \b
    dispatch release claude-work
    """
    click.echo(f"{verb.release(common.project(), task).id} is given back; it runs on, unsupervised")
