"""Whether a pattern can take for ever: Python's matcher goes back and tries again, and a text made for it makes that endless.

A repeat within a repeat is refused by its form. What is left is tried on texts made for each of its repeats: the beginning that
leads there, then much that the repeat takes, then what it does not.
"""

from __future__ import annotations

import importlib
import re
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import msgspec

# the parser of `re` itself; its name has changed
_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
_codes: Any = importlib.import_module("re._constants" if sys.version_info >= (3, 11) else "sre_constants")

LONGEST = 2000  # characters of a pattern
MANY = 16  # a repeat of more than so many counts as endless
PUMP = 1000  # characters of a text that is tried
SECONDS = 0.4  # of CPU time that one search may take: the slowest of the built-in ones takes 0.02 s on such a text
_REPEATS = tuple(getattr(_codes, n) for n in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") if hasattr(_codes, n))
_TRIED = "a0A ─│…·"  # beside the pattern's own characters


class _TooLong(Exception):
    pass


def of(rules: object, at: str = "screen") -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every pattern in RULES, and the place where it stands."""
    if isinstance(rules, re.Pattern):
        yield at, rules
    elif isinstance(rules, msgspec.Struct):
        for name in rules.__struct_fields__:
            yield from of(getattr(rules, name), f"{at}.{name}")
    elif isinstance(rules, tuple):
        for n, one in enumerate(rules):
            yield from of(one, f"{at}[{n}]")


def fault(pattern: re.Pattern[str]) -> str:
    """What makes PATTERN dangerous by its form, in words; '' for nothing. Runs nothing."""
    if len(pattern.pattern) > LONGEST:
        return f"has more than {LONGEST} characters"
    tree = _parser.parse(pattern.pattern, re.MULTILINE)
    if any(op is _codes.GROUPREF for op, _ in _nodes(tree)):
        return "refers back to a group, which can take for ever"
    if any(_endless(op, av) and any(_endless(*node) for node in _nodes(av[2])) for op, av in _nodes(tree)):
        return "has a repeat within a repeat, which can take for ever"
    if any(op in _REPEATS and av[1] > 1 and av[2].getwidth()[0] == 0 for op, av in _nodes(tree)):
        return "repeats what may be empty, which can take for ever"
    return ""


def takes_for_ever(pattern: re.Pattern[str]) -> bool:
    """Whether a search for PATTERN takes longer than SECONDS in one of the texts made for it. In the main thread only."""
    texts = list(_texts(pattern))
    return any(not within(SECONDS, lambda: pattern.search(text)) for text in texts)  # noqa: B023


def within(seconds: float, done: Callable[[], object]) -> bool:
    """Whether DONE() ends within SECONDS of CPU time; it is broken off then. In the main thread only."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        done()
    except _TooLong:
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return True


# --- the pattern's parts


def _endless(op: Any, av: Any) -> bool:
    return op in _REPEATS and av[1] > MANY


def _below(op: Any, av: Any) -> list[Any]:
    """The parts that a node of a parsed pattern has."""
    if op in _REPEATS:
        return [av[2]]
    if op is _codes.SUBPATTERN:
        return [av[3]]
    if op is _codes.BRANCH:
        return list(av[1])
    if op in (_codes.ASSERT, _codes.ASSERT_NOT):
        return [av[1]]
    if op is _codes.GROUPREF_EXISTS:
        return [part for part in av[1:] if part is not None]
    return [av] if op is getattr(_codes, "ATOMIC_GROUP", None) else []


def _nodes(tree: Any) -> Iterator[tuple[Any, Any]]:
    for op, av in tree:
        yield op, av
        for part in _below(op, av):
            yield from _nodes(part)


# --- the texts


def _texts(pattern: re.Pattern[str]) -> Iterator[str]:
    tree = _parser.parse(pattern.pattern, re.MULTILINE)
    own = {chr(av) for op, av in _nodes(tree) if op in (_codes.LITERAL, _codes.NOT_LITERAL)}
    chars = [*dict.fromkeys([*_TRIED, *sorted(own)])][:60]
    yield from (char * PUMP + "\0" for char in chars)
    for lead, body in _repeats(tree, ""):
        one = _sample(body) or "a"
        taken = [c for c in chars if _takes(body, c)]
        yield from (f"{lead}{char * PUMP}\0" for char in taken[:8])
        yield lead + (one * PUMP)[:PUMP] + "\0"
        yield (lead + one) * (PUMP // (len(lead) + len(one))) + "\0"
        each = "".join(_sample(part) for op, av in _nodes(body) if op is _codes.BRANCH for part in av[1])
        yield lead + (each * PUMP)[:PUMP] + "\0"


def _takes(body: Any, char: str) -> bool:
    """Whether the part BODY can begin with CHAR, as far as it shows."""
    for op, av in body:
        if op is _codes.LITERAL:
            return chr(av) == char
        if op is _codes.NOT_LITERAL:
            return chr(av) != char
        if op is _codes.IN:
            return _one_of(av, char)
        return True
    return True


def _repeats(tree: Any, lead: str) -> Iterator[tuple[str, Any]]:
    """Each endless repeat of the pattern: a text that leads up to it, and what it repeats."""
    for op, av in tree:
        if _endless(op, av):
            yield lead, av[2]
        for part in _below(op, av):
            yield from _repeats(part, lead)
        lead += _of_node(op, av)


def _sample(tree: Any) -> str:
    """A short text that the part TREE takes, as a rule."""
    return "".join(_of_node(op, av) for op, av in tree)


def _of_node(op: Any, av: Any) -> str:
    if op is _codes.LITERAL:
        return chr(av)
    if op is _codes.NOT_LITERAL:
        return "a" if chr(av) != "a" else "b"
    if op is _codes.ANY:
        return "a"
    if op is _codes.IN:
        return next((c for c in f"{_TRIED}{_of_set(av)}\t-.:/#%$&*!?_[]()" if _one_of(av, c)), "a")
    if op in _REPEATS:
        return _sample(av[2]) * min(int(av[0]), PUMP // 10)
    if op is _codes.ASSERT and av[0] < 0:
        return _sample(av[1])  # it stands before
    if op in (_codes.ASSERT, _codes.ASSERT_NOT, _codes.AT):
        return ""
    parts = _below(op, av)
    return _sample(parts[0]) if parts else ""


def _of_set(av: Any) -> str:
    return "".join(chr(v if op is _codes.LITERAL else v[0]) for op, v in av if op in (_codes.LITERAL, _codes.RANGE))


_CLASSES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": str.isdigit, "CATEGORY_SPACE": str.isspace, "CATEGORY_WORD": lambda c: c.isalnum() or c == "_",
}  # fmt: skip


def _one_of(av: Any, char: str) -> bool:
    """Whether the set AV ("[^\\w ]", as parsed) has CHAR."""
    inverted = bool(av) and av[0][0] is _codes.NEGATE
    return inverted is not any(_has(op, v, char) for op, v in av)


def _has(op: Any, v: Any, char: str) -> bool:
    if op is _codes.LITERAL:
        return chr(v) == char
    if op is _codes.RANGE:
        return bool(v[0] <= ord(char) <= v[1])
    if op is _codes.CATEGORY:
        name = str(v).replace("_NOT_", "_")
        return _CLASSES.get(name, str.isspace)(char) is ("_NOT_" not in str(v))
    return False
