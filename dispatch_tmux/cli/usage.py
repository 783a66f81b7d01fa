from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux.cli import common, show
from dispatch_tmux.core.text import padded
from dispatch_tmux.verbs import usage as verb

if TYPE_CHECKING:
    from dispatch_tmux import Used


@click.command()
@click.option("--by", type=click.Choice(verb.WAYS), default="model", help="What is added up (model).")
@click.option("--since", default="", metavar="TIME", help="Tasks that ended since then: 12h, 7d, 2026-11-20.")
@click.option("--json", "as_json", is_flag=True, help="A list; keys below. What is not known is null.")
def usage(by: verb.By, since: str, as_json: bool) -> None:
    """Time at work, tokens and cost, as the CLIs tell them, of live and archived tasks.

    What a CLI does not tell is not known, and is not counted as nothing.

    \b
    dispatch usage --by day --since 7d

    \b
    JSON: name tasks seconds tokens cost (US dollars), without_tokens, without_cost (the number of tasks of
    which these are not known).
    """
    found = verb.usage(common.project(), by=by, since=since)
    if as_json:
        common.print_json([_data(one) for one in found])
        return
    common.echo_lines(_table(found, by), f"dispatch usage --by {by} --json")


def _table(found: list[Used], by: str) -> list[str]:
    if not found:
        return ["no task"]
    rows = [*found, *([verb.total(found)] if len(found) > 1 else [])]
    width = min(max(len(by), *(len(one.name or "(none)") for one in rows)), 40, max(10, show.width() - 34))
    return [f"{by.upper():<{width}} TASKS   TIME  TOKENS    COST", *(_row(one, width) for one in rows)]


def _row(one: Used, width: int) -> str:
    tokens = "unknown" if one.tokens is None else verb.count(one.tokens)
    cost = "unknown" if one.cost is None else f"${one.cost:.2f}"
    partly = [
        f"{what} of {show.many(one.tasks - unknown, 'task')} only"
        for what, known, unknown in (("tokens", one.tokens, one.without_tokens), ("cost", one.cost, one.without_cost))
        if unknown and known is not None
    ]
    head = f"{padded(one.name or '(none)', width)} {one.tasks:>5} {show.length(one.seconds):>6} {tokens:>7} {cost:>7}"
    return head + (f" ({', '.join(partly)})" if partly else "")


def _data(one: Used) -> dict[str, Any]:
    return one._asdict()
