"""What a worker needs now, and when to look again although nothing has happened: a table of facts."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch_tmux.core.state import Limits, Signs
from dispatch_tmux.core.task import Question, State, Task
from dispatch_tmux.supervisor.due import LAUNCHING, MARGIN, REDRAW, STRANGE, SWITCH, Due, Facts, Next, after

NOW, WALL = 1000.0, 50_000.0
LIMITS = Limits(settle=2.0, nudge=60.0, quiet=1800.0)
NUDGE, RESTART, STOP, FALLBACK = Due("nudge"), Due("restart"), Due("stop"), Due("fallback")
UNREAD = Question("001", "file", "which?", (), asked=1.0, answer="red")
READ = UNREAD._replace(id="002", closed="answered")
ON_SCREEN = UNREAD._replace(id="s1", via="screen")
ALIVE = Signs(alive=True)


def task(state: State, **more: Any) -> Task:
    return Task("a", **{"state": state, "attempt": 1, "started": 1, "marks": "x ", **more})


def facts(task: Task, signs: Signs = ALIVE, **more: Any) -> Facts:
    """A minute after all that is told of it, unless MORE says otherwise."""
    early = NOW - 60
    return Facts(**{
        "task": task, "signs": signs, "now": NOW, "wall": WALL, "shown_since": early, "last_output": early, "began": early, **more,
    })  # fmt: skip


def ready(seconds: float, **more: Any) -> Signs:
    """A composer that has been there so long."""
    return Signs(**{"alive": True, "shows": "ready", "settled": seconds, "marks": "x ", **more})


IDLE = task(State.IDLE)
OVER = task(State.WORKING, stop_late=True, late=("it has run for 3 min",))
SWITCHED = task(State.FAILED, switch_to=2)
ENDED = Signs(alive=False, exit_code=1)
DUE = {
    # a reminder
    "idle with an item open": (facts(IDLE, ready(2.0)), (NUDGE,)),
    "idle, not for long": (facts(IDLE, ready(1.9)), ()),
    "idle by its word, while the screen has not rested": (facts(IDLE, ready(2.0, rested=0.5)), ()),
    "idle with nothing open": (facts(task(State.IDLE, marks="xx"), ready(9.0, marks="xx")), ()),
    "reminded once, a while ago": (facts(task(State.IDLE, nudges=1), ready(60.0, nudges=1)), (NUDGE,)),
    "reminded once, just now": (facts(task(State.IDLE, nudges=1), ready(59.0, nudges=1)), ()),
    "reminded twice": (facts(task(State.IDLE, nudges=2), ready(999.0, nudges=2)), ()),
    "idle, and a message is on its way": (facts(IDLE._replace(requests=(("r1", "held", "a draft"),)), ready(9.0)), ()),
    "idle, and only a reminder was on its way": (facts(IDLE._replace(requests=(("nudge-1", "held", "a draft"),)), ready(9.0)), (NUDGE,)),
    "idle, and nothing can be typed into it": (facts(IDLE, ready(9.0), interactive=False), ()),
    "it works": (facts(task(State.WORKING), Signs(alive=True, shows="busy", marks="x ")), ()),
    # an answer that it has missed
    "idle with an answer unread": (facts(task(State.IDLE, marks="xx", questions=(UNREAD, READ)), ready(9.0, marks="xx")), (Due("answer", ("001",)),)),
    "… and nothing can be typed into it": (facts(task(State.IDLE, marks="xx", questions=(UNREAD,)), ready(9.0, marks="xx"), interactive=False), ()),
    "idle with an answer read": (facts(task(State.IDLE, marks="xx", questions=(READ,)), ready(9.0, marks="xx")), ()),
    "idle with a dialogue answered": (facts(task(State.IDLE, marks="xx", questions=(ON_SCREEN,)), ready(9.0, marks="xx")), ()),
    "working with an answer unread": (facts(task(State.WORKING, questions=(UNREAD,))), ()),
    # another attempt
    "ended before its answer came": (facts(task(State.BLOCKED, questions=(UNREAD,), exit_code=0), ENDED), (RESTART,)),
    "ended, still without an answer": (facts(task(State.BLOCKED, questions=(UNREAD._replace(answer=None),), exit_code=0), ENDED), ()),
    "blocked, and its program runs": (facts(task(State.BLOCKED, questions=(UNREAD,))), ()),
    "another attempt was begun just now": (facts(SWITCHED._replace(switched=WALL - 1), ENDED), ()),
    "… long ago, and whoever did so is gone": (facts(SWITCHED._replace(switched=WALL - SWITCH), ENDED), (RESTART,)),
    "… in the future: the clock was set back": (facts(SWITCHED._replace(switched=WALL + 999), ENDED), (RESTART,)),
    "… and it has started": (facts(task(State.WORKING, attempt=2, switch_to=2, switched=WALL - 1)), ()),
    # another model
    "another model takes over": (facts(task(State.STARTING), fallback="sonnet"), (FALLBACK,)),
    "… also from one that has ended": (facts(task(State.STARTING, exit_code=1), ENDED, fallback="sonnet"), (FALLBACK,)),
    "… but not while another attempt begins": (facts(SWITCHED._replace(switched=WALL - 1), fallback="sonnet"), ()),
    # over its time
    "over its time, and to be stopped then": (facts(OVER), (STOP,)),
    "… before anything else": (facts(OVER._replace(state=State.IDLE), ready(9.0), fallback="sonnet"), (STOP,)),
    "… and is being stopped": (facts(OVER._replace(stopping=True)), ()),
    "… and has ended": (facts(OVER._replace(state=State.FAILED, exit_code=1), ENDED), ()),
    "… and its launch line has only just begun": (facts(OVER, launched=False), ()),
    "over its time, and only to be told of": (facts(OVER._replace(stop_late=False)), ()),
    # nothing
    "ended": (facts(task(State.FAILED, exit_code=1), ENDED), ()),
    "nothing is seen of it yet": (facts(task(State.STARTING), Signs()), ()),
}  # fmt: skip


@pytest.mark.parametrize(("given", "due"), DUE.values(), ids=DUE)
def test_what_is_due(given: Facts, due: tuple[Due, ...]) -> None:
    assert after(given, LIMITS).dues == due


BUSY = Signs(alive=True, shows="busy", marks="x ")
LINES = {"has_composer_rule": False}  # a program that reads lines: no rule says what its screen shows
WHEN = {
    "a composer that may not be for good": (facts(task(State.WORKING), ready(0.5)), NOW + 1.51),
    "… after the CLI has said that its turn is over": (facts(task(State.WORKING), ready(0.01), turn_over=True), NOW + REDRAW),
    "idle, until the first reminder": (facts(IDLE, ready(9.0, rested=1.0), shown_since=NOW - 1), NOW + 1 + MARGIN),
    "idle, until the second": (facts(task(State.IDLE, nudges=1), ready(9.0, nudges=1), shown_since=NOW - 10), NOW + 50 + MARGIN),
    "idle, brought to the person": (facts(task(State.IDLE, nudges=2, surfaced=True), ready(99.0, nudges=2)), None),
    "starting": (facts(task(State.STARTING), BUSY, began=NOW - 0.5), NOW + 1.5 + MARGIN),
    "starting for longer than they do": (facts(task(State.STARTING), BUSY, began=NOW - 9), NOW + 1),
    "all is checked, until that has rested": (facts(task(State.WORKING, marks="xx"), BUSY), NOW + 2),
    "working, until it has been silent for long": (facts(task(State.WORKING), BUSY, last_output=NOW - 100), NOW + 1701),
    "working, and its silence has been told": (facts(task(State.WORKING, surfaced=True), BUSY), None),
    "waiting for the person": (facts(task(State.WAITING), Signs(alive=True, shows="question")), None),
    "a screen that no rule knows, until it counts as a question": (
        facts(task(State.WORKING), ALIVE, last_output=NOW - 5), NOW - 5 + STRANGE + MARGIN),
    "… and it is one since": (facts(task(State.WORKING), ALIVE, last_output=NOW - 60), NOW - 60 + 1801),
    "… and there are no rules for this program": (facts(task(State.WORKING), ALIVE, last_output=NOW - 5, **LINES), NOW - 5 + 1801),
    "until its time is over": (facts(task(State.WORKING), BUSY, late_in=30.0), NOW + 30 + MARGIN),
    "… but sooner when something else comes first": (facts(task(State.WORKING), ready(0.5), late_in=30.0), NOW + 1.51),
    "… which is now": (facts(task(State.WAITING), Signs(alive=True, shows="question"), late_in=-3.0), NOW + MARGIN),
    "its launch line has only just begun": (facts(OVER, BUSY, launched=False), NOW + LAUNCHING + MARGIN),
    "another attempt was begun": (facts(SWITCHED._replace(switched=WALL - 5), ENDED), NOW + SWITCH - 5 + MARGIN),
    "ended": (facts(task(State.FAILED, exit_code=1), ENDED, late_in=5.0), None),
    "stopped: as it was to be before": (facts(OVER, BUSY, again_at=NOW + 7), NOW + 7),
    "reminded: something will happen": (facts(IDLE, ready(9.0)), None),
}  # fmt: skip


@pytest.mark.parametrize(("given", "when"), WHEN.values(), ids=WHEN)
def test_when_to_look_again(given: Facts, when: float | None) -> None:
    found = after(given, LIMITS)
    assert found.again_at == (None if when is None else pytest.approx(when, abs=0.011))


def test_the_time_that_passes_makes_what_is_due_come_once() -> None:
    """Looking exactly when it says leads to the reminder, and never to a circle of looks."""
    rests = 0.0
    for _ in range(5):
        found = after(facts(IDLE, ready(rests), shown_since=NOW - rests), LIMITS)
        if found.dues:
            break
        assert found.again_at is not None and found.again_at > NOW
        rests += found.again_at - NOW
    assert found == Next((NUDGE,)) and rests < LIMITS.settle + 0.1
