"""Tasks and questions as people read them: lists, colours, what to do next."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, TextIO

from dispatch_tmux import CAUSES, Question, State, Task
from dispatch_tmux.core import fit
from dispatch_tmux.core.text import GLYPHS, clock, line
from dispatch_tmux.verbs.questions import words

if TYPE_CHECKING:
    from dispatch_tmux import Row

MARKS = {"x": "✓", "?": "?", "!": "!"}  # of a checklist's items; every other one is open
_COLOURS = {
    State.WORKING: "36", State.WAITING: "1;33", State.IDLE: "33", State.LIMITED: "33", State.SUSPENDED: "33", State.DONE: "32",
    State.FAILED: "31", State.LOST: "31",
}  # fmt: skip


def width() -> int:
    """Columns of the terminal; 80 where there is none or it does not say."""
    return max(shutil.get_terminal_size((80, 24)).columns, 20)


def height() -> int:
    """Lines of the terminal; 24 where there is none or it does not say."""
    return max(shutil.get_terminal_size((80, 24)).lines, 3)


def draws(stream: TextIO | None = None) -> bool:
    """Whether STREAM (standard output) is a terminal that obeys escape sequences: TERM=dumb is none (an editor's shell)."""
    return (stream or sys.stdout).isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def has_colours() -> bool:
    """Whether what is printed goes to a terminal with colours, and the person wants them."""
    return draws() and not os.environ.get("NO_COLOR")


def coloured(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if code and has_colours() else text


def many(number: int, word: str) -> str:
    """'1 file', '3 files'."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def length(seconds: float) -> str:
    """'48 s', '12 min', '3.5 h'."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def state(task: Task) -> str:
    """The state with its glyph, padded to a column."""
    return coloured(f"{GLYPHS[task.state]} {task.state.value:<9}", _COLOURS.get(task.state, ""))


def glyph(task: Task) -> str:
    """The state as one character."""
    return coloured(GLYPHS[task.state], _COLOURS.get(task.state, ""))


def changes(r: Row) -> str:
    """'2 files +3 -1'; without the lines where none is counted (binary files, empty ones, modes)."""
    if not r.size or not r.size.files:
        return f"merged into {line(r.task.merged_into, 60)}" if r.task.merged_into else "no changes"
    lines = f" +{r.size.added} -{r.size.removed}" if r.size.added or r.size.removed else ""
    return many(r.size.files, "file") + lines


def recovery(task: Task) -> list[str]:
    """Why a task failed, in a word, and how to go on."""
    if task.state is State.SUSPENDED:
        return [f"    dispatch continue {task.id}, or dispatch stop {task.id}"]
    if task.state not in (State.FAILED, State.LOST, State.STOPPED, State.LIMITED):
        return []
    cause = []
    if task.cause in CAUSES:
        hint = f" — {line(task.hint, 200)}" if task.hint else ""
        cause = [f"    cause: {CAUSES[task.cause]}{hint}"]
    names = [line(name, 60) for name in task.instead]
    other = f" -m {names[0]}" if names and task.cause else ""
    there = f"   (installed: {', '.join(names)})" if other else ""
    if task.state is State.LIMITED:
        return [*cause, f"    {goes_on(task)}; at once: dispatch retry {task.id}{other}{there}"]
    return [*cause, f"    go on: dispatch retry {task.id}{other}{there}"]


def goes_on(task: Task) -> str:
    """When a task at its usage limit goes on."""
    if not task.resets:
        return "it is tried again from time to time: when its limit ends is not said"
    return f"it goes on by itself after {clock(task.resets, time.time())}"


def question(task: str, q: Question, path: str = "", most: int = 20, there: str = "") -> list[str]:
    """A question with its choices and how to answer it; of a long one MOST lines, and PATH, the file with all of it.

    THERE: its project's directory, as a shell takes it, where that is another one. On a terminal it is wrapped at words.
    """
    lines = _question(task, q, path, most, there)
    return [part for row in lines for part in fit.wrapped(row, width(), 4)] if sys.stdout.isatty() else lines


def _question(task: str, q: Question, path: str, most: int, there: str) -> list[str]:
    first, *rest = words(q, 4000, path) or [""]
    if len(rest) > most:
        rest = [*rest[:most], f"… ({len(rest) - most} more lines{f', see {path}' if path else ''})"]
    lines = [f"? {task} asks ({q.id}): {first}", *(f"    {x}" for x in rest)]
    lines += [f"    {line(c.key, 20)}. {line(c.label, 200)}" for c in q.choices]
    dispatch = f"dispatch -C {there}" if there else "dispatch"
    if q.is_unknown:
        return [*lines, f"    look: {dispatch} attach {task}, or press keys: {dispatch} keys {task} Down Enter"]
    return [*lines, f"    answer: {dispatch} answer {task} {_how(q)}"]


def _how(q: Question) -> str:
    """What the command that answers Q ends in."""
    if not q.choices:
        return '"…"'
    first, *others = [line(c.key, 20) for c in q.choices]
    if q.kind == "multi":
        return f"--choice {','.join([first, *others[-1:]])}   (any of them, with commas)"
    return "--choice N" if first.isdigit() else f"--choice {first}" + (f"   (or {', '.join(others)})" if others else "")
