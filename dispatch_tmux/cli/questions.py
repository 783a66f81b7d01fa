from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux.cli import common, listing, show
from dispatch_tmux.verbs import questions as verb

if TYPE_CHECKING:
    from dispatch_tmux import Asked


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {task, id, via, text, choices, untrusted}.")
@click.option("--everywhere", is_flag=True, help="Of all your projects; each then has its `root`, too.")
def questions(as_json: bool, everywhere: bool) -> None:
    """Every open question, whole, with its choices.

    \b
    dispatch questions
    """
    if everywhere:
        _everywhere(as_json)
        return
    found = verb.questions(common.project())
    if as_json:
        common.print_json([_data(asked) for asked in found])
        return
    common.echo_lines(_lines(found) or ["no open question"], "dispatch questions --json")


def _lines(found: list[Asked]) -> list[str]:
    """The questions whole; where no person looks as many as a program is given, and how many there are beside them."""
    blocks = [show.question(asked.task.id, asked.question, asked.path) for asked in found]
    if sys.stdout.isatty() or sum(map(len, blocks)) <= common.MOST_LINES:
        return [row for block in blocks for row in block]
    kept = listing.fitted(blocks, [""] * len(blocks), 0, common.MOST_LINES - 1) or blocks[:1]
    more = show.many(len(blocks) - len(kept), "more question")
    return [*(row for block in kept for row in block), f"… {more}: dispatch questions --json"]


def _everywhere(as_json: bool) -> None:
    from dispatch_tmux.cli import everywhere

    if as_json:
        common.print_json(everywhere.questions_data(_data))
    else:
        common.echo_lines(everywhere.questions() or ["no open question"], "dispatch questions --everywhere --json")


def _data(asked: Asked) -> dict[str, Any]:
    q = asked.question
    return {
        "task": asked.task.id, "id": q.id, "via": q.via, "text": q.text, "choices": [c._asdict() for c in q.choices],
        "untrusted": ["text", "choices"],
    }  # fmt: skip
