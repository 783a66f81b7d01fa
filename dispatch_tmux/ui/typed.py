"""A line that a person types, with the keys that shells have for it. Pure. Line breaks in it (Ctrl-J, pasted ones) show as ⏎."""

from __future__ import annotations

import re

from dispatch_tmux.core.text import clean, columns
from dispatch_tmux.ui.spans import Line

NEWLINE = "⏎"
DONE, LEFT = "done", "left"
MOST = 20_000  # characters
_ENDS = {"enter": DONE, "escape": LEFT, "ctrl+c": LEFT, "ctrl+q": LEFT}


class Typed:
    """TEXT being typed; `at` is where the next character goes. ABOUT: what it is for, in words."""

    def __init__(self, about: str, text: str = "") -> None:
        self.about, self.text, self.at = about, text, len(text)

    def press(self, key: str) -> str:
        """Take KEY, a character or Textual's name of a key: DONE or LEFT when that ends it, else ''."""
        if key in _ENDS:
            return _ENDS[key]
        before, after = self.text[: self.at], self.text[self.at :]
        if key in ("ctrl+j", "alt+enter", "shift+enter"):
            self.insert("\n")
        elif len(key) == 1:
            self.insert(key)
        elif key == "backspace":
            self._is(before[:-1], after)
        elif key in ("delete", "ctrl+d"):
            self._is(before, after[1:])
        elif key in ("ctrl+w", "alt+backspace", "ctrl+backspace"):
            self._is(re.sub(r"\S*\s*\Z", "", before), after)
        elif key == "ctrl+u":
            self._is("", after)
        elif key == "ctrl+k":
            self._is(before, "")
        else:
            self._move(key)
        return ""

    def insert(self, text: str) -> None:
        """TEXT, which may be pasted, without anything that a terminal obeys."""
        text = clean(text, MOST)[: MOST - len(self.text)]
        self._is(self.text[: self.at] + text, self.text[self.at :])

    def _is(self, before: str, after: str) -> None:
        self.text, self.at = before + after, len(before)

    def _move(self, key: str) -> None:
        before, after = self.text[: self.at], self.text[self.at :]
        if key in ("left", "right"):
            self.at = max(0, min(len(self.text), self.at + (1 if key == "right" else -1)))
        elif key in ("home", "ctrl+a", "end", "ctrl+e"):
            self.at = 0 if key in ("home", "ctrl+a") else len(self.text)
        elif key in ("ctrl+left", "alt+b", "alt+left"):
            self.at = len(re.sub(r"\S*\s*\Z", "", before))
        elif key in ("ctrl+right", "alt+f", "alt+right"):
            found = re.match(r"\s*\S*", after)
            self.at += found.end() if found else 0

    def shown(self, width: int) -> Line:
        """The part of it around the cursor that fits into WIDTH columns, the cursor as a cell of its own."""
        text = self.text.replace("\n", NEWLINE)
        before, cursor, after = text[: self.at], text[self.at : self.at + 1] or " ", text[self.at + 1 :]
        while columns(before) > width - 4:
            before = before[max(1, (columns(before) - width + 4) // 2) :]
        kept = ""
        for char in after:
            if columns(before + cursor + kept + char) > width:
                break
            kept += char
        return ((before, ""), (cursor, "reverse"), (kept, ""))
