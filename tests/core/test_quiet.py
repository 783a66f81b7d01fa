"""Quiet hours by the clock on the wall, over midnight and where the clock is put on or back."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import properties  # noqa: F401  # the profile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_tmux.core.quiet import Quiet, parse

DUBLIN = ZoneInfo("Europe/Dublin")
ZONES = [
    ZoneInfo(name) for name in ("UTC", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
]
times = st.floats(1.6e9, 2.0e9) | st.sampled_from(
    [datetime.datetime(2026, *day, tzinfo=datetime.timezone.utc).timestamp() for day in ((3, 29, 0, 30), (10, 25, 0, 30), (3, 8, 6, 59), (11, 1, 5, 30))]
)  # fmt: skip
hours = (
    st.tuples(st.integers(0, 1439), st.integers(0, 1439))
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda p: Quiet(*p))
)


def at(text: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=DUBLIN).timestamp()


@pytest.mark.parametrize("text", ["22:00-07:00", "7:05-22:00", "00:00-23:59", " 22:00 – 07:00 "])
def test_hours_are_read(text: str) -> None:
    found = parse(text)
    assert found and parse(str(found)) == found


@pytest.mark.parametrize(
    "text", ["", "22-7", "24:00-07:00", "22:60-07:00", "22:00-22:00", "22:00", "22:00-07:00-08:00", "x"]
)
def test_what_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "when, quiet, over",
    [
        ("2026-11-25T21:59", False, "2026-11-25T21:59"),
        ("2026-11-25T22:00", True, "2026-11-26T07:00"),
        ("2026-11-26T06:59:59", True, "2026-11-26T07:00"),
        ("2026-11-26T07:00", False, "2026-11-26T07:00"),
        ("2026-03-28T23:00", True, "2026-03-29T07:00"),  # an hour less
        ("2026-10-24T23:00", True, "2026-10-25T07:00"),  # an hour more
    ],
)
def test_over_midnight_and_a_changed_clock(when: str, quiet: bool, over: str) -> None:
    night = Quiet(22 * 60, 7 * 60)
    assert night.covers(at(when), DUBLIN) is quiet
    assert night.over(at(when), DUBLIN) == at(over)


def test_hours_that_end_in_the_hour_that_there_is_not() -> None:
    assert Quiet(0, 90).over(at("2026-03-29T00:10"), DUBLIN) == at("2026-03-29T02:00")  # 01:00 is 02:00


@given(hours, times, st.sampled_from(ZONES))
def test_they_end_once_and_at_the_first_moment(quiet: Quiet, when: float, zone: ZoneInfo) -> None:
    over = quiet.over(when, zone)
    assert when <= over <= when + 26 * 3600
    assert not quiet.covers(over, zone)
    assert over == when or quiet.covers(over - 0.5, zone)
