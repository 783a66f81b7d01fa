"""Screen rules that are newer than this release: what a file of them may hold, and which rules are in force.

A rules file says how screens are read, and nothing else: what starts, sends, presses or runs anything comes with dispatch
(docs/security.md). What was accepted is kept with a digest, so that only what was checked counts.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from dispatch_tmux.backends.converting import convert
from dispatch_tmux.backends.rules import Dialogue, ScreenRules, Verified, compiled
from dispatch_tmux.core.text import CONTROLS
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import kept_rules

MOST = 256 << 10  # bytes of a rules file: that of all built-in rules has 40 000
_DEEP, _NODES = 16, 20_000  # of the YAML, which is looked through before it is built
_VERSION = re.compile(r"(20\d\d)\.(\d{1,2})\.(\d{1,2})(?:\.(\d{1,4}))?")
_HINT = "a rules file has `rules: NAME: {version, verified, screen}`, and nothing that is started, pressed or sent"


class Rules(NamedTuple):
    """The screen rules of the backend NAME, of VERSION, as data that was found in order."""

    name: str
    version: str
    verified: dict[str, str]
    screen: dict[str, Any]


class Standing(NamedTuple):
    """Which rules are in force: their version, and where they came from ('' built in, "own": a backend file of the user's).

    `built_in` is the version that came with dispatch; `trouble` says why kept rules do not count, '' when all is well.
    """

    version: str
    source: str
    built_in: str
    trouble: str = ""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    screen: ScreenRules
    verified: Verified = Verified()


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    kept: str
    digest: str
    screen: dict[str, Any]
    verified: dict[str, str] = {}


def order(version: str) -> tuple[int, ...]:
    """VERSION (year.month.day, and a number where there were several that day) as what sorts; () for none."""
    found = _VERSION.fullmatch(version)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def parsed(text: str, where: str, screens: Callable[[str], Mapping[str, Any] | None]) -> list[Rules]:
    """The rules in TEXT, a rules file that is called WHERE. SCREENS: a backend's built-in screen rules, None for no backend.

    Those of backends that are not known here are left out. Raises DispatchError, with file and key, for anything that does
    not belong there.
    """
    data = _plain(text, where)
    if not isinstance(data, dict) or not isinstance(data.get("rules"), dict):
        raise DispatchError(f"{where} is no rules file", hint=_HINT)
    if extra := [str(key) for key in data if key != "rules"]:
        raise DispatchError(f"{where}: unknown key `{extra[0]}`", hint=_HINT)
    found = []
    for name, entry in data["rules"].items():
        built_in = screens(name) if isinstance(name, str) else None
        if built_in is not None:
            found.append(_plainly(name, entry, f"{where}: rules.{name}", built_in))
    return found


def _plainly(name: str, entry: Any, where: str, built_in: Mapping[str, Any]) -> Rules:
    """`_checked`, without a pattern that Python reads and warns of: it would warn at each start, and mean something else one day."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return _checked(name, entry, where, built_in)
        except Warning as e:
            raise DispatchError(
                f"{where}: a pattern may be read in two ways: {e}", hint="write a backslash before it"
            ) from None


def kept_text(rules: Rules, source: str, day: str) -> str:
    """RULES as they are kept: from SOURCE, taken on DAY (ISO)."""
    import yaml

    kept = {
        "version": rules.version, "source": source, "kept": day, "digest": _digest(rules), "verified": rules.verified,
        "screen": rules.screen,
    }  # fmt: skip
    head = f"# Screen rules of {rules.name}, by `dispatch backends update`. A change made here makes them void: the built-in ones count.\n"
    return head + str(yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=120))


def export(rules: Iterable[Rules]) -> str:
    """RULES as a rules file."""
    import yaml

    data = {r.name: {"version": r.version, "verified": r.verified, "screen": r.screen} for r in rules}
    text = str(yaml.safe_dump({"rules": data}, allow_unicode=True, sort_keys=False, width=120))
    if re.search(CONTROLS, text):  # what a terminal may obey, or nobody sees
        text = str(yaml.safe_dump({"rules": data}, sort_keys=False, width=120))
    return text


def in_force(name: str, data: Mapping[str, Any]) -> tuple[Mapping[str, Any], Standing]:
    """The backend file DATA of the built-in backend NAME with the kept rules, where those count; and how that stands."""
    built_in = str(data.get("rules", ""))
    try:
        kept = _kept(name, data.get("screen") or {})
    except DispatchError as e:
        trouble = f"{kept_rules.path(name)} is left out: {e}; the built-in rules count"
        return data, Standing(built_in, "", built_in, trouble)
    if kept is None or order(kept.version) <= order(built_in):
        return data, Standing(built_in, "", built_in)
    verified = kept.verified or data.get("verified", {})
    renewed = {**data, "rules": kept.version, "screen": kept.screen, "verified": verified}
    return renewed, Standing(kept.version, kept.source, built_in)


