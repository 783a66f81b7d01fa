from __future__ import annotations

import shutil
import sys

import click

from dispatch_tmux.core.task import Question, Task
from dispatch_tmux.verbs import demo as demonstration


@click.command()
@click.option("--auto", is_flag=True, help="Answer the workers' questions by itself (always so without a terminal).")
@click.option("--keep/--no-keep", default=None, help="Leave the workers' windows open at the end (on a terminal: yes).")
def demo(auto: bool, keep: bool | None) -> int:
    """Watch three built-in workers do a job each. Needs no agent CLI and no key.

    One asks through a file, one on its screen, one just works. Exit status 0 only if all three finish.

    \b
    dispatch demo --auto
    """
    person = sys.stdin.isatty() and sys.stdout.isatty()
    where = demonstration.scratch()
    keep = person if keep is None else keep
    click.echo(f"three workers, each in a tmux window of its own (project {where.root})")
    command = "dispatch" if shutil.which("dispatch") else sys.argv[0]
    if person:
        click.echo(f"to look on, in another terminal:  {command} -C {where.root} attach")
    finished = False
    try:
        finished = demonstration.play(where, click.echo, _by_itself if auto or not person else _by_person)
        demonstration.results(where, click.echo)
    finally:
        if keep:
            click.echo(f"\nthe workers are still there:  {command} -C {where.root} attach storage")
            click.echo(f"when you have seen enough:    {command} -C {where.root} stop --all")
        else:
            demonstration.remove(where)
            click.echo("\nthe workers have been stopped and the scratch project removed")
    return 0 if finished else 1


def _by_itself(task: Task, question: Question) -> tuple[str, str]:
    return ("", question.choices[0].key) if question.choices else ("yes", "")


def _by_person(task: Task, question: Question) -> tuple[str, str]:
    said = click.prompt("  your answer (a number, or your own words)", default="1" if question.choices else None)
    return ("", said) if any(c.key == said.strip() for c in question.choices) else (said, "")
