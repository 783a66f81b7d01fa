from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dispatch_tmux import State
from dispatch_tmux.cli import common, listing
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import GLYPHS, age
from dispatch_tmux.core.text import line as one_line
from dispatch_tmux.verbs import brief as verb

if TYPE_CHECKING:
    from dispatch_tmux import Brief, Task

MOST = 20  # tasks that are listed


@click.command()
@click.option("--line", "one", is_flag=True, help="The first line only, as for a status line.")
@click.option("--quiet", is_flag=True, help="Nothing at all in a project without tasks.")
def brief(one: bool, quiet: bool) -> None:
    """What a fresh session must know: models, tasks, questions. Under 30 lines.

    \b
    dispatch brief
    """
    found = verb.brief(common.project())
    if found.ever or not quiet:
        click.echo(line(found) if one else "\n".join(lines(found)))


def line(brief: Brief) -> str:
    """All in one line: what may be used, and how many tasks do what."""
    return f"dispatch: {_models(brief)} · {urgency.counts(brief.tasks) or 'no tasks'}"


def lines(brief: Brief) -> list[str]:
    """The same with a line a task, and what to do next; under 30 lines whatever there is."""
    listed = [_task(t, brief.at) for t in brief.tasks[:MOST]]
    listed += listing.rest(brief.tasks[MOST:], "dispatch status")
    asked = any(t.open_questions for t in brief.tasks)
    next_ = ["questions whole: dispatch questions · answer: dispatch answer TASK …"] if asked else []
    if any(not t.ended for t in brief.tasks):
        next_.append("be told what comes: dispatch wait --as session (in the background)")
    return [line(brief), *listed, *next_]


def _models(brief: Brief) -> str:
    """The models of the configuration in some words."""
    if brief.problem:
        return f"the config cannot be read: {brief.problem}"
    names = brief.models
    if not names and not brief.default:
        return "no config yet (`dispatch init` makes one)"
    listed = ", ".join(one_line(n, 30) for n in names[:8]) + (f", … ({len(names)})" if len(names) > 8 else "")
    also = f"; aliases {', '.join(one_line(a, 30) for a in brief.aliases[:6])}" if brief.aliases else ""
    return f"default {one_line(brief.default, 30) or 'none'}; models {listed or 'none'}{also}"


def _task(task: Task, now: float) -> str:
    done = f" {task.done_items}/{len(task.marks)}" if task.marks else ""
    why = f": {task.why}" if task.why and task.state is not State.WORKING else f": {task.title}" if task.title else ""
    if task.open_questions:
        why = f" asks: {task.open_questions[0].text}"
    group = f" [{one_line(task.group, 20)}]" if task.group else ""
    head = f"{GLYPHS[task.state]} {task.id}{group} — {one_line(task.model, 30)}, {task.state.value}{done}, {age(now - task.since)}"
    return one_line(head + why, 160)
