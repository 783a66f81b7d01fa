"""Noise around recorded screens: what stands there in real life besides what the screen is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import yaml

from dispatch_tmux.backends import load as backends
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.screen.read import _find_composer, look

SCREENS = Path(__file__).parent / "recorded"
LABELS: dict[str, dict[str, str]] = yaml.safe_load((SCREENS / "labels.yaml").read_text())
RULES = {name: backends.load(name).screen for name in LABELS}
TITLES = {("codex", "busy_streaming"): "⠴ proj"}  # "no `esc to interrupt` line, only the title spins" (its README)
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
    asks = [state for state, label in LABELS[name].items() if label == "question"]
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
    return [*lines[:row], head + "should I use 1. SQLite or 2. PostgreSQL? (y/n)", *lines[row + 1 :]]


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
    text = "\n".join(NOISES[noise](name, plain(name, state)))
    return look(RULES[name], text, title=TITLES.get((name, state), ""))


def is_right(name: str, state: str, noise: str) -> bool:
    """As labelled; with a task list or another footer it counts whether a question is seen, and no false one."""
    label, shown = LABELS[name][state], seen(name, state, noise).shows
    if noise in ("a task list", "another footer") or (noise == "a draft" and label not in ("ready", "busy")):
        return (label in ASKS) == (shown in ASKS)
    return shown == label
