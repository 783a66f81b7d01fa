"""Every project of this user, as people and programs read them: `status --everywhere`, `questions --everywhere`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from dispatch_tmux.cli import show
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import GLYPHS, clean, line
from dispatch_tmux.verbs import everywhere as verb

if TYPE_CHECKING:
    from dispatch_tmux import Place, Task


def status() -> list[str]:
    """A line a project with counts, and beneath it what needs the person; then those that are gone, foreign or broken."""
    places = verb.everywhere()
    lines: list[str] = []
    for place in places:
        if place.project:
            counts = urgency.counts(place.tasks) or "no tasks"
            asleep = "" if place.supervised or all(t.ended for t in place.tasks) else " (nobody supervises)"
            lines.append(f"{clean(place.root)}: {counts}{asleep}")
            lines += [f"  {row}" for row in map(_needs, urgency.ordered(place.tasks)) if row]
    lines += [f"{clean(p.root or p.name)}: {line(p.trouble, 300)}" for p in places if p.trouble and not p.gone]
    if gone := [p.root or p.name for p in places if p.gone]:
        what = "1 project is" if len(gone) == 1 else f"{len(gone)} projects are"
        lines.append(f"{what} not there any more: {line(', '.join(gone), 300)}")
    return lines or ["no task has been dispatched anywhere yet:  dispatch run --help"]


def _needs(task: Task) -> str:
    """What TASK wants of the person, in a line; '' for nothing."""
    if urgency.heading(task) != urgency.NEEDS_YOU:
        return ""
    asked = task.open_questions[0].text if task.open_questions else task.why
    return (
        f"{GLYPHS[task.state]} {task.id}: {line(asked or task.state.value, max(show.width() - len(task.id) - 7, 20))}"
    )


def status_data() -> list[dict[str, Any]]:
    return [_data(place) for place in verb.everywhere()]


def _data(place: Place) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for task in place.tasks:
        counts[task.state.value] = counts.get(task.state.value, 0) + 1
    waits = [t for t in urgency.ordered(place.tasks) if urgency.heading(t) == urgency.NEEDS_YOU]
    return {
        "root": place.root, "records": place.name, "supervised": place.supervised, "trouble": place.trouble or None,
        "gone": place.gone, "counts": counts, "waits": [
            {"id": t.id, "title": t.title, "state": t.state.value, "why": t.why, "questions": len(t.open_questions)} for t in waits
        ], "untrusted": ["waits"],
    }  # fmt: skip


def questions() -> list[str]:
    """Every open question, whole, by project, with the command that answers it from anywhere."""
    lines: list[str] = []
    for place in verb.everywhere():
        if found := verb.asked(place):
            lines += [*([""] if lines else []), f"{clean(place.root)}:"]
            for asked in found:
                lines += show.question(asked.task.id, asked.question, asked.path, there=shlex.quote(clean(place.root)))
    return lines


def questions_data(data: Any) -> list[dict[str, Any]]:
    """The same as plain data; DATA makes it of one question."""
    return [{"root": place.root, **data(asked)} for place in verb.everywhere() for asked in verb.asked(place)]
