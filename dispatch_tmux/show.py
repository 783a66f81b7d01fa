"""Texts for people. What comes from a worker, a screen or a file is made harmless before a terminal sees it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import unicodedata
from collections.abc import Mapping

from dispatch_tmux.task import NOBODY_KNOWS, Question, State, Task

# Strings (OSC, DCS, SOS, PM, APC) with their end · CSI · other escapes · a lone ESC; C1 introducers count as well.
# A string holds no ESC, so that each is looked at once; one without an end loses its introducer only: its words stay.
_ESCAPES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|\x1b"
)
_UNFINISHED = re.compile(r"(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x80-\x9f]*\x1b?|[ -/]*)|\r)\Z")
_HELD = 4096  # characters of an unfinished escape that are waited for
# C0 and C1, what turns the direction of writing, what is not seen at all (zero width, tags), lone surrogates
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)

GLYPHS = {
    State.QUEUED: "…", State.STARTING: "…", State.WORKING: "●", State.WAITING: "?", State.IDLE: "○", State.DONE: "✓",
    State.FAILED: "✗", State.LOST: "✗", State.BLOCKED: "■", State.STOPPED: "■",
}  # fmt: skip
_COLOURS = {
    State.WORKING: "36", State.WAITING: "1;33", State.IDLE: "33", State.DONE: "32", State.FAILED: "31",
    State.LOST: "31",
}  # fmt: skip


def clean(text: str, most: int = 4000, path: str = "") -> str:
    """TEXT without anything that a terminal would obey; longer than MOST characters it is cut, naming PATH."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", text).expandtabs()
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text) - most} more characters{f', see {path}' if path else ''})"


def split(text: str) -> tuple[str, str]:
    """TEXT up to an escape that has only begun, and that beginning, to be put before what comes next."""
    found = _UNFINISHED.search(text, max(0, len(text) - _HELD))
    return (text[: found.start()], found[0]) if found else (text, "")


def line(text: str, width: int) -> str:
    """TEXT as one line of at most WIDTH columns."""
    text = " ".join(clean(text[:4000]).split())
    if columns(text) <= width:
        return text
    kept, room = 0, width - 1
    while kept < len(text) and (room := room - columns(text[kept])) >= 0:
        kept += 1
    return text[:kept] + "…"


def padded(text: str, width: int) -> str:
    """TEXT as one line of exactly WIDTH columns."""
    text = line(text, width)
    return text + " " * (width - columns(text))


def columns(text: str) -> int:
    """How many columns of a terminal TEXT takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def age(seconds: float) -> str:
    seconds = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


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
    from dispatch_tmux.causes import SAID

    cause = [f"    cause: {SAID[task.cause]}" + (f" — {line(task.hint, 200)}" if task.hint else "")] if task.cause in SAID else []
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
