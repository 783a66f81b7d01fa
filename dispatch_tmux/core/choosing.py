"""Which choice a person means, and which key brings the pointer nearer to it. Pure.

`yes` and `no` are words of ours: they pick the choice that means it, wherever it stands and whatever is preselected. Of several
that mean yes, the one that allows no more than this once. What cannot be told is refused, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from dispatch_tmux.core.shown import Choice, Shown

_END = r"(?=$|[\s,;:!()\u2013\u2014-]|\.(?:$|\s))"
YES = re.compile(
    r"^(?:yes|y|yeah|ok(?:ay)?|allow|accept|approve|agree|i accept|i agree|confirm|proceed|continue(?! without)|trust|run|use this|use it"
    rf"|enable|submit|keep trying|apply){_END}",
    re.IGNORECASE,
)
NO = re.compile(
    r"^(?:no|n|nope|don.?t|do not|deny|reject|decline|refuse|cancel|abort|exit|quit|stop|skip|disable|disallow|block|never|back"
    rf"|go back|continue without|not now|dismiss){_END}",
    re.IGNORECASE,
)
MORE_THAN_ONCE = re.compile(
    r"\b(?:always|all|every|everything|any|future|session|again|auto\w*|permanently|remember|forever|for now on)\b|\bdon.?t ask\b",
    re.IGNORECASE,
)
LEAST = 8  # characters in which a label that is cut off has to agree with the whole one


class Labelled(Protocol):
    """A choice of a question on record, or on a screen."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def text(self) -> bool: ...


C = TypeVar("C", bound=Labelled)


def meaning(words: str) -> str:
    """'yes', 'no', or '' where WORDS say neither."""
    text = words.strip().lstrip("\"'“‘(")
    return "no" if NO.match(text) else "yes" if YES.match(text) else ""


def answer_word(text: str) -> str:
    """'yes' or 'no' when TEXT is just that word (or y, n), else ''."""
    word = text.strip().lower().rstrip(".!")
    return {"y": "yes", "n": "no"}.get(word, word) if word in ("yes", "no", "y", "n") else ""


def by_word(choices: Sequence[C], word: str) -> C | None:
    """The choice that means WORD ('yes' or 'no'); None when none does, or more than one and nothing tells them apart."""
    found = [c for c in choices if meaning(c.label) == word]
    exact = [c for c in found if answer_word(c.label) == word]
    if len(exact) == 1:
        return exact[0]
    once = [c for c in found if not MORE_THAN_ONCE.search(c.label)]
    for group in (found, once):
        if len(group) == 1 and (word == "no" or not MORE_THAN_ONCE.search(group[0].label)):
            return group[0]
    return None


def by_label(choices: Sequence[C], text: str) -> C | None:
    """The choice with the label TEXT, or the only one whose label begins so; None when it is none or more than one."""
    wanted = folded(text)
    if not wanted:
        return None
    found = [c for c in choices if folded(c.label) == wanted] or [
        c for c in choices if folded(c.label).startswith(wanted)
    ]
    return found[0] if len(found) == 1 else None


def folded(text: str) -> str:
    """TEXT for a comparison: no blanks, no case, no marks that a terminal may drop."""
    kept = (
        c
        for c in unicodedata.normalize("NFC", text)
        if not c.isspace() and unicodedata.category(c) not in ("Cf", "Mn", "Me")
    )
    return "".join(kept).casefold()


def alike(one: str, other: str) -> bool:
    """Whether two labels are the same one: equal, or one of them cut off by a narrow screen."""
    a, b = sorted((folded(one), folded(other)), key=len)
    if a == b:
        return True
    cut = a.rstrip("….")
    return len(cut) >= LEAST and cut != a and b.startswith(cut)


def find(shown: Shown, wanted: Labelled) -> Choice | None:
    """WANTED among the choices that are SHOWN: its label, and its number where the screen has numbers; None when it is not there.

    One of a list longer than the screen may be known by one of the two only; the other is ''.
    """
    if wanted.text and not wanted.key:
        return next((c for c in shown.choices if c.text), None)
    if wanted.text or not wanted.label:  # what is written in a field changes while somebody types
        return next((c for c in shown.choices if c.key == wanted.key and (wanted.text or shown.numbered)), None)
    found = [c for c in shown.choices if alike(c.label, wanted.label)]
    if shown.numbered and wanted.key:
        found = [c for c in found if c.key == wanted.key]
    if len(found) > 1:
        found = [c for c in found if c.key == wanted.key]
    return found[0] if len(found) == 1 else None


def pointed(shown: Shown) -> Choice | None:
    """The choice that the pointer is seen on; None when it is not seen."""
    found = [c for c in shown.choices if c.selected]
    return found[0] if len(found) == 1 else None


def towards(shown: Shown, wanted: Labelled) -> str:
    """The key that moves the pointer towards WANTED; '' when the pointer is there, or not seen."""
    at, target = pointed(shown), find(shown, wanted)
    back, on = ("Left", "Right") if shown.across else ("Up", "Down")
    if at is None or at is target:
        return ""
    if target is not None:
        return on if shown.choices.index(target) > shown.choices.index(at) else back
    if shown.numbered and wanted.key.isdigit() and at.key.isdigit():
        return on if int(wanted.key) > int(at.key) else back
    return on
