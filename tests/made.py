"""Tasks as they lie on disk, without a worker: what the store, the supervisor and the verbs read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_tmux.backends import renewed
from dispatch_tmux.core import plan
from dispatch_tmux.core.task import Task
from dispatch_tmux.store import task_file
from dispatch_tmux.store.store import Store

Happened = tuple[str, dict[str, Any]]
STARTED: tuple[Happened, ...] = (("starting", {"attempt": 1}), ("started", {"attempt": 1, "pane": "%99999"}))


def made(
    store: Store,
    id: str = "auth",
    *happened: Happened,
    items: Sequence[str] = ("one", "two"),
    marks: str = "",
    **created: Any,
) -> Task:
    """Task ID with a plan of ITEMS, which have MARKS; its journal has what HAPPENED, (kind, data), after its beginning."""
    store.prepare()
    store.claim(id)
    text = plan.render(str(created.get("title", "work")), items)
    for mark in marks:
        text = text.replace("- [ ]", f"- [{mark if mark != ' ' else '_'}]", 1)
    text = text.replace("- [_]", "- [ ]")
    task_file.write(store, id, {"prompt": "work", "model": "demo", "backend": "demo"})
    store.tree(id).replace("plan.md", text=text)
    found = plan.marks(plan.parse(text))
    store.append(
        id, "created", "created", **{"title": "work", "model": "demo", "backend": "demo", "marks": found, **created}
    )
    for kind, data in happened:
        store.append(id, kind, "", **data)
    return store.task(id)


def rules_after(version: str, n: int = 1) -> str:
    """The version of screen rules that is N after VERSION."""
    year, month, day, number = renewed.order(version)
    return f"{year}.{month}.{day}.{number + n}"


def over(state: str, code: int | None = 0, **more: Any) -> tuple[Happened, ...]:
    """How a task comes to STATE, its program ended with CODE (None: it still sits there)."""
    exited: tuple[Happened, ...] = () if code is None else (("exited", {"attempt": 1, "code": code}),)
    return (*STARTED, *exited, ("state", {"state": state, **more}))
