"""The files through which a worker asks: `NNN.question`, answered with `NNN.answer`, acknowledged with `NNN.done`.

A worker may make as many as it likes: what is read of them is bounded, and names and times alone tell what has come of them.
It may use a number again, too: another file is another question, with an id of its own ('001', then '001.2').
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import NamedTuple

from dispatch_tmux.core.choices import choices_of
from dispatch_tmux.core.task import Choice, Question, number_of
from dispatch_tmux.store import files
from dispatch_tmux.store.tree import Tree

_QUESTION = re.compile(r"([0-9]{3,})\.question")
CUT = 2000  # characters of a question kept in the journal; the file has the rest
MOST_OPEN = 1000  # open questions of one worker that count; more of them wait until some are answered
MOST_QUESTION = 256 * 1024  # bytes of a question file that are read
FORMER = ".former"  # what is added to the name of a file whose number is used again


class Asked(NamedTuple):
    """A question file: the question's id, its text, its choices, what has become of it, the file's time in nanoseconds."""

    q: str
    text: str
    choices: tuple[tuple[str, str], ...]
    answered: bool
    acknowledged: bool
    made: int = 0

    def as_question(self) -> Question:
        """As the journal has it: of a long text the beginning; its file has the rest, and that is said."""
        cut = f"{self.text[:CUT]}\n… (the rest is in ipc/{number_of(self.q)}.question)"
        text = (self.text if len(self.text) <= CUT else cut) or "(an empty question)"
        return Question(self.q, "file", text, tuple(Choice(*c) for c in self.choices), time.time(), made=self.made)


class Found(NamedTuple):
    """A question file that is there: the question's id, what the journal has of it, and whether it is answered, acknowledged.

    `former`: the question of the same number that it takes the place of, and that nobody has closed yet. `made`: its time
    in nanoseconds.
    """

    id: str
    before: Question | None
    answered: bool
    acknowledged: bool
    made: int
    former: Question | None = None

    @property
    def has_news(self) -> bool:
        """Whether the journal does not have all of it yet."""
        known = self.before
        return known is None or (self.answered and known.answer is None) or (self.acknowledged and not known.closed)


def there(tree: Tree, questions: Iterable[Question] = ()) -> list[Found]:
    """The question files in a worker's directory, by number; QUESTIONS are those that the journal has. Names and times only.

    Gaps do not matter, leftovers of a rename are none. An answer that is older than the question answers another one.
    """
    times = tree.times("ipc")
    known: dict[str, list[Question]] = {}
    for one in questions:
        if one.via == "file":
            known.setdefault(one.number, []).append(one)
    found = []
    for q in sorted((m[1] for m in map(_QUESTION.fullmatch, times) if m), key=lambda q: (int(q), q)):
        made, same = times[f"{q}.question"], known.get(q, [])
        last = same[-1] if same else None
        id, before, former = (last.id if last else q), last, None
        if last and _is_another(tree, last, made):
            id, before, former = f"{q}.{len(same) + 1}", None, None if last.closed else last
        answered, acknowledged = (
            name in times and not _is_stale(id, made, times[name]) for name in (f"{q}.answer", f"{q}.done")
        )
        found.append(Found(id, before, answered, acknowledged, made, former))
    return found


def _is_stale(id: str, made: int, written: int) -> bool:
    """Whether what was WRITTEN then was there before the question ID, MADE then. A clock's tick may be 4 ms: of a number that
    is used again, what a worker wrote in the same one belongs to the former question; nobody answers that fast.
    """
    return written <= made if "." in id else written < made


def _is_another(tree: Tree, known: Question, made: int) -> bool:
    """Whether the file made at MADE is not the one that KNOWN was read from; one that is open may be saved again as it is."""
    if not known.made or known.made == made:
        return False
    if known.closed or known.answer is not None:
        return True
    now = read(tree, Found(known.id, known, False, False, made))
    return now is not None and now.as_question().text != known.text


def asked(tree: Tree, questions: Iterable[Question], most: int) -> list[Asked]:
    """The questions that are whole, by number, MOST of them; those QUESTIONS that the journal has are left out."""
    found: list[Asked] = []
    for file in there(tree, questions):
        if file.before is None and (one := read(tree, file)):
            found.append(one)
            if len(found) >= most:
                break
    return found


def read(tree: Tree, file: Found) -> Asked | None:
    """The question in FILE; None while its worker still writes it."""
    name = f"{number_of(file.id)}.question"
    if not file.answered and files.being_written(tree.at("ipc", name)):
        return None
    text = (tree.read("ipc", name, most=MOST_QUESTION) or "").strip()
    return Asked(file.id, text, choices_of(text), file.answered, file.acknowledged, file.made)


def put_aside_stale(tree: Tree, id: str) -> None:
    """Put aside an answer, and its acknowledgement, that were there before the question ID: they are not its own."""
    number = number_of(id)
    asked_at = tree.stat("ipc", f"{number}.question")
    for name in (f"{number}.answer", f"{number}.done"):
        facts = tree.stat("ipc", name)
        if asked_at and facts and _is_stale(id, asked_at.st_mtime_ns, facts.st_mtime_ns):
            tree.rename("ipc", name, to=name + FORMER)


def put_aside(tree: Tree, numbers: Iterable[str]) -> None:
    """Put aside the files of the questions NUMBERS: whoever uses one of these again waits for an answer of its own."""
    for number in set(numbers):
        for name in (f"{number}.question", f"{number}.answer", f"{number}.done"):
            tree.rename("ipc", name, to=name + FORMER)
