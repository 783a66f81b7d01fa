"""The help of each verb: readable in 80 columns, with an example that is a command."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from dispatch_tmux.cli.main import COMMANDS, cli
from dispatch_tmux.core.text import columns

CONTEXT = click.Context(cli, info_name="dispatch")


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = cli.get_command(CONTEXT, name)
        below = command.commands if isinstance(command, click.Group) else {}
        found += [(name,), *((name, sub) for sub in below)]
    return found


def help_of(words: tuple[str, ...]) -> str:
    done = CliRunner(env={"COLUMNS": "80"}).invoke(cli, [*words, "--help"], terminal_width=80)
    assert done.exit_code == 0, done.output
    return str(done.output)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_help_of_a_verb_fits(words: tuple[str, ...]) -> None:
    said = help_of(words)
    assert said.startswith(f"Usage: cli {' '.join(words)} ")
    examples = {line for line in said.splitlines() if re.match(r"\s+(dispatch |- \{|JSON|Keys|done and|held )", line)}
    wide = [line for line in said.splitlines() if columns(line) > 80 and line not in examples]
    assert wide == []
    assert not re.search(r"\b(TODO|FIXME|None)\b", said) and "\t" not in said


def examples() -> list[tuple[str, str]]:
    return [
        (" ".join(words), line.strip())
        for words in commands()
        for line in help_of(words).splitlines()
        if line.startswith("  dispatch ")
    ]


@pytest.mark.parametrize(("verb", "line"), examples(), ids=lambda value: value[:50])
def test_an_example_is_a_command_of_its_verb(verb: str, line: str) -> None:
    """Every option of it is one, and no argument is missing; it is not carried out."""
    words = shlex.split(re.split(r"\s{2,}|\s[|>]\s", line)[0])[1:]
    context, command = CONTEXT, cli
    while isinstance(command, click.Group) and (words or not command.invoke_without_command):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    parsed = command.make_context("x", list(words), parent=CONTEXT, resilient_parsing=False)
    assert parsed.params is not None


def test_the_verbs_that_are_looked_for_most_have_an_example() -> None:
    have = {verb for verb, _ in examples()}
    assert {"run", "status", "wait", "answer", "send", "note", "retry", "resume", "clean", "help"} <= have
