from __future__ import annotations

import click

from dispatch_tmux import Task, UsageProblem
from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
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


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@common.choosing
def hold(meant: common.Meant) -> int:
    """Let TASKs that wait for their turn not start before `dispatch unhold`. Others may start in their place.

    `dispatch pause` holds back all.

    \b
    dispatch hold auth
    dispatch hold --group Docs --state queued
    """
    project = common.project()
    found = common.chosen(project, meant)
    return common.carry_out(found, lambda id: verb.hold(project, id), lambda task: f"{task.id}: held")


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@common.choosing
def unhold(meant: common.Meant) -> int:
    """Let held TASKs have their turn again.

    \b
    dispatch unhold auth
    """
    project = common.project()
    found = common.chosen(project, meant)
    return common.carry_out(found, lambda id: verb.unhold(project, id), _stands)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, metavar="[TASK…] N")
@common.choosing
def priority(words: tuple[str, ...], meant: common.Meant) -> int:
    """Let TASKs that wait for their turn come before those of a lower priority than N (0 is usual).

    \b
    dispatch priority auth 5
    dispatch priority 'docs-*' -- -1
    """
    *tasks, last = words or [""]
    try:
        number = int(last)
    except ValueError:
        raise UsageProblem(f"{last[:40]!r} is no priority", hint="dispatch priority TASK N, a whole number") from None
    project = common.project()
    found = common.chosen(project, meant._replace(words=tasks))
    return common.carry_out(
        found, lambda id: verb.priority(project, id, number), lambda task: f"{_stands(task)} (priority {task.priority})"
    )


def _stands(task: Task) -> str:
    return f"{task.id}: {task.state.value}{f', {clean(task.why, 200)}' if task.why else ''}"
