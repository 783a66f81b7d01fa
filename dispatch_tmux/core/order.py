"""What a person asks for: a task, with its times as people write them. Pure."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import NamedTuple

from dispatch_tmux.errors import UsageProblem


class Order(NamedTuple):
    """What `run` was asked."""

    prompt: str
    id: str = ""
    items: tuple[str, ...] = ()
    plan: str = ""  # the whole text of a plan, instead of items
    context: str = ""
    cwd: str = ""
    permissions: str = ""
    title: str = ""
    group: str = ""
    priority: int = 0
    after: tuple[tuple[str, str], ...] = ()  # (task id, schedule.DONE or ANY)
    worktree: str = ""  # a branch; "-": one named after the task; "": no worktree
    base: str = ""  # where the worktree's branch begins, else the current HEAD
    timeout: float = 0.0  # seconds of running after which it is brought to the person; 0: as configured
    deadline: float = 0.0  # the same as a time, seconds since the epoch
    stop_late: bool = False  # end it then

    def mark(self, model: str) -> str:
        """What tells this order, run by MODEL, from any other."""
        said = json.dumps([*self._replace(deadline=0.0), model], ensure_ascii=False)
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:20]

    @property
    def name(self) -> str:
        """The title of the task that comes of it."""
        return " ".join((self.title or self.prompt).split())[:200]


def seconds(text: str) -> float:
    """'90', '90s', '30m', '2h', '1d' as seconds. Raises UsageProblem."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number = text[:-1] if text[-1:] in units else text
    try:
        value = float(number) * units.get(text[-1:], 1)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise UsageProblem(f"{text!r} is no length of time", hint="as in 90s, 30m, 2h, 7d")
    return value


def moment(text: str, now: float) -> float:
    """'17:30' (the next one), '2026-11-21 17:30' or '+2h' as seconds since the epoch. Raises UsageProblem."""
    if text.startswith("+"):
        return now + seconds(text[1:])
    here = datetime.fromtimestamp(now)
    try:
        if len(text) <= 5:
            clock = datetime.strptime(text, "%H:%M")
            found = here.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
            return (found if found > here else found + timedelta(days=1)).timestamp()
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise UsageProblem(f"{text!r} is no time", hint="as in 17:30, '2026-11-21 17:30' or +2h") from None


def past(text: str, now: float) -> float:
    """'30m' (ago), '17:30' (the last one), '2026-11-21' or '2026-11-21 17:30' as seconds since the epoch. Raises UsageProblem."""
    try:
        return now - seconds(text)
    except UsageProblem:
        pass
    try:
        found = moment(text.removeprefix("+"), now)
    except UsageProblem:
        raise UsageProblem(f"{text!r} is no time", hint="as in 30m, 17:30 or '2026-11-21 17:30'") from None
    return (datetime.fromtimestamp(found) - timedelta(days=1)).timestamp() if len(text) <= 5 and found > now else found
