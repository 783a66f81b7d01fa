from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.cli.choose import Telling
from dispatch_tmux.verbs import retry as verb


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
    project = common.project()
    now = verb.retry(project, task, model=model, fresh=fresh, permissions=permissions or "", chooser=Telling(project))
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
    begun = verb.resume(project, *tasks, every=every, chooser=Telling(project))
    said = [f"{t.id} — {t.model}, attempt {t.attempt}: {t.state.value} {t.why}".rstrip() for t in begun]
    click.echo("\n".join(said or ["no task was cut off"]))
