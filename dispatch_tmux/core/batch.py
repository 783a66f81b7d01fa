"""A batch: several tasks in one YAML text, read whole, with every mistake named. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from dispatch_tmux.core import order as orders
from dispatch_tmux.core import schedule
from dispatch_tmux.core import task as tasks
from dispatch_tmux.core.order import Order
from dispatch_tmux.errors import BatchRefused, DispatchError

MOST = 200  # tasks
KEYS = (
    "id", "title", "group", "prompt", "items", "model", "worktree", "base", "after", "after_any", "context", "cwd",
    "priority", "timeout", "deadline", "permissions",
)  # fmt: skip


class Entry(NamedTuple):
    """A task of a batch: its order (with an id), and the model it names, '' when it names none."""

    order: Order
    model: str


def read(data: Any, taken: Collection[str], names: Callable[[Order], Iterable[str]], now: float) -> list[Entry]:
    """The tasks of DATA (the YAML's), in its order. Raises BatchRefused with all that is wrong.

    TAKEN are ids in use; NAMES(order) are ids of tasks that are there already for an order without an id; NOW is in
    seconds since the epoch.
    """
    listed = data.get("tasks") if isinstance(data, dict) else data
    if isinstance(data, dict) and (unknown := [str(key) for key in data if key != "tasks"]):
        raise BatchRefused([f"unknown key {unknown[0]!r}: a batch is `tasks:` and a list"])
    if not isinstance(listed, list) or not listed:
        raise BatchRefused(["there are no tasks: a batch is `tasks:` and a list, each with a `prompt`"])
    if len(listed) > MOST:
        raise BatchRefused([f"{len(listed)} tasks, {MOST} are the most"])
    wrong: list[str] = []
    entries: list[Entry] = []
    used = {str(raw.get("id")) for raw in listed if isinstance(raw, dict) and raw.get("id")}
    for number, raw in enumerate(listed, 1):
        try:
            entry = _entry(raw, now)
            order = entry.order
            if not order.id:
                id = next((id for id in names(order) if id not in used), "") or tasks.slug(order.name, {*taken, *used})
                entry = entry._replace(order=order._replace(id=id))
                used.add(id)
            entries.append(entry)
        except DispatchError as e:
            name = raw.get("id") if isinstance(raw, dict) else None
            wrong += [f"task {number}{f' ({name})' if name else ''}: {line}" for line in str(e).splitlines()]
    wrong += _together(entries)
    if wrong:
        raise BatchRefused(wrong)
    return entries


def _together(entries: list[Entry]) -> list[str]:
    """What is wrong among the tasks."""
    ids = [e.order.id for e in entries]
    wrong = [f"{id}: the id is used twice" for id in sorted({id for id in ids if ids.count(id) > 1})]
    if circle := schedule.cycle({e.order.id: [id for id, _ in e.order.after] for e in entries}):
        wrong.append(f"a circle of `after`: {' → '.join(circle)}")
    return wrong


def _entry(raw: Any, now: float) -> Entry:
    if isinstance(raw, str):
        raw = {"prompt": raw}
    if not isinstance(raw, Mapping):
        raise DispatchError(f"expected keys and values, got {raw!r}"[:120])
    wrong = [f"unknown key {key!r}" for key in raw if key not in KEYS]
    said = {key: raw[key] for key in KEYS if raw.get(key) is not None}

    def field(key: str, read: Callable[[Any], Any], default: Any) -> Any:
        try:
            return read(said[key]) if key in said else default
        except (DispatchError, ValueError, TypeError) as e:
            wrong.append(f"{key}: {e}")
            return default

    prompt = field("prompt", _text, "").strip()
    if not prompt and "prompt" not in said:
        wrong.append("it has no prompt")
    after = [(id, schedule.DONE) for id in field("after", _list, ())]
    after += [(id, schedule.ANY) for id in field("after_any", _list, ())]
    order = Order(
        prompt, id=tasks.task_id(field("id", _text, "")) if field("id", _text, "") else "", items=field("items", _list, ()),
        context=field("context", _text, ""), cwd=field("cwd", _text, ""), permissions=field("permissions", _permissions, ""),
        title=field("title", _text, ""), group=field("group", _text, ""), priority=field("priority", _number, 0),
        after=tuple(after), worktree=field("worktree", _worktree, ""), base=field("base", _text, ""),
        timeout=field("timeout", lambda v: orders.seconds(str(v)), 0.0),
        deadline=field("deadline", lambda v: orders.moment(str(v), now), 0.0),
    )  # fmt: skip
    model = field("model", _text, "")
    if wrong:
        raise DispatchError("\n".join(wrong))
    return Entry(order, model)


def _text(value: Any) -> str:
    """A text; `Check auth: the tokens` unquoted in a list is a mapping of one to YAML, and meant as it stands."""
    if isinstance(value, Mapping) and len(value) == 1:
        [(key, rest)] = value.items()
        return f"{key}: {_text(rest)}" if rest is not None else f"{key}:"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DispatchError(f"expected a text, got {str(value)[:60]!r}")
    return str(value)


def _list(value: Any) -> tuple[str, ...]:
    return tuple(_text(v) for v in value) if isinstance(value, list) else (_text(value),)


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DispatchError(f"expected a whole number, got {value!r}")
    return value


def _worktree(value: Any) -> str:
    return ("-" if value else "") if isinstance(value, bool) else _text(value)


def _permissions(value: Any) -> str:
    if value not in ("skip", "ask"):
        raise DispatchError(f"expected skip or ask, got {value!r}")
    return str(value)
