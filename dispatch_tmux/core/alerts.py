"""What is told to a person who does not look: the events, whom they go to, and the words. When: core/post.py. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dispatch_tmux.core.quiet import Quiet
from dispatch_tmux.core.task import ENDED, HALTED, Need, State, Task, needs
from dispatch_tmux.core.text import clean, clock, line

ALL_DONE = "all-done"  # every task is over: of the project, or of the group that an entry names
_STATES = sorted(state.value for state in (ENDED | HALTED) - {State.STOPPED})  # whoever stops a task knows of it
KINDS = ("question", "flag", "idle", "undelivered", "late", *_STATES, ALL_DONE)
USUAL = tuple(kind for kind in KINDS if kind != State.DONE.value)  # where an entry names none
TEST = "test"
PLACES = ("bell", "desktop", "command", "apprise")

WORDS, TITLE = 300, 90  # characters of one event's words, of a title
NAMED, LINES = 3, 12  # tasks that are named where they have one cause; lines of a message
LISTED = 20  # events in a message's data
_ASKED = {
    "question": "asks", "flag": "has a flag", "idle": "does nothing", "undelivered": "did not get a message", "late": "is late",
    "limited": "is at its usage limit",
}  # fmt: skip
_MANY = {"question": ("question", "questions"), "flag": ("flag", "flags")}  # how they are counted; else '3 failed'


class To(NamedTuple):
    """Where it goes: one of PLACES; ARGV of a command; URL of Apprise, FILE with it, or with the keys that it names."""

    place: str
    argv: tuple[str, ...] = ()
    url: str = ""
    file: str = ""

    def __str__(self) -> str:
        """For people: without anything that may be a key."""
        if self.place == "command":
            return f"command {' '.join(self.argv[:1])}"
        if self.place != "apprise":
            return self.place
        return f"{self.url.partition('://')[0]}://…" if "://" in self.url else self.url or f"the URL in {self.file}"


class Entry(NamedTuple):
    """An entry of `notify:`: events of the kinds ON, of tasks in GROUP ('': all), but for QUIET hours, go to TO."""

    on: tuple[str, ...]
    to: To
    group: str = ""
    quiet: Quiet | None = None

    def wants(self, item: Item) -> bool:
        if item.kind not in self.on:
            return False
        return item.group == self.group if item.kind == ALL_DONE else self.group in ("", item.group)


class Item(NamedTuple):
    """One event. `mark` names it for good. `cause`: the same for all that have one cause, '' for what is of its own.

    `at`, `until`: seconds since the epoch; what has the same cause says nothing new up to UNTIL.
    """

    kind: str
    task: str
    mark: str
    text: str
    at: float
    group: str = ""
    backend: str = ""
    model: str = ""
    cause: str = ""
    until: float = 0.0
    choices: tuple[str, ...] = ()


class Message(NamedTuple):
    """What is sent at once. `items`: all that counts as told with it; `quiet` and `before` are those of them that came while
    nothing was to be said and before anybody was to be told. `more`: how many others had a cause that was told before.
    """

    items: tuple[Item, ...]
    quiet: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    more: tuple[tuple[str, int], ...] = ()

    @property
    def fresh(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.mark not in self.quiet | self.before)


def items(task: Task, now: float) -> list[Item]:
    """What TASK wants of a person, told at NOW."""
    found = needs(task) if not task.restored else ()  # what came out of the archive is no news
    return [_item(task, need, now) for need in found if need.kind in KINDS]


def _item(task: Task, need: Need, now: float) -> Item:
    asked = need.question
    at = asked.asked if asked else task.since if need.kind in (task.state.value, "idle") else now
    text = " ".join(clean(need.text, 4 * WORDS).split())[:WORDS]
    limited = need.kind == State.LIMITED.value
    return Item(
        need.kind, task.id, mark(task, need.key), text, at, task.group, task.backend, line(task.model, 80),
        _cause(task, need, text), task.resets if limited else 0.0,
        tuple(line(choice.label, 80) for choice in asked.choices[:12]) if asked else (),
    )  # fmt: skip


def mark(task: Task, key: str) -> str:
    """What stands for KEY of TASK for good: an id is used again, so its task's beginning belongs to it."""
    return f"{key}@{task.created:.3f}"


def _cause(task: Task, need: Need, text: str) -> str:
    if need.kind == State.LIMITED.value:
        return f"{need.kind} {task.backend}"
    if need.kind == State.FAILED.value and task.cause:
        return f"{need.kind} {task.backend} {task.cause}"
    if need.kind in ("flag", State.DONE.value) or not text:
        return ""
    return f"{need.kind} {text}"


def all_done(tasks: Sequence[Task], group: str) -> Item | None:
    """That all of TASKS, those of GROUP ('': the project), are over; None when they are not, or a person ended the last one."""
    those = [task for task in tasks if group in ("", task.group)]
    if not those or not all(task.ended for task in those):
        return None
    last = max(those, key=lambda task: task.since)
    if last.state is State.STOPPED or last.restored:
        return None
    found = Counter(task.state.value for task in those)
    counts = ", ".join(
        f"{found[state]} {state}" for state in ("done", *sorted(found.keys() - {"done"})) if found[state]
    )
    return Item(ALL_DONE, "", f"{all_done_mark(group)}{last.since:.3f}", counts, last.since, group)


