"""A worker's plan as a file: what is written there is never made of a part of it, and keeps every byte that is not ours."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch_tmux.core import plan
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.tree import Tree

NAME = "plan.md"
CHECKLIST = 1 << 20  # bytes of it that are read as a checklist
MOST = 64 << 20  # bytes of one that is written to


def whole(tree: Tree) -> str | None:
    """All of the plan in TREE, bytes that are no UTF-8 as surrogates (PEP 383); None without one.

    Raises DispatchError for one that is longer than MOST.
    """
    data = tree.read_bytes(NAME, most=MOST + 1)
    if data is not None and len(data) > MOST:
        raise DispatchError(
            f"{tree.at(NAME)} has over {MOST >> 20} MB; it is left as it is", hint="nobody works through such a plan"
        )
    return None if data is None else data.decode("utf-8", "surrogateescape")


def write(tree: Tree, text: str) -> None:
    """Put TEXT, as `whole` gives it, in the plan's place."""
    tree.replace(NAME, text=text.encode("utf-8", "surrogateescape"))


def lacking(tree: Tree, notes: Sequence[str]) -> list[str]:
    """Those of NOTES, none of which is in the plan's beginning, that the rest of a long one has not, either."""
    facts = tree.stat(NAME)
    if facts is None or facts.st_size <= CHECKLIST:
        return list(notes)
    try:
        text = whole(tree) or ""
    except DispatchError:
        return []
    return [note for note in notes if not plan.has_note(text, note)]


def put_note(tree: Tree, note: str) -> None:
    """Add NOTE to the plan if it is not there. Appended in one write, so that no mark of the worker's is undone.

    A worker that writes its older copy over it loses it; the supervisor sees that and puts it there again. Raises
    DispatchError for a plan that is too long.
    """
    before = whole(tree)
    if before is not None and plan.has_note(before, note):
        return
    after = plan.with_note(before or "", note)
    if before is None or not tree.append(NAME, text=after[len(before) :]):
        write(tree, after)
