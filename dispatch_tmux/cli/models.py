from __future__ import annotations

from typing import Any

import click

from dispatch_tmux.cli import common
from dispatch_tmux.core.text import clean
from dispatch_tmux.models import names


@click.command()
@click.argument("text", nargs=-1)
@click.option("-m", "--model", default="", metavar="MODEL", help="Resolve this name, whatever the text says.")
@click.option("--json", "as_json", is_flag=True, help="Print the resolution as JSON.")
def resolve(text: tuple[str, ...], model: str, as_json: bool) -> int:
    """What `dispatch run TEXT` would run: model, backend, argv. Starts nothing, changes nothing.

    \b
    dispatch resolve "have opus review and sonnet test"
    """
    import os

    from dispatch_tmux.models import choose as choosing
    from dispatch_tmux.models import resolve as resolving

    shop = choosing.Shop()
    words = common.text_of(text)
    chosen = resolving.named(model, shop.world) if model else resolving.in_text(words, shop.world)
    missing = chosen.source == "unavailable"
    argv, env, unset = ([], {}, []) if missing else choosing.command(shop, chosen, os.getcwd())
    if not missing and chosen.needs_confirmation:
        chosen = chosen._replace(needs_confirmation=choosing.needs_confirmation(chosen, common.project().root))
    if as_json:
        common.print_json(
            {
                "model": (chosen.model or chosen.name) or None, "backend": chosen.backend or None, "alias": chosen.alias or None,
                "source": chosen.source, "needs_confirmation": chosen.needs_confirmation, "prompt_prefix": chosen.prefix,
                "argv": argv, "env": env, "unset": unset, "fallbacks": list(chosen.fallbacks), "near": list(chosen.near),
                **({"message": str(choosing.unavailable(shop, chosen))} if missing else {}),
            }
        )  # fmt: skip
    if missing:
        raise choosing.unavailable(shop, chosen)
    if not as_json:
        _tell(chosen, argv, env)
    return 0


def _tell(chosen: Any, argv: list[str], env: dict[str, str]) -> None:
    import shlex

    by = f" (alias {chosen.alias})" if chosen.alias else ""
    click.echo(f"{clean(chosen.model)} on {clean(chosen.backend)}{clean(by)}, {chosen.source}")
    if chosen.needs_confirmation:
        click.echo("  the default: `dispatch run` asks once in a project, or --yes")
    if chosen.prefix:
        click.echo(f"  says first: {clean(chosen.prefix, 160)}")
    click.echo(f"  {' '.join([*(f'{k}={shlex.quote(v)}' for k, v in env.items()), shlex.join(argv)])}")


@click.command()
@click.option("--refresh", is_flag=True, help="Ask the CLIs again; else what they said today counts.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of id, backend, family, configured.")
def models(refresh: bool, as_json: bool) -> None:
    """The models that can run here: those in the config, and those that the installed CLIs list."""
    from dispatch_tmux.models import choose as choosing

    shop = choosing.Shop()
    listings = shop.listings(refresh)
    config = shop.config
    rows = {(n, m.backend): "config" for n, m in (config.models.items() if config else ())}
    for name, listing in listings.items():
        for id in listing.ids:
            rows.setdefault((id, name), f"known list of {listing.dated}" if listing.dated else "listed")
    if as_json:
        entries = [{"id": i, "backend": b, "family": names.family(i), "configured": how == "config",
                    "installed": shop.installed(b)} for (i, b), how in rows.items()]  # fmt: skip
        common.print_json(entries)
        return
    order = ("claude", "openai", "gemini", "other", "")
    for kind in order:
        of_kind = [(key, how) for key, how in rows.items() if names.family(key[0]) == kind]
        if of_kind:
            click.echo({"claude": "Claude", "openai": "OpenAI", "gemini": "Gemini"}.get(kind, "Others"))
        for (id, backend), how in of_kind:
            absent = "" if shop.installed(backend) else ", not installed"
            default = " ← default" if config and config.default == id else ""
            click.echo(f"  {clean(id):32} {clean(backend)} ({how}{absent}){default}")
    for name in config.aliases if config else ():
        click.echo(f"alias {clean(name)} → {clean(config.aliases[name].model or 'its command')}" if config else "")
    for listing in listings.values():
        if listing.problem:
            click.echo(f"{listing.backend}: {clean(listing.problem, 200)}", err=True)
    if not rows:
        click.echo("no models: dispatch init looks for agent CLIs")


@click.command()
@click.option("--check", "name", metavar="NAME", help="Load and check one backend, and run its CLI's --version.")
@click.option("--json", "as_json", is_flag=True)
def backends(name: str | None, as_json: bool) -> None:
    """The agent CLIs that dispatch knows: installed or not, and what their files were verified against."""
    from dispatch_tmux.backends import discovery
    from dispatch_tmux.backends import load as known
    from dispatch_tmux.models import choose as choosing

    shop = choosing.Shop()
    rows = []
    wanted = [name] if name else [n for n in shop.names if n != "command"]
    versions = discovery.versions([b for b in map(shop.backend, wanted) if discovery.installed(b) and b.name != "demo"])
    for n in wanted:
        backend = shop.backend(n)
        path = discovery.installed(backend)
        path = "built in" if path.startswith("{") else path
        rows.append(
            {
                "name": n, "about": backend.about, "installed": path, "version": versions.get(n, ""),
                "verified": backend.verified.version, "verified_on": backend.verified.on, "interactive": backend.interactive,
                "install": backend.install,
            }
        )  # fmt: skip
    if as_json:
        common.print_json(rows)
        return
    for row in rows:
        verified = f"verified with {row['verified']} on {row['verified_on']}" if row["verified"] else "not verified"
        there = (
            f"{row['installed']} {row['version']}".rstrip() if row["installed"] else f"not installed ({row['install']})"
        )
        kind = "" if row["interactive"] else ", batch or lines"
        click.echo(f"{clean(str(row['name'])):10} {clean(there, 200)}")
        click.echo(f"{'':10} {clean(str(row['about']), 100)}; {verified}{kind}")
    if name:
        backend = shop.backend(name)
        rules = backend.screen
        click.echo(f"{'':10} argv: {clean(' '.join(backend.argv), 400)}")
        click.echo(
            f"{'':10} screen: {len(rules.dialogues)} dialogues, {len(rules.errors)} errors, composer {'yes' if rules.composer else 'no'}"
        )
        where = known.file_of(name)
        click.echo(f"{'':10} {'built in' if where else 'your own'}; the file is in order")
