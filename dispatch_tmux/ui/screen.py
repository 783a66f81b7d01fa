"""The pieces of Textual that the inbox is made of: a canvas of lines, and a driver that survives odd bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from dispatch_tmux.ui.spans import Line

if TYPE_CHECKING:
    from textual.driver import Driver

WHEEL = 3  # rows that one notch of the wheel moves


@lru_cache(maxsize=512)
def _style(name: str) -> Style:
    return Style.parse(name)


class Told(Message):
    """Something a thread has for the app: DO is called in the app's own."""

    def __init__(self, do: Callable[[], None]) -> None:
        super().__init__()
        self.do = do


class Canvas(Widget, can_focus=True):
    """Lines of spans; of new ones only those are drawn that differ."""

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; background: ansi_default; color: ansi_default; }"

    class Resized(Message):
        """It has another size now."""

    class Clicked(Message):
        """A click at X, Y, or the wheel turned BY rows there."""

        def __init__(self, x: int, y: int, by: int = 0) -> None:
            super().__init__()
            self.x, self.y, self.by = x, y, by

    def __init__(self, press: Callable[[str], None], paste: Callable[[str], None]) -> None:
        """PRESS gets a key (its character, or the name that Textual has for it), PASTE a text, in the order that they come."""
        super().__init__()
        self._press, self._paste = press, paste
        self._lines: list[Line] = []

    def show(self, lines: list[Line]) -> None:
        """Draw LINES from the top."""
        before, self._lines = self._lines, lines
        width = self.size.width
        changed = [y for y, line in enumerate(lines) if y >= len(before) or before[y] != line]
        if len(before) != len(lines):
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width)
        strip = Strip([Segment(text, _style(style)) for text, style in self._lines[y] if text])
        return strip.adjust_cell_length(width)

    def on_resize(self) -> None:
        self._lines = []
        self.post_message(self.Resized())

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self._press(event.character if event.is_printable and event.character else event.key)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._paste(event.text)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(event.x, event.y))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Clicked(event.x, event.y, WHEEL))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Clicked(event.x, event.y, -WHEEL))


def driver(base: type[Driver]) -> type[Driver]:
    """BASE, but bytes that are no UTF-8 cost those bytes, not all keys that come after them."""

    class Tolerant(base):  # type: ignore[valid-type,misc]
        def run_input_thread(self, *args: Any) -> None:
            while True:
                try:
                    super().run_input_thread(*args)
                    return
                except UnicodeDecodeError:
                    if self.exit_event.is_set():
                        return

    return Tolerant if hasattr(base, "run_input_thread") else base
