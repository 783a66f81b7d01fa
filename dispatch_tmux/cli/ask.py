from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.errors import UsageProblem
from dispatch_tmux.verbs import ask as asking


@click.command()
@click.argument("text", nargs=-1)
@click.option("--choice", "choices", multiple=True, metavar="TEXT", help="A choice to pick from; repeat it.")
@click.option("--wait", "q", metavar="NNN", help="Go on waiting for the answer to question NNN.")
@click.option("--timeout", default=asking.PATIENCE, show_default=True, metavar="S", help="Seconds to wait.")
def ask(text: tuple[str, ...], choices: tuple[str, ...], q: str | None, timeout: float) -> None:
    """For workers: ask the person who dispatched you, and print the answer.

    \b
    dispatch ask "Which database?" --choice SQLite --choice PostgreSQL
    """
    if bool(text) == bool(q):
        raise UsageProblem("either a question, or --wait NNN", hint='dispatch ask "Which database?"')
    directory = asking.directory()
    number = q or asking.ask(directory, " ".join(text), choices)
    answer = asking.answer_to(directory, number, timeout)
    if answer is None:
        click.echo(f"still waiting for the answer to question {number}; run: dispatch ask --wait {number}")
    else:
        click.echo(answer, nl=False)


@click.command()
@click.argument("text", nargs=-1, required=True)
def flag(text: tuple[str, ...]) -> None:
    """For workers: tell the person who dispatched you something critical at once; it needs no answer.

    \b
    dispatch flag "the API key is in the repository's history"
    """
    asking.flag(asking.directory(), common.text_of(text))
    click.echo("told")
