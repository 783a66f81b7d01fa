"""What a session that knows nothing yet must know, in few lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.core.text import GLYPHS, age
from dispatch_tmux.core.text import line as one_line

MOST = 20  # tasks that are listed
RECENT = 24 * 3600.0  # seconds for which an ended task is of interest
_ORDER = (
    State.WAITING,
    State.BLOCKED,
    State.FAILED,
    State.LOST,
    State.IDLE,
    State.WORKING,
    State.STARTING,
    State.QUEUED,
)


def counts(tasks: Sequence[Task]) -> str:
    """'2 working, 1 waiting for you, 3 done'; '' without tasks."""
    words = {State.WAITING: "waiting for you", State.STARTING: "working", State.IDLE: "idle"}
    found = Counter(words.get(t.state, t.state.value) for t in tasks)
    first = ("waiting for you", "blocked", "failed", "lost", "idle", "working", "queued", "stopped", "done")
    return ", ".join(f"{found[word]} {word}" for word in first if found[word])


def of_interest(tasks: Sequence[Task], now: float) -> list[Task]:
    """Tasks that are not over, failed ones and those that ended lately; what wants the person first."""
    found = [t for t in tasks if not t.ended or now - t.since < RECENT]
    place = {state: n for n, state in enumerate(_ORDER)}
    return sorted(found, key=lambda t: (place.get(t.state, len(place)), -t.since))


def line(models: str, tasks: Sequence[Task], now: float | None = None) -> str:
    """All in one line: what may be used, and how many tasks do what."""
    recent = of_interest(tasks, time.time() if now is None else now)
    return f"dispatch: {models} · {counts(recent) or 'no tasks'}"


def models(default: str, names: Sequence[str], aliases: Sequence[str]) -> str:
    """The models of the configuration in some words."""
    if not names and not default:
        return "no config yet (dispatch init makes one)"
    listed = ", ".join(one_line(n, 30) for n in names[:8]) + (f", … ({len(names)})" if len(names) > 8 else "")
    also = f"; aliases {', '.join(one_line(a, 30) for a in aliases[:6])}" if aliases else ""
    return f"default {one_line(default, 30) or 'none'}; models {listed or 'none'}{also}"


def lines(models: str, tasks: Sequence[Task], now: float | None = None) -> list[str]:
    """The same with a line a task, and what to do next; under 30 lines whatever there is."""
    now = time.time() if now is None else now
    recent = of_interest(tasks, now)
    listed = [_task(t, now) for t in recent[:MOST]]
    if len(recent) > MOST:
        listed.append(f"… and {len(recent) - MOST} more: dispatch status")
    asked = any(t.open_questions for t in recent)
    next_ = ["questions whole: dispatch questions · answer: dispatch answer TASK …"] if asked else []
    if any(not t.ended for t in recent):
        next_.append("be told what comes: dispatch wait --as session (in the background)")
    return [line(models, tasks, now), *listed, *next_]


def _task(task: Task, now: float) -> str:
    done = f" {task.done_items}/{len(task.marks)}" if task.marks else ""
    why = f": {task.why}" if task.why and task.state is not State.WORKING else ""
    if task.open_questions:
        why = f" asks: {task.open_questions[0].text}"
    head = f"{GLYPHS[task.state]} {task.id} — {one_line(task.model, 30)}, {task.state.value}{done}, {age(now - task.since)}"
    return one_line(head + why, 160)
