from __future__ import annotations

import sys

import click

from dispatch_tmux import acting, choosing, plan
from dispatch_tmux.acting import Order
from dispatch_tmux.cli import common
from dispatch_tmux.resolve import Resolution
from dispatch_tmux.task import State


@click.command()
@click.argument("prompt", nargs=-1)
@click.option("--id", "id_", default="", metavar="ID", help="The task's name (a-z, 0-9, -); else made of the prompt.")
@click.option("-m", "--model", default="", metavar="MODEL", help="Model or alias; `demo` needs no agent CLI.")
@click.option("--item", "items", multiple=True, metavar="TEXT", help="An item of the checklist; repeat it.")
@click.option("--plan", "plan_file", metavar="FILE", help="A checklist (`- [ ] …` lines); - reads standard input.")
@click.option("--context", default="", metavar="TEXT", help="What the worker should know; goes into the plan.")
@click.option("--cwd", default="", metavar="DIR", help="Where the worker works; else the project's root.")
@click.option(
    "--permissions",
    type=click.Choice(["skip", "ask"]),
    default=None,
    help="skip: the CLI asks for nothing. ask: its own prompts become questions.",
)
@click.option("-y", "--yes", is_flag=True, help="Use the default model, and do not ask about it again in this project.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print id, model, backend, plan, pane and the attach command as JSON."
)
def run(
    prompt: tuple[str, ...],
    id_: str,
    model: str,
    items: tuple[str, ...],
    plan_file: str | None,
    context: str,
    cwd: str,
    permissions: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Start a worker on PROMPT in a tmux window of its own, and return at once.

    The model is -m, else what PROMPT names ("use sonnet to …"), else the default, which is asked about once.

    Without items the prompt is the plan's one item. PROMPT - reads standard input.

    \b
    dispatch run -m demo --item "look around" --item "ask: which database?" "set up storage"
    """
    project = common.project()
    text = common.text_of(plan_file if plan_file == "-" else "", None if plan_file == "-" else plan_file)
    words = common.text_of(prompt)
    if plan_file and not words.strip():
        words = next((i.text for i in plan.parse(text)), "")
    order = Order(words, id_, items, text, context, cwd, permissions or "")
    acting.check(project, order)
    task = acting.start(project, order, _chosen(project.root, model, words, yes))
    listed = plan.parse(project.store.plan(task.id))
    attach = common.attach_line(project, task.id)
    if as_json:
        common.print_json(
            {
                "id": task.id, "model": task.model, "backend": task.backend, "state": task.state.value, "pane": task.pane,
                "items": [i.text for i in listed], "dir": project.store.path(task.id), "attach": attach,
            }
        )  # fmt: skip
        return
    from dispatch_tmux.show import clean

    click.echo(f"{task.id} — {task.model}")
    for item in listed[:20]:
        click.echo(f"  ○ {clean(item.text, 160)}")
    if task.state is State.FAILED:
        click.echo(f"  failed: {task.why}")
    click.echo(f"  {attach}")


def _chosen(root: str, model: str, prompt: str, yes: bool) -> Resolution:
    """The model to run, with what has to be asked or said about it first."""
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    shop = choosing.Shop()
    if shop.config is None and model != "demo" and (asks or (yes and not model)):
        from dispatch_tmux.cli.init import set_up

        choosing.confirm(root, set_up(yes or bool(model), "", False))  # it has just been chosen
        shop = choosing.Shop()
    if shop.config and shop.config.agents:
        click.echo("the config has the old format: `dispatch config migrate` upgrades it", err=True)
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