def _kept(name: str, screen: Mapping[str, Any]) -> _Kept | None:
    """The rules that are kept for NAME. Raises DispatchError when they are damaged, or not of this dispatch."""
    text = kept_rules.read(name)
    if text is None:
        return None
    try:
        kept = convert(_plain(text, "it", kept_rules.MOST), _Kept)
    except msgspec.ValidationError as e:
        raise DispatchError(f"it is damaged ({e})") from None
    rules = Rules(name, kept.version, kept.verified, kept.screen)
    if kept.digest != _digest(rules):
        raise DispatchError("it is not as it was written")
    _checked(name, {"version": kept.version, "screen": kept.screen}, "it has a mistake: ", screen)
    return kept


def _digest(rules: Rules) -> str:
    said = json.dumps([rules.name, rules.version, rules.verified, _as_json(rules.screen)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _as_json(value: Any) -> Any:
    """VALUE as JSON has it: a damaged file may have days in it, and keys that are no words."""
    if isinstance(value, dict):
        return {str(key): _as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    return value if isinstance(value, str | int | float | None) else str(value)


# --- what a file may hold


def _checked(name: str, entry: Any, where: str, built_in: Mapping[str, Any]) -> Rules:
    if isinstance(entry, dict) and isinstance(
        entry.get("verified"), dict
    ):  # to YAML 1.1 `on` is True, and a day a date
        entry = {**entry, "verified": {"on" if k is True else k: str(v) for k, v in entry["verified"].items()}}
    try:
        made = convert(entry, _Entry, dec_hook=compiled)
        pressed = convert(built_in, ScreenRules, dec_hook=compiled).dialogues
    except msgspec.ValidationError as e:
        said, _, at = str(e).partition(" - at ")
        raise DispatchError(f"{where}{at.strip('`').removeprefix('$')}: {said}", hint=_HINT) from None
    if not order(made.version):
        raise DispatchError(
            f"{where}.version: {made.version[:40]!r} is no version", hint="as in 2026.11.26, or 2026.11.26.2"
        )
    known = {_keys(rule) for rule in pressed}
    for n, rule in enumerate(made.screen.dialogues):
        if _names_keys(rule) and _keys(rule) not in known:
            raise DispatchError(
                f"{where}.screen.dialogues[{n}] ({rule.kind}) names keys that the built-in rules do not press there",
                hint="`toggle`, `submit`, `opens` and `keys` stay as dispatch has them: rules read, they press nothing",
            )
    return Rules(
        name, made.version, {k: v for k, v in msgspec.structs.asdict(made.verified).items() if v}, entry["screen"]
    )


def _names_keys(rule: Dialogue) -> bool:
    return bool(rule.toggle != "Space" or rule.submit or rule.opens or any(offer.keys for offer in rule.offers))


def _keys(rule: Dialogue) -> object:
    """What RULE has pressed, and where. Keys of an offer are pressed without a pointer on it: then its signs belong to them."""
    offers = tuple((offer.label, offer.keys) for offer in rule.offers if offer.keys)
    signs = (rule.foot.pattern, tuple(sign.pattern for sign in rule.has)) if offers else ()
    return rule.kind, rule.toggle, rule.submit, rule.opens, offers, signs


def _plain(text: str, where: str, most: int = MOST) -> Any:
    """TEXT as data: YAML without aliases and tags, of a bounded depth and size. Raises DispatchError."""
    import yaml

    if len(text) > most:
        raise DispatchError(f"{where} has more than {most >> 10} KiB")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for problem in _odd(yaml.parse(text, Loader=loader)):
            raise DispatchError(f"{where} {problem}")
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as e:  # 2026-99-99 is a date to YAML
        raise DispatchError(f"{where} is no YAML: {' '.join(str(e).split())[:200]}") from None


def _odd(events: Iterable[Any]) -> Iterator[str]:
    """What is wrong with a YAML text, by its EVENTS, before anything is built of it."""
    deep = nodes = 0
    for event in events:
        kind = type(event).__name__
        nodes += kind in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent")
        deep += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            yield "has an alias or an anchor; write it out"
        elif getattr(event, "tag", None) not in (None, "", "!"):
            yield "has a tag, and rules need none"
        elif deep > _DEEP or nodes > _NODES:
            yield "is too large or too deep for rules"
