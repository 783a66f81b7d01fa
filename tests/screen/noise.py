"""Noise around recorded screens: what stands there in real life besides what the screen is about."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

from dispatch_tmux.backends import fixtures
from dispatch_tmux.backends import load as backends
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.screen import judge
from dispatch_tmux.screen.read import _find_composer, look

SCREENS = Path(__file__).parent / "recorded"


LABELS = fixtures.labels()
RULES = {name: backends.load(name).screen for name in LABELS}
CASES = [(name, state) for name in LABELS for state in LABELS[name]]
ASKS = ("question", "startup")

PROSE = [
    "● I have looked at the module. Do you want to proceed? is what the old dialog said; it is now a test.",
    "  Would you like to run the following command? 1. Yes 2. No (esc to cancel)",
    "  Error: 401 Unauthorized is raised when the key is missing; 429 when the quota is exceeded.",
    "",
]
TASKS = ["  ⎿  ☒ Read the code", "     ☐ Write the tests", "     ☐ Ask which database: SQLite or PostgreSQL?", ""]


def plain(name: str, state: str) -> list[str]:
    return (SCREENS / name / f"{state}.txt").read_text().rstrip("\n").split("\n")


def unchanged(name: str, lines: list[str]) -> list[str]:
    return lines


def scrolled(name: str, lines: list[str]) -> list[str]:
    """Much that was said before."""
    return [*PROSE * 8, *lines]


def dialogue_above(name: str, lines: list[str]) -> list[str]:
    """The words of the CLI's own dialogues, as a transcript shows them when somebody works on that very CLI."""
    asks = [state for state, label in LABELS[name].items() if label.shows == "question"]
    words = [line for state in asks[:3] for line in plain(name, state)[-14:]]
    return [*(f"    {line.strip(' │┃')}" for line in words), "", "● That was all of it.", "", *lines]


def draft(name: str, lines: list[str]) -> list[str]:
    """Something typed and not sent."""
    box = _composer(name, lines)
    if box is None:
        return lines
    row = box.start + (1 if name == "opencode" else 0)
    found = re.match(r"\s*(?:[❯›>!*┃│]\s{0,2})?", lines[row])
    head = found[0] if found else ""
    head = head if head.endswith(" ") else head + " "
    mark = re.search(r"\s+↑$", lines[row])  # its beginning has scrolled away
    typed = "should I use 1. SQLite or 2. PostgreSQL? (y/n)" + (mark[0] if mark else "")
    return [*lines[:row], head + typed, *lines[row + 1 :]]


def task_list(name: str, lines: list[str]) -> list[str]:
    """The CLI's own list of what it is going to do, above its composer."""
    box = _composer(name, lines)
    if box is None:
        return lines
    top = box.start - (1 if RULES[name].composer and RULES[name].composer.above and name != "opencode" else 0)  # type: ignore[union-attr]
    return [*lines[:top], *TASKS, *lines[top:]]


def notice(name: str, lines: list[str]) -> list[str]:
    """Gemini's warnings about the terminal, which stand under its dialogues as well (seen live in 0.61.0)."""
    if name != "gemini":
        return lines
    first = "⚠  Warning: Limited color support detected (TERM=screen). Some visual elements may not render correctly. Add to ~/.tmux.conf:"
    return [
        *lines,
        "",
        first,
        '         set -g default-terminal "tmux-256color"',
        "⚠  Warning: True color (24-bit) support not detected.",
    ]


def footer(name: str, lines: list[str]) -> list[str]:
    """Another line under the composer: a status line of the person's own, a hint, an update notice."""
    return (
        [*lines, "  main ✗ 3 files · 12% context left · update available"]
        if _composer(name, lines) is not None
        else lines
    )


# --- other sizes of the window

RULED = re.compile(r"^(\s*[╭╰┌└├╹]?)([─━╌▔▀])\2{19,}(?:.*?(?P<end>[╮╯┐┘┤]))?.*$")
BOXED = re.compile(r"^(\s{0,6}[│┃] ?)(.*?)(\s*[│┃])?$")


