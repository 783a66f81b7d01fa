from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core import order as orders
from dispatch_tmux.core import plan, schedule
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import UsageProblem
from dispatch_tmux.models import choose as choosing
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.verbs import run as starting


@click.command()
@click.argument("prompt", nargs=-1)
@click.option("--id", "id_", default="", metavar="ID", help="The task's name (a-z, 0-9, -); else made of the prompt.")
@click.option("-m", "--model", default="", metavar="MODEL", help="Model or alias; `demo` needs no agent CLI.")
@click.option("--item", "items", multiple=True, metavar="TEXT", help="An item of the checklist; repeat it.")
@click.option("--plan", "plan_file", metavar="FILE", help="A checklist (`- [ ] …` lines); - reads standard input.")
@click.option("--context", default="", metavar="TEXT", help="What the worker should know; goes into the plan.")
@click.option("--cwd", default="", metavar="DIR", help="Where the worker works; else the project's root.")
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
@click.option("--group", default="", metavar="NAME", help="A heading in lists; limits may count by it.")
@click.option(
    "--priority", type=int, default=0, metavar="N", help="Higher ones start first when workers are limited (0)."
)
@click.option("--timeout", default="", metavar="TIME", help="Running time after which you are told: 90s, 30m, 2h.")
@click.option("--deadline", default="", metavar="WHEN", help="The same as a time: 17:30, '2026-11-21 17:30', +2h.")
@click.option("--stop-late", is_flag=True, help="Then stop it as well.")
@click.option(
    "--permissions",
    type=click.Choice(["skip", "ask"]),
    default=None,
    help="skip: the CLI asks for nothing. ask: its own prompts become questions.",
)
@click.option("-y", "--yes", is_flag=True, help="Use the default model, and do not ask about it again in this project.")
@click.option("--batch", default="", metavar="FILE", help="Several tasks from YAML; - reads standard input.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print id, model, backend, plan, pane and the attach command as JSON."
)
def run(
    prompt: tuple[str, ...],
    id_: str,
    model: str,
    plan_file: str | None,
    batch: str,
    yes: bool,
    as_json: bool,
    **more: Any,
) -> None:
    """Start a worker on PROMPT in a tmux window of its own, and return at once.

    The model is -m, else what PROMPT names ("use sonnet to …"), else the default, which is asked about once.

    Without items the prompt is the plan's one item. PROMPT - reads standard input.

    \b
    dispatch run -m demo --item "look around" --item "ask: which database?" "set up storage"
    dispatch run --worktree --after audit "fix what audit has found"

    \b
    A batch (--batch FILE) is started whole or not at all; the same FILE once more starts only what is missing:
      tasks:
        - {id: audit, model: opus, worktree: true, prompt: "audit the login", items: [read it, write the report]}
        - {id: fix, after: [audit], prompt: "fix what the audit has found"}
    Keys: id title group prompt items model worktree base after after_any context cwd priority timeout deadline permissions
    """
    if batch:
        _refuse_beside_a_batch(prompt, id_, model, plan_file, more)
        _run_batch(batch, yes, as_json)
        return
    project = common.project()
    branch, prompt = _branch(more["worktree"], prompt)
    text = common.text_of(plan_file if plan_file == "-" else "", None if plan_file == "-" else plan_file)
    words = common.text_of(prompt)
    if plan_file and not words.strip():
        words = next((i.text for i in plan.parse(text)), "")
    after = [(id, schedule.DONE) for id in more["after"]] + [(id, schedule.ANY) for id in more["after_any"]]
    order = Order(
        words, id_, more["items"], text, more["context"], more["cwd"], more["permissions"] or "", group=more["group"],
        priority=more["priority"], after=tuple((project.store.find(id), kind) for id, kind in after), worktree=branch,
        base=more["base"], timeout=orders.seconds(more["timeout"]) if more["timeout"] else 0.0,
        deadline=orders.moment(more["deadline"], time.time()) if more["deadline"] else 0.0, stop_late=more["stop_late"],
    )  # fmt: skip
    starting.check(project, order)
    task = starting.start(project, order, chooser(project.root, yes)(model, words))
    if as_json:
        common.print_json(_data(task))
    else:
        common.echo_lines(_lines(task), f"dispatch status {task.id}")


