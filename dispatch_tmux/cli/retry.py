from __future__ import annotations

from typing import Any

import click

from dispatch_tmux import Task, UsageProblem
from dispatch_tmux.cli import common
from dispatch_tmux.cli.choose import Telling
from dispatch_tmux.verbs import retry as verb


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@common.choosing
@click.option("-m", "--model", default="", metavar="MODEL", help="Let another model go on.")
@click.option("--fresh", is_flag=True, help="From the beginning: every item is open again.")
@click.option("--permissions", type=click.Choice(["skip", "ask"]), default=None, help="As for `run`.")
@click.option("--json", "as_json", is_flag=True, help="Print id, model, backend, attempt and state as JSON.")
def retry(meant: common.Meant, model: str, fresh: bool, permissions: str | None, as_json: bool) -> int:
    """Begin TASK again after it failed or stopped, from the first item that is not checked.

    TASK may be a pattern, in quotes.

    \b
    dispatch retry audit -m sonnet
    dispatch retry --state failed
    """
    project = common.project()
    found = common.chosen(project, meant)
    chooser = Telling(project)

    def said(now: Task) -> str:
        if found.several:
            return f"{now.id} — {now.model}, attempt {now.attempt}: {now.state.value} {now.why}".rstrip()
        return f"{now.id} — {now.model}, attempt {now.attempt}\n  {common.attach_line(project, now.id)}"

    def again(id: str) -> Task:
        return verb.retry(project, id, model=model, fresh=fresh, permissions=permissions or "", chooser=chooser)

    return common.carry_out(found, again, said, _data if as_json else None)


def _data(now: Task) -> dict[str, Any]:
    return {"id": now.id, "model": now.model, "backend": now.backend, "attempt": now.attempt, "state": now.state.value}


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@click.option("--all", "every", is_flag=True, help="Every task that was cut off: lost, or killed by a signal.")
@common.choosing
def resume(meant: common.Meant, every: bool) -> int:
    """Take up TASKs that were cut off (a reboot, a killed tmux server, a closed window), each in its CLI's own session.

    A CLI without sessions is told what is done and what is open. `retry` begins a failed one anew instead. TASK may be a
    pattern, in quotes.

    \b
    dispatch resume --all
    """
    project = common.project()
    if every == bool(meant):
        raise UsageProblem("either tasks, or all" if every else "which task?", hint="dispatch resume TASK, or --all")
    if every:
        ids = [task.id for task in verb.cut_off(project)]
        if not ids:
            click.echo("no task was cut off")
    else:
        ids = common.chosen(project, meant).ids
    return common.outcome(verb.resume_each(project, ids, Telling(project)), _resumed)


def _resumed(t: Task) -> str:
    return f"{t.id} — {t.model}, attempt {t.attempt}: {t.state.value} {t.why}".rstrip()
