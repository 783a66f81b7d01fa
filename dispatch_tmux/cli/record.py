from __future__ import annotations

import click

from dispatch_tmux.cli import classify, common
from dispatch_tmux.verbs import record as verb


@click.command()
@click.argument("task")
@click.argument("name", default="screen")
def record(task: str, name: str) -> None:
    """Save TASK's screen as NAME.txt and NAME.ansi here, without secrets and names, to report one that was read wrongly.

    \b
    dispatch record auth wrong-question
    """
    done = verb.record(common.project(), task, name)
    width, height = done.size
    about = f"{done.paths[-1]} ({done.backend}, {width}x{height}, title {done.title!r})"
    click.echo("\n".join(classify.lines(about, done.shown)))
    click.echo("look at both files before you give them to anybody: dispatch cannot tell what is private in prose")
