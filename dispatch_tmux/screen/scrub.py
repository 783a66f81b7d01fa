"""Taking what is secret or private out of a recorded screen. Pure.

What is replaced keeps its length where it can, so that columns and boxes stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SECRETS = re.compile(
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{8,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\bAIza[\w-]{30,}|\beyJ[\w-]{10,}\.[\w-]{5,}\.[\w-]*|\b[0-9a-f]{32,}\b|\b(?=[A-Za-z0-9+/]*\d)(?=[A-Za-z0-9+/]*[A-Z])[A-Za-z0-9+/]{40,}={0,2}"
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")


def scrub(text: str, private: Iterable[str]) -> str:
    """TEXT without keys, mail and network addresses, and without the PRIVATE words (home, user, host, project path)."""
    text = _SECRETS.sub(lambda m: _same(m[0], "x"), text)
    text = _MAIL.sub(lambda m: _same(m[0], "m"), text)
    text = _ADDRESS.sub(lambda m: m[0] if m[0].startswith("127.") else re.sub(r"\d", "0", m[0]), text)
    for word in sorted({w for w in private if len(w) > 2}, key=len, reverse=True):
        text = text.replace(word, _path(word) if "/" in word else _same(word, "u"))
    return text


def _same(word: str, letter: str) -> str:
    return letter * len(word)


def _path(word: str) -> str:
    """A path of the same length: /home/user/… with letters that say nothing."""
    return re.sub(r"[^/]", "p", word)
