"""What a worker's screen shows: rendered text and a backend's rules in, one `Shown` out. Pure.

Everything is judged from the bottom upwards, because what is above is history (S4, S17): first whether the program
is gone, then the composer, and only where there is none, a dialogue. The words of the rules: docs/backends.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch_tmux.core import sgr
from dispatch_tmux.core.shown import SUSPENDED, UNKNOWN, Choice, Composer, Shown
from dispatch_tmux.core.text import cut_cells
from dispatch_tmux.screen import dialogue as dialogues
from dispatch_tmux.screen import line_prompt as prompts

if TYPE_CHECKING:
    from dispatch_tmux.backends.rules import ComposerRules, LineRules, ScreenRules

BOTTOM = 150  # rows looked at, from the bottom: more than a screen has, in case history came with it

DEAD = re.compile(r"^Pane is dead\b")  # tmux's own notice under a program that ended


def look(rules: ScreenRules, rendered: str, *, title: str = "", cursor: tuple[int, int] | None = None) -> Shown:
    """What `rendered` (`capture-pane -p`, with or without -e) shows; `cursor` is (column, row), both from 0."""
    screen = _Screen.of(rendered)
    if rules.gutter:
        screen = screen.without(rules.gutter)
    if rules.notices:
        screen = screen.above_notices(rules.notices)
    if not screen.lines:
        return UNKNOWN
    if gone := _exited(rules, screen.lines):
        return gone
    if rules.suspended and rules.suspended.search("\n".join([line for line in screen.lines if line][-3:])):
        return Shown("unknown", SUSPENDED)
    if rules.lines is not None:
        return _line_program(rules.lines, screen, cursor)
    if rules.composer and rules.composer.edge:
        screen = screen.within(rules.composer)
    if view := dialogues.read(rules, screen.lines, screen.raw, over=True):
        return view
    if rules.composer and (box := _find_composer(rules.composer, screen.lines)):
        return _with_composer(rules, rules.composer, screen, box, title)
    if dialogue := dialogues.read(rules, screen.lines, screen.raw, over=False):
        return dialogue
    return _without_composer(rules, screen, title)


def above_composer(rules: ScreenRules, rendered: str) -> list[str]:
    """The rows of `rendered` without styles, and without the composer and what is beneath it, where the rules know one."""
    screen = _Screen.of(rendered)
    if rules.gutter:
        screen = screen.without(rules.gutter)
    if rules.notices:
        screen = screen.above_notices(rules.notices)
    own = rules.composer
    if own and own.edge:
        screen = screen.within(own)
    box = _find_composer(own, screen.lines) if own and screen.lines else None
    return screen.lines if box is None or own is None else screen.lines[: box.start - (own.above is not None)]


@dataclass(frozen=True, slots=True)
class _Screen:
    """The bottom rows twice: plain, and as rendered, because dim text and colours are signs too."""

    lines: list[str]
    raw: str
    first_row: int
    width: int = 0  # of the CLI's own column, where a side bar stands beside it

    @classmethod
    def of(cls, rendered: str) -> _Screen:
        raw = rendered.rstrip()
        cut = raw.count("\n") + 1 - BOTTOM
        raw = raw.split("\n", cut)[cut] if cut > 0 else raw
        lines = [line.rstrip(" \r") for line in sgr.plain(raw).split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        return cls(lines, raw, max(cut, 0))

    def above_notices(self, notices: Sequence[re.Pattern[str]]) -> _Screen:
        """Without the notices at the bottom, each a row that begins one and the indented rows after it."""
        end = len(self.lines)
        for row in range(end - 1, -1, -1):
            line = self.lines[row]
            if any(notice.search(line) for notice in notices):
                end = row
            elif line and not line.startswith("   "):
                break
        while 0 < end < len(self.lines) and not self.lines[end - 1]:
            end -= 1
        return _Screen(self.lines[:end], self.raw, self.first_row) if end < len(self.lines) else self

    def without(self, gutter: re.Pattern[str]) -> _Screen:
        return _Screen([gutter.sub("", line).rstrip() for line in self.lines], self.raw, self.first_row)

    def within(self, rules: ComposerRules) -> _Screen:
        """Without the side bar: what stands right of the composer's lower edge."""
        edge = next((line for line in reversed(self.lines) if rules.below and rules.below.search(line)), "")
        if not edge or all(len(line) <= len(edge) for line in self.lines):
            return self
        width = len(edge)
        return _Screen([cut_cells(line, width) for line in self.lines], self.raw, self.first_row, width)


