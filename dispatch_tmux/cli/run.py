from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux import State, UsageProblem
from dispatch_tmux.cli import common
from dispatch_tmux.cli.choose import Asking
from dispatch_tmux.core.text import GLYPHS, clean, line
from dispatch_tmux.verbs import run as verb
from dispatch_tmux.verbs import tasks as known

if TYPE_CHECKING:
    from dispatch_tmux import Project, Started, Task


@click.command()
@click.argument("prompt", nargs=-1, metavar="PROMPT")
@click.option("--id", "id_", default="", metavar="ID", help="The task's name (a-z, 0-9, -); else made of the prompt.")
@click.option("-m", "--model", default="", metavar="MODEL", help="Model or alias; `demo` needs no agent CLI.")
@click.option("--item", "items", multiple=True, metavar="TEXT", help="An item of the checklist; repeat it.")
@click.option(
    "--plan", "plan_file", default="", metavar="FILE", help="A checklist (`- [ ] …` lines); - reads standard input."
)
@click.option("--context", default="", metavar="TEXT", help="What the worker should know; goes into the plan.")
@click.option("--cwd", default="", metavar="DIR", help="Where the worker works; else the checkout you are in.")
@click.option(
    "--worktree",
    is_flag=False,
    flag_value="-",
    default="",
    metavar="[BRANCH]",
    help="Work in a git worktree of its own, on the branch dispatch/ID or BRANCH.",
)
@click.option("--base", default="", metavar="REV", help="Where the worktree's branch begins; else the current HEAD.")
@click.option("--after", multiple=True, metavar="TASK", help="Begin when TASK is done; repeat it.")
@click.option("--after-any", multiple=True, metavar="TASK", help="Begin when TASK has ended, however.")
@click.option(
    "--group", default="", metavar="NAME", help="A name for tasks that belong together; limits may count by it."
)
@click.option(
    "--priority", type=int, default=0, metavar="N", help="Higher ones start first when workers are limited (0)."
)
@click.option("--timeout", default="", metavar="TIME", help="Running time after which you are told: 90s, 30m, 2h.")
@click.option("--deadline", default="", metavar="WHEN", help="The same as a time: 17:30, '2026-11-21 17:30', +2h.")
@click.option("--stop-late", is_flag=True, help="Stop it then, too.")
@click.option(
    "--permissions",
    type=click.Choice(["skip", "ask"]),
    default=None,
    help="skip: the CLI asks for nothing. ask: its own prompts become questions.",
)
@click.option("-y", "--yes", is_flag=True, help="Use the default model, and do not ask about it again in this project.")
@click.option("--batch", default="", metavar="FILE", help="Several tasks from YAML; - reads standard input.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print id, model, backend, state, items, pane and the attach command as JSON.",
)
def run(
    prompt: tuple[str, ...],
    id_: str,
    model: str,
    plan_file: str,
    batch: str,
    yes: bool,
    as_json: bool,
    **more: Any,
) -> None:
    """Start a worker on PROMPT in a tmux window of its own, and return at once.

    The model is -m, else what PROMPT names ("use sonnet to …"), else the default, once you have confirmed it for the project.

    Without items the prompt is the plan's one item. With - as PROMPT it is read from standard input.

    \b
    dispatch run -m demo --item "look around" --item "ask: which database?" "set up storage"
    dispatch run --worktree --after audit "fix what audit has found"

    \b
    A batch (--batch FILE) is started whole or not at all; the same FILE
    once more starts only what is missing:
      tasks:
        - {id: audit, model: opus, worktree: true, prompt: "audit the login", items: [read it, write the report]}
        - {id: fix, after: [audit], prompt: "fix what the audit has found"}
    Keys: id title group prompt items model worktree base after after_any context cwd priority timeout deadline permissions
    """
    project = common.project()
    chooser = Asking(project, use_default=yes)
    if batch:
        _refuse_beside_a_batch(prompt, id_, model, plan_file, more)
        _run_batch(project, batch, chooser, as_json)
        return
    worktree, prompt = _branch(more.pop("worktree"), prompt)
    plan = common.text_of("", plan_file)
    task = verb.run(
        project, common.text_of(prompt), id=id_, model=model, plan=plan, worktree=worktree, choose=chooser,
        permissions=more.pop("permissions") or "", **more,
    )  # fmt: skip
    if as_json:
        common.print_json(_data(project, task))
    else:
        common.echo_lines(_lines(project, task), f"dispatch status {task.id}")


