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

LISTED = 30  # open questions that are named where no TASK is


@click.command()
@click.argument("task", required=False)
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
@click.option("--first", default=None, metavar="TASK", help="Without TASK: begin with what this one asks.")
@click.option("--verbose", "-v", is_flag=True, help="Say how it was seen to arrive.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print task, question, answer, proof, restarted and kept as JSON."
)
def answer(
    task: str | None,
    words: tuple[str, ...],
    choice: str,
    label: str,
    literal: str,
    file: str,
    q: str,
    first: str | None,
    verbose: bool,
    as_json: bool,
) -> int:
    """Answer TASK's open question; without TASK all that is open, one after another, with a key for each choice.

    With - as TEXT it is read from standard input.

    A TEXT that is the number or the words of a choice picks that choice; yes and no pick the one that means it.

    \b
    dispatch answer auth "use JWT"
    dispatch answer auth --choice 2
    dispatch answer
    """
    project = common.project()
    if task is None:
        if choice or label or literal or file or q or verbose or as_json:
            raise UsageProblem("which task is answered?", hint="dispatch answer TASK …")
        return _all(project, first)
    if first is not None:
        raise UsageProblem("--first is for `dispatch answer` without TASK", hint=f"dispatch answer {task}")
    text = literal or common.text_of(words, file)
    if not (text or choice or label or words or file):
        text = _asked_for(project, task)
    done = verb.answer(project, task, text, choice=choice, label=label, question=q, literal=bool(literal))
    if as_json:
        common.print_json(done._asdict())
    else:
        click.echo("\n".join(_lines(done, verbose)))
    return 0


def _all(project: Project, first: str | None) -> int:
    """Go through all that is open with the person. Raises UsageProblem where there is none at a terminal, with a list of it."""
    if common.is_terminal():
        from dispatch_tmux.cli import walk_screen

        return walk_screen.walk_through(project, first)
    from dispatch_tmux.verbs.questions import questions

    asked = questions(project)
    rows = [f"dispatch answer {a.task.id} …   ({a.question.id}) {line(a.question.text, 100)}" for a in asked]
    if len(rows) > LISTED:
        rows = [*rows[:LISTED], f"… {len(rows) - LISTED} more: dispatch questions --json"]
    raise UsageProblem("which task is answered? (this is not a terminal)", hint="\n".join(rows) or "nothing is asked")


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
