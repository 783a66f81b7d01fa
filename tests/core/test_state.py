"""The verdict on a worker, sign by sign."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch_tmux.core.state import Limits, Signs, derive, ended, nudge_due
from dispatch_tmux.core.task import State

LIMITS = Limits(settle=2.0, nudge=60.0, quiet=1800.0)
AT_REST: dict[str, Any] = {"shows": "ready", "settled": 5.0, "age": 50.0}
BUSY: dict[str, Any] = {"shows": "busy", "age": 50.0}


@pytest.mark.parametrize(
    ("signs", "state", "why"),
    [
        # a process that is gone beats every sign of life
        ({**BUSY, "alive": False, "exit_code": 3}, "failed", "exit code 3"),
        ({"exit_code": 0, "marks": "xx", "open_question": "001"}, "done", ""),
        # a question beats the plan, and both beat the screen
        ({**BUSY, "open_question": "001", "marks": "xx", "done_marker": True}, "waiting", "001.question"),
        ({**AT_REST, "open_question": "001"}, "waiting", "001.question"),
        ({"shows": "question", "kind": "permission", "marks": "xx", "done_marker": True}, "waiting", "permission"),
        ({"shows": "startup", "kind": "trust"}, "waiting", "trust"),
        ({"shows": "question"}, "waiting", "question dialogue"),
        # finished: the marker at once, full marks only at rest
        ({**BUSY, "done_marker": True, "marks": "xx"}, "done", ""),
        ({**AT_REST, "done_marker": True, "marks": "x  "}, "done", "2 unchecked"),
        # … and with items open when the turn is over in which the last ones are ticked, but not for ever
        ({**BUSY, "done_marker": True, "marks": "x  ", "marked": 0.3}, "working", ""),
        ({**BUSY, "done_marker": True, "marks": "x  ", "marked": 61.0}, "done", "2 unchecked"),
        ({**BUSY, "done_marker": True, "marks": "x ", "kind": "background"}, "done", "1 unchecked"),
        ({"shows": "error", "kind": "api", "done_marker": True, "marks": "x "}, "done", "1 unchecked"),
        # S25: a stopped process does nothing, whatever its screen says
        ({**AT_REST, "suspended": True, "marks": "x "}, "suspended", "dispatch continue"),
        ({**BUSY, "suspended": True}, "suspended", "stopped"),
        ({**AT_REST, "suspended": True, "open_question": "001"}, "suspended", "stopped"),
        ({**AT_REST, "suspended": True, "exit_code": 0, "marks": "x"}, "done", ""),
        # S20: at the usage limit, told by a banner or a menu
        ({"shows": "error", "kind": "limit", "resets": "resets 3pm"}, "limited", "usage limit is reached: resets 3pm"),
        ({"shows": "question", "kind": "limit", "resets": "resets 3pm"}, "limited", "resets 3pm"),
        ({"shows": "error", "kind": "limit"}, "limited", "not said"),
        ({"shows": "error", "kind": "limit", "done_marker": True, "marks": "x"}, "done", ""),
        ({**AT_REST, "kind": "limit"}, "idle", "its turn is over"),
        # S26: its turn is over, and something of its goes on
        ({**AT_REST, "background": "count the files", "marks": "x "}, "working", "count the files"),
        ({**AT_REST, "background": "npm run dev", "marks": "xx"}, "working", "npm run dev"),
        ({**AT_REST, "background": "npm run dev", "marks": "xx", "done_marker": True}, "done", ""),
        ({**AT_REST, "background": "npm run dev", "quiet": 1801.0}, "working", "30 minutes"),
        ({**BUSY, "done_marker": True, "marks": "x?!"}, "done", "1 blocked, 1 in error"),
        ({**BUSY, "done_marker": True, "marks": "??"}, "blocked", "every item"),
        ({**BUSY, "marks": "xx"}, "working", ""),
        ({**AT_REST, "marks": "xx"}, "done", ""),
        ({**AT_REST, "marks": "x?"}, "done", "1 blocked"),
        ({**AT_REST, "marks": "xx", "settled": 1.0}, "working", ""),
        ({"marks": "xx", "quiet": 3.0, "age": 50.0}, "done", ""),
        ({"marks": "xx", "quiet": 1.0, "age": 50.0}, "working", ""),
        ({**AT_REST, "marks": ""}, "idle", "its turn is over"),
        # the screen
        ({"shows": "error", "detail": "usage limit"}, "failed", "usage limit"),
        ({"shows": "error", "done_marker": True, "marks": "x"}, "done", ""),
        ({**AT_REST, "settled": 0.5, "age": 1.0}, "starting", ""),
        ({**AT_REST, "settled": 0.5}, "working", ""),
        ({**AT_REST, "marks": "x "}, "idle", "1 item open"),
        ({"age": 0.5}, "starting", ""),
        ({"age": 0.5, "has_screen_rules": False}, "working", ""),
        ({"age": 3.0}, "working", ""),
        ({**BUSY, "quiet": 1799.0}, "working", ""),
        ({**BUSY, "quiet": 1801.0}, "working", "30 minutes"),
        ({"age": 5000.0, "quiet": 1801.0}, "working", "30 minutes"),
    ],
)
def test_derive(signs: dict[str, Any], state: str, why: str) -> None:
    verdict = derive(Signs(**signs), LIMITS)
    assert verdict.state.value == state
    assert why in verdict.why if why else not verdict.why


@pytest.mark.parametrize(
    ("signs", "surfaced"),
    [
        ({**AT_REST, "marks": " ", "nudges": 0}, False),
        ({**AT_REST, "marks": " ", "nudges": 2}, False),
        ({**AT_REST, "marks": " ", "nudges": 1, "settled": 61.0}, False),
        ({**AT_REST, "marks": " ", "nudges": 2, "settled": 61.0}, True),
        ({**BUSY, "quiet": 1801.0}, True),
        ({**BUSY, "nudges": 2}, False),
    ],
)
def test_what_is_surfaced(signs: dict[str, Any], surfaced: bool) -> None:
    assert derive(Signs(**signs), LIMITS).surfaced is surfaced


@pytest.mark.parametrize(
    ("signs", "state", "why"),
    [
        ({"exit_code": 0, "marks": "xx"}, "done", ""),
        ({"exit_code": 1, "marks": "xx"}, "done", "exit code 1"),
        ({"exit_code": 0, "marks": "x ", "done_marker": True}, "done", "1 unchecked"),
        ({"exit_code": 0, "marks": "x!"}, "done", "1 in error"),
        ({"exit_code": 0, "marks": "  "}, "failed", "nothing checked off"),
        ({"exit_code": 0, "marks": "x "}, "failed", "1 item open"),
        ({"exit_code": 3, "marks": "x ", "detail": "no network"}, "failed", "exit code 3: no network"),
        ({"exit_code": 127, "marks": " "}, "failed", "exit code 127"),
        ({"exit_code": 137, "marks": "x "}, "failed", "SIGKILL"),
        ({"exit_code": 143, "marks": "x "}, "failed", "SIGTERM"),
        ({"exit_code": 254, "marks": " "}, "failed", "signal 126"),
        ({"exit_code": 129, "marks": " "}, "lost", "window was closed"),
        ({"exit_code": 129, "marks": " ", "server_gone": True}, "lost", "server is gone"),
        ({"alive": False, "marks": "x "}, "lost", "window was closed"),
        ({"alive": False, "marks": "xx"}, "done", ""),
        ({"exit_code": 143, "stopping": True, "marks": "x "}, "stopped", ""),
        ({"exit_code": 143, "stopping": True, "marks": "xx"}, "stopped", ""),
        ({"exit_code": 143, "stopping": True, "marks": "xx", "done_marker": True}, "done", ""),
        ({"exit_code": 0, "marks": " ", "open_question": "001"}, "blocked", "without an answer"),
        ({"exit_code": 0, "marks": "x?"}, "blocked", "without an answer"),
        ({"exit_code": 1, "marks": "?"}, "blocked", "without an answer"),
        ({"exit_code": 137, "marks": "?"}, "failed", "SIGKILL"),
    ],
)
def test_ended(signs: dict[str, Any], state: str, why: str) -> None:
    verdict = ended(Signs(**signs))
    assert verdict.state.value == state
    assert why in verdict.why if why else not verdict.why


@pytest.mark.parametrize(
    ("state", "nudges", "settled", "marks", "due"),
    [
        ("idle", 0, 2.0, "x ", True),
        ("idle", 0, 1.9, "x ", False),
        ("idle", 1, 59.0, "x ", False),
        ("idle", 1, 60.0, "x ", True),
        ("idle", 2, 999.0, "x ", False),
        ("idle", 0, 99.0, "xx", False),
        ("idle", 0, 99.0, "x?", False),
        ("idle", 0, 99.0, "", False),
        ("working", 0, 99.0, " ", False),
        ("waiting", 0, 99.0, " ", False),
        ("done", 0, 99.0, " ", False),
    ],
)
def test_nudge_due(state: str, nudges: int, settled: float, marks: str, due: bool) -> None:
    assert nudge_due(Signs(nudges=nudges, settled=settled, marks=marks), State(state), LIMITS) is due


def test_a_turn_that_a_signal_calls_over_is_idle_at_once_and_nudged_only_when_its_screen_rests() -> None:
    signs = Signs(alive=True, marks=" ", shows="ready", settled=2.0, rested=0.3, age=50.0)
    assert derive(signs).state is State.IDLE
    assert not nudge_due(signs, State.IDLE)
    assert nudge_due(signs._replace(rested=2.0), State.IDLE)


def test_S2_a_composer_before_the_first_turn_is_not_idleness() -> None:
    waiting = Signs(alive=True, marks="  ", **AT_REST)
    assert derive(waiting).state is State.IDLE
    assert derive(waiting._replace(begun=False)).state is State.STARTING
    assert derive(waiting._replace(begun=False, marks="xx")).state is State.DONE


@pytest.mark.parametrize(
    ("limits", "signs", "said"),
    [
        (LIMITS, {"shows": "unknown", "quiet": 1801.0}, "its screen has not changed for 30 minutes"),
        (LIMITS._replace(quiet=45.0), {"shows": "unknown", "quiet": 46.0}, "its screen has not changed for 45 seconds"),
        (LIMITS, {**AT_REST, "marks": " "}, "its turn is over, 1 item open"),
        (LIMITS, {**AT_REST, "marks": "  x"}, "its turn is over, 2 items open"),
        (LIMITS, {**AT_REST, "marks": " ", "nudges": 2, "settled": 60.0}, "stopped early: 1 item open, reminded twice"),
        (
            LIMITS,
            {**AT_REST, "marks": " ", "settled": 120.0},
            "stopped early: 1 item open, and it could not be reminded",
        ),
    ],
)
def test_what_a_person_is_told_of_a_silent_worker(limits: Limits, signs: dict[str, Any], said: str) -> None:
    assert derive(Signs(**{"alive": True, "age": 50.0, **signs}), limits).why == said
