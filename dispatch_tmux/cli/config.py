from __future__ import annotations

import sys

import click

from dispatch_tmux.config import edit as config_edit
from dispatch_tmux.config import load as configuration
from dispatch_tmux.errors import DispatchError, NeedsDecision


@click.group()
def config() -> None:
    """Show and change the configuration. Comments, order and layout of the file stay as they are."""


def _done(words: str) -> None:
    click.echo(f"{words} in {configuration.path()}")


def _known(name: str) -> None:
    """Refuse a name that nothing could run. Raises DispatchError."""
    from dispatch_tmux.models import choose as choosing
    from dispatch_tmux.models import resolve

    shop = choosing.Shop()
    chosen = resolve.named(name, shop.world)
    if chosen.source == "unavailable":
        raise choosing.unavailable(shop, chosen)
    if added := choosing.add_if_new(shop, chosen):
        click.echo(added)


@config.command()
def path() -> None:
    """Where the configuration lies."""
    click.echo(configuration.path())


@config.command()
def show() -> None:
    """The file as it is, and what is wrong with it."""
    text = configuration.text()
    if text is None:
        raise DispatchError(f"there is no config at {configuration.path()}", hint="dispatch init writes one")
    from dispatch_tmux.core.text import clean

    click.echo("\n".join(clean(line, 2000) if line else "" for line in text.rstrip("\n").split("\n")))
    found = configuration.load()
    if found and found.agents:
        click.echo("this is the old format: `dispatch config migrate` upgrades it, a copy is kept", err=True)
    for name, _, now, why in config_edit.aged(found) if found else ():
        click.echo(f"backends.{name}.command: {why}; `dispatch config renew` makes it: {now}", err=True)


@config.command()
def edit() -> None:
    """Open the file in $EDITOR; what could not be read back is said, and nothing is lost."""
    import os
    import shlex
    import subprocess

    if configuration.text() is None:
        raise DispatchError(f"there is no config at {configuration.path()}", hint="dispatch init writes one")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise DispatchError("an editor needs a terminal", hint=f"the file is {configuration.path()}")
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        subprocess.run([*editor, configuration.path()], check=False)
    except OSError as e:
        raise DispatchError(f"cannot start the editor {editor[0]!r}: {e.strerror}", hint="set EDITOR") from e
    configuration.load()
    _done("saved; it is in order")


@config.command("set-default")
@click.argument("model")
def set_default(model: str) -> None:
    """Use MODEL (or an alias) when a task names none."""
    _known(model)
    config_edit.set_default(model)
    _done(f"default: {model}")


@config.command("add-model")
@click.argument("model")
@click.option("--backend", default="", metavar="NAME", help="What runs it; else found out.")
@click.option("--fallback", "fallbacks", multiple=True, metavar="MODEL", help="Takes over when it fails; repeat it.")
def add_model(model: str, backend: str, fallbacks: tuple[str, ...]) -> None:
    """Add MODEL, or change its backend."""
    from dispatch_tmux.models import choose as choosing
    from dispatch_tmux.models import resolve

    shop = choosing.Shop()
    if backend and backend not in shop.names:
        raise DispatchError(
            f"there is no backend {backend!r}", hint=f"there are: {', '.join(n for n in shop.names if n != 'command')}"
        )
    if not backend:
        chosen = resolve.named(model, shop.world)
        if chosen.source == "unavailable":
            raise choosing.unavailable(shop, chosen)
        if chosen.alias:
            raise DispatchError(f"{model!r} is an alias", hint="name it with --backend to make it a model")
        model, backend = chosen.model, chosen.backend
    config_edit.add_model(model, backend, fallbacks)
    _done(f"{model}: backend {backend}")


@config.command("remove-model")
@click.argument("model")
@click.option("--use", "other", default="", metavar="OTHER", help="Takes its place in default, aliases and fallbacks.")
def remove_model(model: str, other: str) -> None:
    """Remove MODEL."""
    config_edit.remove_model(model, other)
    _done(f"{model} removed" + (f", {other} in its place" if other else ""))


@config.command("add-alias")
@click.argument("name")
@click.argument("model")
@click.option("--prompt", default="", metavar="TEXT", help="Said before the worker's prompt.")
@click.option("--fallback", "fallbacks", multiple=True, metavar="MODEL", help="Takes over when it fails; repeat it.")
def add_alias(name: str, model: str, prompt: str, fallbacks: tuple[str, ...]) -> None:
    """Let NAME stand for MODEL, with words of its own."""
    _known(model)
    config_edit.add_alias(name, model, prompt, fallbacks)
    _done(f"alias {name}: {model}")


@config.command("remove-alias")
@click.argument("name")
def remove_alias(name: str) -> None:
    """Remove the alias NAME."""
    config_edit.remove_alias(name)
    _done(f"alias {name} removed")


@config.command()
def migrate() -> None:
    """Turn the old `agents:` into aliases; a copy of the file is kept."""
    kept = config_edit.migrate()
    _done(f"upgraded, the old file is {kept}," if kept else "nothing to upgrade")


@config.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def renew(yes: bool) -> None:
    """Change commands that today's CLIs refuse to their current form."""
    found = configuration.load()
    old = config_edit.aged(found) if found else []
    for name, command, now, why in old:
        click.echo(f"{name}: {why}\n  - {command}\n  + {now}")
    if not old:
        _done("no aged command")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise NeedsDecision("these commands would be changed", hint="dispatch config renew --yes")
        click.confirm("Change them?", abort=True)
    config_edit.renew()
    _done("changed")
