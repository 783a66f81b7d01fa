from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dispatch_tmux import UsageProblem
from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean, line
from dispatch_tmux.verbs import answer as verb

if TYPE_CHECKING:
    from dispatch_tmux import Answered, Project


@click.command()
@click.argument("task")
@click.argument("words", nargs=-1, metavar="[TEXT]")
@click.option("--choice", "-c", default="", metavar="N", help="Pick choice N; 1,3 where several may be picked.")
@click.option("--label", "-l", default="", metavar="TEXT", help="Pick the choice whose words are, or begin with, TEXT.")
@click.option(
    "--text", "literal", default="", metavar="TEXT", help="Answer TEXT as it stands, even if it looks like a choice."
)
@click.option("--file", "-f", "file", default="", metavar="FILE", help="The answer is FILE's text.")
@click.option(
    "--question", "-q", "q", default="", metavar="ID", help="Which question (001, s1); else the oldest open one."
)
@click.option("--verbose", "-v", is_flag=True, help="Say how it was seen to arrive.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print task, question, answer, proof, restarted and kept as JSON."
)
def answer(
    task: str,
    words: tuple[str, ...],
    choice: str,
    label: str,
    literal: str,
    file: str,
    q: str,
    verbose: bool,
    as_json: bool,
) -> None:
    """Answer TASK's open question. With - as TEXT it is read from standard input.

    A TEXT that is the number or the words of a choice picks that choice; yes and no pick the one that means it.

    \b
    dispatch answer auth "use JWT"
    dispatch answer auth --choice 2
    """
    project = common.project()
    text = literal or common.text_of(words, file)
    if not (text or choice or label or words or file):
        text = _asked_for(project, task)
    done = verb.answer(project, task, text, choice=choice, label=label, question=q, literal=bool(literal))
    if as_json:
        common.print_json(done._asdict())
    else:
        click.echo("\n".join(_lines(done, verbose)))


def _asked_for(project: Project, task: str) -> str:
    """What a person types as the answer; '' when nothing is asked. Raises UsageProblem where nobody can be asked."""
    from dispatch_tmux.verbs.questions import questions

    asked = questions(project, task)
    if not asked:
        return ""
    if not sys.stdin.isatty():
        raise UsageProblem("there is no answer", hint=f'dispatch answer {asked[0].task.id} "…", or --choice N')
    question = asked[0].question
    click.echo(clean(question.text, 2000))
    for c in question.choices:
        click.echo(f"  {c.key}. {clean(c.label, 200)}")
    return str(click.prompt("answer"))


def _lines(done: Answered, verbose: bool) -> list[str]:
    lines = [f"{'kept' if done.kept else 'answered'}: {line(done.answer, 200)}"]
    if done.restarted:
        lines.append(f"  {done.task} had ended without it, and is started again with the answer")
    if done.kept:
        lines.append(
            f"  nobody has read it: the worker of {done.task} has ended. `dispatch retry {done.task}` tells it"
        )
    return lines + ([f"  proof: {line(done.proof, 200)}"] if verbose else [])
