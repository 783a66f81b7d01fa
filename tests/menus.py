"""A program that asks with menus it draws itself, in the styles of the field; what really arrives goes into got.jsonl.

usage: python menus.py SPEC: a JSON list of pages. A page: `style` (below), `question`, `choices`, `at` (where the pointer begins),
`rows` (how many choices show at a time), `slow` (seconds in which it draws), `deaf` (keys that it ignores at first), `hint`.

    ink       ❯ first            bar      a row in reverse video        radio    ● first ○ second
    boxed     │ ❯ 1. first │     buttons   < Yes >   < No >             boxes    ❯ [ ] first, Space ticks, Enter submits
    numbered  › 1. first         inline   ❯ Yes   No                    ticks    > ◯ first
    digits    1) first, a digit picks, no pointer       field    › words, Enter submits
    moves     › 1. first, a digit moves the pointer     form  fields, Enter sets one
                                                        tricky   ❯ first, and the pointer does not stay where it was put
"""

from __future__ import annotations

import json
import os
import select
import sys
import termios
import time
import tty
from typing import Any

KEYS = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\r": "enter",
    b" ": "space",
    b"\t": "tab",
}


class Page:
    def __init__(self, **spec: Any) -> None:
        self.style, self.question = spec["style"], spec.get("question", "Which one?")
        self.choices: list[str] = spec.get("choices", [])
        self.at = spec.get("at", 0)
        self.rows = spec.get("rows", len(self.choices))
        self.slow, self.deaf = spec.get("slow", 0.0), spec.get("deaf", 0)
        self.hint = spec.get("hint", "↑/↓ to navigate · Enter to select")
        self.ticked: set[int] = set()
        self.text = ""
        self.answer: Any = None

    # --- what it looks like

    def lines(self) -> list[str]:
        first = max(0, min(self.at - self.rows + 1, len(self.choices) - self.rows)) if self.at >= self.rows else 0
        shown = list(enumerate(self.choices))[first : first + self.rows]
        body = getattr(self, f"_{self.style}", self._ink)(shown)
        if first:
            body.insert(0, f"    ↑ {first} more")
        if first + self.rows < len(self.choices):
            body.append(f"    ↓ {len(self.choices) - first - self.rows} more")
        return [self.question, "", *body, "", *([self.hint] if self.hint else [])]

    def _ink(self, shown: list[tuple[int, str]]) -> list[str]:
        return [f"{'❯' if n == self.at else ' '} {label}" for n, label in shown]

    def _numbered(self, shown: list[tuple[int, str]]) -> list[str]:
        return [f"{'›' if n == self.at else ' '} {n + 1}. {label}" for n, label in shown]

    def _form(self, shown: list[tuple[int, str]]) -> list[str]:
        return [
            f"{'❯' if n == self.at else ' '} {label}: {'set' if n in self.ticked else 'not set'}" for n, label in shown
        ]

    _moves = _numbered
    _tricky = _ink

    def _boxed(self, shown: list[tuple[int, str]]) -> list[str]:
        rows = [f"│ {'❯' if n == self.at else ' '} {n + 1}. {label:<40} │" for n, label in shown]
        return ["╭" + "─" * 47 + "╮", *rows, "╰" + "─" * 47 + "╯"]

    def _bar(self, shown: list[tuple[int, str]]) -> list[str]:
        return [f"  \x1b[7m{label:<30}\x1b[0m" if n == self.at else f"  {label:<30}" for n, label in shown]

    def _radio(self, shown: list[tuple[int, str]]) -> list[str]:
        return [f"{'●' if n == self.at else '○'} {label}" for n, label in shown]

    def _buttons(self, shown: list[tuple[int, str]]) -> list[str]:
        return ["     ".join(f"\x1b[7m< {x} >\x1b[0m" if n == self.at else f"< {x} >" for n, x in shown)]

    def _inline(self, shown: list[tuple[int, str]]) -> list[str]:
        return ["   ".join(f"{'❯' if n == self.at else ' '} {x}" for n, x in shown)]

    def _digits(self, shown: list[tuple[int, str]]) -> list[str]:
        return [f"  {n + 1}) {label}" for n, label in shown]

    def _boxes(self, shown: list[tuple[int, str]]) -> list[str]:
        return [f"{'❯' if n == self.at else ' '} [{'x' if n in self.ticked else ' '}] {label}" for n, label in shown]

    def _ticks(self, shown: list[tuple[int, str]]) -> list[str]:
        return [f"{'>' if n == self.at else ' '} {'◉' if n in self.ticked else '◯'} {label}" for n, label in shown]

    def _field(self, shown: list[tuple[int, str]]) -> list[str]:
        return [f"› {self.text}"]

    # --- what a key does

    def key(self, name: str) -> None:
        if self.deaf:
            self.deaf -= 1
            return
        across = self.style in ("buttons", "inline")
        if name in (("left", "right") if across else ("up", "down")):
            self.at = (self.at + (1 if name in ("right", "down") else -1)) % len(self.choices)
        elif self.style == "field":
            self.text, self.answer = (self.text, self.text) if name == "enter" else (self.text + name, None)
        elif name == "space" and self.style in ("boxes", "ticks"):
            self.ticked ^= {self.at}
        elif name == "enter" and self.style == "form":
            self.ticked |= {self.at}
        elif name == "enter" and self.style != "digits":
            picked = [self.choices[n] for n in sorted(self.ticked)]
            self.answer = picked if self.style in ("boxes", "ticks") else self.choices[self.at]
        elif name.isdigit() and 0 < int(name) <= len(self.choices):
            if self.style == "moves":
                self.at = int(name) - 1
            elif self.style in ("digits", "numbered", "boxed"):
                self.answer = self.choices[int(name) - 1]


def draw(page: Page) -> None:
    time.sleep(page.slow)
    sys.stdout.write("\x1b[2J\x1b[H" + "\r\n".join(page.lines()))
    sys.stdout.flush()


def keys() -> list[str]:
    """The keys of the next input; a paste is its characters."""
    data, found = os.read(0, 4096), []
    data = data.replace(b"\x1b[200~", b"").replace(b"\x1b[201~", b"")
    while data:
        known = next((k for k in KEYS if data.startswith(k)), None)
        if known:
            found.append(KEYS[known])
            data = data[len(known) :]
        else:
            size = 1 if data[0] < 128 else next((n for n in (2, 3, 4) if len(data[:n].decode(errors="ignore"))), 1)
            found.append(data[:size].decode(errors="replace"))
            data = data[size:]
    return found


def main(pages: list[dict[str, Any]]) -> None:
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        for spec in pages:
            page = Page(**spec)
            draw(page)
            jump = time.monotonic() + 0.4
            while page.answer is None:
                if not select.select([0], [], [], 0.05)[0]:
                    if page.style == "tricky" and page.at and time.monotonic() > jump:
                        page.at = 0
                        draw(page)
                    continue
                for name in keys():
                    if page.answer is None:
                        page.key({"space": " "}.get(name, name) if page.style == "field" else name)
                jump = time.monotonic() + 0.4
                draw(page)
            with open("got.jsonl", "a", encoding="utf-8") as f:
                f.write(json.dumps(page.answer) + "\n")
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    print("\x1b[2J\x1b[Hall answered", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
