"""One worker under supervision: what is seen of it, what is written down of it, and what is due.

    sight.py ─ told.py ─▶ ┐                                     ┌─▶ record.py: the journal
    dialogues.py ───────▶ ├─▶ core/state.py: what is it doing? ─┤
    record.py ──────────▶ ┘                                     └─▶ due.py: what does it need now?

All of it can be lost at any moment: what matters is in the journal, and the rest is derived again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from dispatch_tmux.backends.load import Backend
from dispatch_tmux.core import causes, limit, schedule
from dispatch_tmux.core import state as states
from dispatch_tmux.core.shown import SUSPENDED
from dispatch_tmux.core.state import Limits, Signs, Verdict
from dispatch_tmux.core.task import LIMIT, State, Task
from dispatch_tmux.store import processes
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import due
from dispatch_tmux.supervisor.dialogues import HIDDEN, Dialogues
from dispatch_tmux.supervisor.due import Due, Facts
from dispatch_tmux.supervisor.halt import Stopped
from dispatch_tmux.supervisor.record import TaskRecord
from dispatch_tmux.supervisor.running_time import RunningTime
from dispatch_tmux.supervisor.sight import Sight
from dispatch_tmux.supervisor.told import Told
from dispatch_tmux.tmux.connection import Line


class Worker:
    """The supervised side of task ID. `look` (of `sight`) is for a screen that may have changed, `review` for anything.

    TIMEOUT: seconds of running that are given to a task without a time of its own, 0: any. INSTEAD: models that could
    take over, for the record of a failure. NEXT_MODEL: the one that does so by itself, or ''; given whether it is a usage limit
    that stopped this one.
    """

    def __init__(
        self,
        store: Store,
        id: str,
        backend: Backend,
        limits: Limits,
        *,
        timeout: float = 0.0,
        instead: Callable[[], list[str]] = list,
        next_model: Callable[[bool], str] = lambda limited: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self.record = TaskRecord(store, id, clock)
        self.sight = Sight(backend, self.record.dir, self.record.own, clock)
        self.dialogues = Dialogues(self.sight, self.record)
        self.review_at: float | None = None  # when to review it although nothing has happened
        self.asked = False  # there were requests when it was reviewed last
        self.falling_from = 0  # the attempt from which another model is taking over
        self.unproven = ""  # the message, without blanks, that was typed last and may stand in the composer
        self._limits, self._timeout, self._clock = limits, timeout, clock
        self._instead, self._next_model = instead, next_model
        self._running_time = RunningTime()
        self._stopped = Stopped(clock)
        self._marked_at: float | None = None  # when it was seen first that it calls its plan done

    # --- what others ask of it

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def dir(self) -> str:
        return self.record.dir

    @property
    def own(self) -> str:
        return self.record.own

    @property
    def task(self) -> Task:
        """As the journal had it when it was read last."""
        return self.record.task

    @property
    def backend(self) -> Backend:
        return self.sight.backend

    @property
    def told(self) -> Told:
        return self.sight.told

    def is_stopped(self) -> bool:
        """Whether its program is stopped (Ctrl-Z, SIGSTOP), or says that it is: it lives, and does nothing."""
        task = self.task
        if self.sight.shown.kind == SUSPENDED and not self.sight.has_no_pane:
            return True
        if task.exit_code is not None or not task.attempt:
            return False
        process = processes.launched(self.own, task.attempt)
        return self._stopped.now(process[0] if process else task.pid if task.started == task.attempt else 0)

    def rests(self) -> bool:
        """Whether it is at its usage limit, and it is not time yet to tell it to go on."""
        task = self.task
        at_limit = task.state is State.LIMITED and self.sight.shown.kind == LIMIT
        return at_limit and time.time() < limit.goes_on_at(task, self._limits.limited)

    def attach(self, line: Line, pane: str, pid: int) -> None:
        """Supervise PANE, whose first process is PID."""
        self.sight.attach(line, pane, pid, self.task)

    # --- the verdict

    def review(self, files: bool = True) -> tuple[Due, ...]:
        """Look at everything but the screen, write down what is new, and say what is due.

        FILES: also at the files of the task; not where only its screen has changed.
        """
        self.record.refresh()
        if not self.task.created or self.task.released:
            return ()
        if not self.task.attempt:
            self._write_unasked()
        self.sight.read_told()
        if files:
            self.record.read(self._last_words)
        stopped = self.is_stopped()
        if not stopped:  # else what a shell or the CLI says of that stands there
            self.sight.shown = self.dialogues.seen()
        signs = self._signs(stopped)
        if self.sight.unseen and signs.alive is not False:
            return ()
        if not stopped:
            self.dialogues.read()
        if not self.task.attempt or (self.task.started < self.task.attempt and signs.exit_code is None):
            return ()  # not launched yet
        fallback = self._write_state(states.derive(signs, self._limits), signs)
        late_in = self._write_late()
        found = due.after(self._facts(signs, fallback, late_in), self._limits)
        more = self._clock() if self.record.has_more else None
        hidden = self._clock() + HIDDEN if self.dialogues.hidden else None
        again = [when for when in (found.again_at, self.record.notes.again_at, more, hidden) if when is not None]
        self.review_at = min(again, default=None)
        return found.dues

    def _signs(self, stopped: bool) -> Signs:
        now, task, sight = self._clock(), self.task, self.sight
        is_marked = self.record.is_marked_done
        self._marked_at = (now if self._marked_at is None else self._marked_at) if is_marked else None
        pid = task.pid if task.started == task.attempt else 0
        over = task.exit_code is not None
        ended = over or (sight.has_no_pane and processes.running(self.own, task.attempt, pid) is False)
        rested = now - sight.shown_since
        is_over = self.told.signals.turn_over and rested >= due.REDRAW
        return Signs(
            alive=not ended,
            exit_code=task.exit_code,
            stopping=task.stopping,
            open_question=next((q.id for q in task.open_questions if q.via == "file"), ""),
            marks=task.marks,
            suspended=stopped,
            done_marker=is_marked,
            marked=now - self._marked_at if self._marked_at is not None else 0.0,
            shows=sight.shown.shows,
            kind=sight.shown.kind,
            detail=sight.shown.detail,
            said=task.said,
            cause=task.ended_by,
            resets=sight.reset.words if sight.reset else "",
            background=self.told.signals.background,
            has_screen_rules=self.backend.interactive,
            settled=max(rested, self._limits.settle) if is_over else rested,
            quiet=now - sight.last_output,
            age=now - sight.began,
            nudges=task.nudges,
            begun=sight.has_begun(task),
            rested=rested,
        )

    def _write_state(self, verdict: Verdict, signs: Signs) -> str:
        """Write VERDICT down if it is news; returns the model that takes over from one that failed ('': none)."""
        task, fallback = self.task, ""
        if task.switch_to > task.attempt:
            return ""  # the attempt that ends here is of no interest any more
        if verdict.state in (State.FAILED, State.LIMITED) and verdict.cause:
            if self.falling_from == task.attempt:
                return ""  # another model is taking over
            if fallback := self._next_model(
                verdict.state is State.LIMITED
            ):  # not a failure that anybody has to know of: it is mended
                why = f"{task.model}: {causes.SAID[verdict.cause]}; {fallback} takes over"
                verdict = Verdict(State.STARTING, why)
        if (verdict.state, verdict.why, verdict.surfaced) != (task.state, task.why, task.surfaced):
            instead = self._instead() if verdict.cause else ()
            hint = self.backend.hints.get(verdict.cause, "")
            self.record.write_state(verdict, signs, instead=instead, hint=hint, reset=self.sight.reset)
        return fallback

    def _write_unasked(self) -> None:
        """Write down that nobody asks for the first start any more: whoever wrote the task died before that."""
        task = self.task
        if task.state is not State.QUEUED or task.stopping or self._store.requests(self.id):
            return
        left = max(task.created, task.switched) + due.UNASKED - time.time()
        if left > 0:
            self.review_at = self._clock() + left + due.MARGIN
            return
        why = f"it was never started: the command was interrupted; dispatch retry {self.id} starts it"
        self.record.append("state", f"state:{task.states + 1}", state=State.FAILED.value, why=why)

    def _write_late(self) -> float:
        """Write down, once, that it is over its time; returns the seconds until it will be."""
        if self.task.ended:
            return math.inf
        wall = time.time()
        ran = self._running_time.of(self.task, self._clock(), wall)
        late = schedule.late(self.task, ran, self._timeout, wall)
        if late.key:
            self.record.append("late", f"late:{late.key}", why=late.why)
        return late.left

    def _facts(self, signs: Signs, fallback: str, late_in: float) -> Facts:
        task, sight = self.task, self.sight
        stops = due.is_to_be_stopped(task)
        return Facts(
            task=task,
            signs=signs,
            now=self._clock(),
            wall=time.time(),
            interactive=self.backend.interactive,
            has_composer_rule=self.backend.screen.composer is not None,
            turn_over=self.told.signals.turn_over,
            shown_since=sight.shown_since,
            last_output=sight.last_output,
            began=sight.began,
            late_in=late_in,
            launched=not stops or processes.launched(self.own, task.attempt) is not None,
            fallback=fallback,
            again_at=self.review_at,
        )

    def _last_words(self, code: int) -> dict[str, str]:
        """What the program printed last before it ended with CODE, and the cause that this tells."""
        rules = [(rule.kind, rule.line) for rule in self.backend.causes]
        found = causes.cause(self.sight.last_lines(), code, rules)
        return {name: value for name, value in (("said", found.line), ("cause", found.kind)) if value}
