from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
from dispatch_tmux.store import processes, summaries
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import doctor as examining
from dispatch_tmux.verbs.doctor import Finding


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {name, ok, said}; ok null: neither.")
def doctor(as_json: bool) -> int:
    """What works here, and what to do about what does not. Exit status 1 when something is wrong.

    \b
    dispatch doctor
    """
    project = common.project()
    findings = [*examining.examine(project), _leftovers(project.store)]
    if as_json:
        common.print_json([f._asdict() for f in findings])
    else:
        for f in findings:
            click.echo(f"{'ok' if f.ok else '--' if f.ok is None else '!!'}  {f.name:<16} {clean(f.said, 400)}")
    return 1 if any(f.ok is False for f in findings) else 0


def _leftovers(store: Store) -> Finding:
    """Workers whose task is over and whose program still runs: nobody looks after them any more."""
    alive = [
        task.id
        for task in summaries.all(store)
        if task.ended and processes.alive(processes.launched(store.own(task.id), task.attempt))
    ]
    if not alive:
        return Finding("leftovers", True, "none")
    named = " ".join(alive[:5])
    return Finding("leftovers", None, f"over, their programs still run — dispatch stop {named}")
