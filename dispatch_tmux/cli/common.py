"""What several commands need."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import click

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files
from dispatch_tmux.store.project import Project, find


def project() -> Project:
    return find(click.get_current_context().obj)


def task_of(name: str) -> tuple[Project, Task]:
    """The project and the task that NAME stands for."""
    here = project()
    return here, here.store.task(here.store.find(name))


def print_json(data: Any) -> None:
    import json

    click.echo(harmless(json.dumps(data, ensure_ascii=False, indent=2)))


MOST_LINES = 38  # that go to something else than a terminal: a program's context is dear


def echo_lines(lines: Iterable[str], more: str) -> None:
    """Print LINES; where no person looks only the first ones, and MORE says how to see the rest."""
    listed = [part for line in lines for part in line.split("\n")]
    if len(listed) > MOST_LINES and not sys.stdout.isatty():
        hidden = len(listed) - MOST_LINES + 1
        listed = [*listed[: MOST_LINES - 1], f"… {hidden} more lines: {more}"]
    click.echo("\n".join(listed))


def harmless(text: str) -> str:
    """JSON with what a terminal may obey (DEL, C1 controls, marks that turn the reading order) escaped as well."""
    import re

    return re.sub(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", lambda m: f"\\u{ord(m[0]):04x}", text)


def text_of(words: tuple[str, ...] | str | None, file: str | None = None) -> str:
    """TEXT as given: words, `-` for standard input, or a file."""
    text = words if isinstance(words, str) else " ".join(words or ())
    if file:
        read = files.read_text(file, 1 << 24)
        if read is None:
            raise DispatchError(f"there is no file {file}")
        return read.rstrip("\n")
    return sys.stdin.read().rstrip("\n") if text == "-" else text


def attach_line(directory: Project, id: str) -> str:
    import os

    here = os.path.realpath(os.getcwd())
    inside = here == directory.root or here.startswith(directory.root + os.sep)
    return f"dispatch attach {id}" if inside else f"dispatch -C {directory.root} attach {id}"
