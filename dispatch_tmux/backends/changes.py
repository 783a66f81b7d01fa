"""What differs between two sets of screen rules, in the words of their files. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Changes(NamedTuple):
    """Rules by their names ("dialogues permission", "composer.prompt"), each with a number where several are meant ("2 errors api")."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """What NEW has that OLD has not, the other way round, and what both have in different words or in another order."""
    before, after = Counter(_rules(old)), Counter(_rules(new))
    gone, came = Counter(_names(before - after)), Counter(_names(after - before))
    changed = gone & came
    moved = [] if gone or came else [f"the order of {key}" for key in new if _order(old, key) != _order(new, key)]
    return Changes(_counted(came - changed), _counted(gone - changed), (*_counted(changed), *moved))


def _rules(part: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each rule below PART: its name, and what it says."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _rules(value, f"{at}.{key}" if at else str(key))
    elif isinstance(part, list):
        for rule in part:
            kind = rule.get("kind", "") if isinstance(rule, Mapping) else ""
            yield f"{at} {kind}".strip(), json.dumps(rule, sort_keys=True)
    else:
        yield at, json.dumps(part)


def _names(rules: Counter[tuple[str, str]]) -> Iterator[str]:
    for (name, _), times in rules.items():
        yield from [name] * times


def _order(rules: Mapping[str, Any], key: str) -> str:
    """What stands under KEY, in its order where that counts: the first rule that fits does."""
    return json.dumps(rules.get(key), sort_keys=True)


def _counted(names: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{times} {name}" if times > 1 else name for name, times in sorted(names.items()))
