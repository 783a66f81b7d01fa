"""When a usage limit ends, read from what a CLI says of it: "resets 12:10am (Europe/Dublin)", "try again in 3 hours"; and
when a worker at its limit is told to go on. Pure."""

from __future__ import annotations

import datetime
import re
import zlib
from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dispatch_tmux.core.task import State, Task

MOST = 400 * 86400.0  # seconds: a time further away than that was not meant
PASSED = 600.0  # seconds for which a time of day that has just gone by is still the one that was meant

_DATE = r"(?:(?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2})(?:st|nd|rd|th)?,?(?: (?P<year>\d{4}),?)?(?: at)? )?"
_CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>[ap]m|[AP]M)?(?![\w:])"
_ZONE = r"(?: \(?(?P<zone>UTC|GMT|[A-Z][A-Za-z_]+(?:/[A-Za-z_+\-0-9]+){1,2})\)?)?"
_AT = re.compile(
    rf"(?:resets?|try again|available again|continu\w+ automatically|starts again)(?: at| on)? {_DATE}{_CLOCK}{_ZONE}",
    re.I,
)
_IN = re.compile(
    r"(?:resets?|try again|available again|continu\w+ automatically|retry)(?: after)? in "
    r"(?P<span>(?:(?:about |~)?\d+ ?(?:d(?:ays?)?|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)\b,?(?: and)? ?)+)", re.I
)  # fmt: skip
WAITS = re.compile(
    r"^(?:stop and )?wait\b|^continue automatically\b", re.I
)  # the choice of a menu at the limit that costs nothing
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


UNKNOWN, LONGEST = 15, 60  # the first try where no time was named, and the longest pause between two: in times of PAUSE
PAUSE = 60.0  # seconds from the end of a limit until a worker is told to go on, on average


class Reset(NamedTuple):
    """`at`: seconds since the epoch; `zone`: the time zone that was named, '' for none; `words`: as they stand there."""

    at: float
    zone: str
    words: str


def reset(text: str, now: float, local: datetime.tzinfo | None = None) -> Reset | None:
    """The last time in TEXT at which a limit ends, seen at NOW (seconds since the epoch); None when it names none.

    A time without a zone is in LOCAL, by default the system's. Times are the next such, for none of them has to have a date.
    """
    text = " ".join(text[-20_000:].split())
    found = [(m.start(), m) for m in (*_AT.finditer(text), *_IN.finditer(text))]
    for _, match in sorted(found, key=lambda each: each[0], reverse=True):
        at = _after(match, now) if "span" in match.groupdict() else _next(match, now, local)
        if at is not None and now - MOST < at < now + MOST:
            return Reset(at, match.groupdict().get("zone") or "", match[0].strip(" ,"))
    return None


def _after(match: re.Match[str], now: float) -> float:
    parts = re.findall(r"(\d{1,6}) ?([dhms])", match["span"].lower())
    return now + sum(int(number) * _UNITS[unit] for number, unit in parts)


def _next(match: re.Match[str], now: float, local: datetime.tzinfo | None) -> float | None:
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").lower()
    if not half and match["minute"] is None:
        return None  # "resets 5": nobody knows what of
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    zone = _zone(match["zone"]) or local
    day = datetime.datetime.fromtimestamp(now, zone)
    try:
        when = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if match["month"]:
            return _dated(match, when, now)
    except ValueError:
        return None
    if when.timestamp() < now - PASSED:
        when += datetime.timedelta(days=1)
    return when.timestamp()


def _dated(match: re.Match[str], when: datetime.datetime, now: float) -> float | None:
    """WHEN on the day that is named; without a year in the nearest one that is not long over."""
    if match["month"][:3].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(match["month"][:3].lower()) + 1
    when = when.replace(year=int(match["year"] or when.year), month=month, day=int(match["day"]))
    if not match["year"] and when.timestamp() < now - 180 * 86400:
        when = when.replace(year=when.year + 1)
    return when.timestamp()


def _zone(name: str | None) -> datetime.tzinfo | None:
    if not name:
        return None
    try:
        return ZoneInfo("UTC" if name in ("GMT", "UTC") else name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


# --- going on


def goes_on_at(task: Task, pause: float = PAUSE) -> float:
    """When TASK, which is at its usage limit, is to be told to go on, in seconds since the epoch.

    PAUSE: seconds after the limit's end, half of them at least (the end is told to the minute, and clocks differ); the workers of
    one account share the rest, each at a moment of its own. The more often it was told so in vain, the longer it rests.
    """
    share = zlib.crc32(task.id.encode()) % 1000 / 1000
    first = task.resets + pause * (0.5 + share) if task.resets else task.since + UNKNOWN * pause
    return max(first, task.told_at + pause * min(2**task.told_on, LONGEST)) if task.told_on else first


def spent(tasks: Iterable[Task], now: float) -> dict[str, float]:
    """The backends among TASKS whose limit is reached at NOW: backend → when that ends, 0.0 when nobody has said."""
    found: dict[str, float] = {}
    for task in tasks:
        if task.state is State.LIMITED and not 0 < task.resets <= now:
            found[task.backend] = max(found.get(task.backend, 0.0), task.resets)
    return found
