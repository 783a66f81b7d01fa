"""Texts for people. What comes from a worker, a screen or a file is made harmless before a terminal sees it."""

from __future__ import annotations

import os
import re
import sys
import time
import unicodedata

from dispatch_tmux.task import Question, State, Task

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|[\x1b][PX^_].*?(?:\x1b\\|$)|\x1b\].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]|\x1b", re.S
)  # CSI · DCS, SOS, PM, APC · OSC · other escapes · a lone ESC
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

GLYPHS = {
    State.QUEUED: "…", State.STARTING: "…", State.WORKING: "●", State.WAITING: "?", State.IDLE: "○", State.DONE: "✓",
    State.FAILED: "✗", State.LOST: "✗", State.BLOCKED: "■", State.STOPPED: "■",
}  # fmt: skip
_COLOURS = {State.WORKING: "36", State.WAITING: "1;33", State.DONE: "32", State.FAILED: "31", State.LOST: "31", State.IDLE: "33"}


def clean(text: str, most: int = 4000, path: str = "") -> str:
    """TEXT without anything that a terminal would obey; longer than MOST characters it is cut, naming PATH."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", text)
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text) - most} more characters{f', see {path}' if path else ''})"


def line(text: str, width: int) -> str:
    """TEXT as one line of at most WIDTH columns."""
    text = " ".join(clean(text, 2000).split())
    if columns(text) <= width:
        return text
    while text and columns(text) > width - 1:
        text = text[:-1]
    return text + "…"


def columns(text: str) -> int:
    """How many columns of a terminal TEXT takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def age(seconds: float) -> str:
    seconds = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return int(os.environ.get("COLUMNS") or 80)


def coloured(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if code and sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def state(task: Task) -> str:
    """The state with its glyph, padded to a column."""
    return coloured(f"{GLYPHS[task.state]} {task.state.value:<8}", _COLOURS.get(task.state, ""))


def table(tasks: list[Task], now: float | None = None) -> list[str]:
    """A line a task, and beneath it what it wants."""
    if not tasks:
        return []
    now = now or time.time()
    room = width()
    name = min(max(len(t.id) for t in tasks), max(16, room // 3))
    model = min(max(len(clean(t.model, 40)) for t in tasks), 16)
    lines = [f"{'TASK':<{name}}  {'MODEL':<{model}}  {'STATE':<10}  SINCE  DONE"]
    for task in tasks:
        done = f"{task.done_items}/{len(task.marks)}"
        since = age(now - task.since)
        row = f"{line(task.id, name):<{name}}  {line(task.model, model):<{model}}  {state(task)}  {since:>5}  {done}"
        lines.append(row)
        if task.open_questions:
            lines += [f"  ? {line(q.text, room - 4)}" for q in task.open_questions[:3]]
        elif task.why and task.state is not State.WORKING:
            lines.append(f"  {line(task.why, room - 2)}")
        lines += [f"  a message waits: {line(how, room - 20)}" for _, status, how in task.requests if status == "held"]
    return lines


def question(task: str, q: Question, path: str = "") -> list[str]:
    """A question with its choices and how to answer it."""
    first, *rest = clean(q.text, 4000, path).splitlines() or [""]
    lines = [f"? {task} asks ({q.id}): {first}", *(f"    {x}" for x in rest if not _is_choice(x, q))]
    lines += [f"    {c.key}. {line(c.label, 200)}" for c in q.choices]
    return [*lines, f"    answer: dispatch answer {task} " + ("--choice N" if q.choices else '"…"')]


def _is_choice(text: str, q: Question) -> bool:
    return any(text.strip().startswith(f"{c.key}.") or text.strip().startswith(f"{c.key})") for c in q.choices)
