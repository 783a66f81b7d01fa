"""What is written down of a worker: its task's journal as it is now, and what its files say that is new.

Everything else that the supervisor knows can be lost at any moment; it is derived again, and a key is never written twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from dispatch_tmux.core import plan
from dispatch_tmux.core.fold import fold
from dispatch_tmux.core.limit import Reset
from dispatch_tmux.core.state import Signs, Verdict
from dispatch_tmux.core.task import Event, State, Task
from dispatch_tmux.store import question_files
from dispatch_tmux.store.question_files import CUT, MOST_OPEN, Found
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor.notes import KeptNotes

AT_ONCE = 20  # question files of one worker that are taken up in one look


class TaskRecord:
    """The journal of task ID in STORE, folded anew when it has grown."""

    def __init__(self, store: Store, id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self.id = store, id
        self.dir, self.own, self._tree = store.path(id), store.own(id), store.tree(id)
        self.task: Task = fold(id, ())
        self._size = -1
        self.folders = [self.own, *(os.path.join(self.dir, name) for name in ("ipc", "signals"))]
        self.folders += [self.dir, os.path.join(self.own, "inbox")]
        self._journal = os.path.join(self.own, "journal.jsonl")
        self._places = [*self.folders, os.path.join(self.dir, "plan.md"), self._journal]
        self._times: tuple[int, ...] = ()
        self._flags: set[str] = set()  # numbers of those that are written down
        self.has_more = False  # there are more question files than were read at once
        self.is_marked_done = False  # whether the worker has said, when it was read last, that it is done with all
        self.notes = KeptNotes(store, id, clock)
        self.refresh()

    def refresh(self) -> Task:
        """The task as the journal has it now."""
        size = self._journal_size()
        if size != self._size:
            self.task, self._size = self._store.task(self.id), size
        return self.task

    def has_grown(self) -> bool:
        """Whether the journal is not what it was when it was read last."""
        return self._journal_size() != self._size

    def _journal_size(self) -> int:
        try:
            return os.stat(self._journal).st_size
        except FileNotFoundError:
            return 0

    def is_touched(self) -> bool:
        """Whether a file of the task has come, gone or changed since they were read last. Looks at times only."""
        return self._times != tuple(map(_time, self._places))

    def append(self, kind: str, key: str = "", **data: Any) -> bool:
        """Write an event down; False when its KEY is there already. Raises DispatchError when the disk does not take it."""
        written = self._store.append(self.id, kind, key, **data)
        self.refresh()
        return written

    def events(self) -> list[Event]:
        return self._store.events(self.id)

    # --- what is new

    def read(self, last_words: Callable[[int], dict[str, str]]) -> None:
        """Write down what is new in the plan, in the question files and flags, and an exit.

        LAST_WORDS gives what the program said at its end and why it ended, for an exit code that is not 0.
        """
        self.has_more = False
        times, self._times = tuple(map(_time, self._places)), ()
        self.is_marked_done = self._store.is_marked_done(self.id)  # before the plan, which is written before it
        self._read_plan()
        self._read_questions()
        self._read_flags()
        self._read_exit(last_words)
        self._times = times  # as they were before: what came meanwhile is read the next time

    def _read_plan(self) -> None:
        text = self._store.plan(self.id)
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
        left, open_ = AT_ONCE, len(self.task.open_questions)
        for file in question_files.there(self._tree, self.task.questions):
            if not file.has_news:
                continue
            if not left:
                self.has_more = True  # the other workers have their turn first
                break
            if file.before or file.answered or file.former or open_ < MOST_OPEN:
                left -= 1
                open_ += not (file.before or file.answered)
                self._read_question(file)

    def _read_question(self, file: Found) -> None:
        """Write down what is new of the question in FILE."""
        q, before = file.id, file.before
        if before is None:
            asked = question_files.read(self._tree, file)
            if asked is None:
                return
            question_files.put_aside_stale(self._tree, q)
            self._store.write_question(self.id, asked.as_question())
            self.refresh()
        if file.answered and (before is None or before.answer is None):
            answer = self._store.answer_of(self.id, q) or ""
            self.append("answer", f"answer:{q}", q=q, answer=answer[:CUT], by="file")
        if file.acknowledged and (before is None or not before.closed):
            self.append("closed", f"closed:{q}", q=q, how="answered")

    def _read_flags(self) -> None:
        for number, text in self._store.flags(self.id):
            if number not in self._flags:
                self.append("flag", f"flag:{number}", text=text or "(an empty flag)")
                self._flags.add(number)

    def _read_exit(self, last_words: Callable[[int], dict[str, str]]) -> None:
        task = self.task
        if task.exit_code is None and task.attempt:
            code = self._store.exit_code(self.id, task.attempt)
            if code is not None:
                said = last_words(code) if code else {}
                self.append("exited", f"exited:{task.attempt}", code=code, attempt=task.attempt, **said)

    def write_state(
        self, verdict: Verdict, signs: Signs, *, instead: Sequence[str] = (), hint: str = "", reset: Reset | None = None
    ) -> None:
        """Write down the state that VERDICT says and the SIGNS it was read from.

        INSTEAD: models that could take over from one that failed; HINT: what to do about the cause; RESET: when a usage
        limit ends.
        """
        extra: dict[str, Any] = {"why": verdict.why} if verdict.why else {}
        if verdict.surfaced:
            extra["surfaced"] = True
        extra["signs"] = _evidence(signs)
        if verdict.cause:
            extra.update(cause=verdict.cause, instead=list(instead), hint=hint)
        if verdict.state is State.LIMITED and reset:
            extra.update(resets=reset.at, zone=reset.zone)
        self.append("state", f"state:{self.task.states + 1}", state=verdict.state.value, **extra)


def _time(path: str) -> int:
    """When PATH changed, in nanoseconds; 0 when it is not there."""
    try:
        return os.stat(path, follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def _evidence(signs: Signs) -> dict[str, Any]:
    """What a verdict was read from, without what says nothing."""
    plain = Signs()
    found = {name: value for name, value in signs._asdict().items() if value != getattr(plain, name)}
    return {
        name: round(value, 1) if isinstance(value, float) else value for name, value in found.items() if name != "said"
    }
