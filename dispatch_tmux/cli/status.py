from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from dispatch_tmux import UsageProblem
from dispatch_tmux.cli import common, listing, show
from dispatch_tmux.core import fit, urgency
from dispatch_tmux.core.text import COLOUR, GLYPHS, columns, line, printable
from dispatch_tmux.verbs import status as verb

if TYPE_CHECKING:
    from dispatch_tmux import Project, Task

EVERY = 2.0  # seconds between two looks of --watch
ALONE = "the supervisor is not running; the next `dispatch wait`, `answer`, `attach` or `run` starts it"
NOTHING = "no task has been dispatched here yet"


@click.command()
@click.argument("tasks", nargs=-1, metavar="[TASK…]")
@common.choosing
@click.option("--json", "as_json", is_flag=True, help="A list of tasks (of TASK: one), keys below.")
@click.option("--watch", "-w", is_flag=True, help="Go on showing it until Ctrl-C.")
@click.option("--graph", "drawn", is_flag=True, help="Draw what comes after what.")
@click.option("--why", is_flag=True, help="What TASK's state is based on.")
@click.option("--all", "-a", "every", is_flag=True, help="Every finished task, and every line.")
@click.option("--everywhere", is_flag=True, help="All your projects: counts, and what waits.")
def status(
    meant: common.Meant, as_json: bool, watch: bool, drawn: bool, why: bool, every: bool, everywhere: bool
) -> None:
    """What every task is doing, or all about TASK. True also when no supervisor is running.

    Several TASKs, a pattern in quotes, --group or --state list only those.

    \b
    dispatch status
    dispatch status auth --json
    dispatch status 'auth-*' --state failed

    \b
    JSON: id title model backend state why since created attempt exit_code pane cwd dir,
    done and total items, items {text mark}, questions {id via text choices {key label text}},
    held (why messages wait), untrusted (the keys whose words may come from a worker).
    """
    if everywhere:
        if meant or watch or drawn or why:
            raise UsageProblem("--everywhere goes with --json and --all only", hint="dispatch status --everywhere")
        _everywhere(as_json, every)
        return
    project = common.project()
    found = common.chosen(project, meant) if meant else None
    task, only = (None, None) if found is None else (None, found.ids) if found.several else (found.ids[0], None)
    _refuse_at_odds(found is not None, {"--json": as_json, "--watch": watch, "--graph": drawn, "--why": why})
    if drawn:
        common.echo_lines(_graph(verb.status(project)) or [NOTHING], "in a terminal")
    elif why:
        _why(project, task)
    elif as_json:
        common.print_json(_data(project, task, only))
    elif watch:
        _watch(project, task, only, every)
    else:
        lines = _lines(project, task, only, every, None if every else _room())
        common.echo_lines(lines, f"dispatch status {f'{task} ' if task else ''}--all", every)


def listed(project: Project) -> None:
    """Print the list of tasks, as `dispatch` alone does where there is no terminal to draw on."""
    common.echo_lines(_lines(project, None, None, False, _room()), "dispatch status --all")


def _everywhere(as_json: bool, every: bool) -> None:
    from dispatch_tmux.cli import everywhere

    if as_json:
        common.print_json(everywhere.status_data())
    else:
        common.echo_lines(everywhere.status(), "dispatch status --everywhere --all", every)


def _refuse_at_odds(chosen: bool, given: dict[str, bool]) -> None:
    """Each of them says by itself what is printed; raises UsageProblem for two, and for a graph of one task."""
    named = [name for name, is_given in given.items() if is_given]
    if len(named) > 1:
        raise UsageProblem(f"{named[0]} and {named[1]} do not go together", hint="dispatch status --help")
    if chosen and named == ["--graph"]:
        raise UsageProblem("--graph draws every task", hint="dispatch status --graph")


def _data(project: Project, task: str | None, only: list[str] | None) -> object:
    if task is not None:
        return verb.as_data(project, verb.status(project, task))
    return [verb.as_data(project, t) for t in verb.status(project) if only is None or t.id in only]


