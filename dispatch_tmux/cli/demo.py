from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
from typing import TYPE_CHECKING

import click

from dispatch_tmux import NeedsDecision
from dispatch_tmux.cli import common, show
from dispatch_tmux.core.text import GLYPHS
from dispatch_tmux.verbs import demo as verb
from dispatch_tmux.verbs.answer import answer

if TYPE_CHECKING:
    from dispatch_tmux import News, Project, Question


@click.command()
@click.option("--auto", is_flag=True, help="Answer the workers' questions by itself (always so without a terminal).")
@click.option(
    "--keep/--no-keep", default=None, help="Leave the workers' windows open at the end (else when you say so)."
)
def demo(auto: bool, keep: bool | None) -> int:
    """Watch three built-in workers do a job each. Needs no agent CLI and no key.

    One asks through a file, one on its screen, one just works. Exit status 0 only if all three finish.

    \b
    dispatch demo --auto
    """
    for number in (signal.SIGHUP, signal.SIGTERM):  # a closed terminal ends it as Ctrl-C does
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    person, project = common.is_terminal(), verb.scratch()
    command = f"{_ourselves()} -C {shlex.quote(project.root)}"
    try:
        if own := verb.own_config(project):
            click.echo(
                "your configuration cannot be read (`dispatch config show` says why): the demo goes without", err=True
            )
            os.environ["DISPATCH_CONFIG"] = own
            command = f"DISPATCH_CONFIG={shlex.quote(own)} {command}"
        click.echo(f"three workers, each in a tmux window of its own (project {project.root})")
        if person:
            click.echo(f"to look on, in another terminal:  {command} attach")
        _play(project, by_itself=auto or not person)
        finished = verb.finished(project)
        if person and not auto and keep is None:
            click.echo(f"\nthe workers are still there:  {command} attach storage")
            click.prompt("Enter ends them and removes the project", default="", show_default=False, prompt_suffix=" ")
    except BaseException:
        _end(project)
        raise
    if keep:
        click.echo(f"\nthe workers are still there:  {command} attach storage")
        click.echo(f"when you have seen enough:    {command} stop --all && rm -r {shlex.quote(project.root)}")
    else:
        _end(project)
    return 0 if finished else 1


def _ourselves() -> str:
    """This very command, as it can be typed in any directory."""
    ours, there = os.path.abspath(sys.argv[0]), shutil.which("dispatch")
    if os.path.basename(ours) != "dispatch":
        return "dispatch" if there else f"{shlex.quote(sys.executable)} -m dispatch_tmux"
    return "dispatch" if there and os.path.realpath(there) == os.path.realpath(ours) else shlex.quote(ours)


def _end(project: Project) -> None:
    verb.remove(project)
    click.echo("\nthe workers have been stopped and the scratch project removed")


def _play(project: Project, by_itself: bool) -> None:
    """Start the workers, answer them, and say what happens, until all have ended."""
    for task in verb.start(project):
        click.echo(f"● {task.id} — {task.model}: {task.title}")
    for news in verb.play(project):
        if news.question:
            _answer(project, news, news.question, by_itself)
        elif news.task.ended:
            task = news.task
            click.echo(f"{GLYPHS[task.state]} {task.id} {task.state.value} {task.why}".rstrip())
    for result in verb.results(project):
        click.echo(f"\n{result.task}")
        for item in result.items:
            click.echo(f"  {show.MARKS.get(item.mark, '○')} {item.text}")
        click.echo(f"  result: {result.output}")


def _answer(project: Project, news: News, question: Question, by_itself: bool) -> None:
    click.echo(f"? {news.task.id} asks: {question.text.splitlines()[0]}")
    for c in question.choices:
        click.echo(f"    {c.key}. {c.label}")
    while True:
        try:
            done = answer(project, news.task, _said(question, by_itself), question=question.id)
            break
        except NeedsDecision as e:  # a number that is none of the choices
            click.echo(f"  {e}: {e.hint}")
    click.echo(f"  answered: {done.answer}")


def _said(question: Question, by_itself: bool) -> str:
    if by_itself:
        return question.choices[0].key if question.choices else "yes"
    default = "1" if question.choices else None
    return str(click.prompt("  your answer (a number, or your own words)", default=default))
