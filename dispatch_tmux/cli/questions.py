from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux.cli import common, show
from dispatch_tmux.verbs import questions as verb

if TYPE_CHECKING:
    from dispatch_tmux import Asked


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {task, id, via, text, choices, untrusted}.")
def questions(as_json: bool) -> None:
    """Every open question, whole, with its choices.

    \b
    dispatch questions
    """
    found = verb.questions(common.project())
    if as_json:
        common.print_json([_data(asked) for asked in found])
        return
    shown = [line for asked in found for line in show.question(asked.task.id, asked.question, asked.path)]
    common.echo_lines(shown or ["no open question"], "dispatch questions --json")


def _data(asked: Asked) -> dict[str, Any]:
    q = asked.question
    return {
        "task": asked.task.id, "id": q.id, "via": q.via, "text": q.text, "choices": [c._asdict() for c in q.choices],
        "untrusted": ["text", "choices"],
    }  # fmt: skip
