"""What is seen of a worker: its pane and what its screen shows, and since when; what its terminal prints is logged."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from msgspec.structs import replace

from dispatch_tmux.backends.load import Backend
from dispatch_tmux.backends.rules import ScreenRules
from dispatch_tmux.core import limit
from dispatch_tmux.core.delivery import Manner
from dispatch_tmux.core.limit import Reset
from dispatch_tmux.core.sgr import plain
from dispatch_tmux.core.shown import UNKNOWN, Shown
from dispatch_tmux.core.task import LIMIT, State, Task
from dispatch_tmux.errors import PaneGone
from dispatch_tmux.store import processes
from dispatch_tmux.supervisor.target import Target, mark_of, read
from dispatch_tmux.supervisor.terminal_log import TerminalLog
from dispatch_tmux.supervisor.told import Told
from dispatch_tmux.tmux.connection import Line
from dispatch_tmux.tmux.control import raw
from dispatch_tmux.tmux.pane import PaneSpawn

FIRST_TURN = 30.0  # seconds within which a CLI takes up the prompt it was started with
PATIENCE = 1.5  # seconds a message waits for a ready composer before it is said to be held
BEFORE = 60.0  # seconds that what a former supervisor saw at work counts as older: it starts no more


class Sight:
    """The worker of the task at DIR, with BACKEND's CLI, as it is seen. Times are seconds on CLOCK.

    OWN: the directory of what dispatch alone writes of the task.
    """

    def __init__(self, backend: Backend, dir: str, own: str, clock: Callable[[], float]) -> None:
        self.backend, self.clock = backend, clock
        self._own = own
        self.told = Told(backend, dir, own, clock)
        self.log = TerminalLog(os.path.join(own, "terminal.log"))
        self.spawn: PaneSpawn | None = None
        self.pid = 0  # of the pane's first process
        self.pane_gone = self.pane_dead = False
        self.typing = False  # a thread types into the pane now, and waits for what it prints
        self.shown, self.rows = UNKNOWN, ""  # what its screen shows; its rows, where no rule knows them
        self._watched = False  # from its beginning
        self.unseen = False  # we come back to it, and have not looked at it yet: nothing is known of its screen
        self.shown_since = self.last_output = self.began = clock()
        self._drawn, self._usual = 0, 0.0  # bytes that came since the last look; and before the former ones, on average
        self.reset: Reset | None = None  # when the usage limit ends that its screen tells of
        self._begun = False
        self._candidate = ""  # the dialogue that was there when the screen was still being drawn
        self._error: Shown | None = None  # what its screen showed last, if that was an error; and how large it was
        self._error_size = (0, 0)

    # --- its pane

    @property
    def pane(self) -> str:
        """The id of its pane; '' while it has none."""
        return self.spawn.pane if self.spawn else ""

    @property
    def has_no_pane(self) -> bool:
        """Whether its pane is gone or its program has ended; also when that was so before we took it up."""
        return self.pane_gone or self.pane_dead or self.spawn is None

    def attach(self, line: Line, pane: str, pid: int, task: Task) -> None:
        """Look at PANE from now on, whose first process is PID and which is TASK's."""
        self.spawn = PaneSpawn(pane, control=line)
        self.pid, self.pane_gone, self.pane_dead = pid, False, False
        self.began = self.last_output = self.shown_since = self.clock()
        self.shown = UNKNOWN
        self.unseen = task.started == task.attempt
        if self.unseen and task.state is not State.STARTING:
            self.began -= BEFORE
        self._watched = not self.unseen
        self._begun = self.unseen and task.state in (State.WAITING, State.IDLE, State.DONE)
        self.told.begin(task.attempt)

    def use(self, backend: Backend) -> None:
        """From now on the CLI is BACKEND's, and a new one."""
        self.backend, self._error = backend, None
        self.told.use(backend)

    def read_by(self, rules: ScreenRules) -> None:
        """From the next look on, its screen is read by RULES."""
        self.backend = replace(self.backend, screen=rules)

    def target(self, patience: float = PATIENCE) -> Target:
        """The pane, ready to be typed into; PATIENCE: for a composer that is free. Raises PaneGone when there is none."""
        if self.spawn is None:
            raise PaneGone("it has no window")
        manner = Manner(self.backend.interactive, self.backend.submit.delay, patience, watched=self._watched)
        return Target(
            self.spawn, self.backend.screen, manner, self.pid, lambda: self.log.bracketed,
            folder=os.path.join(self._own, "inbox"), clear=self.backend.submit.clear,
        )  # fmt: skip

    # --- what it prints (in the thread that reads from tmux)

    def heard(self, data: bytes) -> None:
        """Take DATA, output as it came over the wire."""
        self.last_output = self.clock()
        self._drawn += len(data)
        self.log.add(data)
        self.told.hear(data)
        if self.typing and self.spawn:
            self.spawn.feed(raw(data))

    # --- its screen

    def draws_more_than_usual(self, bytes: int) -> bool:
        """Whether more has come since the last look than twice of what used to come between two, and BYTES more."""
        return self._drawn > 2 * self._usual + bytes

    def look(self, quiet: bool) -> bool:
        """Read the screen. False: it shows a dialogue, but was still being drawn (not QUIET); look again."""
        if self.spawn is None:
            return True
        self._usual, self._drawn = self._usual * 0.8 + self._drawn * 0.2, 0
        try:
            seen = self.spawn.look(joined=self.backend.screen.lines is not None)
        except PaneGone:
            self.pane_gone = True
            return True
        self.unseen = False
        if seen.dead:
            self.pane_dead = True
            return True
        shown = self._remembered(read(self.backend.screen, seen), seen.size)
        if not quiet and shown.shows in ("question", "startup") and mark_of(shown) != self._candidate:
            self._candidate = mark_of(shown)
            return False
        if shown.shows != self.shown.shows or shown.kind != self.shown.kind:
            self.shown_since = self.clock()
            signals = self.told.signals
            signals.turn_over = signals.turn_over and shown.shows in ("ready", "unknown")
        self.shown = shown
        self._read_reset(seen.text)
        self.rows = seen.text if shown.shows == "unknown" else ""
        return True

    def refresh(self) -> None:
        """Look anew: what was seen last is not there any more, though what has come may read alike."""
        self.shown, self._candidate = UNKNOWN, ""
        for _ in range(10):
            if self.look(quiet=False):
                return
            time.sleep(0.03)

    def _read_reset(self, text: str) -> None:
        """Take the time at which a usage limit ends from a screen that tells of one; "in 2 h" counts from the first look."""
        if self.shown.kind != LIMIT:
            self.reset = None
        elif self.reset is None or self.reset.words not in " ".join(plain(text).split()):
            self.reset = limit.reset(self.shown.detail, time.time()) or limit.reset(plain(text), time.time())

    def _remembered(self, shown: Shown, size: tuple[int, int]) -> Shown:
        """SHOWN, or the error that was there until a person's smaller terminal left no room for it."""
        if shown.shows == "error":
            self._error, self._error_size = shown, size
        elif shown.shows in ("busy", "question") or size == self._error_size:
            self._error = None
        return self._error if self._error and shown.shows == "ready" else shown

    def read_told(self) -> None:
        """Take in what the CLI has told since: what its screen shows may be older than that, and has not rested."""
        signals = self.told.signals
        signals.read()
        if signals.stirred:
            signals.stirred, self.shown_since, self._error = False, self.clock(), None
        self.told.read_session()

    def has_begun(self, task: Task) -> bool:
        """Whether TASK's attempt has taken up its prompt; after a while it has lost it, and wants a reminder."""
        signals = self.told.signals
        self._begun = (
            self._begun or self.shown.shows in ("busy", "question", "error") or signals.begun or bool(signals.receipts)
            or not self.backend.interactive or task.adopted
            or 0.0 < processes.claimed(self._own, task.attempt) < time.time() - FIRST_TURN
        )  # fmt: skip
        return self._begun

    def last_lines(self) -> list[str]:
        """What it printed last: from the pane, which tmux keeps, since the end may not have come over the connection yet."""
        try:
            if self.spawn is not None and (shown := self.spawn.history()):
                return shown.split("\n")
        except PaneGone:
            pass
        return self.log.tail().split("\n")