def _line_program(rules: LineRules, screen: _Screen, cursor: tuple[int, int] | None) -> Shown:
    if cursor is None:
        return UNKNOWN
    prompt = prompts.read(rules, screen.lines, cursor[0], cursor[1] - screen.first_row)
    if prompt is None:
        return UNKNOWN
    choices = tuple(Choice(key, label) for key, label in prompt.choices)
    if prompt.ready:
        return Shown("ready")
    # What led to the question: the lines do not tell.
    return Shown("question", prompt.kind, prompt.text, choices, detail="\n".join(screen.lines[-6:-1]).strip())


# --- the program is gone


def _exited(rules: ScreenRules, lines: list[str]) -> Shown | None:
    if DEAD.match(lines[-1]):
        return Shown("exited", detail=lines[-1])
    for rule in rules.exited:
        if rule.foot.search(lines[-1]) and (rule.has is None or rule.has.search("\n".join(lines[-12:]))):
            found = rule.detail.search("\n".join(lines[-12:])) if rule.detail else None
            return Shown("exited", rule.kind, detail=found[found.lastindex or 0] if found else "")
    return None


# --- a composer is at the bottom


def _find_composer(rules: ComposerRules, lines: list[str]) -> range | None:
    """The composer's rows, its borders not counted."""
    if rules.above is None or rules.below is None:
        return _open_composer(rules, lines)
    borders = (row for row in range(len(lines) - 1, -1, -1) if rules.below.search(lines[row]))
    below = next(borders, 0)
    tops = (rules.above, rules.scrolled) if rules.scrolled else (rules.above,)
    above = next((row for row in range(below - 1, -1, -1) if any(top.search(lines[row]) for top in tops)), below)
    box = range(above + 1, below)
    scrolled = rules.scrolled is not None and rules.scrolled.search(lines[above]) is not None
    if box and not scrolled and not rules.prompt.search(lines[box.start]):
        return None
    return box if box and all(not lines[row][:1].strip() for row in box[0 if scrolled else 1 :]) else None


def _open_composer(rules: ComposerRules, lines: list[str]) -> range | None:
    if rules.footer and (box := _above_footer(rules, rules.footer, lines)):
        return box
    if rules.scrolled and (box := _all_the_rest(rules, rules.scrolled, lines)):
        return box
    under = 0
    for row in range(len(lines) - 1, -1, -1):
        if rules.prompt.search(lines[row]):
            end = next((r for r in range(row + 1, len(lines)) if not lines[r].strip()), len(lines))
            return range(row, end)
        under += bool(lines[row].strip())
        if under > rules.room:
            return None
    return None


def _all_the_rest(rules: ComposerRules, scrolled: re.Pattern[str], lines: list[str]) -> range | None:
    """A draft that takes all the room there is, down to the last row."""
    row = next((row for row in range(len(lines) - 1, -1, -1) if lines[row] and lines[row][:2] != "  "), 0)
    found = rules.prompt.search(lines[row]) and scrolled.search(lines[row])
    return range(row, len(lines)) if found else None


def _above_footer(rules: ComposerRules, footer: re.Pattern[str], lines: list[str]) -> range | None:
    """The rows from the lowest prompt to the footer, which is one of the last rows; all but the first are indented."""
    last = [row for row in range(len(lines)) if lines[row]][-3:]
    end = next((row for row in last if footer.search(lines[row])), 0)
    while end and not lines[end - 1]:
        end -= 1
    for row in range(end - 1, -1, -1):
        if rules.prompt.search(lines[row]):
            return range(row, end)
        if lines[row] and not lines[row].startswith("  "):
            break
    return None


def _with_composer(rules: ScreenRules, own: ComposerRules, screen: _Screen, box: range, title: str) -> Shown:
    lines = screen.lines
    written = range(box.start, max(box.start, box.stop - own.status))
    plain = "\n".join(_typed(own, lines[row], row == box.start) for row in written).strip()
    composer = _read_composer(own, screen, written, plain)
    tail, queued = _tail(rules, lines, box.start - (own.above is not None))
    if rules.queued.composer and rules.queued.composer.search(plain):
        queued = True
    if (busy := _busy(rules, tail, lines[box.stop :], title)) is not None:
        return Shown("busy", *busy, composer=composer, queued=queued)
    for rule in rules.errors if tail and not _is_of_a_command(rules, lines, tail[0][0]) else ():
        for row, text in tail:
            found = rule.line.search(text)
            if found and (not rule.coloured or sgr.coloured(screen.raw, row, found.start("detail"))):
                return Shown("error", rule.kind, detail=found["detail"], composer=composer, queued=queued)
    return Shown("ready", composer=composer, queued=queued)


