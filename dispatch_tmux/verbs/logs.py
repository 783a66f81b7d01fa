"""`logs`: what a worker's program has written, as text."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dispatch_tmux.core.text import clean, split
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.terminal_file import Tail
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

LINES = 200


def logs(project: Project, which: Which, *, lines: int = LINES, follow: bool = False) -> Iterator[str]:
    """What the task's program has written, harmless: first its last LINES lines as one text (maybe '').

    FOLLOW: then what comes, piece by piece, without end. Raises DispatchError when it has written nothing yet.
    """
    id = tasks.id_of(project, which)
    path = project.store.own(id, "terminal.log")
    if not os.path.exists(path) and not follow:
        raise DispatchError(f"{id} has written nothing yet")
    return _pieces(Tail(path), lines, follow)


def _pieces(tail: Tail, lines: int, follow: bool) -> Iterator[str]:
    shown, rest = split(tail.read())  # an escape that has only begun waits for its end
    kept = clean(shown if follow else shown + rest, 1 << 30).splitlines(keepends=True)
    yield "".join(kept[len(kept) - min(lines, len(kept)) :])
    if follow:
        yield from _followed(tail, rest)


def _followed(tail: Tail, rest: str) -> Iterator[str]:
    from dispatch_tmux.store.watch import Bell

    bell = Bell(os.path.dirname(tail.path), os.path.basename(tail.path))
    try:
        while True:  # it is looked first: what came before the bell was there rings none
            shown, rest = split(rest + tail.read())
            if shown:
                yield clean(shown, 1 << 30)
            bell.wait(2.0)
    finally:
        bell.close()
