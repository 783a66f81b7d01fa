"""The fold of a long journal, kept beside it, so that what it came to is known without reading every event again.

It is believed only for a journal whose first bytes are, by their checksum, the very ones it was made of: what was replaced,
cut or edited is read anew, and so is all when the steps of the fold are not the ones it was made with. It may be deleted.
"""

from __future__ import annotations

import functools
import json
import os
import zlib
from typing import Any, NamedTuple

from dispatch_tmux.core import fold as steps
from dispatch_tmux.core import task as shapes
from dispatch_tmux.core.fold import Fold
from dispatch_tmux.core.task import Choice, Question, State
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.tree import Tree

NAME = "fold.json"
WORTH = 1 << 18  # bytes of a journal; a shorter one is read as fast
_MOST = 1 << 28  # bytes of what is kept: its keys are a few percent of the journal
_AT_ONCE = 1 << 20


class Kept(NamedTuple):
    """A fold, and what it was made of: the first `read` bytes, their checksum, and how many of their lines say nothing."""

    fold: Fold
    read: int
    sum: int
    damage: int


def is_due(read: int, kept: int) -> bool:
    """Whether a fold of READ bytes is to be kept now, when one of KEPT bytes is: seldom enough to cost an event nothing."""
    return read - kept >= max(WORTH, read >> 6)


def save(tree: Tree, kept: Kept) -> None:
    """Keep it in TREE; where that cannot be (a full disk, a directory in the way) the journal is read again, that is all."""
    if not (made_by := _made_by()):
        return
    parts = [made_by, kept.read, kept.sum, kept.damage, _packed(kept.fold.parts())]
    try:
        body = json.dumps(parts, separators=(",", ":")).encode()
        tree.replace(NAME, text=b"%d\n%s" % (zlib.crc32(body), body))
    except (DispatchError, ValueError, RecursionError, TypeError):
        pass


def load(tree: Tree, id: str, journal: int) -> Kept | None:
    """The fold kept for the open JOURNAL of task ID; None when there is none that this journal and this version made."""
    try:
        said, _, body = (tree.read_bytes(NAME, most=_MOST) or b"").partition(b"\n")
        if not said.isdigit() or int(said) != zlib.crc32(body):
            return None
        made_by, read, sum_, damage, parts = json.loads(body)
        if made_by != _made_by() or sum_ != _sum_of(journal, read):
            return None
        return Kept(Fold(id, *_unpacked(parts)), read, sum_, damage)
    except (DispatchError, OSError, ValueError, TypeError, LookupError, RecursionError):
        return None


def _sum_of(fd: int, size: int) -> int:
    """The checksum of the first SIZE bytes of FD; -1 when it is shorter."""
    found, at = 0, 0
    while at < size:
        data = os.pread(fd, min(_AT_ONCE, size - at), at)
        if not data:
            return -1
        found, at = zlib.crc32(data, found), at + len(data)
    return found


@functools.cache
def _made_by() -> int:
    """Tells the present steps of the fold from those of another version; 0 when that cannot be told."""
    found = 0
    try:
        for path in (steps.__file__, shapes.__file__, os.path.join(os.path.dirname(__file__), "journal.py"), __file__):
            with open(path, "rb") as source:
                found = zlib.crc32(source.read(), found)
    except OSError:
        return 0
    return found


_TUPLES: dict[str, type[Question] | type[Choice]] = {"Q": Question, "C": Choice}


def _packed(value: Any) -> Any:
    """VALUE as JSON has it, with what JSON does not tell apart: lists of several kinds, states, dictionaries."""
    if isinstance(value, State):
        return ["S", value.value]
    if isinstance(value, Question | Choice):
        return ["Q" if isinstance(value, Question) else "C", *map(_packed, value)]
    if isinstance(value, dict):
        return ["{", *([key, _packed(found)] for key, found in value.items())]
    if isinstance(value, tuple | list):
        return ["(" if isinstance(value, tuple) else "[", *map(_packed, value)]
    if isinstance(value, set):
        return ["K", *value]
    return value


def _unpacked(value: Any) -> Any:
    """What was `_packed`. Raises ValueError, TypeError and LookupError for what was not."""
    if not isinstance(value, list):
        return value
    kind, *rest = value
    if kind == "K":
        return set(rest)
    if kind == "S":
        return State(*rest)
    if kind == "{":
        return {key: _unpacked(found) for key, found in rest}
    found = tuple(map(_unpacked, rest))
    if kind in _TUPLES:
        return _TUPLES[kind](*found)
    return list(found) if kind == "[" else found
