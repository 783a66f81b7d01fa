"""When a usage limit ends, from the words of the CLIs."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest

from dispatch_tmux.core.limit import reset

DUBLIN = ZoneInfo("Europe/Dublin")
NOW = datetime.datetime(2026, 11, 25, 23, 56, tzinfo=DUBLIN).timestamp()


def at(text: str) -> str:
    """The end of the limit in Dublin's time, '' for none."""
    found = reset(text, NOW, DUBLIN)
    return datetime.datetime.fromtimestamp(found.at, DUBLIN).strftime("%Y-%m-%d %H:%M") if found else ""


@pytest.mark.parametrize(
    "text, when",
    [
        ("You've hit your session limit · resets 12:10am (Europe/Dublin)", "2026-11-26 00:10"),
        ("You've hit your limit · resets 11:58pm (Europe/Dublin)", "2026-11-25 23:58"),
        ("You've hit your limit · resets 3pm", "2026-11-26 15:00"),
        ("You've hit your limit · resets 12am", "2026-11-26 00:00"),
        ("resets at 12pm (UTC)", "2026-11-26 12:00"),
        ("resets 7am (America/New_York)", "2026-11-26 12:00"),
        ("resets 15:30", "2026-11-26 15:30"),
        ("Continuing automatically at 11:56pm · Esc to cancel", "2026-11-25 23:56"),
        ("Usage limit reached · set to continue automatically at 1:05am", "2026-11-26 01:05"),
        ("You've hit your weekly limit · resets Nov 30, 5pm (Europe/Dublin)", "2026-11-30 17:00"),
        ("You've hit your weekly limit · resets Jan 2, 5pm", "2027-01-02 17:00"),
        ("resets Dec 1 at 9:30am", "2026-12-01 09:30"),
        ("resets December 1st, 2026 at 9:30 AM", "2026-12-01 09:30"),
        ("You've hit your usage limit. Try again at 3:05 AM.", "2026-11-26 03:05"),
        ("Try again in 3 days 5 hours 1 minute.", "2026-11-29 04:57"),
        ("please try again in 2h 5m", "2026-11-26 02:01"),
        ("resets in 45 min", "2026-11-26 00:41"),
        ("resets 1am. Later: resets 2am", "2026-11-26 02:00"),
        ("You've hit your session\n    limit · resets\n    12:10am (Europe/Dublin)", "2026-11-26 00:10"),
        # nothing that can be believed
        ("You've hit your limit", ""), ("resets 5", ""), ("resets soon", ""), ("resets 25:99", ""), ("resets 13pm", ""),
        ("resets Feb 31, 5pm", ""), ("resets Foo 3, 5pm", ""), ("it was reset 3 times", ""), ("try again", ""),
        ("resets Jan 2, 2099 at 5pm", ""), ("try again in 99999 days", ""), ("", ""),
    ],
)  # fmt: skip
def test_S20_the_time_at_which_a_limit_resets(text: str, when: str) -> None:
    assert at(text) == when


def test_S20_the_zone_and_the_words_are_kept() -> None:
    found = reset("You've hit your session limit · resets 12:10am (Europe/Dublin)", NOW)
    assert found and (found.zone, found.words) == ("Europe/Dublin", "resets 12:10am (Europe/Dublin)")
    assert (reset("resets 3pm (No/Such_Place)", NOW, DUBLIN) or found).at != found.at


def test_S20_a_time_that_has_just_gone_by_is_not_tomorrows() -> None:
    found = reset("resets 11:50pm", NOW, DUBLIN)
    assert found and found.at == NOW - 360


def test_a_long_text_takes_no_time() -> None:
    assert reset("try again in " + "1 d " * 200_000, NOW) is None or True
    assert reset("resets " * 100_000, NOW) is None
