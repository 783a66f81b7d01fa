"""Tasks and questions as people read them: lists, colours, what to do next."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping

from dispatch_tmux.core.causes import SAID
from dispatch_tmux.core.task import NOBODY_KNOWS, Question, State, Task
from dispatch_tmux.core.text import GLYPHS, age, clean, columns, line, padded

_COLOURS = {
    State.WORKING: "36", State.WAITING: "1;33", State.IDLE: "33", State.DONE: "32", State.FAILED: "31",
    State.LOST: "31",
}  # fmt: skip


def width() -> int:
    """Columns of the terminal; 80 where there is none or it does not say."""
    return max(shutil.get_terminal_size((80, 24)).columns, 20)


def coloured(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if code and sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def state(task: Task) -> str:
    """The state with its glyph, padded to a column."""
    return coloured(f"{GLYPHS[task.state]} {task.state.value:<8}", _COLOURS.get(task.state, ""))


def table(tasks: list[Task], now: float | None = None, used: Mapping[str, str] | None = None) -> list[str]:
    """A line a task, and beneath it what it wants. USED: what each task's CLI tells of its work, as far as there is room."""
    if not tasks:
        return []
    now = now or time.time()
    room = width()
    model = min(max(5, *(columns(clean(t.model, 40)) for t in tasks)), 16)
    name = min(max(4, *(len(t.id) for t in tasks)), max(12, room - model - 32))
    used, left = used or {}, room - name - model - 28
    lines = [f"{'TASK':<{name}}  {'MODEL':<{model}}  {'STATE':<10}  SINCE  DONE"]
    for task in tasks:
        done = f"{task.done_items}/{len(task.marks)}"
        since = age(now - task.since)
        lines.append(f"{padded(task.id, name)}  {padded(task.model, model)}  {state(task)}  {since:>5}  {done}")
        if (now_at := used.get(task.id)) and left >= 12:
            lines[-1] = f"{lines[-1]:<{len(lines[-1]) - len(done) + 5}}  {line(now_at, left)}"
        if task.open_questions:
            lines += [f"  ? {line(q.text, room - 4)}" for q in task.open_questions[:3]]
        elif task.why and task.state is not State.WORKING:
            lines.append(f"  {line(task.why, room - 2)}")
        lines += [f"  a message waits: {line(how, room - 20)}" for _, status, how in task.requests if status == "held"]
    return lines


def recovery(task: Task) -> list[str]:
    """Why a task failed, in a word, and how to go on."""
    if task.state not in (State.FAILED, State.LOST, State.STOPPED):
        return []
    cause = (
        [f"    cause: {SAID[task.cause]}" + (f" — {line(task.hint, 200)}" if task.hint else "")]
        if task.cause in SAID
        else []
    )
    names = [line(name, 60) for name in task.instead]
    other = f" -m {names[0]}" if names and task.cause else ""
    there = f"   (installed: {', '.join(names)})" if other else ""
    return [*cause, f"    go on: dispatch retry {task.id}{other}{there}"]


def question(task: str, q: Question, path: str = "", most: int = 20) -> list[str]:
    """A question with its choices and how to answer it; of a long one MOST lines."""
    first, *rest = clean(q.text, 4000, path).splitlines() or [""]
    rest = [x for x in rest if not _is_choice(x, q)]
    if len(rest) > most:
        rest = [*rest[:most], f"… ({len(rest) - most} more lines{f', see {path}' if path and q.via == 'file' else ''})"]
    lines = [f"? {task} asks ({q.id}): {first}", *(f"    {x}" for x in rest)]
    lines += [f"    {line(c.key, 20)}. {line(c.label, 200)}" for c in q.choices]
    if q.kind == NOBODY_KNOWS:
        return [*lines, f"    look: dispatch attach {task}, or press keys: dispatch keys {task} Down Enter"]
    return [*lines, f"    answer: dispatch answer {task} " + ("--choice N" if q.choices else '"…"')]


def _is_choice(text: str, q: Question) -> bool:
    """Whether a line of the question is one of the choices, which are listed beneath it."""
    words = line(text, 4000)
    return any(words in (f"{line(c.key, 20)}{sign} {line(c.label, 4000)}" for sign in ".)") for c in q.choices)
