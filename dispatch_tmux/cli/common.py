"""What several commands need."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

import click

from dispatch_tmux import DispatchError, Project
from dispatch_tmux.core.text import CONTROLS, printable


def project() -> Project:
    """The project that the command is about."""
    return Project.find(click.get_current_context().obj)


def print_json(data: Any) -> None:
    import json

    click.echo(harmless(json.dumps(data, ensure_ascii=False, indent=2)))


def harmless(text: str) -> str:
    """JSON with what a terminal may obey, and what nobody sees but a model reads, escaped as well."""
    return re.sub(CONTROLS, _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    """A character as JSON has it: two surrogates for one beyond U+FFFF (RFC 8259, section 7)."""
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n] << 8 | units[n + 1]:04x}" for n in range(0, len(units), 2))


MOST_TEXT = 16 << 20  # characters of a file that is given
MOST_LINES = 38  # that go to something else than a terminal: a program's context is dear


def echo_lines(lines: Iterable[str], more: str) -> None:
    """Print LINES; where no person looks only the first ones, and MORE says how to see the rest."""
    listed = [part for line in lines for part in line.split("\n")]
    if len(listed) > MOST_LINES and not sys.stdout.isatty():
        hidden = len(listed) - MOST_LINES + 1
        listed = [*listed[: MOST_LINES - 1], f"… {hidden} more lines: {more}"]
    click.echo("\n".join(map(printable, listed)))


def text_of(words: tuple[str, ...] | str, file: str = "") -> str:
    """The text that is given: words, `-` for standard input, or the content of FILE (`-`, too)."""
    text = words if isinstance(words, str) else " ".join(words)
    if "-" in (text, file):
        return sys.stdin.read().rstrip("\n")
    return content(file).rstrip("\n") if file else text


def content(file: str) -> str:
    """The text of FILE; bytes that are no UTF-8 are replaced. Raises DispatchError when there is none, or too much."""
    try:
        with open(file, encoding="utf-8", errors="replace", newline="") as f:
            text = f.read(MOST_TEXT + 1)
    except FileNotFoundError:
        raise DispatchError(f"there is no file {file}") from None
    if len(text) > MOST_TEXT:
        raise DispatchError(
            f"{file} is longer than {MOST_TEXT >> 20} million characters", hint="it is no prompt or plan"
        )
    return text


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def attach_line(directory: Project, id: str) -> str:
    """The command that shows task ID, as it is typed where we are."""
    import os

    here = os.path.realpath(os.getcwd())
    inside = any(here == top or here.startswith(top + os.sep) for top in (directory.root, directory.here) if top)
    return f"dispatch attach {id}" if inside else f"dispatch -C {directory.root} attach {id}"
