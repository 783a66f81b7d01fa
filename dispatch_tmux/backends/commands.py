"""A backend's command as people write it, turned into argv without a shell. Pure.

`env -u NAME`, `NAME=value` in front and `"$(pwd)"` are understood; what else would need a shell is refused.
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from dispatch_tmux.errors import DispatchError

CWD = "{cwd}"  # stands for the worker's directory in an argument
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.S)


class Command(NamedTuple):
    argv: tuple[str, ...]
    env: dict[str, str]
    unset: tuple[str, ...]


def parse(text: str) -> Command:
    """TEXT as argv, variables to set and to remove. Raises DispatchError with the reason when it needs a shell."""
    text = text.strip()  # `command: >` ends in a newline
    for pwd in ('"$(pwd)"', "$(pwd)", '"$PWD"', "$PWD", '"`pwd`"', "`pwd`"):
        text = text.replace(pwd, CWD)
    _refuse_shell(text)
    try:
        words = shlex.split(text)
    except ValueError as e:
        raise DispatchError(f"command {text!r}: {e}", hint="close the quotes") from None
    env: dict[str, str] = {}
    unset: list[str] = []
    words = _prefixes(words, env, unset)
    if not words:
        raise DispatchError(f"command {text!r} names no program")
    return Command(tuple(words), env, tuple(unset))


def _prefixes(words: list[str], env: dict[str, str], unset: list[str]) -> list[str]:
    """WORDS without `NAME=value` and `env …` in front."""
    in_env = False
    while words:
        assignment = _ASSIGNMENT.fullmatch(words[0])
        if assignment:
            env[assignment[1]] = assignment[2]
            words = words[1:]
        elif words[0] in ("env", "/usr/bin/env") and not in_env:
            in_env, words = True, words[1:]
        elif in_env and words[0] in ("-u", "--unset") and len(words) > 1:
            unset.append(words[1])
            words = words[2:]
        elif in_env and words[0].startswith("--unset="):
            unset.append(words[0][8:])
            words = words[1:]
        elif in_env and words[0].startswith("-"):
            raise DispatchError(f"`env {words[0]}` is not understood in a command", hint="only `env -u NAME` is")
        else:
            break
    return words


def _refuse_shell(text: str) -> None:
    """Operators and substitutions outside single quotes (and, for substitutions, inside double quotes, too)."""
    bare = re.sub(r"\\.", "", re.sub(r"'[^']*'", "''", text))
    operator = re.search(r"[|;&<>\n]|(?<!\S)[()](?!\S)", re.sub(r'"[^"]*"', '""', bare))
    found = operator or re.search(r"`|\$[({\w]", bare)
    if found:
        raise DispatchError(
            f"command {text!r} needs a shell ({found[0]!r}), and commands run without one",
            hint='put it into a script and name that: command: "bash path/to/script.sh"',
        )
