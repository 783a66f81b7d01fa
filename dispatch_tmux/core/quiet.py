"""Quiet hours, by the clock on the wall: "22:00-07:00". Pure."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d) ?[-–] ?([01]?\d|2[0-3]):([0-5]\d)")
_MINUTE = 60.0
_LONGEST = 2 * 24 * 60  # minutes: quiet hours end at the next day's, and a day may have 25 hours


class Quiet(NamedTuple):
    """From minute START of the day up to minute END, which is the next day's where it is not later."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"

    def covers(self, at: float, zone: datetime.tzinfo | None = None) -> bool:
        """Whether AT (seconds since the epoch) is within them, in ZONE, by default the system's."""
        when = datetime.datetime.fromtimestamp(at, zone)
        minute = when.hour * 60 + when.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def over(self, at: float, zone: datetime.tzinfo | None = None) -> float:
        """The first moment from AT on that is not within them.

        Minute by minute, so that a clock that is put on or back in between needs no rule of its own.
        """
        if not self.covers(at, zone):
            return at
        when = at - at % _MINUTE
        for _ in range(_LONGEST):
            when += _MINUTE
            if not self.covers(when, zone):
                break
        return when


def parse(text: str) -> Quiet | None:
    """TEXT as quiet hours; None when it is none, or is none of the day or all of it."""
    found = _HOURS.fullmatch(text.strip())
    if not found:
        return None
    hour, minute, to_hour, to_minute = map(int, found.groups())
    quiet = Quiet(hour * 60 + minute, to_hour * 60 + to_minute)
    return quiet if quiet.start != quiet.end else None
