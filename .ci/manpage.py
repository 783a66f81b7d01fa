"""The man page, made of the help of every verb when a wheel is built: `man dispatch` where that is installed.

    python .ci/manpage.py > dispatch.1

Hatchling runs it as a build hook (pyproject.toml); nothing of it is part of the package.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import click  # noqa: E402

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # to print it only click is needed
    BuildHookInterface = object  # type: ignore[assignment,misc]

FILES = (
    ("~/.dispatch/config.yaml", "the configuration; $DISPATCH_CONFIG names another"),
    ("~/.dispatch/", "what dispatch believes of every project: journals, requests, what it found of your CLIs"),
    (".dispatch/", "in a project: a directory for each worker, worktrees; ignored by git"),
)


class ManPage(BuildHookInterface):  # type: ignore[misc]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # a checkout changes; its page is printed by hand
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name, "dispatch.1")
        path.write_text(page(), encoding="utf-8")
        build_data["shared_data"][str(path)] = "share/man/man1/dispatch.1"


def page() -> str:
    """The whole page, in the macros of man(7)."""
    from dispatch_tmux import __version__
    from dispatch_tmux.cli.main import ALIASES, GROUPS, cli

    top = click.Context(cli, info_name="dispatch")
    lines = [f'.TH DISPATCH 1 "" "dispatch {__version__}" "User Commands"', ".SH NAME"]
    lines += [r"dispatch \- one terminal, a crew of coding agents", ".SH SYNOPSIS", r".B dispatch", "[\\-C DIR] VERB …"]
    lines += [".SH DESCRIPTION", *prose(cli.help or ""), *options(top)]
    for heading, verbs in GROUPS.items():
        lines.append(f".SH {plain(heading.upper())}")
        for name in verbs:
            lines += verb(click.Context(cli.get_command(top, name) or cli, info_name=name, parent=top))
    lines += [".SH OTHER NAMES", *terms((short, f"the same as {name}") for short, name in ALIASES.items())]
    lines += [".SH EXIT STATUS", *terms(exit_codes()), ".SH FILES", *terms(FILES)]
    return "\n".join([*lines, ".SH SEE ALSO", ".BR tmux (1), git (1), gh (1)", ""])


def verb(ctx: click.Context) -> Iterator[str]:
    """A verb, and what is below it: its usage, its help, its options."""
    yield f".SS {plain(' '.join([ctx.command_path, *ctx.command.collect_usage_pieces(ctx)]))}"
    yield from prose(ctx.command.help or "")
    yield from options(ctx)
    for name, below in getattr(ctx.command, "commands", {}).items():
        yield from verb(click.Context(below, info_name=name, parent=ctx))


def options(ctx: click.Context) -> Iterator[str]:
    records = [param.get_help_record(ctx) for param in ctx.command.get_params(ctx)]
    yield from terms(record for record in records if record and record[1] and not record[0].endswith("--help"))


def prose(text: str) -> Iterator[str]:
    """Paragraphs; one that begins with \\b (click's sign) keeps its lines."""
    for n, part in enumerate(re.split(r"\n\s*\n", text.strip())):
        yield from [".PP"] if n else []
        if part.lstrip().startswith("\b"):
            yield from (".RS 4", ".nf", *(plain(row) for row in part.split("\n")[1:]), ".fi", ".RE")
        else:
            yield plain(" ".join(part.split()))


def terms(pairs: Any) -> Iterator[str]:
    for term, said in pairs:
        yield from (".TP", f".B {plain(term)}", plain(said))


def plain(text: str) -> str:
    """TEXT that roff takes as it stands."""
    escaped = text.strip("\b").replace("\\", r"\e").replace("-", r"\-").replace("`", r"\`").replace("'", r"\(aq")
    return rf"\&{escaped}" if escaped.lstrip()[:1] in (".", "'") else escaped


def exit_codes() -> list[tuple[str, str]]:
    table = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    return [(code, said.replace("`", "")) for code, said in re.findall(r"^\| (\d+) \| (.+) \|$", table, re.M)]


if __name__ == "__main__":
    sys.stdout.write(page())
