from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import line
from dispatch_tmux.verbs import send as verb


@click.command()
@click.argument("task")
@click.argument("text", nargs=-1, required=True, metavar="TEXT")
@click.option("--verbose", "-v", is_flag=True, help="Say how it was seen to arrive.")
@click.option("--json", "as_json", is_flag=True, help="Print task, delivered and proof as JSON.")
def send(task: str, text: tuple[str, ...], verbose: bool, as_json: bool) -> None:
    """Type TEXT into TASK's live session, as one message, and see that it arrives. With - as TEXT it is read from standard input.

    \b
    dispatch send auth "also cover the logout path"
    """
    done = verb.send(common.project(), task, common.text_of(text))
    if as_json:
        common.print_json({"task": done.task, "delivered": True, "proof": done.proof})
    else:
        click.echo(f"delivered to {done.task}{_proof(done.proof, verbose)}")


@click.command()
@click.argument("task")
@click.argument("text", nargs=-1, required=True, metavar="TEXT")
@click.option("--verbose", "-v", is_flag=True, help="Say how it was seen to arrive.")
@click.option("--json", "as_json", is_flag=True, help="Print task, delivered and proof as JSON.")
def note(task: str, text: tuple[str, ...], verbose: bool, as_json: bool) -> None:
    """Put TEXT into TASK's plan, and tell its worker. With - as TEXT it is read from standard input.

    \b
    dispatch note auth "leave the vendor directory alone"
    """
    done = verb.note(common.project(), task, common.text_of(text))
    if as_json:
        common.print_json({"task": done.task, "delivered": bool(done.proof), "proof": done.proof})
    else:
        told = f", and delivered{_proof(done.proof, verbose)}" if done.proof else ""
        click.echo(f"noted in the plan of {done.task}{told}")


def _proof(proof: str, verbose: bool) -> str:
    return f"\n  proof: {line(proof, 200)}" if verbose else ""
