"""When one receiver is told what: the first event at once, a burst gathered, one cause once, nothing while quiet. Pure.

Two clocks are passed in: NOW, seconds since the epoch, says what is quiet; TICK, seconds of a clock that nobody puts back,
what is to be waited for.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence

from dispatch_tmux.core.alerts import ALL_DONE, Entry, Item, Message, all_done_mark
from dispatch_tmux.core.task import State

SETTLE = 0.03  # seconds that the first event waits for those that come with it
GATHER = 5.0  # seconds after a message in which others gather for the next one
SAME = 60.0  # seconds for which one cause is known, from the last of its events on
UNNAMED = 600.0  # the same for a usage limit whose end nobody has named
NEAR = 900.0  # seconds that two words for the end of one limit may differ by
REST, LONGEST = 5.0, 900.0  # seconds until a receiver that failed is tried again: the first pause, and the longest
LOOK = 300.0  # seconds after which the clock on the wall is looked at again: a machine may have slept

Told = dict[str, list[str]]  # task id → the marks of what counts as told; '' for what is of no task


class Post:
    """What one receiver is to be told, by its ENTRIES. TOLD: what it has been told; what is older than SINCE is no news.

    ZONE: of the quiet hours, by default the system's.
    """

    def __init__(
        self, entries: Sequence[Entry], told: Mapping[str, Iterable[str]], since: float = 0.0,
        *, zone: datetime.tzinfo | None = None,
    ) -> None:  # fmt: skip
        self.entries, self.since, self._zone = tuple(entries), since, zone
        self.told: dict[str, dict[str, None]] = {id: dict.fromkeys(marks) for id, marks in told.items()}
        self.failures = 0  # in a row
        self._pending: dict[str, Item] = {}
        self._known: dict[str, tuple[float, dict[str, Item]]] = {}  # cause → until when (of NOW), and who had it
        self._more: dict[str, int] = {}  # cause that was told → how many have had it since
        self._busy = False
        self._settled = self._next = 0.0  # in ticks

    def change(self, entries: Sequence[Entry]) -> None:
        """Go by ENTRIES from now on; what waits and none of them wants is never told."""
        self.entries = tuple(entries)
        unwanted = [item for item in self._pending.values() if not self._entries(item)]
        for item in unwanted:
            del self._pending[item.mark]
        self.drop(unwanted)

    def is_told(self, item: Item) -> bool:
        return item.mark in self.told.get(item.task, ())

    def take(self, item: Item, now: float, tick: float) -> bool:
        """Take ITEM in; whether what counts as told has changed: an event that no entry wants is none later, either."""
        if item.mark in self._pending:
            return False
        if self.is_told(item):
            self._remember(item, item.at)
            return False
        if not any(entry.wants(item) for entry in self.entries):
            self._tell(item)
            return True
        if not self._pending:
            self._settled = tick + SETTLE
        self._pending[item.mark] = item
        return False

    def drop(self, items: Iterable[Item]) -> None:
        """Count ITEMS as told."""
        for item in items:
            self._tell(item)

    def wait(self, now: float, tick: float) -> float | None:
        """Seconds until there may be a message; None: nothing is to be told."""
        if self._busy or not self._pending:
            return None
        ready = max(self._settled, self._next) - tick
        if not all(self._is_quiet(item, now) for item in self._pending.values()):
            return max(0.0, ready)
        over = min(self._over(item, now) for item in self._pending.values()) - now
        return min(max(0.0, ready, over), LOOK)

    def cut(self, now: float, tick: float, stands: Callable[[Item], bool]) -> Message | None:
        """The message that is due; all in it counts as told. What does not stand any more (STANDS) is left out for good."""
        if self._busy or tick < max(self._settled, self._next):
            return None
        ready = [item for item in self._pending.values() if not self._is_quiet(item, now)]
        for item in ready:
            del self._pending[item.mark]
        standing = [item for item in ready if stands(item)]
        quiet = frozenset(item.mark for item in standing if self._is_quiet(item, item.at))
        before = frozenset(item.mark for item in standing if item.at < self.since) - quiet
        kept, fresh = [], []
        for item in standing:
            if item.mark in quiet | before:
                kept.append(item)
            elif self._is_known(item, now, stands):
                if item.kind != State.LIMITED.value:  # that says it for all
                    self._more[item.cause] = self._more.get(item.cause, 0) + 1
                self._tell(item)
                self._remember(item, now)
            else:
                fresh.append(item)
        for item in [*kept, *fresh]:
            self._tell(item)
            self._remember(item, now)
        if not kept and not fresh:
            return None
        more, self._more = tuple(self._more.items()), {}
        self._busy, self._next = True, tick + GATHER
        return Message((*kept, *fresh), quiet, before, more)

    def over(self, tick: float) -> None:
        """The message that was cut has gone out."""
        self._busy, self.failures = False, 0

    def failed(self, message: Message, tick: float, *, again: bool) -> None:
        """It has not, or nobody knows. AGAIN: it certainly has not, and what stands of it is to be told later."""
        self._busy = False
        self.failures += 1
        self._next = tick + min(REST * 2 ** min(self.failures - 1, 20), LONGEST)
        if not again:
            return
        for item in message.items:
            self.told.get(item.task, {}).pop(item.mark, None)
            self._pending[item.mark] = item
            self._known.pop(item.cause, None)
        for cause, number in message.more:
            self._more[cause] = self._more.get(cause, 0) + number

    def as_told(self) -> Told:
        return {id: list(marks) for id, marks in self.told.items() if marks}

    def _tell(self, item: Item) -> None:
        marks = self.told.setdefault(item.task, {})
        if item.kind == ALL_DONE:  # the last one says it for those before
            for former in [mark for mark in marks if mark.startswith(all_done_mark(item.group))]:
                del marks[former]
        marks[item.mark] = None

    def _entries(self, item: Item) -> list[Entry]:
        return [entry for entry in self.entries if entry.wants(item)]

    def _is_quiet(self, item: Item, at: float) -> bool:
        return all(entry.quiet and entry.quiet.covers(at, self._zone) for entry in self._entries(item))

    def _over(self, item: Item, now: float) -> float:
        return min((entry.quiet.over(now, self._zone) for entry in self._entries(item) if entry.quiet), default=now)

    # --- one cause

    def _remember(self, item: Item, at: float) -> None:
        """ITEM was told AT that time: who has the same cause after it says nothing new."""
        if not item.cause:
            return
        until, who = self._known.get(item.cause, (0.0, {}))
        limit = item.kind == State.LIMITED.value
        lasts = max(item.until, at + (UNNAMED if limit and not item.until else SAME))
        self._known[item.cause] = max(until, lasts), {**who, item.mark: item}

    def _is_known(self, item: Item, now: float, stands: Callable[[Item], bool]) -> bool:
        """Whether its cause was told, and still holds for one who had it: whoever looks after that one sees this one, too."""
        until, who = self._known.get(item.cause, (0.0, {}))
        if now >= until:
            self._known.pop(item.cause, None)
            return False
        if item.kind == State.LIMITED.value:
            return item.until <= until + NEAR  # a weekly limit after the usual one is news
        return any(stands(each) for each in who.values())
