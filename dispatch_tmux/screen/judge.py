"""Screen rules tried on the recorded screens, in a process of its own that ends by a deadline: what they read, and how they change.

It is given JSON, `{NAME: {"new": SCREEN, "old": SCREEN}}`, and prints `{NAME: {all, before, after, otherwise, slow}}`.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from dispatch_tmux.backends import fixtures, patterns
from dispatch_tmux.backends.converting import convert
from dispatch_tmux.backends.fixtures import Label
from dispatch_tmux.backends.rules import ScreenRules, compiled
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.screen.read import look

SECONDS = 2.0  # of CPU time in which a screen is read; it takes 0.001
CPU, MEMORY = 60, 1 << 30  # seconds and bytes for all of it; it takes 3 s


def is_right(shown: Shown, label: Label) -> bool:
    """Whether SHOWN is what LABEL says; the kind of a dialogue or an error counts, too, where the label has one."""
    if shown.shows not in (label.shows, *label.also):
        return False
    return not label.kind or shown.shows != label.shows or shown.kind == label.kind


def judged(name: str, new: ScreenRules, old: ScreenRules) -> dict[str, Any]:
    """How NEW rules of the CLI NAME read its screens, beside the OLD ones. In the main thread only."""
    slow = [at for at, pattern in patterns.of(new) if patterns.fault(pattern) or patterns.takes_for_ever(pattern)]
    result: dict[str, Any] = {"all": 0, "before": [], "after": [], "otherwise": [], "slow": slow}
    for state, label in fixtures.labels().get(name, {}).items() if not slow else ():
        text = fixtures.text(name, state)
        was, seen = look(old, text, title=label.title), _timed(new, text, label.title)
        if seen is None:
            return {**result, "slow": [f"screen, at the recorded screen {state}"]}
        result["all"] += 1
        result["before"] += [state] if is_right(was, label) else []
        result["after"] += [state] if is_right(seen, label) else []
        if was.shows == seen.shows and was != seen:
            result["otherwise"].append(state)
    return result


def _timed(rules: ScreenRules, text: str, title: str) -> Shown | None:
    """What is seen by RULES; None when that takes too long."""
    seen: list[Shown] = []
    within = patterns.within(SECONDS, lambda: seen.append(look(rules, text, title=title)))
    return seen[0] if within and seen else None


def main() -> int:
    for kind, most in ((resource.RLIMIT_CPU, CPU), (resource.RLIMIT_AS, MEMORY)):
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            pass  # there is a narrower one, or the system has none
    given = json.load(sys.stdin)
    made = {
        name: {which: convert(data, ScreenRules, dec_hook=compiled) for which, data in both.items()}
        for name, both in given.items()
    }
    json.dump({name: judged(name, both["new"], both["old"]) for name, both in made.items()}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
