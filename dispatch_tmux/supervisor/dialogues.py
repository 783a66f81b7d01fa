"""The dialogues on a worker's screen become questions of its task, with what is needed to answer them without keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch_tmux.backends import hook as answering
from dispatch_tmux.core.delivery import squeezed
from dispatch_tmux.core.shown import Choice, Shown
from dispatch_tmux.core.task import NOBODY_KNOWS
from dispatch_tmux.core.text import clean
from dispatch_tmux.store.store import CUT
from dispatch_tmux.supervisor.deliver import mark_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatch_tmux.backends.signals import Asked
    from dispatch_tmux.supervisor.worker import Worker

STRANGE = 15.0  # seconds that a screen rests which no rule knows; whatever works draws something
OWN = "An answer of your own"


class Dialogues:
    """`refs`: question id → the CLI's own id of it, at its door; `hooks`: question id → the hook that waits for its answer."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.refs: dict[str, str] = {}
        self.hooks: dict[str, str] = {}

    def seen(self) -> Shown:
        """What the worker's screen shows, made whole by what its CLI tells; one that nobody knows and that rests is a question."""
        worker = self._worker
        if worker.answering or worker.unseen:
            return worker.shown
        shown = whole(worker.shown, worker.signals.asked)
        known = shown.shows != "unknown" or worker.backend.screen.composer is None
        if known or worker.clock() - worker.last_output < STRANGE:
            return shown
        rows = [row for row in clean(worker.rows, 20_000).splitlines() if row.strip()]
        return Shown("question", NOBODY_KNOWS, "\n".join(rows[-12:])) if rows else shown

    def read(self) -> None:
        """Record what has come onto the screen and what has gone: that was answered, or left by whoever sat there."""
        worker = self._worker
        if worker.answering:
            return  # what comes and goes now is our own doing
        shown, task = worker.shown, worker.task
        mark = mark_of(shown) if shown.shows in ("question", "startup") and task.exit_code is None else ""
        for q in task.questions:
            asks_still = q.mark == mark or (mark and self.refs.get(q.id) in worker.signals.asked)
            if q.via == "screen" and not q.closed and not asks_still:
                worker.append("closed", f"closed:{q.id}", q=q.id, how="answered" if q.answer is not None else "left")
                if hook := self.hooks.pop(q.id, ""):
                    answering.release(worker.dir, hook)
        if not mark:
            answering.release_old(worker.dir, 3.0 if task.exit_code is None else 0.0)
        if mark and not any(q.via == "screen" and not q.closed for q in worker.task.questions):
            self._ask(mark)

    def _ask(self, mark: str) -> None:
        worker, shown = self._worker, self._worker.shown
        q = f"s{sum(1 for q in worker.task.questions if q.via == 'screen') + 1}"
        text = "\n".join(filter(None, [shown.question, shown.detail]))
        if len(worker.signals.asked) == 1:  # else nobody can say which of them is on the screen
            self.refs[q] = next(iter(worker.signals.asked))
        if hook := worker.signals.hook_of(text):
            self.hooks[q] = hook
        choices = [[c.key, c.label, c.text] for c in shown.choices]
        text = text[:CUT] or f"a {shown.kind} dialogue is open"
        worker.append(
            "question", f"question:{q}", q=q, via="screen", text=text, choices=choices, type=shown.kind, mark=mark
        )


def whole(shown: Shown, asked: Mapping[str, Asked]) -> Shown:
    """What is SHOWN, or, where a low screen has no room for all of it, what the CLI says that it asks."""
    if len(asked) != 1 or shown.shows not in ("question", "unknown"):
        return shown
    (told,) = asked.values()
    if not told.choices or {squeezed(label) for label in told.choices} <= {squeezed(c.label) for c in shown.choices}:
        return shown
    choices = tuple(Choice(str(n), label) for n, label in enumerate(told.choices, 1))
    own = () if told.fixed else (Choice(str(len(choices) + 1), OWN, text=True),)
    return Shown("question", "multi" if told.multiple else "choice", told.question, (*choices, *own))
