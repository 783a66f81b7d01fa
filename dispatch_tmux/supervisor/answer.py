"""How an answer reaches the dialogue that asked: the hook that waits for it, the CLI's own door, else keys on the screen."""

from __future__ import annotations

from typing import Any

from dispatch_tmux.backends import door, hook
from dispatch_tmux.core.delivery import Outcome, Refused, Submitted, Unproven
from dispatch_tmux.core.task import Choice, Question
from dispatch_tmux.errors import PaneGone
from dispatch_tmux.supervisor import press
from dispatch_tmux.supervisor.steps import Steps, Stop
from dispatch_tmux.supervisor.target import field_of
from dispatch_tmux.supervisor.worker import Worker


def choose(worker: Worker, rid: str, request: dict[str, Any]) -> Outcome:
    """Carry out the request RID: give question `q` the choices `keys` (as the dialogue names them) or the words `text`.

    Raises PaneGone when the worker's window is gone, TmuxError when tmux does not answer.
    """
    q = worker.task.question(str(request["q"]))
    began = worker.task.request(rid)[0] == "delivering"
    if q is None or q.closed or q.answer is not None:
        return _late(q, rid, began)
    worker.record.append("delivering", f"delivering:{rid}", rid=rid)
    keys = tuple(str(k) for k in request.get("keys", ()))
    text = str(request.get("text", ""))
    worker.dialogues.answering = True
    try:
        at_door = _at_door(worker, rid, q, keys, text)
        label = str(request.get("label", ""))
        outcome = at_door or _by_hook(worker, q, keys, text) or _by_keys(worker, q, keys, text, label)
        if isinstance(outcome, Submitted):
            given = outcome.chosen or str(request.get("answer", ""))
            worker.dialogues.answered(q.id, given, rid, seen_gone=at_door is None)
        return outcome
    finally:
        worker.dialogues.answering = False


def _late(q: Question | None, rid: str, began: bool) -> Outcome:
    """What becomes of an answer to a question that is not open any more."""
    if q is not None and q.answer is not None:
        if q.answered_by == rid:
            return Submitted("the dialogue is gone")
        return Refused(f"it was answered a moment ago: {q.answer[:200]}")
    if began:
        return Unproven("dispatch was stopped while it answered, and the dialogue has gone since: look what was taken")
    return Refused("that question is not open any more")


def _at_door(worker: Worker, rid: str, q: Question, keys: tuple[str, ...], text: str) -> Outcome | None:
    """Hand the answer in where the CLI itself takes answers; None when it does not, or not this one."""
    ref, places = worker.dialogues.refs.get(q.id), _places(q, keys, text)
    if q.id in worker.dialogues.hooks or not ref or not (places or text) or not door.is_open(worker.dir):
        return None
    return door.hand_over(worker.dir, rid, {"do": "answer", "id": ref, "choices": places, "text": text})


def _places(q: Question, keys: tuple[str, ...], text: str) -> list[int]:
    """Which of the choices are wanted, 1 the first."""
    return [n for n, c in enumerate(q.choices, 1) if c.key in keys and not (c.text and text)]


def _by_hook(worker: Worker, q: Question, keys: tuple[str, ...], text: str) -> Outcome | None:
    """Answer the hook that waits for it; None when none does, or not for this."""
    waiting = worker.dialogues.hooks.get(q.id, "")
    payload = worker.told.signals.hooks.get(waiting)
    reply = hook.reply(payload, [c.label for c in q.choices], _places(q, keys, text), text) if payload else None
    if not reply:
        return None
    steps = Steps(worker.sight.target(), q.mark, field_of(q))
    try:
        steps.begin()
    except Stop as end:
        return end.outcome
    if not hook.send(worker.dir, waiting, reply):
        return None
    if steps.goes():
        return Submitted("its own hook answered")
    return Unproven("its own hook has the answer, and the dialogue is still on the screen")


def _by_keys(worker: Worker, q: Question, keys: tuple[str, ...], text: str, label: str) -> Outcome:
    try:
        target = worker.sight.target()
        known = {c.key: c for c in q.choices}
        wanted = tuple(known.get(key) or Choice(key, "") for key in keys) + ((Choice("", label),) if label else ())
        if worker.backend.screen.lines is not None and not q.is_drawn:
            return press.line(Steps(target, q.mark, field_of(q)), q, text)
        return press.answer(Steps(target, q.mark, field_of(q)), q, wanted, text)
    except Stop as end:
        return end.outcome
    except PaneGone:
        return Refused("the program has ended")
