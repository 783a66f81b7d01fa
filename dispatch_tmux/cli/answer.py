from __future__ import annotations

import sys

import click

from dispatch_tmux.cli import common
from dispatch_tmux.errors import UsageProblem
from dispatch_tmux.verbs import acting


@click.command()
@click.argument("task")
@click.argument("text", nargs=-1)
@click.option("--choice", "-c", default="", metavar="N", help="Pick choice N; 1,3 where several may be picked.")
@click.option("--file", "-f", "file", metavar="FILE", help="The answer is FILE's text.")
@click.option(
    "--question", "-q", "q", default="", metavar="ID", help="Which question (001, s1); else the oldest open one."
)
def answer(task: str, text: tuple[str, ...], choice: str, file: str | None, q: str) -> None:
    """Answer TASK's open question. TEXT - reads standard input.

    \b
    dispatch answer auth "use JWT"
    dispatch answer auth --choice 2
    """
    project, found = common.task_of(task)
    words = common.text_of(text, file)
    if not words and not choice:
        asked = acting.open_questions(project.store, found)
        if not asked or not sys.stdin.isatty():
            if asked:
                raise UsageProblem("there is no answer", hint=f'dispatch answer {found.id} "…" or --choice N')
        else:
            from dispatch_tmux.core.text import clean

            click.echo(clean(asked[0].text, 2000))
            for c in asked[0].choices:
                click.echo(f"  {c.key}. {clean(c.label, 200)}")
            words = click.prompt("answer")
    click.echo(f"{found.id}: {acting.answer(project, found, words, choice, q)}")
