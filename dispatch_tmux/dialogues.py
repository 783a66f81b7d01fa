"""The dialogues on a worker's screen become questions of its task, with what is needed to answer them without keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch_tmux import answering
from dispatch_tmux.deliver import mark_of
from dispatch_tmux.store import CUT

if TYPE_CHECKING:
    from dispatch_tmux.worker import Worker


class Dialogues:
    """`refs`: question id → the CLI's own id of it, at its door; `hooks`: question id → the hook that waits for its answer."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.refs: dict[str, str] = {}
        self.hooks: dict[str, str] = {}

    def read(self) -> None:
        """Record what has come onto the screen and what has gone: that was answered, or left by whoever sat there."""
        worker = self._worker
        if worker.answering:
            return  # what comes and goes now is our own doing
        shown, task = worker.shown, worker.task
        mark = mark_of(shown) if shown.shows in ("question", "startup") and task.exit_code is None else ""
        for q in task.questions:
            if q.via == "screen" and not q.closed and q.mark != mark:
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
        worker.append("question", f"question:{q}", q=q, via="screen", text=text, choices=choices, type=shown.kind, mark=mark)
