"""Data made into records, one thread at a time: msgspec (0.22) crashes the process where two threads bring a kind of record to it
for the first time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_ONE = threading.RLock()  # what a hook makes may be a record, too


def convert(data: Any, kind: type[T], dec_hook: Callable[[type, Any], Any] | None = None) -> T:
    """DATA as a KIND. Raises msgspec.ValidationError."""
    with _ONE:
        return msgspec.convert(data, kind, strict=True, dec_hook=dec_hook)
