"""`backends update`, `rollback` and `rules`: newer screen rules without a release. docs/security.md says what they may do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dispatch_tmux.backends import changes as comparing
from dispatch_tmux.backends import load as backends
from dispatch_tmux.backends import renewed
from dispatch_tmux.backends.changes import Changes
from dispatch_tmux.backends.renewed import Rules
from dispatch_tmux.errors import DispatchError, UsageProblem
from dispatch_tmux.store import home, kept_rules

DEADLINE = (
    300.0  # seconds in which new rules are tried, on a busy machine, too; it takes 3, and its CPU time is bounded
)
_AHEAD = 2 * 86_400.0  # seconds: another zone's day, a clock that is a little wrong


class RuleChange(NamedTuple):
    """What becomes of the rules of the backend `name`: their versions, what differs, and how they read the recorded screens.

    Of `screens`, `before` were read as labelled and `after` are; `otherwise` are those that show the same, with other words.
    """

    name: str
    old: str
    new: str
    changes: Changes
    screens: int
    before: int
    after: int
    otherwise: tuple[str, ...]


class Proposal(NamedTuple):
    """What SOURCE, a path or a URL, has for us: `changes` would be made; `passed_over` says what is not taken, and why."""

    source: str
    changes: tuple[RuleChange, ...]
    passed_over: tuple[str, ...]
    rules: tuple[Rules, ...]


class RolledBack(NamedTuple):
    """The rules of the backend `name` are those of the version `now` again; they were `was`."""

    name: str
    was: str
    now: str


def propose_rules(source: str = "") -> Proposal:
    """The newer screen rules in SOURCE, a file or an https URL ('': where those in force came from), tried but not taken.

    Takes some seconds: they are run on the recorded screens in a process of their own. Raises DispatchError for what is no
    rules file, holds anything but screen rules, has a pattern that can take for ever, or reads fewer screens right.
    """
    from dispatch_tmux.backends import fetching  # which loads what speaks HTTP

    source = source or _former_source()
    source = source if fetching.is_url(source) else os.path.abspath(source)
    folder = Path(home.backends_dir())
    found = renewed.parsed(fetching.text(source, renewed.MOST), source, backends.screen_of)
    if not found:
        raise DispatchError(f"{source} has rules for no CLI that is known here", hint="dispatch backends")
    standings = {rules.name: _passed_over(rules, folder) for rules in found}
    newer = tuple(rules for rules in found if not standings[rules.name])
    changes = _tried(newer, {rules.name: backends.screen_of(rules.name, folder) or {} for rules in newer}, source)
    return Proposal(source, changes, tuple(words for words in standings.values() if words), newer)


def take_rules(proposal: Proposal) -> tuple[RuleChange, ...]:
    """Put the rules of PROPOSAL in force; workers that run are seen by them from the next look on.

    Raises DispatchError, and changes nothing, when somebody else has brought others since.
    """
    folder = Path(home.backends_dir())
    with kept_rules.lock():
        for change in proposal.changes:
            if (now := backends.standing(change.name, folder).version) != change.old:
                raise DispatchError(
                    f"the rules of {change.name} are {now} by now", hint="another update came first; try again"
                )
        for rules in proposal.rules:
            kept_rules.keep(rules.name, renewed.kept_text(rules, proposal.source, time.strftime("%Y-%m-%d")))
    return proposal.changes


def rollback_rules(name: str = "") -> list[RolledBack]:
    """Go back to the rules before the last update of the backend NAME, or of each: those kept before, else the built-in ones.

    Raises UsageProblem when there is no such backend, DispatchError when it has no kept rules.
    """
    if name and backends.screen_of(name) is None:
        raise UsageProblem(f"the rules of {name!r} cannot be renewed", hint=f"there is: {', '.join(renewable())}")
    folder = Path(home.backends_dir())
    done = []
    with kept_rules.lock():
        for each in [name] if name else renewable():
            was = backends.standing(each, folder).version
            if kept_rules.back(each):
                done.append(RolledBack(each, was, backends.standing(each, folder).version))
    if not done:
        raise DispatchError(f"no rules were updated{f' for {name}' if name else ''}: the built-in ones count")
    return done


def export_rules(*names: str) -> str:
    """The screen rules in force of the backends NAMES (all, by default), as a rules file. Raises UsageProblem, DispatchError."""
    folder = Path(home.backends_dir())
    found = []
    for name in names or renewable():
        screen = backends.screen_of(name, folder)
        if screen is None:
            raise UsageProblem(f"{name!r} has no rules to be renewed", hint=f"there is: {', '.join(renewable())}")
        if screen:
            backend = backends.load(name, folder=folder)
            verified = {k: v for k, v in (("version", backend.verified.version), ("on", backend.verified.on)) if v}
            found.append(Rules(name, backend.rules, verified, screen))
    return renewed.export(found)


def renewable() -> list[str]:
    """The backends whose screen rules can be renewed."""
    return [name for name in backends.names() if name not in backends.FIXED]


def standing(name: str) -> str:
    """In words: which screen rules of the backend NAME are in force; '' when it has none, or is defined by the config."""
    folder = Path(home.backends_dir())
    if backends.file_of(name, folder) is None:
        return ""
    found = backends.standing(name, folder)
    if not found.version and found.source != "own":
        return ""
    if found.trouble:
        return f"rules {found.version}, built in; {found.trouble}"
    if found.source == "own":
        return "rules of your own file"
    built_in = f" (built in: {found.built_in})" if found.built_in else ""
    return (
        f"rules {found.version} from {found.source}{built_in}" if found.source else f"rules {found.version}, built in"
    )


def trouble(name: str) -> str:
    """Why kept rules of the backend NAME do not count; '' when all is well."""
    folder = Path(home.backends_dir())
    return backends.standing(name, folder).trouble if backends.file_of(name, folder) else ""


# --- what is new, and whether it is better


def _former_source() -> str:
    """Where the rules in force came from."""
    folder = Path(home.backends_dir())
    sources = {backends.standing(name, folder).source for name in renewable()} - {"", "own"}
    if len(sources) == 1:
        return sources.pop()
    known = (
        f"they came from: {', '.join(sorted(sources))}"
        if sources
        else "`dispatch backends update FILE` or an https URL"
    )
    raise UsageProblem("where are newer rules to be taken from?", hint=known)


def _passed_over(rules: Rules, folder: Path) -> str:
    """Why RULES are not taken, in words; '' when they are. Raises DispatchError for a version that cannot be."""
    now = backends.standing(rules.name, folder)
    latest = time.localtime(time.time() + _AHEAD)[:3]
    if renewed.order(rules.version)[:3] > latest:
        raise DispatchError(
            f"the rules of {rules.name} are of a day to come, {rules.version}", hint="is your clock right?"
        )
    if now.source == "own":
        return f"{rules.name}: your own file counts, {backends.file_of(rules.name, folder)}"
    if renewed.order(rules.version) == renewed.order(now.version):
        return f"{rules.name}: {rules.version} is in force already"
    if renewed.order(rules.version) < renewed.order(now.version):
        return f"{rules.name}: {rules.version} is older than {now.version}, which is in force"
    return ""


def _tried(newer: tuple[Rules, ...], old: Mapping[str, dict[str, Any]], source: str) -> tuple[RuleChange, ...]:
    """The changes that NEWER would bring. Raises DispatchError when they are no good."""
    if not newer:
        return ()
    verdicts = _judged({rules.name: {"new": rules.screen, "old": old[rules.name]} for rules in newer}, source)
    folder = Path(home.backends_dir())
    changes = []
    for rules in newer:
        verdict = verdicts[rules.name]
        if verdict["slow"]:
            raise DispatchError(
                f"{source}: the rules of {rules.name} are refused: {verdict['slow'][0]} can take for ever",
                hint="a repeat within a repeat, or several that take the same, side by side",
            )
        before, after = verdict["before"], verdict["after"]
        if len(after) < len(before):
            lost = [state for state in before if state not in after]
            raise DispatchError(
                f"{source}: the rules of {rules.name} are refused: they read {len(after)} of {verdict['all']} recorded screens right,"
                f" and today's read {len(before)}",
                hint=f"read wrongly: {', '.join(lost[:5])}{' …' if len(lost) > 5 else ''}",
            )
        was, differs = backends.standing(rules.name, folder).version, comparing.between(old[rules.name], rules.screen)
        right = (verdict["all"], len(before), len(after), tuple(verdict["otherwise"]))
        changes.append(RuleChange(rules.name, was, rules.version, differs, *right))
    return tuple(changes)


def _judged(both: Mapping[str, Mapping[str, Any]], source: str) -> dict[str, Any]:
    """What `screen/judge.py` says, in a process that cannot hold us up."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dispatch_tmux.screen.judge"], input=json.dumps(both), capture_output=True, text=True,
            timeout=DEADLINE, cwd=os.sep,
        )  # fmt: skip
        verdicts: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise DispatchError(
            f"{source}: the rules are refused: trying them on the recorded screens did not end",
            hint="a pattern takes for ever",
        ) from None
    return verdicts
