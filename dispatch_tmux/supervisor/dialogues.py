"""The dialogues on a worker's screen become questions of its task, with what is needed to answer them without keys.

What a dialogue looks like is in each backend's YAML (`screen:`), read by `screen/read.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dispatch_tmux.backends import hook as answering
from dispatch_tmux.backends.signals import Asked
from dispatch_tmux.core.echo import squeezed
from dispatch_tmux.core.shown import Choice, Shown
from dispatch_tmux.core.task import NOBODY_KNOWS
from dispatch_tmux.core.text import clean
from dispatch_tmux.store.question_files import CUT
from dispatch_tmux.supervisor.due import STRANGE
from dispatch_tmux.supervisor.record import TaskRecord
from dispatch_tmux.supervisor.sight import Sight
from dispatch_tmux.supervisor.target import field_of, is_same, mark_of

OWN = "An answer of your own"
HIDDEN = (
    1.0  # seconds that a hook may wait without its dialogue on the screen: some show that only once the hook has ended
)


class Dialogues:
    """`refs`: question id → the CLI's own id of it, at its door; `hooks`: question id → the hook that waits for its answer.

    `answering`: a thread is in the middle of a dialogue; what comes and goes on the screen is our own doing. `hidden`: a hook waits
    whose dialogue is not on the screen.
    """

    def __init__(self, sight: Sight, record: TaskRecord) -> None:
        self._sight, self._record = sight, record
        self.refs: dict[str, str] = {}
        self.hooks: dict[str, str] = {}
        self.answering = False
        self.hidden = False

    def seen(self) -> Shown:
        """What the worker's screen shows, made whole by what its CLI tells; one that nobody knows and that rests is a question."""
        sight = self._sight
        if self.answering or sight.unseen:
            return sight.shown
        shown = whole(sight.shown, sight.told.signals.asked)
        known = shown.shows != "unknown" or sight.backend.screen.composer is None
        if known or sight.clock() - sight.last_output < STRANGE:
            return shown
        rows = [row for row in clean(sight.rows, 20_000).splitlines() if row.strip()]
        return Shown("question", NOBODY_KNOWS, "\n".join(rows[-12:])) if rows else shown

    def read(self) -> None:
        """Record what has come onto the screen and what has gone: that was answered, or left by whoever sat there."""
        if self.answering:
            return
        shown, task, dir = self._sight.shown, self._record.task, self._record.dir
        mark = mark_of(shown) if shown.shows in ("question", "startup") and task.exit_code is None else ""
        asked = self._sight.told.signals.asked
        for q in task.questions:
            ref = self.refs.get(q.id, "")
            taken = q.answer is not None and ref and ref not in asked  # another that asks alike may stand there now
            asks_still = mark and ((is_same(shown, q.mark, field_of(q)) and not taken) or ref in asked)
            if q.via == "screen" and not q.closed and not asks_still:
                how = "answered" if q.answer is not None else "left"
                self._record.append("closed", f"closed:{q.id}", q=q.id, how=how)
                if hook := self.hooks.pop(q.id, ""):
                    answering.release(dir, hook)
        if not mark:
            self.hidden = answering.release_old(dir, HIDDEN if task.exit_code is None else 0.0)
        if mark and not any(q.via == "screen" and not q.closed for q in self._record.task.questions):
            self._ask(mark)

    def answered(self, q: str, answer: str, rid: str, *, seen_gone: bool) -> None:
        """Record that the request RID answered Q; SEEN_GONE: its dialogue is not on the screen any more."""
        self._record.append("answer", f"answer:{q}", q=q, answer=answer, by="person", rid=rid)
        if not seen_gone:
            return  # `read` sees it go
        self._record.append("closed", f"closed:{q}", q=q, how="answered")
        if hook := self.hooks.pop(q, ""):
            answering.release(self._record.dir, hook)
        self._sight.refresh()

    def _ask(self, mark: str) -> None:
        shown, signals = self._sight.shown, self._sight.told.signals
        q = f"s{sum(1 for q in self._record.task.questions if q.via == 'screen') + 1}"
        text = "\n".join(filter(None, [shown.question, shown.detail]))
        if len(signals.asked) == 1:  # else nobody can say which of them is on the screen
            self.refs[q] = next(iter(signals.asked))
        if hook := signals.hook_of(text):
            self.hooks[q] = hook
        choices = [[c.key, c.label, c.text] for c in shown.choices]
        if hook and not any(c.text for c in shown.choices) and answering.takes_words(signals.hooks.get(hook, {})):
            choices.append([str(len(choices) + 1), OWN, True])
        text = text[:CUT] or f"a {shown.kind} dialogue is open"
        more = {"more": True, "numbers": shown.numbered} if shown.scrolled else {}
        self._record.append(
            "question",
            f"question:{q}",
            q=q,
            via="screen",
            text=text,
            choices=choices,
            type=shown.kind,
            mark=mark,
            **more,
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
