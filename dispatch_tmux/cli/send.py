from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import line
from dispatch_tmux.verbs import send as verb

if TYPE_CHECKING:
    from dispatch_tmux import Delivered, Noted


def _telling(command: Callable[..., Any]) -> Callable[..., Any]:
    """What both take: which tasks, the text, and how the outcome is told."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print task, delivered and proof as JSON."),
        click.option("--verbose", "-v", is_flag=True, help="Say how it was seen to arrive."),
        common.choosing,
        click.argument("words", nargs=-1, metavar="[TASK] TEXT"),
    ):
        command = option(command)
    return command


@click.command()
@_telling
def send(words: tuple[str, ...], meant: common.Meant, verbose: bool, as_json: bool) -> int:
    """Type TEXT into TASK's live session, as one message, and see that it arrives. With - as TEXT it is read from standard input.

    TASK may be a pattern, in quotes. Beside --group or --state it is left out (or a pattern), and TEXT is in quotes.

    \b
    dispatch send auth "also cover the logout path"
    dispatch send --group Security "stop at the first finding"
    """
    project, found, text = _addressed(words, meant, "send")

    def said(done: Delivered) -> str:
        return f"delivered to {done.task}{_proof(done.proof, verbose)}"

    return common.carry_out(found, lambda id: verb.send(project, id, text), said, _data if as_json else None)


@click.command()
@_telling
def note(words: tuple[str, ...], meant: common.Meant, verbose: bool, as_json: bool) -> int:
    """Put TEXT into TASK's plan, and tell its worker. With - as TEXT it is read from standard input.

    TASK may be a pattern, in quotes. Beside --group or --state it is left out (or a pattern), and TEXT is in quotes.

    \b
    dispatch note auth "leave the vendor directory alone"
    dispatch note 'auth-*' "use the new token format"
    """
    project, found, text = _addressed(words, meant, "note")

    def said(done: Noted) -> str:
        told = f", and delivered{_proof(done.proof, verbose)}" if done.proof else ""
        return f"noted in the plan of {done.task}{told}"

    return common.carry_out(found, lambda id: verb.note(project, id, text), said, _data if as_json else None)


def _addressed(words: tuple[str, ...], meant: common.Meant, verb: str) -> tuple[Any, common.Chosen, str]:
    project = common.project()
    whom, text = common.addressed(words, meant, verb)
    return project, common.chosen(project, whom), common.text_of(text)


def _data(done: Delivered | Noted) -> dict[str, Any]:
    return {"task": done.task, "delivered": bool(done.proof), "proof": done.proof}


def _proof(proof: str, verbose: bool) -> str:
    return f"\n  proof: {line(proof, 200)}" if verbose else ""
