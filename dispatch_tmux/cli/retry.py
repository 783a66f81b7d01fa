from __future__ import annotations

import os

import click

from dispatch_tmux.cli import common
from dispatch_tmux.errors import UsageProblem
from dispatch_tmux.models import choose as choosing
from dispatch_tmux.models import resolve
from dispatch_tmux.supervisor import retry as again
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import retry as retrying
from dispatch_tmux.verbs import run as starting


@click.command()
@click.argument("task")
@click.option("-m", "--model", default="", metavar="MODEL", help="Let another model go on.")
@click.option("--fresh", is_flag=True, help="From the beginning: every item is open again.")
@click.option("--permissions", type=click.Choice(["skip", "ask"]), default=None, help="As for `run`.")
@click.option("--json", "as_json", is_flag=True, help="Print id, model, backend, attempt and state as JSON.")
def retry(task: str, model: str, fresh: bool, permissions: str | None, as_json: bool) -> None:
    """Begin TASK again after it failed or stopped, from the first item that is not checked.

    \b
    dispatch retry audit -m sonnet
    """
    project, found = common.task_of(task)
    retrying.may_retry(found, fresh)
    shop = choosing.Shop()
    chosen = resolve.named(model or found.model, shop.world)
    if chosen.source == "unavailable":
        raise choosing.unavailable(shop, chosen)
    choosing.must_run(shop, chosen)
    if added := choosing.add_if_new(shop, chosen):
        click.echo(added, err=True)
    session.ensure(project)
    if permissions:
        chosen = chosen._replace(permissions=permissions)
    attempt = again.begin_again(project.store, found, chosen, dict(os.environ), fresh=fresh)
    now = starting.launched(project, found.id, attempt)
    if as_json:
        common.print_json(
            {"id": now.id, "model": now.model, "backend": now.backend, "attempt": now.attempt, "state": now.state.value}
        )
        return
    click.echo(f"{now.id} — {now.model}, attempt {now.attempt}\n  {common.attach_line(project, now.id)}")


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@click.option("--all", "every", is_flag=True, help="Every task that was cut off: lost, or killed by a signal.")
def resume(tasks: tuple[str, ...], every: bool) -> None:
    """Take up TASKs that were cut off (a reboot, a killed tmux server, a closed window), each in its CLI's own session.

    A CLI without sessions is told what is done and what is open. `retry` begins a failed one anew instead.

    \b
    dispatch resume --all
    """
    project = common.project()
    if bool(tasks) == every:
        raise UsageProblem("which one?", hint="dispatch resume TASK, or --all")
    known = [project.store.find(name) for name in tasks]
    for task in retrying.resume(project, known):
        click.echo(f"{task.id} — {task.model}, attempt {task.attempt}: {task.state.value} {task.why}".rstrip())
