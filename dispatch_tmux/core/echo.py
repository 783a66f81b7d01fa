"""A message as a terminal shows it: how it is known again in a composer and in a transcript. Pure.

Screens wrap and indent, tmux leaves out what does not fit a cell (long emoji, flags, stacked marks, what it does not
know), programs draw frames around it. Letters, digits and ASCII signs stay: they tell, and what else is there may lack.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from dispatch_tmux.core.shown import Composer

# Vowels and finals of Hangul that are written in pieces, and its fillers, go into the cell before them, or nowhere.
SURE = re.compile(r"(?![\u115f-\u11ff\u3164\ud7b0-\ud7ff\uffa0])(?:[^\W_]|[\x21-\x7e])")
PART = 30  # of these characters, from the end, what a composer shows that has no room for all of a message
RUN = 20  # of these in a row are no accident
HEAD = 60  # of these, a message is known by
PLACES = 50  # that are tried for what stands at several


class Holds(Enum):
    """What a composer has of a message."""

    NOTHING = "it is empty"
    WHOLE = "the message, or as much of its end as there is room for"
    PART = "a part that is not its end"
    MIXED = "the message, and something that is not of it"
    OTHER = "something else"


def squeezed(text: str) -> str:
    """TEXT without blanks and line breaks: what wrapping and indenting do not change."""
    return re.sub(r"\s+", "", text)


@lru_cache(maxsize=4)
def sure(text: str) -> str:
    """The characters of TEXT that every terminal shows."""
    return "".join(SURE.findall(text))


@lru_cache(maxsize=2)
def _places(body: str) -> list[int]:
    return [found.start() for found in SURE.finditer(body)]


def holds(body: str, composer: Composer | None) -> Holds:
    """What COMPOSER holds of BODY."""
    if composer is None:
        return Holds.NOTHING
    shown = squeezed(composer.beside if composer.collapsed else composer.text).replace("\ufffd", "")
    if not shown:
        return Holds.WHOLE if composer.collapsed else Holds.NOTHING
    whole = squeezed(body)
    if _is_of(shown, whole):
        if composer.collapsed:
            return Holds.WHOLE
        seen, all_of_it = sure(shown), sure(whole)
        if seen == all_of_it or (len(seen) >= PART and all_of_it.endswith(seen)):
            return Holds.WHOLE
        return Holds.PART if len(seen) >= PART else Holds.OTHER
    return Holds.MIXED if composer.collapsed or _shares(shown, whole) else Holds.OTHER


def _is_of(shown: str, whole: str) -> bool:
    """Whether SHOWN is a piece of WHOLE that lacks at most what a terminal may leave out. Both are squeezed."""
    if shown in whole:
        return True
    seen, all_of_it = sure(shown), sure(whole)
    if not seen:
        return not all_of_it and _in_order(shown, whole)
    places, at = _places(whole), all_of_it.find(seen)
    for _ in range(PLACES):
        if at < 0:
            return False
        end = at + len(seen)
        piece = whole[places[at - 1] + 1 if at else 0 : places[end] if end < len(places) else len(whole)]
        if _in_order(shown, piece):
            return True
        at = all_of_it.find(seen, at + 1)
    return False


def _in_order(shown: str, whole: str) -> bool:
    rest = iter(whole)
    return all(c in rest for c in shown)


def _shares(shown: str, whole: str) -> bool:
    """Whether SHOWN has something of WHOLE that is there by no accident."""
    seen, all_of_it = sure(shown), sure(whole)
    if not all_of_it:
        return any(c in whole for c in shown)
    if len(all_of_it) < RUN:
        return all_of_it in seen
    return any(seen[at : at + RUN] in all_of_it for at in range(len(seen) - RUN + 1))


def count(body: str, transcript: str) -> int:
    """How often BODY stands in a rendered TRANSCRIPT: its beginning is counted, wrapped and indented as it may be."""
    head = sure(body)[:HEAD]
    if head:
        return sure(transcript).count(head)
    head = squeezed(body)[:HEAD]
    return squeezed(transcript).count(head) if head else 0


def run_on(body: str, transcript: str) -> int:
    """How often BODY's end stands in TRANSCRIPT with something right behind it: it was sent with somebody's words.

    A short one is not looked for: it may be the beginning of any sentence. Nor is one that repeats itself.
    """
    whole = sure(body)
    tail = whole[-HEAD:]
    if len(tail) < RUN or whole.find(tail) < len(whole) - len(tail):
        return 0
    text = re.sub(r"\s{2,}|\n", "\n", transcript).replace(" ", "")  # what stands apart in a row is no continuation
    end = squeezed(body)[_places(squeezed(body))[-1] + 1 :]  # what it ends with, as far as it is shown
    last = f"[{re.escape(end)}]*" if end else ""
    return len(re.findall(r"[^\w\x21-\x7e]*".join(map(re.escape, tail)) + last + r"[^\W_]", text))
