"""What a worker needs now, and when to look again although nothing has happened. Pure: the time is passed in.

    over its time, and to be stopped then                                  ─▶ stop
    its answer came when it had ended · another attempt was begun and left ─▶ restart
    its model failed and another one can do its work                       ─▶ fallback
    idle with items open                                                   ─▶ nudge: a reminder
    its usage limit has ended                                              ─▶ go-on: it is told so
    idle, and it has not read the answer to its question file              ─▶ answer: typed

Of several the first one is due.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from dispatch_tmux.core import limit
from dispatch_tmux.core import state as states
from dispatch_tmux.core.state import Limits, Signs
from dispatch_tmux.core.task import LIMIT, State, Task

UNASKED = 60.0  # seconds within which a new task's start is asked for; a batch is written whole before
SWITCH = 20.0  # seconds within which a retry puts its request; it ends processes before
LAUNCHING = 0.1  # seconds until it is looked again whether the launch line has begun
REDRAW = 0.03  # seconds that a composer has to be there once the CLI has said that its turn is over; a redraw may show it for less
STRANGE = 15.0  # seconds that a screen rests which no rule knows until it counts as a question; whatever works draws something
CONTINUED = 1.0  # seconds until it is looked again whether a stopped program goes on, which may print nothing
LOOK = 30.0  # seconds between two looks at the clock while it is at its usage limit
HELD = 1.0  # seconds until a reminder that could not be typed is tried again
MARGIN = 0.05  # seconds after which something is sure to be over


class Due(NamedTuple):
    """One thing that is due; `questions`: ids of those whose answer is to be typed."""

    kind: Literal["nudge", "answer", "go-on", "restart", "fallback", "stop"]
    questions: tuple[str, ...] = ()


class Facts(NamedTuple):
    """All that may be looked at. `now` and what is compared with it are seconds on the supervisor's clock."""

    task: Task
    signs: Signs
    now: float
    wall: float  # seconds since the epoch, as the journal has them
    interactive: bool = True  # the CLI has a composer to type into
    has_composer_rule: bool = True  # … and we know what it looks like
    turn_over: bool = False  # the CLI has said that its turn is over
    shown_since: float = 0.0  # since when its screen shows what it shows
    last_output: float = 0.0
    began: float = 0.0  # when its pane was opened or found
    late_in: float = math.inf  # seconds until it is over its time
    launched: bool = True  # its launch line has begun
    fallback: str = ""  # the model that takes over from one that failed
    again_at: float | None = None  # when it was to be looked at so far


class Next(NamedTuple):
    """What is due now, and when to look again (on the supervisor's clock; None: when something happens)."""

    dues: tuple[Due, ...] = ()
    again_at: float | None = None


def after(facts: Facts, limits: Limits = Limits()) -> Next:
    """What is due by FACTS."""
    if is_to_be_stopped(facts.task):
        if facts.launched:
            return Next((Due("stop"),), facts.again_at)
        facts = facts._replace(late_in=LAUNCHING)
    return _another_attempt(facts) or _a_word(facts, limits) or Next(again_at=_when(facts, limits))


def is_to_be_stopped(task: Task) -> bool:
    """Whether TASK is over its time and was started with the wish to be stopped then."""
    return task.stop_late and bool(task.late) and not task.ended and not task.stopping


def _another_attempt(facts: Facts) -> Next | None:
    task = facts.task
    if task.state is State.BLOCKED and answered_unread(task) and task.exit_code is not None:
        return Next((Due("restart"),))
    if task.switch_to > task.attempt:
        left = task.switched + SWITCH - facts.wall
        waits = 0 < left <= SWITCH  # else whoever began this died over it
        return Next(() if waits else (Due("restart"),), facts.now + max(left, 0.0) + MARGIN)
    if facts.fallback:
        return Next((Due("fallback"),))
    return Next() if facts.signs.alive is False else None


def _a_word(facts: Facts, limits: Limits) -> Next | None:
    """A reminder, or an answer that it has missed."""
    task = facts.task
    if not facts.interactive:
        return None
    if states.nudge_due(facts.signs, task.state, limits) and not task.requests_open:
        return Next((Due("nudge"),))
    if _is_at_limit(facts) and facts.wall >= limit.goes_on_at(task, limits.limited):
        return Next((Due("go-on"),), facts.now + LOOK)
    if task.state is State.IDLE and (late := answered_unread(task)):
        return Next((Due("answer", late),))
    return None


def _is_at_limit(facts: Facts) -> bool:
    return facts.task.state is State.LIMITED and facts.signs.kind == LIMIT and facts.interactive


def answered_unread(task: Task) -> tuple[str, ...]:
    """Ids of TASK's question files that have an answer which the worker has not acknowledged."""
    return tuple(q.id for q in task.questions if q.via == "file" and q.answer is not None and not q.closed)


def _when(facts: Facts, limits: Limits) -> float | None:
    """When time alone may change something."""
    times = [_verdict_changes(facts, limits)]
    strange = facts.last_output + STRANGE + MARGIN
    if facts.signs.shows == "unknown" and facts.has_composer_rule and strange > facts.now:
        times.append(strange)
    if facts.late_in < math.inf:
        times.append(facts.now + max(facts.late_in, 0.0) + MARGIN)
    return min((when for when in times if when is not None), default=None)


def _verdict_changes(facts: Facts, limits: Limits) -> float | None:
    """When time alone may make another state of what is seen (`core/state.py`)."""
    task, signs = facts.task, facts.signs
    if _is_at_limit(facts):  # looked at in between: the machine may sleep meanwhile, and its clock be set
        return facts.now + min(max(limit.goes_on_at(task, limits.limited) - facts.wall, 0.0) + MARGIN, LOOK)
    if signs.suspended:
        return facts.now + CONTINUED
    if signs.done_marker and not task.ended and signs.marked < limits.finish:
        return facts.now + limits.finish - signs.marked + MARGIN
    if signs.shows == "ready" and signs.settled < limits.settle:
        return facts.now + (REDRAW if facts.turn_over else limits.settle) - signs.settled + 0.01
    if task.state is State.IDLE and not task.surfaced and " " in task.marks:
        reminded = facts.shown_since + (limits.settle if not task.nudges else limits.nudge) + MARGIN
        return reminded if reminded > facts.now else facts.now + HELD  # what keeps it from being told may be over then
    if task.state is State.STARTING:
        soon = facts.began + limits.settle + MARGIN
        return soon if soon > facts.now else facts.now + 1.0
    if task.marks and " " not in task.marks and not task.ended:
        return facts.now + limits.settle
    if task.state is State.WORKING and not task.surfaced:
        return facts.last_output + limits.quiet + 1
    return None
