from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs import ask as verb


@click.command()
@click.argument("text", nargs=-1, metavar="[TEXT]")
@click.option("--choice", "choices", multiple=True, metavar="TEXT", help="A choice to pick from; repeat it.")
@click.option("--wait", "number", default="", metavar="NNN", help="Go on waiting for the answer to question NNN.")
@click.option("--timeout", default=verb.PATIENCE, show_default=True, metavar="S", help="Seconds to wait.")
def ask(text: tuple[str, ...], choices: tuple[str, ...], number: str, timeout: float) -> None:
    """For workers: ask the person who dispatched you, and print the answer.

    \b
    dispatch ask "Which database?" --choice SQLite --choice PostgreSQL
    """
    reply = verb.ask(" ".join(text), choices=choices, number=number, timeout=timeout)
    if reply.answer is None:
        click.echo(f"still waiting for the answer to question {reply.number}; run: dispatch ask --wait {reply.number}")
    else:
        click.echo(reply.answer, nl=False)


@click.command()
@click.argument("text", nargs=-1, required=True, metavar="TEXT")
def flag(text: tuple[str, ...]) -> None:
    """For workers: tell the person who dispatched you something critical at once; it needs no answer.

    \b
    dispatch flag "the API key is in the repository's history"
    """
    verb.flag(common.text_of(text))
    click.echo("the person is told")
