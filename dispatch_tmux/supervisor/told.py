"""What a worker's CLI tells of itself: by its hooks, by escape sequences in its output, in the record of its session."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from dispatch_tmux.backends import sessions
from dispatch_tmux.backends.load import Backend
from dispatch_tmux.backends.signals import Signals, digest
from dispatch_tmux.tmux.control import raw

KEEP = 1.0  # seconds between two writings of what a CLI has used
FRESH = 0.5  # seconds within which the screen shows what the CLI has told
OSC = b"\\033]"  # how an escape sequence of the kind that tells a state begins, as tmux writes it


class Told:
    """What the CLI of the task at DIR has told. OWN: the directory of what dispatch alone writes of the task."""

    def __init__(self, backend: Backend, dir: str, own: str, clock: Callable[[], float]) -> None:
        self._backend, self._dir, self._own, self._clock = backend, dir, own, clock
        self.signals = Signals(dir, backend.signals)
        self._session: sessions.Record | None = None
        self._reading = threading.Lock()
        self._kept, self._kept_at = self.signals.usage, -math.inf  # what usage.json has

    def begin(self, attempt: int) -> None:
        """ATTEMPT has a pane: its session is another one, and nothing is over yet."""
        self.signals.turn_over = False
        self._session = sessions.Record(self._backend, self._dir, self._own, attempt)

    def use(self, backend: Backend) -> None:
        """From now on the CLI is BACKEND's, and a new one."""
        self._backend, self.signals = backend, Signals(self._dir, backend.signals)

    def hear(self, data: bytes) -> None:
        """Look for what the CLI says of its state in DATA, as it came over the wire. Called in the reader's thread."""
        if OSC in data:
            self.signals.hear(raw(data))

    @property
    def is_fresh(self) -> bool:
        """Whether the CLI has just told another state, which its screen may be about to show."""
        return time.monotonic() - self.signals.told_at < FRESH

    def read_session(self) -> None:
        """Take in what the CLI has written into its session's record; what it tells of its work is kept for `status`.

        Called from any thread.
        """
        with self._reading:
            for line in self._session.news(self._clock()) if self._session else ():
                self.signals.learn(line, self._backend.sessions.takes)
        used, now = self.signals.usage, self._clock()
        if used != self._kept and (now - self._kept_at >= KEEP or used.tool != self._kept.tool):
            self._kept, self._kept_at = used, now
            sessions.keep(self._own, used)

    def times_taken(self, body: str) -> int:
        """How often the CLI has told that it took BODY."""
        self.read_session()
        return self.signals.receipts[digest(body)]
