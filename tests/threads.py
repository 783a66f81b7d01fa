"""Several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def at_once(work: Callable[[T], R], given: Iterable[T]) -> list[R]:
    """What WORK returns for each of GIVEN, each in a thread of its own; all begin at the same moment."""
    each = list(given)
    gate = threading.Barrier(len(each))

    def begin(one: T) -> R:
        gate.wait()
        return work(one)

    with ThreadPoolExecutor(len(each)) as pool:
        return list(pool.map(begin, each))
