from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import doctor as verb


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {name, ok, said}; ok null: neither.")
def doctor(as_json: bool) -> int:
    """What works here, and what to do about what does not. Exit status 1 when something is wrong.

    \b
    dispatch doctor
    """
    findings = verb.doctor(common.project())
    if as_json:
        common.print_json([f._asdict() for f in findings])
    else:
        for f in findings:
            click.echo(f"{'ok' if f.ok else '--' if f.ok is None else '!!'}  {f.name:<16} {clean(f.said, 400)}")
    return 1 if any(f.ok is False for f in findings) else 0
