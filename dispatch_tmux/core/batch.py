"""A batch: several tasks in one YAML text, read whole, with every mistake named. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from dispatch_tmux.core import order as orders
from dispatch_tmux.core import schedule
from dispatch_tmux.core import task as tasks
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.text import line
from dispatch_tmux.errors import BatchRefused, DispatchError

MOST = 200  # tasks
KEYS = (
    "id", "title", "group", "prompt", "items", "model", "worktree", "base", "after", "after_any", "context", "cwd",
    "priority", "timeout", "deadline", "permissions",
)  # fmt: skip


_MOST_CIRCLES = 20
Place = tuple[str | int, ...]  # keys and numbers (from 0) that lead to a value in the data


class Entry(NamedTuple):
    """A task of a batch: its order (with an id), the model it names, '' when it names none, and where it stands."""

    order: Order
    model: str
    at: Place = ()


class Mistake(NamedTuple):
    """What is wrong, and where in the data."""

    at: Place
    text: str


class Read(NamedTuple):
    """A batch as it was understood: each task that is one, as far as it is right, all that is WRONG, and every id it names."""

    entries: list[Entry]
    wrong: list[Mistake]
    ids: frozenset[str]


def read(data: Any, taken: Collection[str], names: Callable[[Order], Iterable[str]], now: float) -> Read:
    """The tasks of DATA (the YAML's), in its order. Raises BatchRefused when it is no list of tasks at all.

    TAKEN are ids in use; NAMES(order) are ids of tasks that are there already for an order without an id; NOW is in
    seconds since the epoch.
    """
    listed = data.get("tasks") if isinstance(data, dict) else data
    wrong: list[Mistake] = []
    if isinstance(data, dict):
        unknown = [key for key in data if key != "tasks"]
        wrong += [Mistake((key,), f"unknown key {_short(key)}: a batch is `tasks:` and a list") for key in unknown]
    if not isinstance(listed, list) or not listed:
        nothing = "there are no tasks: a batch is `tasks:` and a list, each with a `prompt`"
        raise BatchRefused([*(one.text for one in wrong), nothing])
    if len(listed) > MOST:
        raise BatchRefused([f"{len(listed)} tasks, {MOST} are the most"])
    top: Place = ("tasks",) if isinstance(data, dict) else ()
    entries: list[Entry] = []
    used = {str(raw["id"]) for raw in listed if isinstance(raw, dict) and raw.get("id")}
    ids = set(used)
    for number, raw in enumerate(listed):
        at = (*top, number)
        if not isinstance(raw, Mapping | str):
            wrong.append(Mistake(at, f"expected keys and values, got {_short(raw)}"))
            continue
        order, model, mistakes = understood({"prompt": raw} if isinstance(raw, str) else raw, KEYS, now)
        wrong += [Mistake((*at, *key), text) for key, text in mistakes]
        if not order.id:
            id = next((id for id in names(order) if id not in used), "") or tasks.slug(order.name, {*taken, *used})
            order = order._replace(id=id)
            used.add(id)
        entries.append(Entry(order, model, at))
    return Read(entries, wrong + _together(entries), frozenset(ids | {e.order.id for e in entries}))


def _together(entries: list[Entry]) -> list[Mistake]:
    """What is wrong among the tasks."""
    places: dict[str, Place] = {}
    after: dict[str, list[str]] = {}
    wrong = []
    for order, _, at in entries:
        after.setdefault(order.id, []).extend(id for id, _ in order.after)
        if places.setdefault(order.id, at) != at:
            wrong.append(Mistake((*at, "id"), f"{order.id}: the id is used twice"))
    while (circle := schedule.cycle(after)) and len(wrong) < _MOST_CIRCLES:
        wrong.append(Mistake((*places[circle[0]], "after"), f"a circle of `after`: {' → '.join(circle)}"))
        after[circle[0]] = [id for id in after[circle[0]] if id != circle[1]]
    return wrong


def understood(
    raw: Mapping[Any, Any], keys: Collection[str], now: float
) -> tuple[Order, str, list[tuple[tuple[str, ...], str]]]:
    """The order that RAW is, of which KEYS may be given, the model it names, and what is wrong: (its key, if one, words)."""
    wrong: list[tuple[tuple[str, ...], str]] = [
        ((key,) if isinstance(key, str) else (), f"unknown key {_short(key)}") for key in raw if key not in keys
    ]
    said = {key: raw[key] for key in keys if raw.get(key) is not None}

    def field(key: str, read: Callable[[Any], Any], default: Any) -> Any:
        try:
            return read(said[key]) if key in said else default
        except (DispatchError, ValueError, TypeError) as e:
            wrong.append(((key,), f"{key}: {e}"))
            return default

    prompt = field("prompt", _text, "").strip()
    if not prompt and not any(key == ("prompt",) for key, _ in wrong):
        wrong.append((("prompt",), "it has no prompt"))
    after = [(id, schedule.DONE) for id in field("after", _list, ())]
    after += [(id, schedule.ANY) for id in field("after_any", _list, ())]
    order = Order(
        prompt, id=field("id", lambda value: tasks.task_id(text) if (text := _text(value)) else "", ""),
        items=field("items", _list, ()), plan=field("plan", _text, ""), context=field("context", _text, ""),
        cwd=field("cwd", _text, ""), permissions=field("permissions", _permissions, ""),
        title=field("title", _text, ""), group=field("group", _text, ""), priority=field("priority", _number, 0),
        after=tuple(after), worktree=field("worktree", _worktree, ""), base=field("base", _text, ""),
        timeout=field("timeout", lambda v: orders.seconds(str(v)), 0.0),
        deadline=field("deadline", lambda v: orders.moment(str(v), now), 0.0),
    )  # fmt: skip
    return order, field("model", _text, ""), wrong


def _short(value: Any) -> str:
    return line(repr(value), 60)


def _text(value: Any) -> str:
    """A text; `Check auth: the tokens` unquoted in a list is a mapping of one to YAML, and meant as it stands."""
    if isinstance(value, Mapping) and len(value) == 1:
        [(key, rest)] = value.items()
        return f"{key}: {_text(rest)}" if rest is not None else f"{key}:"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DispatchError(f"expected a text, got {_short(str(value))}")
    return str(value)


def _list(value: Any) -> tuple[str, ...]:
    return tuple(_text(v) for v in value) if isinstance(value, list) else (_text(value),)


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DispatchError(f"expected a whole number, got {_short(value)}")
    return value


def _worktree(value: Any) -> str:
    return ("-" if value else "") if isinstance(value, bool) else _text(value)


def _permissions(value: Any) -> str:
    if value not in ("skip", "ask"):
        raise DispatchError(f"expected skip or ask, got {_short(value)}")
    return str(value)
