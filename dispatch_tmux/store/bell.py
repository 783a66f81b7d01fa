"""Waiting for something to come about in the journals: each append rings one bell for all who wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from dispatch_tmux.store.store import Store

T = TypeVar("T")


def until(store: Store, found: Callable[[], T | None], seconds: float) -> T | None:
    """What FOUND() finds, asked anew whenever a journal grows; None after SECONDS."""
    if (task := found()) is not None:
        return task
    from dispatch_tmux.store.watch import Bell

    bell = Bell(store.records, "bell")
    end = time.monotonic() + seconds
    try:
        while (task := found()) is None and (left := end - time.monotonic()) > 0:
            bell.wait(min(left, 0.5))
        return task
    finally:
        bell.close()
