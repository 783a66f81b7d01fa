"""One worker under supervision: gathers its signs, records what they amount to, and says what is to be done.

Everything here can be lost at any moment: what matters is in the journal, and is derived again.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch_tmux.backends import sessions
from dispatch_tmux.backends.signals import Signals, digest
from dispatch_tmux.core import causes, plan, schedule
from dispatch_tmux.core import state as states
from dispatch_tmux.core.delivery import Manner
from dispatch_tmux.core.shown import UNKNOWN, Shown
from dispatch_tmux.core.state import Limits, Signs, Verdict
from dispatch_tmux.core.task import RUNNING, State, Task, fold
from dispatch_tmux.errors import PaneGone
from dispatch_tmux.screen import read as screen
from dispatch_tmux.store import processes
from dispatch_tmux.store.store import CUT, Asked, Store
from dispatch_tmux.supervisor.deliver import Target, mark_of
from dispatch_tmux.supervisor.dialogues import STRANGE, Dialogues
from dispatch_tmux.supervisor.notes import KeptNotes
from dispatch_tmux.supervisor.terminal_log import TerminalLog
from dispatch_tmux.tmux.control import raw
from dispatch_tmux.tmux.pane import PaneSpawn

if TYPE_CHECKING:
    from dispatch_tmux.backends.load import Backend
    from dispatch_tmux.tmux.connection import Line

SWITCH = 20.0  # seconds within which a retry puts its request; it ends processes before
FIRST_TURN = 30.0  # seconds within which a CLI takes up the prompt it was started with
TOLD = 0.03  # seconds that a composer has to be there once the CLI has said that its turn is over; a redraw may show it for less
KEEP = 1.0  # seconds between two writings of what a CLI has used
PATIENCE = 1.5  # seconds a message waits for a ready composer before it is said to be held


class Due(NamedTuple):
    """What a worker needs now: `nudge`, `answer` (data: question ids, typed late), `restart`, `fallback` or `stop`."""

    kind: str
    data: tuple[str, ...] = ()


class Worker:
    """The supervised side of task ID. `look` is called when its screen may have changed, `review` for anything."""

    def __init__(
        self, store: Store, id: str, backend: Backend, limits: Limits, clock: Callable[[], float] = time.monotonic
    ):
        self.store, self.id, self.backend, self.limits, self.clock = store, id, backend, limits, clock
        self.dir, self.own = store.path(id), store.own(id)
        self.task: Task = fold(id, ())
        self._journal_size = -1
        self.log = TerminalLog(os.path.join(self.own, "terminal.log"))
        self.spawn: PaneSpawn | None = None
        self.pid = 0
        self.typing = False  # a thread delivers into the pane now
        self.answering = False  # … and is in the middle of a dialogue
        self.pane_gone = self.pane_dead = False
        self.shown, self.rows = UNKNOWN, ""  # what its screen shows; its rows, where no rule knows them
        self._candidate = ""
        self._error: Shown | None = None  # what its screen showed last, if that was an error; and how large it was
        self._error_size = (0, 0)
        now = clock()
        self.shown_since = self.last_output = self.began = now
        self.looked_at = 0.0
        self.unseen = False  # we come back to it, and have not looked at it yet: nothing is known of its screen
        self.begun = False
        self.signals = Signals(self.dir, backend.signals)
        self.record: sessions.Record | None = None
        self._record_lock = threading.Lock()
        self.dialogues = Dialogues(self)
        self.said_before = 0  # as `said`, when the delivery under way began
        self._kept, self._kept_at = self.signals.usage, -math.inf  # what usage.json has
        self.recheck_at: float | None = None
        self.notes = KeptNotes(store, id, clock)
        self.instead: Callable[[], list[str]] = list  # models that could take over, for a failure's record
        self.next_model: Callable[[], str] = str  # the one that does so by itself
        self.timeout, self.late_in = 0.0, math.inf  # as configured; seconds until it is over its time
        self._ran, self._ran_on = 0.0, False
        self._ran_at: float | None = None
        self._falling, self.fell = "", 0  # who takes over; from which attempt
        self.refresh()

    # --- what there is

    def refresh(self) -> Task:
        """The task as the journal has it now."""
        try:
            size = os.stat(os.path.join(self.own, "journal.jsonl")).st_size
        except FileNotFoundError:
            size = 0
        if size != self._journal_size:
            self.task, self._journal_size = self.store.task(self.id), size
        return self.task

    def append(self, kind: str, key: str = "", **data: Any) -> bool:
        written = self.store.append(self.id, kind, key, **data)
        self.refresh()
        return written

    @property
    def pane(self) -> str:
        return self.spawn.pane if self.spawn else ""

    def attach(self, line: Line, pane: str, pid: int) -> None:
        """Supervise PANE, whose first process is PID."""
        self.spawn = PaneSpawn(pane, control=line)
        self.pid, self.pane_gone, self.pane_dead = pid, False, False
        self.began = self.last_output = self.shown_since = self.clock()
        self.shown, self.signals.turn_over = UNKNOWN, False
        self.unseen = self.task.started == self.task.attempt
        self.begun = self.unseen and self.task.state in (State.WAITING, State.IDLE, State.DONE)
        self.record = sessions.Record(self.backend, self.dir, self.own, self.task.attempt)

    def use(self, backend: Backend) -> None:
        """From now on the CLI is BACKEND's, and a new one."""
        self.backend, self.signals, self._error = backend, Signals(self.dir, backend.signals), None

    def target(self, patience: float = PATIENCE) -> Target:
        """The pane, ready to be typed into; PATIENCE: for a composer that is free. Raises PaneGone when there is none."""
        if self.spawn is None:
            raise PaneGone(f"{self.id} has no window")
        manner = Manner(self.backend.interactive, self.backend.submit.delay, patience)
        return Target(
            self.spawn, self.backend.screen, manner, self.pid, lambda: self.log.bracketed, self._has_receipt,
            os.path.join(self.own, "inbox"), clear=self.backend.submit.clear,
        )  # fmt: skip

    def _has_receipt(self, body: str) -> bool:
        return self.said(body) > self.said_before

    def said(self, body: str) -> int:
        """How often the CLI has told that it took BODY."""
        self._read_record()
        return self.signals.receipts[digest(body)]

    # --- what comes from tmux (the reader's thread)

    def heard(self, data: bytes) -> None:
        self.last_output = self.clock()
        self.log.add(data)
        if b"\\033]" in data:  # an escape sequence of the kind that tells a state, as tmux writes it
            self.signals.hear(raw(data))
        if self.typing and self.spawn:
            self.spawn.feed(raw(data))

    # --- the screen

    @property
    def is_due(self) -> bool:
        """Whether its screen may be just about to show what its CLI has told."""
        return time.monotonic() - self.signals.told_at < 0.5

    def look(self, quiet: bool) -> bool:
        """Read the screen. False: it shows a dialogue, but was still being drawn; look again."""
        if self.spawn is None:
            return True
        self.looked_at = self.clock()
        try:
            seen = self.spawn.look()
        except PaneGone:
            self.pane_gone = True
            return True
        self.unseen = False
        if seen.dead:
            self.pane_dead = True
            return True
        shown = self._remembered(
            screen.look(self.backend.screen, seen.text, title=seen.title, cursor=seen.cursor), seen.size
        )
        if not quiet and shown.shows in ("question", "startup") and mark_of(shown) != self._candidate:
            self._candidate = mark_of(shown)
            return False
        if shown.shows != self.shown.shows or shown.kind != self.shown.kind:
            self.shown_since = self.clock()
            self.signals.turn_over = self.signals.turn_over and shown.shows in ("ready", "unknown")
        self.shown = shown
        self.rows = seen.text if shown.shows == "unknown" else ""
        return True

    def _remembered(self, shown: Shown, size: tuple[int, int]) -> Shown:
        """SHOWN, or the error that was there until a person's smaller terminal left no room for it."""
        if shown.shows == "error":
            self._error, self._error_size = shown, size
        elif shown.shows in ("busy", "question") or size == self._error_size:
            self._error = None
        return self._error if self._error and shown.shows == "ready" else shown

    # --- the verdict

    def review(self) -> tuple[Due, ...]:
        """Look at everything but the screen, write down what is new, and say what is to be done."""
        self.refresh()
        if not self.task.created or self.task.released:
            return ()
        self.signals.read()
        if self.signals.stirred:  # its screen may not show it yet: what it shows has not rested
            self.signals.stirred, self.shown_since, self._error = False, self.clock(), None
        self._read_record()
        self._read_plan()
        self._read_questions()
        self._read_flags()
        self._read_exit()
        self.shown = self.dialogues.seen()
        signs = self._signs()
        if self.unseen and signs.alive is not False:
            return ()
        self.dialogues.read()
        if not self.task.attempt or (self.task.started < self.task.attempt and signs.exit_code is None):
            return ()  # not launched yet
        verdict = states.derive(signs, self.limits)
        self._record(verdict, signs)
        dues = self._too_late() or self._dues(signs)
        if self.notes.look_at is not None:
            self.recheck_at = min(self.recheck_at or math.inf, self.notes.look_at)
        return dues

    def _signs(self) -> Signs:
        now, task = self.clock(), self.task
        running = processes.running(self.own, task.attempt, task.pid if task.started == task.attempt else 0)
        over = task.exit_code is not None
        gone = self.pane_gone or self.pane_dead or self.spawn is None  # None: closed before we took it up
        asked = next((q.id for q in task.open_questions if q.via == "file"), "")
        settled = now - self.shown_since
        return Signs(
            alive=not (over or (gone and running is False)),
            exit_code=task.exit_code,
            stopping=task.stopping,
            open_question=asked,
            marks=task.marks,
            done_marker=self.store.is_marked_done(self.id),
            shows=self.shown.shows,
            kind=self.shown.kind,
            detail=self.shown.detail,
            said=task.said,
            cause=task.ended_by,
            has_screen_rules=self.backend.interactive,
            settled=max(settled, self.limits.settle) if self.signals.turn_over and settled >= TOLD else settled,
            quiet=now - self.last_output,
            age=now - self.began,
            nudges=task.nudges,
            begun=self._has_begun(),
            rested=settled,
        )

    def _has_begun(self) -> bool:
        """Whether this attempt has taken up its prompt; after a while it has lost it, and wants a reminder."""
        self.begun = (
            self.begun or self.shown.shows in ("busy", "question", "error") or self.signals.begun or bool(self.signals.receipts)
            or not self.backend.interactive or self.task.adopted
            or 0.0 < processes.claimed(self.own, self.task.attempt) < time.time() - FIRST_TURN
        )  # fmt: skip
        return self.begun

    def _record(self, verdict: Verdict, signs: Signs) -> None:
        task = self.task
        self._falling = ""
        if task.switch_to > task.attempt:
            return  # the attempt that ends here is of no interest any more
        if verdict.state is State.FAILED and verdict.cause:
            if self.fell == task.attempt:
                return  # another model is taking over
            if other := self.next_model():
                self._falling = other  # not a failure that anybody has to know of: it is mended
                why = f"{task.model}: {causes.SAID[verdict.cause]}; {other} takes over"
                verdict = Verdict(State.STARTING, why)
        if (verdict.state, verdict.why, verdict.surfaced) != (task.state, task.why, task.surfaced):
            extra: dict[str, Any] = {"why": verdict.why} if verdict.why else {}
            if verdict.surfaced:
                extra["surfaced"] = True
            extra["signs"] = _evidence(signs)
            if verdict.cause:
                extra.update(
                    cause=verdict.cause, instead=self.instead(), hint=self.backend.hints.get(verdict.cause, "")
                )
            self.append("state", f"state:{task.states + 1}", state=verdict.state.value, **extra)

    def _too_late(self) -> tuple[Due, ...]:
        """Say once that it is over its time, and when to look again."""
        self.late_in = math.inf
        if self.task.ended:
            return ()
        late = schedule.late(self.task, self._running_time(), self.timeout, time.time())
        self.late_in = late.left
        if late.key:
            self.append("late", f"late:{late.key}", why=late.why)
        if not (self.task.stop_late and self.task.late) or self.task.stopping:
            return ()
        if processes.launched(self.own, self.task.attempt) is None:
            self.late_in = 0.1  # its launch line has only just begun
            return ()
        return (Due("stop"),)

    def _running_time(self) -> float:
        """Seconds that it has run. On our own clock, which stands still while the machine sleeps (S14); what was before
        we took it up is known by the journal's times only.
        """
        now, running = self.clock(), self.task.state in RUNNING
        if self._ran_at is None:
            self._ran = self.task.ran + (max(0.0, time.time() - self.task.since) if running else 0.0)
        elif self._ran_on:
            self._ran += now - self._ran_at
        self._ran_at, self._ran_on = now, running
        return self._ran

    def _dues(self, signs: Signs) -> tuple[Due, ...]:
        """What is to be done, and when to look at the clock again."""
        task, limits = self.task, self.limits
        self.recheck_at = None
        if task.state is State.BLOCKED and self._answered_unread() and task.exit_code is not None:
            return (Due("restart"),)
        if task.switch_to > task.attempt:
            left = task.switched + SWITCH - time.time()
            self.recheck_at = self.clock() + max(left, 0.0) + 0.05
            return () if 0 < left <= SWITCH else (Due("restart"),)  # whoever began this died over it
        if self._falling:
            return (Due("fallback"),)
        if signs.alive is False:
            return ()
        if states.nudge_due(signs, task.state, limits) and self.backend.interactive and not task.requests_open:
            return (Due("nudge"),)
        if task.state is State.IDLE and self.backend.interactive and (late := self._answered_unread()):
            return (Due("answer", late),)
        self.recheck_at = self._recheck(signs)
        again = self.last_output + STRANGE + 0.05
        if signs.shows == "unknown" and self.backend.screen.composer and again > self.clock():
            self.recheck_at = min(self.recheck_at or again, again)
        if self.late_in < math.inf:
            again = self.clock() + max(self.late_in, 0.0) + 0.05
            self.recheck_at = min(self.recheck_at or again, again)
        return ()

    def _recheck(self, signs: Signs) -> float | None:
        """When, on our clock, time alone may make another verdict."""
        task, limits = self.task, self.limits
        if signs.shows == "ready" and signs.settled < limits.settle:
            rest = TOLD if self.signals.turn_over else limits.settle
            return self.clock() + rest - signs.settled + 0.01
        if task.state is State.IDLE and not task.surfaced and " " in task.marks:
            return self.shown_since + (limits.settle if not task.nudges else limits.nudge) + 0.05
        if task.state is State.STARTING:
            soon = self.began + limits.settle + 0.05
            return soon if soon > self.clock() else self.clock() + 1.0
        if task.marks and " " not in task.marks and not task.ended:
            return self.clock() + limits.settle
        if task.state is State.WORKING and not task.surfaced:
            return self.last_output + limits.quiet + 1
        return None

    def _answered_unread(self) -> tuple[str, ...]:
        """File questions that have an answer which the worker has not acknowledged."""
        return tuple(q.id for q in self.task.questions if q.via == "file" and q.answer is not None and not q.closed)

    # --- reading

    def _read_record(self) -> None:
        """What the CLI has written into its own record since; what it tells of its work is kept for `status`."""
        with self._record_lock:
            for line in self.record.news(self.clock()) if self.record else ():
                self.signals.learn(line, self.backend.sessions.takes)
        used, now = self.signals.usage, self.clock()
        if used != self._kept and (now - self._kept_at >= KEEP or used.tool != self._kept.tool):
            self._kept, self._kept_at = used, now
            sessions.keep(self.own, used)

    def _read_plan(self) -> None:
        text = self.store.plan(self.id)
        if not self.task.ended or (self.task.state is State.DONE and self.task.exit_code is None):
            self.notes.keep(text, self.task.notes)  # a worker that is done and runs may write its copy once more
        items = plan.parse(text)
        now, before = plan.marks(items), self.task.marks
        if now == before or not items:
            return  # a plan that vanished for a moment is being rewritten
        changed = [item for i, item in enumerate(items) if before[i : i + 1] != item.mark]
        said = [{"item": item.text[:200], "mark": item.mark} for item in changed[:20]]
        self.append("progress", f"progress:{self.task.progress + 1}", marks=now, changed=said)

    def _read_questions(self) -> None:
        for asked in self.store.asked(self.id):
            known = self.task.question(asked.q)
            if known is None:
                self.append(
                    "question", f"question:{asked.q}", q=asked.q, via="file", text=_cut(asked) or "(an empty question)",
                    choices=[list(choice) for choice in asked.choices],
                )  # fmt: skip
            if asked.answered and (known is None or known.answer is None):
                answer = self.store.answer_of(self.id, asked.q) or ""
                self.append("answer", f"answer:{asked.q}", q=asked.q, answer=answer[:CUT], by="file")
            if asked.acknowledged and (known is None or not known.closed):
                self.append("closed", f"closed:{asked.q}", q=asked.q, how="answered")

    def _read_flags(self) -> None:
        for number, text in self.store.flags(self.id):
            if f"flag:{number}" not in self.task.keys:
                self.append("flag", f"flag:{number}", text=text or "(an empty flag)")

    def _read_exit(self) -> None:
        task = self.task
        if task.exit_code is None and task.attempt:
            code = self.store.exit_code(self.id, task.attempt)
            if code is not None:
                last = self._last_words(code) if code else {}
                self.append("exited", f"exited:{task.attempt}", code=code, attempt=task.attempt, **last)

    def _last_words(self, code: int) -> dict[str, str]:
        """What the program printed last, and the cause that this tells."""
        rules = [(rule.kind, rule.line) for rule in self.backend.causes]
        found = causes.cause(self._last_lines(), code, rules)
        return {name: value for name, value in (("said", found.line), ("cause", found.kind)) if value}

    def _last_lines(self) -> list[str]:
        """From the pane, which tmux keeps: the end of the output may not have come over the connection yet."""
        try:
            if self.spawn is not None and (shown := self.spawn.history()):
                return shown.split("\n")
        except PaneGone:
            pass
        return self.log.tail().split("\n")


def _evidence(signs: Signs) -> dict[str, Any]:
    """What a verdict rests on, without what says nothing."""
    plain = Signs()
    found = {name: value for name, value in signs._asdict().items() if value != getattr(plain, name)}
    return {
        name: round(value, 1) if isinstance(value, float) else value for name, value in found.items() if name != "said"
    }


def _cut(asked: Asked) -> str:
    """The beginning of a long question; its file has the rest, and that is said."""
    return asked.text if len(asked.text) <= CUT else f"{asked.text[:CUT]}\n… (the rest is in ipc/{asked.q}.question)"
