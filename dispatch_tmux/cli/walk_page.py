"""What the walk through open questions shows: a screen a question, as wide and high as the terminal. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

from dispatch_tmux.cli import show, walk
from dispatch_tmux.core.fit import cut, wrapped
from dispatch_tmux.core.text import age, clean, columns, line
from dispatch_tmux.verbs import questions as asking

if TYPE_CHECKING:
    from dispatch_tmux import Asked, Question

MOST = 200_000  # characters of a question that can be paged through
LEAST = 3  # lines that a question has beside its choices


class Page(NamedTuple):
    """Lines to draw, the cursor (row, column) or None, and the lines that a key pages by, 0: all is there."""

    lines: list[str]
    cursor: tuple[int, int] | None
    step: int
    last: int = 0  # the furthest that can be scrolled to


class Typed(NamedTuple):
    """What the person has typed and not sent: WORDS of an answer (None: they are not at it), a NUMBER, TICKED choices, and AT which line
    of the question they are."""

    words: str | None = None
    number: str = ""
    ticked: Collection[str] = ()
    at: int = 0


def page(asked: Asked | None, head: str, said: str, typed: Typed, width: int, height: int) -> Page:
    """ASKED with its choices beneath HEAD and what was SAID last; without a question only those."""
    width = max(width, 10)
    rows = [show.coloured(line(head, width), "1"), line(said, width)]
    if asked is None:
        return Page([*rows, "", line("q ends", width)][:height], None, 0)
    q = asked.question
    rows.append(show.coloured(line(title(asked), width), "1;33"))
    entry = _entry(q, typed, width, max(height // 3, 1))
    foot = keys_of(q, typed, width)
    room = max(height - len(rows) - len(entry) - 1, 1)
    choices = choice_rows(q, typed.ticked, width)
    if len(choices) > max(room - LEAST, room // 2):
        choices = [cut(row, width) for row in choice_rows(q, typed.ticked, 4000)]
    body = text_rows(q, width)
    if len(choices) > max(room - LEAST, 0):  # they are paged through with the question
        body, choices = [*body, *choices], []
    shown, step, last = _part(body, typed.at, max(room - len(choices), 1), width)
    rows += [*shown, *choices, *entry]
    cursor = (len(rows) - 1, min(columns(entry[-1]), width - 1)) if entry else None
    rows += [""] * (height - len(rows) - 1)
    return Page(
        [*rows, show.coloured(foot, "2")][:height] if height > 4 else [*rows[1:], foot][-height:], cursor, step, last
    )


def title(asked: Asked) -> str:
    """'auth — Rework the login · opus · waits 3m'."""
    task, q = asked.task, asked.question
    group = f"{line(task.group, 20)} · " if task.group else ""
    name = line(task.title, 60)
    waits = age(time.time() - q.asked) if q.asked else "?"
    return f"{task.id} — {group}{name} · {line(task.model, 20)} · waits {waits}"


def text_rows(q: Question, width: int) -> list[str]:
    """The question, wrapped, without the lines that are its choices."""
    return wrapped("\n".join(asking.words(q, MOST)).strip("\n") or "(it says nothing)", width)


def choice_rows(q: Question, ticked: Collection[str], width: int) -> list[str]:
    """The choices with what is typed for each."""
    rows = []
    own = {key: number for number, key in walk.numbers(q).items()}
    for c in q.choices:
        number = own[c.key]
        box = f"[{'x' if c.key in ticked else ' '}] " if q.kind == "multi" else ""
        key = f"({line(c.key, 12)}) " if number != c.key and c.key.lower() != c.label.lower() else ""
        rows += wrapped(f"  {number}. {box}{key}{line(c.label, 400)}", width, len(number) + 2)
    return rows + (["  … the list goes on: type a number"] if q.more else [])


def keys_of(q: Question, typed: Typed, width: int) -> str:
    """What can be pressed, as fully as WIDTH columns allow."""
    keys = [("Enter", "sends"), ("Esc", "back")] if typed.words is not None else [*_own_keys(q), *_KEYS]
    forms = (
        " · ".join(f"{key} {does}".strip() for key, does in keys),
        " ".join(f"{key}:{does}".strip(":") for key, does in keys),
    )
    return next((form for form in forms if columns(form) <= width), line(" ".join(key for key, _ in keys), width))


_KEYS = (("s", "skip"), ("a", "attach"), ("q", "end"))


def _own_keys(q: Question) -> Iterator[tuple[str, str]]:
    """The keys that answer Q, and what each does."""
    found = list(walk.numbers(q))
    if walk.is_closed(q):
        return
    if found or q.more:
        in_order = found == [str(n + 1) for n in range(len(found))]
        yield (f"1-{len(found)}" if in_order else "number") + " Enter" * walk.is_typed(q), "ticks" * (q.kind == "multi")
    if q.kind == "multi" and found:
        yield "Enter", "sends"
    elif walk.meant(q, "yes") and walk.meant(q, "no"):
        yield "y/n", ""
    if q.kind == "continue" and not found:
        yield "Enter", "goes on"
    elif walk.takes_words(q):
        yield "t" if found else "Enter", "words"


def _entry(q: Question, typed: Typed, width: int, most: int) -> list[str]:
    """What is being typed."""
    if typed.words is None:
        return [f"number: {typed.number}"] if typed.number else []
    words = "•" * len(typed.words) if q.kind == "secret" else clean(typed.words, 1 << 20)
    return wrapped(f"> {words}", width - 1)[-most:]


def _part(rows: list[str], at: int, room: int, width: int) -> tuple[list[str], int, int]:
    """What of ROWS stands in ROOM lines from line AT on, how many lines a key goes, and the furthest line."""
    if len(rows) <= room:
        return rows, 0, 0
    step = max(room - 1, 1)
    last = len(rows) - step
    at = min(max(at, 0), last)
    below = len(rows) - at - step
    if room == 1:
        return rows[at : at + 1], step, last
    mark = (
        f"… {show.many(below, 'more line')} (space)" if below else f"… the end; {show.many(at, 'line')} before it (b)"
    )
    return [*rows[at : at + step], show.coloured(line(mark, width), "2")], step, last
