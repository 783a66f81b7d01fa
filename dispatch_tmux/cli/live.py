"""A line at the bottom of a terminal that says how things stand, while a command waits."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from dispatch_tmux.cli import show
from dispatch_tmux.core import notices, urgency
from dispatch_tmux.core.text import line

if TYPE_CHECKING:
    from dispatch_tmux import Task

EVERY = 1.0  # seconds between two drawings; the time goes on


class Live:
    """`with Live(began) as live`: a line on standard error, on a terminal only, and gone afterwards.

    BEGAN: since when the command waits (time.monotonic()). `live.show` takes the tasks as they stand.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._on = show.draws(sys.stderr)
        self._words = ""
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._say = notices.listener

    def __enter__(self) -> Live:
        if self._on:
            notices.listener = self._above
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on:
            notices.listener = self._say
            with self._lock:
                self._over.set()
                _write("\r\x1b[K")

    def show(self, tasks: Sequence[Task]) -> None:
        """Draw it anew: TASKS have changed."""
        self._words = urgency.counts([t for t in tasks if not t.ended])
        self._draw()

    def _tick(self) -> None:
        while not self._over.wait(EVERY):
            self._draw()

    def _draw(self) -> None:
        seconds = int(time.monotonic() - self._began)
        hours = f"{seconds // 3600}:" if seconds >= 3600 else ""
        words = f"{self._words} · {hours}{seconds // 60 % 60:02}:{seconds % 60:02}"
        with self._lock:
            if self._on and self._words and not self._over.is_set():
                _write(f"\r{line(words, show.width() - 1)}\x1b[K")

    def _above(self, text: str) -> None:
        """Say TEXT on a line of its own."""
        with self._lock:
            _write("\r\x1b[K")
            if self._say:
                self._say(text)
        self._draw()


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # the terminal has gone; the command goes on
        pass
