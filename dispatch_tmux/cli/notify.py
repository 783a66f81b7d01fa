from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import notify as verb


@click.group(invoke_without_command=True)
@click.option(
    "--json", "as_json", is_flag=True, help="A list of {number, on, group, quiet, to, trouble, failures, at}."
)
@click.pass_context
def notify(ctx: click.Context, as_json: bool) -> None:
    """Whom `notify:` in your config names, to be told of what happens when nobody looks.

    \b
    dispatch notify
    dispatch notify test
    """
    if ctx.invoked_subcommand is not None:
        return
    found = verb.list_receivers(common.project())
    if as_json:
        common.print_json([each._asdict() for each in found])
        return
    for each in found:
        more = [f"group {each.group}"] if each.group else []
        more += [f"quiet {each.quiet}"] if each.quiet else []
        click.echo(clean(f"{each.number}  {each.to}: {', '.join([*each.on, *more])}", 400))
        if each.trouble:
            times = f" {each.failures} times in a row" if each.failures > 1 else ""
            click.echo(clean(f"   failed{times}: {each.trouble}", 400))
    if not found:
        click.echo("nobody is told: `notify:` in the config names whom (docs/notify.md); for instance")
        click.echo("  notify: [{on: [question, failed, all-done], quiet: '22:00-07:00', to: bell}]")


@notify.command("test")
@click.argument("number", type=int, required=False, metavar="[N]")
@click.option("--json", "as_json", is_flag=True, help="A list of {number, to, ok, said, seconds}.")
def test(number: int | None, as_json: bool) -> int:
    """Send a test through each entry, or the Nth. Exit status 1 where one did not arrive anywhere.

    \b
    dispatch notify test
    dispatch notify test 2
    """
    found = verb.try_receivers(common.project(), number)
    if as_json:
        common.print_json([each._asdict() for each in found])
    elif not found:
        click.echo("nobody is told: `notify:` in the config names whom (docs/notify.md)")
    else:
        for each in found:
            click.echo(
                clean(f"{'ok' if each.ok else '!!'}  {each.number}  {each.to}: {each.said} ({each.seconds:.1f} s)", 400)
            )
    return 0 if all(each.ok for each in found) else 1