def _branch(worktree: str, prompt: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What follows --worktree is a branch when it looks like one, beside a prompt; else it begins the prompt."""
    if worktree in ("", "-"):
        return worktree, prompt
    beside = bool(prompt) and ("/" in worktree or (len(prompt) == 1 and (" " in prompt[0] or prompt[0] == "-")))
    return (worktree, prompt) if beside and not any(c.isspace() for c in worktree) else ("-", (worktree, *prompt))


def _data(task: Task) -> dict[str, Any]:
    project = common.project()
    return {
        "id": task.id, "model": task.model, "backend": task.backend, "state": task.state.value, "why": task.why,
        "pane": task.pane, "worktree": task.worktree, "branch": task.branch, "group": task.group,
        "items": [i.text for i in plan.parse(project.store.plan(task.id))], "dir": project.store.path(task.id),
        "attach": common.attach_line(project, task.id),
    }  # fmt: skip


def _lines(task: Task) -> list[str]:
    from dispatch_tmux.core.text import clean, line

    project = common.project()
    lines = [f"{task.id} — {task.model}"]
    lines += [f"  ○ {clean(item.text, 160)}" for item in plan.parse(project.store.plan(task.id))[:20]]
    if task.worktree:
        lines.append(f"  worktree: {line(task.worktree, 400)} (branch {line(task.branch, 200)})")
    if task.state is State.FAILED:
        return [*lines, f"  failed: {clean(task.why, 400)}"]
    if not task.attempt:
        return [*lines, f"  waits: {clean(task.why, 400)}"]
    return [*lines, f"  {common.attach_line(project, task.id)}"]


def _refuse_beside_a_batch(
    prompt: tuple[str, ...], id_: str, model: str, plan_file: str | None, more: dict[str, Any]
) -> None:
    if prompt or id_ or model or plan_file or any(more.values()):
        raise UsageProblem("--batch has everything in its file", hint="only --yes and --json go with it")


def _run_batch(file: str, yes: bool, as_json: bool) -> None:
    from dispatch_tmux.verbs import batch as batching

    project = common.project()
    data = batching.parse(file)
    started = batching.start(project, data, chooser(project.root, yes), again=file == "-")
    if as_json:
        common.print_json([{**_data(task), "new": new} for task, new in started])
    else:
        common.echo_lines(batching.summary(project, started), "dispatch status")


def chooser(root: str, yes: bool) -> Callable[[str, str], Resolution]:
    """(model, prompt) → the model to run, with what has to be asked or said about it first."""
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    shop: choosing.Shop | None = None

    def choose(model: str, prompt: str) -> Resolution:
        nonlocal shop
        shop = shop or _shop(root, model, asks, yes)
        chosen = choosing.for_task(shop, model, prompt)
        if choosing.needs_confirmation(chosen, root):
            if not yes:
                if not asks:
                    raise choosing.undecided(chosen, shop.alternatives(chosen.name))
                if not click.confirm(f"No model is named. Use {chosen.name}?", default=True):
                    raise choosing.undecided(chosen, shop.alternatives(chosen.name))
            choosing.confirm(root, chosen.name)
        chosen = choosing.runnable(shop, chosen)
        if added := choosing.add_if_new(shop, chosen):
            click.echo(added, err=True)
        return chosen

    return choose


def _shop(root: str, model: str, asks: bool, yes: bool) -> choosing.Shop:
    """The configuration; made first where there is none."""
    shop = choosing.Shop()
    if shop.config is None and model != "demo" and (asks or (yes and not model)):
        from dispatch_tmux.cli.init import set_up

        choosing.confirm(root, set_up(yes or bool(model), "", False))  # it has just been chosen
        shop = choosing.Shop()
    if shop.config and shop.config.agents:
        click.echo("the config has the old format: `dispatch config migrate` upgrades it", err=True)
    return shop