def _is_of_a_command(rules: ScreenRules, lines: list[str], row: int) -> bool:
    """Whether the paragraph at ROW follows a command that a person gave to the CLI itself."""
    while row > 0 and not lines[row - 1].strip():
        row -= 1
    while row > 1 and lines[row - 2].strip():
        row -= 1
    return bool(rules.command and row and rules.command.search(lines[row - 1]))


def _typed(rules: ComposerRules, line: str, first: bool) -> str:
    """A composer row without its prompt; a prompt's group `keep` stays, as the `!` of a shell command."""
    if rules.margin:
        return rules.margin.sub("", line, count=1)
    if rules.scrolled:
        line = rules.scrolled.sub("", line)
    if not first:
        return line.removeprefix("  ")
    found = rules.prompt.search(line)
    kept = found.groupdict().get("keep") if found else None
    return (kept or "") + (line[found.end() :] if found else line)


def _read_composer(rules: ComposerRules, screen: _Screen, box: range, plain: str) -> Composer:
    first = screen.first_row + box.start
    if not plain or (rules.placeholder and rules.placeholder.search(plain)):
        return Composer("", row=first)
    text = plain
    if "\x1b[" in screen.raw:
        rows = [cut_cells(row, screen.width) if screen.width else row for row in sgr.written(screen.raw, box)]
        text = "\n".join(_typed(rules, row, at == 0) for at, row in enumerate(rows)).strip()
    if rules.collapsed and rules.collapsed.search(text):
        return Composer(text, True, rules.collapsed.sub("", text).strip(), row=first)
    return Composer(text, row=first)


def _busy(
    rules: ScreenRules, tail: Sequence[tuple[int, str]], below: Sequence[str], title: str
) -> tuple[str, str, tuple[()], str] | None:
    """Kind, question, choices and detail of a busy `Shown`; a turn that runs goes before a background task."""
    hits = [(rule.kind, found) for rule in rules.busy.below for line in below if (found := rule.line.search(line))]
    hits += [(rule.kind, found) for rule in rules.busy.above for _, line in tail if (found := rule.line.search(line))]
    if rules.busy.title and (found := rules.busy.title.search(title)):
        hits.append(("", found))
    if not hits:
        return None
    kind = min(kind for kind, _ in hits)
    detail = next((text for k, hit in hits if k == kind and (text := hit.groupdict().get("detail"))), "")
    return kind, "", (), detail


def _tail(rules: ScreenRules, lines: list[str], end: int) -> tuple[list[tuple[int, str]], bool]:
    """The last paragraph above row `end` as unwrapped lines with their rows, and whether queued messages follow it.

    Queued messages and lines that every turn ends with (`skip`) are stepped over: the words before them count.
    """
    queued = False
    while end > 0:
        while end > 0 and not lines[end - 1].strip():
            end -= 1
        start = end
        while start > 0 and lines[start - 1].strip():
            start -= 1
        if start < end and rules.queued.above and rules.queued.above.search(lines[start]):
            queued = True
        else:
            kept = [(row, t) for row, t in _unwrapped(lines, start, end) if not any(s.search(t) for s in rules.skip)]
            if kept:
                return kept, queued
        end = start
    return [], queued


def _unwrapped(lines: list[str], start: int, end: int) -> list[tuple[int, str]]:
    """Rows joined with those they wrap into: an indented row that begins with a letter, digit or common sign."""
    joined: list[tuple[int, str]] = []
    for row in range(start, end):
        text = lines[row].strip()
        if joined and lines[row][:1] == " " and text[0] < "\u00a0":
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {text}")
        else:
            joined.append((row, lines[row]))
    return joined


def _without_composer(rules: ScreenRules, screen: _Screen, title: str) -> Shown:
    tail, queued = _tail(rules, screen.lines, len(screen.lines))
    if (busy := _busy(rules, tail, (), title)) is not None:
        return Shown("busy", *busy, queued=queued)
    return UNKNOWN
