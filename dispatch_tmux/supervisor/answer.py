"""How an answer reaches the dialogue that asked: the hook that waits for it, the CLI's own door, else keys on the screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dispatch_tmux.backends import door, hook
from dispatch_tmux.core import delivery
from dispatch_tmux.core.delivery import Outcome, Refused, Seen, Submitted, Unproven
from dispatch_tmux.core.task import Question
from dispatch_tmux.errors import PaneGone
from dispatch_tmux.supervisor.target import Target, look, mark_of
from dispatch_tmux.supervisor.worker import Worker


def choose(worker: Worker, rid: str, request: dict[str, Any]) -> Outcome:
    """Carry out the request RID: give question `q` the choices `keys` (as the dialogue names them) or the words `text`.

    Raises PaneGone when the worker's window is gone, TmuxError when tmux does not answer.
    """
    q = worker.task.question(str(request["q"]))
    if q is None or q.closed:
        answered = q is not None and q.answer is not None
        return Submitted("the dialogue is gone") if answered else Refused("that question is not open any more")
    worker.record.append("delivering", f"delivering:{rid}", rid=rid)
    keys = tuple(str(k) for k in request.get("keys", ()))
    text = str(request.get("text", ""))
    worker.dialogues.answering = True
    try:
        outcome = _without_keys(worker, rid, q, keys, text) or _by_keys(worker, q, keys, text)
        if isinstance(outcome, Submitted):
            answer = str(request.get("answer", ""))
            worker.record.append("answer", f"answer:{q.id}", q=q.id, answer=answer, by="person")
        return outcome
    finally:
        worker.dialogues.answering = False


def _without_keys(worker: Worker, rid: str, q: Question, keys: tuple[str, ...], text: str) -> Outcome | None:
    """Answer where the CLI itself takes answers; None when it does not, or not this one."""
    ref = worker.dialogues.refs.get(q.id)
    places = [n for n, c in enumerate(q.choices, 1) if c.key in keys and not (c.text and text)]
    if waiting := worker.dialogues.hooks.get(q.id):
        return _by_hook(worker, waiting, q, places, text)
    if not ref or not (places or text) or not door.is_open(worker.dir):
        return None
    return door.hand_over(worker.dir, rid, {"do": "answer", "id": ref, "choices": places, "text": text})


def _by_hook(worker: Worker, waiting: str, q: Question, places: list[int], text: str) -> Outcome | None:
    payload = worker.told.signals.hooks.get(waiting)
    reply = hook.reply(payload, [c.label for c in q.choices], places, text) if payload else None
    if not reply or not _is_on_screen(worker.sight.target(), q.mark) or not hook.send(worker.dir, waiting, reply):
        return None
    return Submitted("its own hook answered") if _goes(worker.sight.target(), q.mark) else None


def _by_keys(worker: Worker, q: Question, keys: tuple[str, ...], text: str) -> Outcome:
    fields = tuple(c.key for c in q.choices if c.text) if text else ()
    target = worker.sight.target()
    if q.kind == "multi" and not text:
        if not _tick(target, q.mark, keys):
            return Unproven("its list does not take the choices")
        keys = ()
    return press(target, q.mark, worker.backend.screen.presses(q.kind, keys, fields), text)


# --- the keys of a dialogue


def press(target: Target, mark: str, keys: tuple[str, ...], text: str, *, patience: float = 5.0) -> Outcome:
    """Answer the dialogue MARK on the screen: press KEYS, type TEXT (and Enter) if any, see the dialogue go.

    Safe to repeat after a crash: a dialogue that is gone was answered, one that is there was not.
    """
    seen = look(target)
    if seen.dead or seen.shell:
        return Refused("the program has ended")
    if _is_gone(seen, mark):
        return Refused("that dialogue is not on the screen any more")
    if seen.in_mode:
        target.pane.leave_mode()
    try:
        for n, key in enumerate(keys):
            if n:
                _pause(target)
            target.pane.keys(key)
        if text and not _type(target, text, opened=bool(keys)):
            return Unproven("no place to type the answer showed")
    except PaneGone:
        return Refused("the program has ended")
    if _goes(target, mark, patience):
        return Submitted("the dialogue is gone")
    return Unproven("the dialogue is still on the screen")


def _type(target: Target, text: str, *, opened: bool) -> bool:
    """Type TEXT and Enter; False when there is no place for it. OPENED: keys were pressed that open one."""
    if opened and not _comes_to(target, lambda s: s.shown.shows == "question", 2.0):
        return False
    pane = target.pane
    pane.paste(delivery.clean(text).replace("\n", " "), folder=target.folder)
    pane.wait_change(pane.changes, 0.15)
    time.sleep(target.manner.pause if target.manner.composer else 0)
    pane.keys("Enter")
    return True


def _tick(target: Target, mark: str, wanted: tuple[str, ...]) -> bool:
    """Leave just WANTED ticked in the list MARK on the screen, whatever is ticked there now. False: it does not take it."""
    for _ in range(3):
        seen = look(target)
        wrong = [c.key for c in seen.shown.choices if not c.text and bool(c.ticked) != (c.key in wanted)]
        if not wrong or _is_gone(seen, mark):
            return not wrong
        for key in wrong:
            target.pane.keys(key)
            _pause(target)
    return False


def _pause(target: Target) -> None:
    """Between two keys: some lose the second one when it comes at once (an Enter after an arrow key, Gemini)."""
    time.sleep(target.manner.pause if target.manner.composer else 0.02)


def _is_on_screen(target: Target, mark: str) -> bool:
    """Whether the dialogue MARK is there now."""
    seen = look(target)
    return not seen.dead and not _is_gone(seen, mark)


def _goes(target: Target, mark: str, patience: float = 5.0) -> bool:
    """Whether the dialogue MARK goes within PATIENCE seconds."""
    return _comes_to(target, lambda s: s.dead or _is_gone(s, mark), patience)


def _is_gone(seen: Seen, mark: str) -> bool:
    return seen.shown.shows not in ("question", "startup") or mark_of(seen.shown) != mark


def _comes_to(target: Target, wanted: Callable[[Seen], bool], seconds: float) -> bool:
    """Whether the screen shows what is WANTED within so many SECONDS."""
    end = time.monotonic() + seconds
    while True:
        changes = target.pane.changes
        if wanted(look(target)):
            return True
        if time.monotonic() > end:
            return False
        target.pane.wait_change(changes, 0.1)