def all_done_mark(group: str) -> str:
    """How the marks begin of its ALL_DONE."""
    return f"{ALL_DONE}:{group}@"


def ended_at(mark: str) -> float:
    """When the last task had ended that the MARK of an ALL_DONE stands for; 0.0 for no such mark."""
    try:
        return float(mark.rpartition("@")[2]) if mark.startswith(ALL_DONE) else 0.0
    except ValueError:
        return 0.0


# --- the words


def said(message: Message, now: float) -> tuple[str, str]:
    """MESSAGE for people: a title, and lines of text ('' when the title says it all)."""
    lines = [
        f"{words}: {tally(item for item in message.items if item.mark in marks)}"
        for words, marks in (("while quiet", message.quiet), ("before this", message.before))
        if marks
    ]
    groups = _by_cause(message.fresh)
    lines += [_line(group, now) for group in groups]
    lines += [f"and {number} more: {cause}" for cause, number in message.more]
    if len(lines) > LINES:
        lines[LINES:] = [f"and {len(lines) - LINES} more"]
    if len(lines) == 1 and len(lines[0]) <= TITLE:
        return lines[0], ""
    if len(groups) == 1 and len(message.fresh) == len(message.items):
        return _head(groups[0], now), "\n".join([_text(groups[0]), *lines[1:]])
    return line(tally(message.items), TITLE), "\n".join(lines)


def tally(found: Iterable[Item]) -> str:
    """'3 questions, 1 failed'."""
    counts = Counter(item.kind for item in found)
    named = ((kind, counts[kind]) for kind in KINDS if counts[kind])
    return ", ".join(
        "all is over" if kind == ALL_DONE else f"{n} {_MANY[kind][n > 1] if kind in _MANY else kind}"
        for kind, n in named
    )


def _by_cause(found: Sequence[Item]) -> list[list[Item]]:
    groups: dict[str, list[Item]] = {}
    for item in found:
        groups.setdefault(item.cause or item.mark, []).append(item)
    return list(groups.values())


def _line(group: list[Item], now: float) -> str:
    head, text = _head(group, now), _text(group)
    return f"{head}: {text}" if text else head


def _head(group: list[Item], now: float) -> str:
    """'auth asks', 'auth, ui +6 failed', 'claude is at its usage limit until 00:10 (auth)'."""
    first = group[0]
    if first.kind == TEST:
        return "a test"
    if first.kind == ALL_DONE:
        return f"all of {line(first.group, 40)} is over" if first.group else "all is over"
    names = list(dict.fromkeys(item.task for item in group))
    who = ", ".join(names[:NAMED]) + (f" +{len(names) - NAMED}" if len(names) > NAMED else "")
    if first.kind == State.LIMITED.value:
        until = f" until {clock(first.until, now)}" if first.until else ""
        return f"{line(first.backend, 40) or 'a worker'} {_ASKED[first.kind]}{until} ({who})"
    words = _ASKED.get(first.kind, f"is {first.kind}")
    if first.kind == State.FAILED.value:
        words = first.kind
    if len(names) > 1:
        words = re.sub(
            r"^(asks|has|does|is)\b",
            lambda verb: {"asks": "ask", "has": "have", "does": "do", "is": "are"}[verb[0]],
            words,
        )
    return f"{who} {words}"


def _text(group: list[Item]) -> str:
    first = group[0]
    if first.kind == State.LIMITED.value:
        return ""
    listed = all(choice in first.text for choice in first.choices)  # as a drawn dialogue has them
    choices = "" if listed else f" [{' · '.join(first.choices)}]"
    return f"{first.text}{choices}"


# --- the same for programs


def data(message: Message, now: float, root: str) -> dict[str, Any]:
    """MESSAGE, of the project at ROOT, as one JSON object; docs/notify.md has its keys."""
    title, text = said(message, now)
    name = line(root.rstrip("/").rpartition("/")[2], 30)
    kinds = list(dict.fromkeys(item.kind for item in message.items))
    return {
        "kind": kinds[0] if len(kinds) == 1 else "several",
        "title": f"{name}: {title}" if name else title,
        "text": text,
        "project": clean(root, 4000),
        "at": round(now, 3),
        "count": len(message.items) + sum(number for _, number in message.more),
        "events": [_as_data(item, message) for item in message.items[:LISTED]],
        "untrusted": ["title", "text", "events.text", "events.choices"],
    }


def _as_data(item: Item, message: Message) -> Mapping[str, Any]:
    came = "quiet" if item.mark in message.quiet else "before" if item.mark in message.before else "now"
    return {
        "kind": item.kind, "task": item.task, "group": line(item.group, 80), "backend": item.backend, "model": item.model,
        "at": round(item.at, 3), "until": item.until or None, "text": item.text, "choices": list(item.choices), "came": came,
    }  # fmt: skip


def trial(now: float) -> Message:
    """What `dispatch notify test` sends."""
    return Message((Item(TEST, "", TEST, "dispatch can reach you", now),))