def _branch(worktree: str, prompt: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What follows --worktree is a branch when it looks like one, beside a prompt; else it begins the prompt."""
    if worktree in ("", "-"):
        return worktree, prompt
    beside = bool(prompt) and ("/" in worktree or (len(prompt) == 1 and (" " in prompt[0] or prompt[0] == "-")))
    return (worktree, prompt) if beside and not any(c.isspace() for c in worktree) else ("-", (worktree, *prompt))


def _data(project: Project, task: Task) -> dict[str, Any]:
    return {
        "id": task.id, "model": task.model, "backend": task.backend, "state": task.state.value, "why": task.why,
        "pane": task.pane, "cwd": task.cwd, "worktree": task.worktree, "branch": task.branch, "group": task.group,
        "items": [i.text for i in known.items(project, task)], "dir": known.folder(project, task),
        "attach": common.attach_line(project, task.id),
    }  # fmt: skip


def _lines(project: Project, task: Task) -> list[str]:
    lines = [f"{task.id} — {task.model}"]
    lines += [f"  ○ {clean(item.text, 160)}" for item in known.items(project, task)[:20]]
    if task.worktree:
        lines.append(f"  worktree: {line(task.worktree, 400)} (branch {line(task.branch, 200)})")
    elif there := _elsewhere(project, task):
        lines.append(f"  works in {there}")
    if task.state is State.FAILED:
        return [*lines, f"  failed: {clean(task.why, 400)}"]
    if not task.attempt:
        return [*lines, f"  waits: {clean(task.why, 400)}"]
    return [*lines, f"  {common.attach_line(project, task.id)}"]


def _elsewhere(project: Project, task: Task) -> str:
    """The checkout that TASK works in, if it is another one than the project's root; ''."""
    place, branch = verb.elsewhere(project, task)
    return f"{line(place, 400)} ({f'branch {line(branch, 200)}' if branch else 'no branch'})" if place else ""


def _refuse_beside_a_batch(prompt: tuple[str, ...], id_: str, model: str, plan_file: str, more: dict[str, Any]) -> None:
    if prompt or id_ or model or plan_file or any(more.values()):
        raise UsageProblem("--batch has everything in its file", hint="only --yes and --json go with it")


def _run_batch(project: Project, file: str, chooser: Asking, as_json: bool) -> None:
    from dispatch_tmux.verbs import batch as batching

    tasks = batching.parsed(sys.stdin.buffer.read(batching.MOST + 1)) if file == "-" else batching.read(file)
    started = batching.batch(project, tasks, again=file == "-", choose=chooser)
    if as_json:
        common.print_json([{**_data(project, one.task), "new": one.new} for one in started])
    else:
        places = {place: "" for one in started if one.new and (place := _elsewhere(project, one.task))}
        common.echo_lines([*_summary(started), *(f"They work in {place}" for place in places)], "dispatch status")


def _summary(started: list[Started]) -> list[str]:
    """The lines to show a person, by group: `● id — model (worktree): what`."""
    new = sum(1 for one in started if one.new)
    lines = [
        f"Dispatched {new} worker{'' if new == 1 else 's'}." if new else "Nothing new: all of it is there already."
    ]
    groups: dict[str, list[str]] = {}
    for one in started:
        groups.setdefault(one.task.group, []).append(_line(one))
    for group, listed in sorted(groups.items(), key=lambda pair: bool(pair[0])):
        lines += ["", *([line(group, 60)] if group else []), *listed]
    return lines


def _line(one: Started) -> str:
    task = one.task
    where = " (worktree)" if one.worktree else ""
    glyph = "●" if one.begins else GLYPHS[task.state]
    waits = f" [{task.why}]" if task.why and not one.begins and not task.started else ""
    there = "" if one.new else f" [there already: {task.state.value}]"
    return line(f"{glyph} {task.id} — {task.model}{where}: {task.title}", 100) + clean(waits or there, 200)
