from __future__ import annotations

import os

import click

from dispatch_tmux import acting, choosing, resolve, retrying, session
from dispatch_tmux.cli import common


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
    attempt = retrying.begin_again(project.store, found, chosen, dict(os.environ), fresh=fresh)
    now = acting.launched(project, found.id, attempt)
    if as_json:
        common.print_json(
            {"id": now.id, "model": now.model, "backend": now.backend, "attempt": now.attempt, "state": now.state.value}
        )
        return
    click.echo(f"{now.id} — {now.model}, attempt {now.attempt}\n  {common.attach_line(project, now.id)}")
