"""`backends`, and what renews their screen rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dispatch_tmux import NeedsDecision
from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean

if TYPE_CHECKING:
    from dispatch_tmux import Backend, Proposal, RuleChange

_KEYS = (
    "name", "about", "installed", "version", "verified", "verified_on", "interactive", "install", "standing", "rules",
)  # fmt: skip


@click.group(invoke_without_command=True, subcommand_metavar="[VERB …]")
@click.option(
    "--check", "name", default="", metavar="NAME", help="Load and check one backend, and run its CLI's --version."
)
@click.option("--json", "as_json", is_flag=True, help="A list of {name, about, installed, version, verified, …}.")
@click.pass_context
def backends(ctx: click.Context, name: str, as_json: bool) -> None:
    """The agent CLIs that dispatch knows: installed or not, what their files were verified against, which rules read them.

    \b
    dispatch backends update new-rules.yaml
    """
    if ctx.invoked_subcommand:
        if name or as_json:
            raise click.UsageError(f"--check and --json are not for `backends {ctx.invoked_subcommand}`", ctx)
        return
    from dispatch_tmux.verbs import models as verb

    found = verb.list_backends(name)
    if as_json:
        common.print_json([{key: getattr(b, key) for key in _KEYS} for b in found])
        return
    for backend in found:
        click.echo("\n".join([*_backend(backend), *(_checked(backend) if name else [])]))


def _backend(b: Backend) -> list[str]:
    verified = f"rules checked with {b.verified} on {b.verified_on}" if b.verified else "rules not checked"
    there = f"{b.installed} {b.version}".rstrip() if b.installed else f"not installed ({b.install})"
    kind = "" if b.interactive else ", batch or lines"
    lines = [f"{clean(b.name):10} {clean(there, 200)}", f"{'':10} {clean(b.about, 100)}; {verified}{kind}"]
    return [*lines, *(f"{'':10} {clean(said, 300)}" for said in (b.standing, b.rules) if said)]


def _checked(b: Backend) -> list[str]:
    """What its file has, now that it was read without a complaint."""
    seen = f"{b.dialogues} dialogues, {b.errors} errors, composer {'yes' if b.composer else 'no'}"
    whose = "built in" if b.built_in else "your own"
    lines = (f"argv: {clean(' '.join(b.argv), 400)}", f"screen: {seen}", f"{whose}; the file is in order")
    return [f"{'':10} {text}" for text in lines]


@backends.command()
@click.argument("source", default="", metavar="[FILE|URL]")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--rollback", is_flag=True, help="Go back instead, as `backends rollback` does.")
def update(source: str, yes: bool, rollback: bool) -> None:
    """Take newer screen rules from a file or an https URL.

    They only say how screens are read. They are tried on the recorded screens, and refused when fewer are read right; what
    would change is shown, and you are asked. Without FILE or URL they are taken from where those in force came from.

    \b
    dispatch backends update new-rules.yaml
    """
    if rollback:
        if source or yes:
            raise click.UsageError(
                "--rollback takes neither a FILE or URL nor --yes; `backends rollback NAME` takes a name"
            )
        _roll_back("")
        return
    from dispatch_tmux.verbs import rules as verb
    from dispatch_tmux.verbs import standing

    found = verb.propose_rules(source)
    click.echo("\n".join([f"from {clean(found.source, 300)}:", *_proposed(found)]))
    if not found.changes:
        click.echo("nothing is newer; the rules stay as they are")
        return
    if not yes:
        if not common.is_terminal():
            raise NeedsDecision("nobody can be asked here, and nothing was changed", hint="--yes takes them")
        if not click.confirm("Take them?", default=False):
            click.echo("the rules stay as they are")
            return
    for change in verb.take_rules(found):
        trial = f"; try them: dispatch verify {change.name}" if change.name in standing.NAMES else ""
        click.echo(
            f"{change.name}: rules {change.new} are in force{trial}; back: dispatch backends rollback {change.name}"
        )


@backends.command()
@click.argument("name", default="", metavar="[NAME]")
def rollback(name: str) -> None:
    """Go back to the rules before the last update, of one backend or of all.

    \b
    dispatch backends rollback claude
    """
    _roll_back(name)


@backends.command()
@click.argument("name", nargs=-1, metavar="[NAME]…")
def rules(name: tuple[str, ...]) -> None:
    """Print the screen rules in force as a rules file: to change it, give it a newer version, and pass it on.

    \b
    dispatch backends rules claude > rules.yaml
    """
    from dispatch_tmux.verbs import rules as verb

    click.echo(verb.export_rules(*name), nl=False)


def _roll_back(name: str) -> None:
    from dispatch_tmux.verbs import rules as verb

    for back in verb.rollback_rules(name):
        click.echo(f"{back.name}: rules {back.now} are in force again (were {back.was})")


def _proposed(found: Proposal) -> list[str]:
    lines = [line for change in found.changes for line in _change(change)]
    return [*lines, *(f"  {clean(words, 300)}" for words in found.passed_over)]


def _change(change: RuleChange) -> list[str]:
    lines = [f"  {change.name}: {change.old or 'no rules'} → {change.new}"]
    for word in ("added", "removed", "changed"):
        if named := getattr(change.changes, word):
            more = f" and {len(named) - 12} more" if len(named) > 12 else ""
            lines.append(f"    {word}: {clean(', '.join(named[:12]), 600)}{more}")
    if not any(change.changes):
        lines.append("    the same rules, under a newer version")
    if not change.screens:
        return [*lines, "    not tried: no screens of it are recorded"]
    lines.append(f"    of {change.screens} recorded screens as labelled: {change.before} before, {change.after} after")
    if change.otherwise:
        more = " …" if len(change.otherwise) > 6 else ""
        lines.append(f"    read with other words or choices: {', '.join(change.otherwise[:6])}{more}")
    return lines
