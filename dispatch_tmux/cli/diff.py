from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from dispatch_tmux import UsageProblem
from dispatch_tmux.cli import common, pager, show
from dispatch_tmux.core.text import line, lines_of, printable
from dispatch_tmux.verbs import diff as verb

if TYPE_CHECKING:
    from dispatch_tmux import Changes


@click.command()
@click.argument("task", required=False)
@click.option("--stat", is_flag=True, help="Only which files, and how much.")
@click.option("--all", "-a", "every", is_flag=True, help="Every task that has changed something, a heading each.")
def diff(task: str | None, stat: bool, every: bool) -> None:
    """What TASK has changed: committed or not, new files, too. On a terminal in colour, through git's pager.

    Without a worktree: what has changed in its checkout since it began, whoever changed it.

    \b
    dispatch diff auth --stat
    dispatch diff --all
    """
    if (task is None) != every:
        raise UsageProblem("name a task, or give --all", hint="dispatch diff TASK · dispatch diff --all")
    project = common.project()
    colours = show.has_colours()
    width = show.width() if sys.stdout.isatty() else 100
    if task is not None:
        found = verb.changes(project, task, stat=stat, width=width, colours=colours)
        if found.since:
            click.echo(_where(found), err=True)
        _print(found.text, verb.pager(project) if found.text and sys.stdout.isatty() else "")
        return
    told, unknown = verb.all_changes(project, stat=stat, width=width, colours=colours)
    for id, why in unknown:
        click.echo(f"dispatch: {id}: {line(why, 400)}", err=True)
    text = "\n".join(f"{_heading(one)}\n{one.text}" for one in told)
    _print(text, verb.pager(project) if text and sys.stdout.isatty() else "")


def _print(text: str, command: str) -> None:
    if sys.stdout.isatty():
        pager.show("\n".join(map(printable, lines_of(text))) or "no changes", command)
    else:  # a patch that goes into a file or a pipe stays as it is
        click.echo(text.encode("utf-8", "surrogateescape") if text else "no changes")


def _where(found: Changes) -> str:
    task = found.task
    others = (
        f" ({', '.join(found.others[:5])}{', …' if len(found.others) > 5 else ''} work there, too)"
        if found.others
        else ""
    )
    when = time.strftime(
        "%H:%M:%S" if time.time() - found.since < 43200 else "%Y-%m-%d %H:%M", time.localtime(found.since)
    )
    return f"{task.id} has no worktree: all that has changed in {line(found.place, 400)} since {when}, whoever changed it{others}"


def _heading(found: Changes) -> str:
    task = found.task
    if found.since:
        return show.coloured(f"# {_where(found)}", "1")
    return show.coloured(f"# {task.id} — {line(task.title, 100)} ({line(task.branch, 100)})", "1")
