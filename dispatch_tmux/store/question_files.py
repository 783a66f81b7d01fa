"""The files through which a worker asks: `NNN.question`, answered with `NNN.answer`, acknowledged with `NNN.done`.

A worker may make as many as it likes: what is read of them is bounded, and the names alone tell what has come of them.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple

from dispatch_tmux.core.choices import choices_of
from dispatch_tmux.store import files
from dispatch_tmux.store.tree import Tree

_QUESTION = re.compile(r"([0-9]{3,})\.question")
CUT = 2000  # characters of a question kept in the journal; the file has the rest
MOST_OPEN = 1000  # open questions of one worker that count; more of them wait until some are answered
MOST_QUESTION = 256 * 1024  # bytes of a question file that are read


class Asked(NamedTuple):
    """A question file: its number as written ('001'), its text, its choices, and what has become of it."""

    q: str
    text: str
    choices: tuple[tuple[str, str], ...]
    answered: bool
    acknowledged: bool


def there(tree: Tree) -> dict[str, tuple[bool, bool]]:
    """The question files in a worker's directory: number → whether it is answered, acknowledged. By number, names only.

    Gaps do not matter, leftovers of a rename are none.
    """
    names = set(tree.names("ipc"))
    found = [m[1] for m in map(_QUESTION.fullmatch, names) if m]
    return {q: (f"{q}.answer" in names, f"{q}.done" in names) for q in sorted(found, key=lambda q: (int(q), q))}


def asked(tree: Tree, known: Container[str], most: int) -> list[Asked]:
    """The questions that are whole, by number, MOST of them; those that are KNOWN already are left out."""
    found: list[Asked] = []
    for q, (answered, acknowledged) in there(tree).items():
        if q not in known and (one := read(tree, q, answered, acknowledged)):
            found.append(one)
            if len(found) >= most:
                break
    return found


def read(tree: Tree, q: str, answered: bool, acknowledged: bool) -> Asked | None:
    """Question Q; None while its worker still writes it."""
    if not answered and files.being_written(tree.at("ipc", f"{q}.question")):
        return None
    text = (tree.read("ipc", f"{q}.question", most=MOST_QUESTION) or "").strip()
    return Asked(q, text, choices_of(text), answered, acknowledged)