def _at_width(line: str, width: int) -> list[str]:
    """A row as at another width: rules as long as it, what stands at the right edge dropped, words wrapped."""
    if ruled := RULED.match(line):
        head, end = ruled[1], ruled["end"] or ""
        return [head + ruled[2] * (width - len(head) - len(end)) + end]
    boxed = BOXED.match(line)
    head, text, end = (boxed[1], boxed[2], (boxed[3] or "").strip()) if boxed else ("", line, "")
    room = width - len(head) - len(end)
    if over := max(0, len(text) - room):  # what stands at the right edge moves with it, as far as there is room
        gap = rf"^ {{{over + 8},}}(?=\S)|(?<=\S) {{{over + 2},}}(?=\S)"
        text = re.sub(gap, lambda found: found[0][over:], text, count=1)
    text = re.sub(r"(?<=\S) {8,}.*", "", text) if len(text) > room else text
    indent = " " * min(len(text) - len(text.lstrip()) + (0 if boxed else 2), width // 2)
    rows = textwrap.wrap(text, room, subsequent_indent=indent) or [""]
    return [f"{head}{row.rstrip():{room}}{end}".rstrip() for row in rows]


def columns(width: int) -> Callable[[str, list[str]], list[str]]:
    def sized(name: str, lines: list[str]) -> list[str]:
        foot = max(0, len(lines) - 3)  # what stands lowest under a composer is cut off, not wrapped
        foot = foot if _composer(name, lines) else len(lines)
        wrapped = [row for line in lines[:foot] for row in _at_width(line, width)]
        return [*wrapped, *(_at_width(line, width)[0] for line in lines[foot:])]

    return sized


HIGHER = {  # than 16 rows: the CLI draws them otherwise there
    ("claude", "onboarding-theme"), ("claude", "slash-menu"), ("copilot", "first_run_trust"),
    ("claude", "80x24/ask-4-previews-notes-typed"),
}  # fmt: skip


SIDE_BAR = ("opencode", "80x24/open-sidebar")  # where it stands depends on the width


def rows(height: int) -> Callable[[str, list[str]], list[str]]:
    """A higher window shows more of what was before; a low one only the end, without the blank rows between."""

    def sized(name: str, lines: list[str]) -> list[str]:
        if len(lines) < height:
            above = [*PROSE * 20][: height - len(lines)]
            return [*above, *lines]
        filled = [line for n, line in enumerate(lines) if line.strip() or (n and lines[n - 1].strip())]
        return filled[-height:]

    return sized


SIZES = {
    "60 columns": columns(60), "80 columns": columns(80), "120 columns": columns(120), "200 columns": columns(200),
    "16 rows": rows(16), "24 rows": rows(24), "50 rows": rows(50),
}  # fmt: skip

NOISES: dict[str, Callable[[str, list[str]], list[str]]] = {
    "as recorded": unchanged, "text above": scrolled, "a dialogue's words above": dialogue_above, "a draft": draft,
    "a task list": task_list, "another footer": footer,
    "a notice below": notice,
}  # fmt: skip


def _composer(name: str, lines: list[str]) -> range | None:
    rules = RULES[name].composer
    gutter = RULES[name].gutter
    clean = [gutter.sub("", line).rstrip() if gutter else line.rstrip() for line in lines]
    return _find_composer(rules, clean) if rules and LABELS else None


def seen(name: str, state: str, noise: str) -> Shown:
    if (noise == "16 rows" and (name, state) in HIGHER) or ("columns" in noise and (name, state) == SIDE_BAR):
        noise = "as recorded"
    text = "\n".join((NOISES | SIZES)[noise](name, plain(name, state)))
    return look(RULES[name], text, title=LABELS[name][state].title)


def is_right(name: str, state: str, noise: str) -> bool:
    """As labelled; with a task list or another footer it counts whether a question is seen, and no false one."""
    label, shown = LABELS[name][state], seen(name, state, noise)
    true = (label.shows, *label.also)
    if noise == "as recorded":
        return judge.is_right(shown, label)
    if noise in ("a task list", "another footer") or (noise == "a draft" and label.shows not in ("ready", "busy")):
        return (shown.shows in ASKS) in {each in ASKS for each in true}
    return shown.shows in true
