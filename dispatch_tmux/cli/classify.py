from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux import DispatchError
from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean, line
from dispatch_tmux.verbs import classify as verb

if TYPE_CHECKING:
    from dispatch_tmux import Shown


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--backend", required=True, metavar="NAME", help="Whose rules; `dispatch backends` lists them.")
@click.option("--title", default="", metavar="TEXT", help="The pane's title, in which some CLIs tell their state.")
@click.option(
    "--cursor", default="", metavar="COLUMN,ROW", help="The cursor's place, from 0, for programs that read lines."
)
@click.option(
    "--json", "as_json", is_flag=True, help="A list of {file, shows, kind, question, choices, detail, composer}."
)
def classify(files: tuple[str, ...], backend: str, title: str, cursor: str, as_json: bool) -> None:
    """What dispatch sees on stored screens (`tmux capture-pane -p [-e]`): for figures and reports; needs no tmux.

    \b
    dispatch classify --backend claude screen.txt
    """
    at = _place(cursor)
    seen = [(file, verb.classify(backend, common.text_of("", file), title=title, cursor=at)) for file in files]
    if as_json:
        common.print_json([_data(file, shown) for file, shown in seen])
        return
    for file, shown in seen:
        click.echo("\n".join(lines(file, shown)))


def lines(name: str, shown: Shown) -> list[str]:
    """What was seen, for a person."""
    said = [f"{line(name, 200)}: {shown.shows}" + (f" ({shown.kind})" if shown.kind else "")]
    said += [f"  {text}" for text in clean(shown.question, 2000).splitlines()]
    said += [
        f"  {line(c.key, 10)}. {line(c.label, 160)}" + (" (a text of your own)" if c.text else "")
        for c in shown.choices
    ]
    if shown.detail:
        said.append(f"  detail: {line(shown.detail, 300)}")
    if shown.composer and shown.composer.text:
        said.append(f"  not sent: {line(shown.composer.text, 200)}")
    return said


def _data(file: str, shown: Shown) -> dict[str, Any]:
    return {
        "file": file, "shows": shown.shows, "kind": shown.kind, "question": shown.question,
        "choices": [{"key": c.key, "label": c.label, "text": c.text} for c in shown.choices], "detail": shown.detail,
        "composer": shown.composer.text if shown.composer else None,
    }  # fmt: skip


def _place(cursor: str) -> tuple[int, int] | None:
    if not cursor:
        return None
    column, _, row = cursor.partition(",")
    if not (column.isdigit() and row.isdigit()):
        raise DispatchError(f"--cursor {cursor!r} is not a place", hint="as in --cursor 12,23")
    return int(column), int(row)
