from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import line
from dispatch_tmux.ui.events import said
from dispatch_tmux.verbs import events as verb

if TYPE_CHECKING:
    from dispatch_tmux import TaskEvent


@click.command()
@click.argument("task", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--since", default="", metavar="TIME", help="As in 30m (ago), 17:30, '2026-11-21 17:30'.")
@click.option(
    "-n", "last", type=click.IntRange(min=0), metavar="N", help="Only the last N of what has happened so far."
)
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only those: question,answer,state,… (docs/files.md)."
)
@click.option("--json", "as_json", is_flag=True, help="An object a line: task, t, kind, key, its own data.")
def events(task: str | None, follow: bool, since: str, last: int | None, kinds: tuple[str, ...], as_json: bool) -> None:
    """What has happened, in order.

    \b
    dispatch events -f --json
    dispatch events --since 30m --kind question,answer
    """
    which = [] if task is None else [task]
    found = verb.events(common.project(), *which, follow=follow, since=since or 0.0, last=last, kinds=",".join(kinds))
    for event in found:
        click.echo(_json(event) if as_json else words(event))


def _json(event: TaskEvent) -> str:
    head = {"task": event.task, "t": event.t, "kind": event.kind, "key": event.key}
    own = {f"its_{name}" if name in head else name: value for name, value in event.data.items()}
    return common.harmless(json.dumps({**head, **own}, ensure_ascii=False))


def words(event: TaskEvent) -> str:
    """An event as a line."""
    stamp = time.strftime("%H:%M:%S", time.localtime(event.t))
    return line(f"{stamp}  {event.task}  {event.kind}  {said(event)}", 400)
