"""What a verb has to say while it works. A face that shows such things sets `listener`; without one, nothing is said."""

from __future__ import annotations

from collections.abc import Callable

listener: Callable[[str], None] | None = None


def say(text: str) -> None:
    """Tell the person TEXT, a sentence without its full stop."""
    if listener is not None:
        listener(text)
