"""All about one task, as people read it, and what its state is based on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dispatch_tmux.cli import show
from dispatch_tmux.core import fit, urgency
from dispatch_tmux.core.text import age, line

if TYPE_CHECKING:
    from dispatch_tmux import Attempt, Details, Evidence, Look, Task

_SIGNS = {
    "alive": "its process lives", "exit_code": "exit code", "server_gone": "the tmux server is gone", "stopping": "it was told to stop",
    "open_question": "unanswered question file", "marks": "plan", "done_marker": "it says that it has finished (ipc/.done)",
    "shows": "its screen shows", "kind": "of the kind", "detail": "with", "cause": "cause in its last words", "settled": "seconds so far",
    "quiet": "seconds since it drew anything", "age": "seconds since it began", "nudges": "reminders", "has_screen_rules": "screen rules",
}  # fmt: skip
PRECEDENCE = "process, question file, dialogue, finished plan, screen busy or idle, silence"


def lines(about: Details) -> list[str]:
    """All about one task."""
    task = about.task
    lines = [*_head(task), *show.recovery(task)]
    lines += [line(about.usage, 200)] if about.usage else []
    lines += ["", *_items(about)]
    for asked in about.questions:
        lines += ["", *show.question(task.id, asked.question, asked.path)]
    lines += [f"  {line(text, 220)}" for text in urgency.messages(task)]
    if about.screen:
        lines += ["", "  its screen:", *(f"  │ {row}" for row in _fitted(about.screen))]
    if about.damage:
        lines.append(f"  {show.many(about.damage, 'damaged line')} in its journal (left out)")
    lines += ["", *_around(task), *(map(_attempt, about.attempts) if task.attempt > 1 else [])]
    lines += ["", f"  files:  {about.folder}"]
    return lines + ([f"  result: {about.output}"] if about.output else [])


def _fitted(rows: Iterable[str]) -> list[str]:
    """ROWS of a screen, for a terminal as wide as that is."""
    room = show.width() - 4 if sys.stdout.isatty() else 400
    return [part for row in rows for part in fit.fitted(row, room)]


def _head(task: Task) -> list[str]:
    why = f" — {line(task.why, 200)}" if task.why else ""
    attempt = f" (attempt {task.attempt})" if task.attempt > 1 else ""
    return [
        f"{task.id} — {line(task.model, 40)}: {line(task.title, 200)}",
        f"{show.state(task).rstrip()} for {age(time.time() - task.since)}{why}{attempt}",
    ]


def _items(about: Details) -> list[str]:
    """The checklist; the first open item of a task that is not over is the one it works on."""
    working = next((i for i in about.items if i.mark == " "), None) if not about.task.ended else None
    glyphs = [show.MARKS.get(i.mark, "⋯" if i is working else "○") for i in about.items]
    return [f"  {glyph} {line(i.text, 300)}" for glyph, i in zip(glyphs, about.items, strict=True)]


def _attempt(attempt: Attempt) -> str:
    """When it began, with which model, how it ended."""
    began = time.strftime("%m-%d %H:%M:%S", time.localtime(attempt.began))
    resumed = ", resumed" if attempt.resumed else ""
    ended = f", exit code {attempt.code}" if attempt.ended else ""
    return f"  attempt {attempt.number}: {began} {line(attempt.model, 40)}{resumed}{ended}"


def _around(task: Task) -> list[str]:
    """Its group, what it comes after, and how its worktree stands."""
    lines = [f"  group:  {line(task.group, 60)}"] if task.group else []
    if task.after:
        after = (id + (" (however it ends)" if kind == "any" else "") for id, kind in task.after)
        lines.append(f"  after:  {', '.join(after)}")
    lines += [f"  flag:   {line(text, 400)}" for text in task.flags]
    lines += [f"  late:   {why}" for why in task.late]
    if task.worktree:
        merged = f" · merged into {line(task.merged_into, 80)}" if task.merged else ""
        lines.append(f"  branch: {line(task.branch, 200)}{merged}")
        lines.append(f"  in:     {line(task.worktree, 400)}")
    if task.conflicts:
        lines.append(f"  merging it conflicts in {line(', '.join(task.conflicts), 300)}")
    if task.strayed:
        lines.append(f"  the main checkout changed while it worked: {line(', '.join(task.strayed), 300)}")
    return lines


def evidence(found: Evidence) -> list[str]:
    """What a state is based on: the signs at its last change, and what there is to see now."""
    task = found.task
    lines = [f"{task.id}: {task.state.value}" + (f" — {line(task.why, 200)}" if task.why else "")]
    if found.signs:
        lines.append(f"  {age(time.time() - found.change)} ago the state was based on:")
        signs = ((_SIGNS[name], value) for name, value in found.signs.items() if name in _SIGNS)
        lines += [f"    {name}: {line(str(value), 200)}" for name, value in signs]
    lines += ["  now:", f"    plan: {found.marks!r}, open questions: {len(task.open_questions)}"]
    lines.append(f"    the supervisor is {'running' if found.supervised else 'not running'}")
    lines.append(f"    {_screen(found.look) if found.look else 'no window'}")
    lines += [f"    {line(said, 300)}" for said in (found.standing, found.rules) if said]
    return [*lines, f"  precedence: {PRECEDENCE}"]


def _screen(look: Look) -> str:
    kind = f" ({look.shown.kind})" if look.shown.kind else ""
    dead = ", the program has ended" if look.dead else ""
    return f"its screen shows: {look.shown.shows}{kind}{dead}; title: {line(look.title, 80)!r}"
