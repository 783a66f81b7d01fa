from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.models import choose as choosing
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import adopt as adopting


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
    project = common.project()
    shop = choosing.Shop()
    found = adopting.find(pane, socket)
    executables = {name: shop.backend(name).executable for name in shop.names if name not in ("command", "demo")}
    backend = backend or adopting.backend_of(found.argv, executables)
    if not backend:
        from dispatch_tmux.core.text import line

        raise DispatchError(
            f"no backend is known for {line(' '.join(found.argv), 80)!r}", hint="--backend NAME says which it is"
        )
    shop.backend(backend)
    session.ensure(project)
    task = adopting.adopt(project.store, found, backend, id_)
    click.echo(f"{task.id} — {backend} in {found.pane}; dispatch status {task.id}, dispatch release {task.id}")


@click.command()
@click.argument("task")
def release(task: str) -> None:
    """Give an adopted CLI back: it goes on, unsupervised.

    \b
    dispatch release claude-work
    """
    project, found = common.task_of(task)
    adopting.release(project.store, found)
    click.echo(f"{found.id}: given back, it runs on")
