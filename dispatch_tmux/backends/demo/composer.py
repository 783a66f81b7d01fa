"""The demo worker's screen: a composer like those of the CLIs, with a busy line, queued messages and dialogues."""

from __future__ import annotations

import os
import re
import sys
import time

from dispatch_tmux.backends.demo.dialogue import Dialogue, Left
from dispatch_tmux.backends.demo.terminal import columns, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is slow to import
    from collections.abc import Sequence

    from dispatch_tmux.backends.demo.terminal import Terminal

RECEIVED = os.environ.get("DEMO_RECEIVED", "")  # for tests: what was submitted, a JSON object a line
TRUTH = os.environ.get("DEMO_TRUTH", "")  # for tests: what it really does, from when on
SUGGEST = os.environ.get("DEMO_SUGGEST", "")
STUBBORN = os.environ.get("DEMO_STUBBORN", "")  # for tests: a text that Enter does not send
BURST = 0.06  # seconds: an Enter this soon after other keys is part of the paste, as the real CLIs have it
FRAME = 0.15  # seconds between two redraws of the busy line
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Composer:
    """What is typed and shown on TERMINAL. `queue` has the messages that wait for their turn."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.queue: list[str] = []
        self.busy_since: float | None = None
        self.frozen = False  # it does not draw: it hangs
        self.does = ""  # for TRUTH, where the screen does not tell
        self._typed = ""  # with \0 where a collapsed paste stands
        self._pasted: list[str] = []
        self._transcript: list[str] = []
        self._dialogue: Dialogue | None = None
        self._frame = 0
        self._last_key = self._last_c_c = 0.0
        self._said = ""  # for TRUTH
        self.redraw()

    # --- the screen

    def say(self, text: str) -> None:
        """Add TEXT to the transcript."""
        self._transcript += wrapped(text, self.terminal.width)

    def redraw(self) -> None:
        width = self.terminal.width
        rule = "─" * width
        rows = []
        if self.busy_since is not None:
            self._frame += 1
            seconds = int(time.monotonic() - self.busy_since)
            rows.append(f"{SPINNER[self._frame % 10]} Working… ({seconds}s · esc to interrupt)"[:width])
        rows += [f"  ❯ queued: {t.splitlines()[0]}"[:width] for t in self.queue[:3]]
        if self._dialogue:
            rows += [rule, *self._dialogue.rows()]
            cursor = (len(rows) - 1, 0)
        else:
            rows += self._box(rule)
            cursor = (len(rows) - 1, min(columns(rows[-1]), width - 1))
            if not self._typed and SUGGEST:
                rows[-1] += '\x1b[2mTry "explain this repository"\x1b[0m'
            rows += [rule, "  esc to interrupt" if self.busy_since is not None else "  ? for shortcuts"]
        lines, self._transcript = self._transcript, []
        self.terminal.title(f"{'⠂' if self.busy_since is not None else '✳'} demo")
        self.terminal.show(lines, rows, cursor)
        self.tell(self.does or ("question" if self._dialogue else "ready" if self.busy_since is None else "busy"))

    def _box(self, rule: str) -> list[str]:
        """The rows of the composer under its RULE, which tells what of it has no room; the last rows have."""
        rows = [("❯ " if n == 0 else "  ") + line for n, line in enumerate(wrapped(self._shown(), len(rule) - 3))]
        more = len(rows) - 8
        return [f"─── ↑ {more} more {rule}"[: len(rule)] if more > 0 else rule, *rows[-8:]]

    def _shown(self) -> str:
        """What is typed, each large paste as one word."""
        parts = iter(enumerate(self._pasted, 1))

        def form(_: re.Match[str]) -> str:
            n, text = next(parts)
            return f"[Pasted text #{n} +{text.count(chr(10))} lines]"

        return re.sub("\0", form, self._typed)

    def tell(self, does: str) -> None:
        """Write down for TRUTH what it does from now on."""
        if TRUTH and does != self._said:
            self._said = does
            with open(TRUTH, "a", encoding="utf-8") as f:
                f.write(f"{time.time():.3f} {does}\n")

    # --- keys

    def take(self, timeout: float | None) -> None:
        """Handle keys for TIMEOUT seconds at most (None: until one comes), then redraw. Raises Left on Escape."""
        for kind, value in self.terminal.keys(timeout):
            now = time.monotonic()
            burst = now - self._last_key < BURST
            self._last_key = now
            if self._dialogue:
                if kind != "paste" or self._dialogue.takes_text:
                    self._dialogue.key(kind, value)
            else:
                self._compose(kind, value, burst)
        if not self.frozen:
            self.redraw()

    def work(self, seconds: float) -> None:
        """Be busy for so many SECONDS. Raises Left on Escape."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.take(min(left, FRAME))

    def _compose(self, kind: str, value: str, burst: bool) -> None:
        if kind == "paste" and (value.count("\n") >= 3 or len(value) > 800):
            self._typed += "\0"
            self._pasted.append(value)
        elif kind in ("text", "paste"):
            self._typed += value
        elif value == "enter" and burst and self._typed:
            self._typed += "\n"
        elif value == "enter" and self._typed.strip(" \n") not in ("", STUBBORN):
            self._submit()
        elif value == "c-u":
            self._typed, self._pasted = "", []
        elif value == "back":
            if self._typed.endswith("\0"):
                self._pasted.pop()
            self._typed = self._typed[:-1]
        elif value == "escape" and self.busy_since is not None:
            self.frozen = False
            raise Left
        elif value == "c-c":
            if time.monotonic() - self._last_c_c < 2:
                sys.exit(0)
            self._last_c_c, self._typed, self._pasted = time.monotonic(), "", []

    def _submit(self) -> None:
        parts = iter(self._pasted)
        text = re.sub("\0", lambda _: next(parts), self._typed)
        self._typed, self._pasted = "", []
        self.frozen = False
        if text.strip() == "/exit":
            sys.exit(0)
        self.queue.append(text)

    def received(self, text: str) -> None:
        """TEXT is taken up: show it in the transcript."""
        if RECEIVED:
            import json  # for tests only, and slow to load

            with open(RECEIVED, "a", encoding="utf-8") as f:
                f.write(json.dumps({"t": time.time(), "text": text}) + "\n")
        shown = text if len(text) < 4000 else f"{text[:2000]}\n  … {len(text) - 2000} more characters"
        self.say("\n".join(f"{'> ' if n == 0 else '  '}{line}" for n, line in enumerate(shown.split("\n"))))

    # --- dialogues

    def ask_on_screen(self, question: str, choices: Sequence[str], many: bool = False) -> str:
        """A dialogue in the composer's place; returns what was chosen or typed. Raises Left on Escape."""
        dialogue = Dialogue(question, choices, many)
        busy, self.busy_since = self.busy_since, None
        self._dialogue = dialogue
        self.redraw()
        try:
            while dialogue.answer is None:
                self.take(None)
        finally:
            self._dialogue, self.busy_since = None, busy
            self._said = ""  # the next one is another
        self.say(f"  ⎿ {'chosen' if choices else 'typed'}: {dialogue.answer}")
        return dialogue.answer