def _why(project: Project, task: str | None) -> None:
    from dispatch_tmux.cli import details
    from dispatch_tmux.verbs.details import evidence

    if not task:
        raise UsageProblem("--why of which task?", hint="dispatch status TASK --why")
    found = evidence(project, task)
    common.echo_lines(details.evidence(found), f"dispatch events {found.task.id}")


def _room() -> int:
    """Lines that a list may have: those of the terminal but that of the next prompt, or what a program is given."""
    return max(show.height() - 1, 8) if sys.stdout.isatty() else common.MOST_LINES


def _lines(project: Project, task: str | None, only: list[str] | None, every: bool, most: int | None) -> list[str]:
    return _of_all(project, only, every, most) if task is None else _of_one(project, task)


def _of_one(project: Project, task: str) -> list[str]:
    from dispatch_tmux.cli import details
    from dispatch_tmux.verbs import details as one_task

    about = one_task.details(project, task)
    one = about.task
    attach = [f"  attach: {common.attach_line(project, one.id)}"] if one.pane and one.exit_code is None else []
    alone = [] if one.ended or verb.is_supervised(project) else [ALONE]
    return [*details.lines(about), f"  log:    {about.log}", *attach, *alone]


def _of_all(project: Project, only: list[str] | None, every: bool, most: int | None) -> list[str]:
    """How many do what, then the tasks, in MOST lines; ONLY those, if any are named."""
    found = [t for t in verb.status(project) if only is None or t.id in only]
    if not found:
        return [f"{NOTHING}:  dispatch run --help", *_notes(project, found)]
    over = [t for t in urgency.ordered(found) if urgency.heading(t) == urgency.OVER]
    older = [] if every or only is not None else over[listing.RECENT :]
    hidden = {t.id for t in older}
    listed = [t for t in found if t.id not in hidden]
    notes = _notes(project, found)
    room = None if most is None else most - 1 - len(notes)
    rows = listing.table(listed, used=verb.used(project, listed), most=room, older=older)
    return [line(urgency.counts(found), show.width()), *rows, *notes]


def _notes(project: Project, found: list[Task]) -> list[str]:
    """What is to be said beneath the list, of all of it."""
    lines = []
    if odd := verb.unreadable(project):
        lines.append(
            f"{show.many(len(odd), 'task')} cannot be read: {', '.join(list(odd)[:5])} (`dispatch doctor` says why)"
        )
    if any(not t.ended for t in found) and not verb.is_supervised(project):
        lines.append(ALONE)
    if any(t.open_questions or t.state.value == "blocked" for t in found):
        both = "`dispatch questions` shows what is asked, `dispatch answer TASK …` answers it"
        if sys.stdout.isatty():
            both = "`dispatch answer` asks you all of it, one by one; `dispatch questions` shows it"
        lines.append(both if columns(both) <= show.width() else "`dispatch answer` answers what is asked")
    return lines


def _graph(found: list[Task]) -> list[str]:
    """Tasks with what they come after, as wide as the terminal."""
    from dispatch_tmux.cli import graph

    nodes = [(t.id, f"{GLYPHS[t.state]} {t.id}  {t.state.value} {t.done_items}/{len(t.marks)}") for t in found]
    rows = graph.draw(nodes, {t.id: [id for id, _ in t.after] for t in found})
    return [fit.cut(row, show.width()) for row in rows]


def _watch(project: Project, task: str | None, only: list[str] | None, every: bool) -> None:
    drawn = show.draws()
    try:
        for _ in verb.changes(project, EVERY):
            lines = _lines(project, task, only, every, show.height() if drawn else None)
            click.echo(_drawn(lines) if drawn else "\n".join(lines), nl=not drawn)
    finally:
        if drawn:
            click.echo()


def _drawn(lines: list[str]) -> str:
    """LINES over what the terminal shows, no wider and no higher than it is."""
    width, most = show.width(), show.height()
    if len(lines) > most:
        lines = [*lines[: most - 1], f"… {len(lines) - most + 1} more lines"]
    bare = ((row, re.sub(COLOUR, "", row)) for row in map(printable, lines))
    shown = (row if columns(plain) <= width else fit.cut(plain, width) for row, plain in bare)
    return "\x1b[H" + "\n".join(f"{row}\x1b[K" for row in shown) + "\x1b[J"
