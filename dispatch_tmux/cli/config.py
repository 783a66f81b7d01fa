from __future__ import annotations

import sys

import click

from dispatch_tmux import DispatchError, NeedsDecision
from dispatch_tmux.cli import common
from dispatch_tmux.cli.edit import open_editor
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import config as verb


@click.group(subcommand_metavar="VERB …")
def config() -> None:
    """Show and change the configuration. Comments, order and layout of the file stay as they are."""


def _done(words: str, added: str = "") -> None:
    if added:
        click.echo(added)
    click.echo(f"{words} in {verb.path()}")


@config.command()
def path() -> None:
    """Where the configuration lies."""
    click.echo(verb.path())


@config.command()
def show() -> int:
    """The file as it is, and what is wrong with it; exit status 1, then."""
    found = verb.show()
    click.echo("\n".join(clean(line, 2000) if line else "" for line in found.text.rstrip("\n").split("\n")))
    if found.old_format:
        click.echo("this is the old format: `dispatch config migrate` upgrades it, and keeps a copy", err=True)
    for name, _, now, why in found.aged:
        click.echo(f"backends.{name}.command: {why}; `dispatch config renew` makes it: {now}", err=True)
    for wrong in found.wrong:
        click.echo(f"dispatch: {clean(wrong, 1000)}", err=True)
    return 1 if found.wrong else 0


@config.command()
def edit() -> None:
    """Open the file in $EDITOR, and check it afterwards."""
    if not verb.exists():
        raise DispatchError(f"there is no config at {verb.path()}", hint="`dispatch init` writes one")
    if not common.is_terminal():
        raise DispatchError("an editor needs a terminal", hint=f"the file is {verb.path()}")
    open_editor(verb.path())
    verb.check()
    _done("saved; there is no mistake")


@config.command("set-default")
@click.argument("model")
def set_default(model: str) -> None:
    """Use MODEL (or an alias) when a task names none."""
    _done(f"default: {model}", verb.set_default(model))


@config.command("add-model")
@click.argument("model")
@click.option("--backend", default="", metavar="NAME", help="What runs it; else found out.")
@click.option("--fallback", "fallbacks", multiple=True, metavar="MODEL", help="Takes over when it fails; repeat it.")
def add_model(model: str, backend: str, fallbacks: tuple[str, ...]) -> None:
    """Add MODEL, or change its backend."""
    added = verb.add_model(model, backend, fallbacks)
    _done(f"{added.model}: backend {added.backend}")


@config.command("remove-model")
@click.argument("model")
@click.option("--use", "other", default="", metavar="OTHER", help="Takes its place in default, aliases and fallbacks.")
def remove_model(model: str, other: str) -> None:
    """Remove MODEL."""
    verb.remove_model(model, other)
    _done(f"{model} removed" + (f", {other} in its place" if other else ""))


@config.command("add-alias")
@click.argument("name")
@click.argument("model")
@click.option("--prompt", default="", metavar="TEXT", help="Said before the worker's prompt.")
@click.option("--fallback", "fallbacks", multiple=True, metavar="MODEL", help="Takes over when it fails; repeat it.")
def add_alias(name: str, model: str, prompt: str, fallbacks: tuple[str, ...]) -> None:
    """Let NAME stand for MODEL, with words of its own."""
    _done(f"alias {name}: {model}", verb.add_alias(name, model, prompt, fallbacks))


@config.command("remove-alias")
@click.argument("name")
def remove_alias(name: str) -> None:
    """Remove the alias NAME."""
    verb.remove_alias(name)
    _done(f"alias {name} removed")


@config.command()
def migrate() -> None:
    """Turn the old `agents:` into aliases; a copy of the file is kept."""
    kept = verb.migrate()
    _done(f"upgraded, the old file is {kept}," if kept else "nothing to upgrade")


@config.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def renew(yes: bool) -> None:
    """Bring commands that today's CLIs refuse into their current form."""
    old = verb.aged()
    for name, command, now, why in old:
        click.echo(f"{name}: {why}\n  - {command}\n  + {now}")
    if not old:
        _done("every command is up to date")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise NeedsDecision("these commands would be changed", hint="dispatch config renew --yes")
        click.confirm("Change them?", abort=True)
    verb.renew()
    _done("changed")
