from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux import DispatchError
from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
from dispatch_tmux.verbs import models as verb
from dispatch_tmux.verbs import resolve as resolving

if TYPE_CHECKING:
    from dispatch_tmux import Model, Resolved

_FAMILIES = {"claude": "Claude", "openai": "OpenAI", "gemini": "Gemini", "other": "Others", "": "Others"}


@click.command()
@click.argument("text", nargs=-1, metavar="[TEXT]")
@click.option("-m", "--model", default="", metavar="MODEL", help="Resolve this name, whatever the text says.")
@click.option("--json", "as_json", is_flag=True, help="Print the resolution as JSON.")
def resolve(text: tuple[str, ...], model: str, as_json: bool) -> None:
    """What `dispatch run TEXT` would run: model, backend, argv. Starts nothing, changes nothing.

    \b
    dispatch resolve "have opus review and sonnet test"
    """
    found = resolving.resolve(common.project(), common.text_of(text), model=model)
    if as_json:
        common.print_json(_resolved(found))
    if found.message:
        raise DispatchError(found.message, hint=found.hint)
    if not as_json:
        click.echo("\n".join(_said(found)))


def _resolved(found: Resolved) -> dict[str, Any]:
    return {
        "model": found.model or None, "backend": found.backend or None, "alias": found.alias or None, "source": found.source,
        "needs_confirmation": found.needs_confirmation, "prompt_prefix": found.prefix, "argv": list(found.argv),
        "env": found.env, "unset": list(found.unset), "fallbacks": list(found.fallbacks), "near": list(found.near),
        **({"message": found.message} if found.message else {}),
    }  # fmt: skip


def _said(found: Resolved) -> list[str]:
    by = f" (alias {found.alias})" if found.alias else ""
    lines = [f"{clean(found.model)} on {clean(found.backend)}{clean(by)}, {found.source}"]
    if found.needs_confirmation:
        lines.append("  the default: `dispatch run` asks for a confirmation once in a project, or takes --yes")
    if found.prefix:
        lines.append(f"  says first: {clean(found.prefix, 160)}")
    variables = (f"{k}={shlex.quote(v)}" for k, v in found.env.items())
    return [*lines, f"  {' '.join([*variables, shlex.join(found.argv)])}"]


@click.command()
@click.option("--refresh", is_flag=True, help="Ask the CLIs again; else what they said today counts.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of id, backend, family, configured.")
def models(refresh: bool, as_json: bool) -> None:
    """The models that can run here: those in the config, and those that the installed CLIs list."""
    found = verb.list_models(refresh=refresh)
    if as_json:
        keys = ("id", "backend", "family", "configured", "installed")
        common.print_json([{key: getattr(m, key) for key in keys} for m in found.models])
        return
    for family, title in _FAMILIES.items():
        of_family = [m for m in found.models if m.family == family]
        for line in [title, *map(_model, of_family)] if of_family else ():
            click.echo(line)
    for name, model in found.aliases.items():
        click.echo(f"alias {clean(name)} → {clean(model or 'its command')}")
    for backend, problem in found.problems.items():
        click.echo(f"{backend}: {clean(problem, 200)}", err=True)
    if not found.models:
        click.echo("no models: `dispatch init` looks for agent CLIs")


def _model(model: Model) -> str:
    absent = "" if model.installed else ", not installed"
    default = " ← default" if model.default else ""
    return f"  {clean(model.id):32} {clean(model.backend)} ({model.source}{absent}){default}"
