"""How a message reaches a live worker: the CLI's own door where it has one, else the keyboard, else the CLI's own queue.

Each way is written down before it is taken, so that a supervisor that is killed in between never says a thing twice.
"""

from __future__ import annotations

from typing import Any

from dispatch_tmux.backends import briefing, door, sessions
from dispatch_tmux.backends.signals import digest
from dispatch_tmux.core import delivery, echo
from dispatch_tmux.core.delivery import Before, Held, Left, Outcome, Submitted, Unproven
from dispatch_tmux.core.shown import Composer
from dispatch_tmux.core.task import Event
from dispatch_tmux.store import processes
from dispatch_tmux.supervisor import deliver
from dispatch_tmux.supervisor.worker import Worker


def send(worker: Worker, rid: str, text: str) -> Outcome:
    """Bring TEXT to WORKER as one message; after a crash, go on where the journal says that the request RID was.

    Raises PaneGone when its window is gone, TmuxError when tmux does not answer.
    """
    ways = [e for e in worker.record.events() if e.kind == "delivering" and e.data.get("rid") == rid]
    last = ways[-1].data.get("by", "keyboard") if ways else ""
    text = delivery.clean(text)
    if last == "queue":
        if worker.told.times_taken(text) > ways[-1].data.get("said", 0):
            return Submitted("the CLI's own receipt")
        return Unproven("dispatch was interrupted while handing it to the CLI's queue")
    if last in ("", "door") and (outcome := _at_the_door(worker, rid, text)):
        return outcome
    log = _Log(worker, rid, len(ways), ways[-1] if last == "keyboard" else None)
    outcome = _by_keyboard(worker, rid, text, log)
    if isinstance(outcome, Held) and last in ("", "door") and not log.begun:
        return _into_the_queue(worker, rid, text) or outcome
    return outcome


def _at_the_door(worker: Worker, rid: str, text: str) -> Outcome | None:
    if not door.is_open(worker.dir):
        return None
    worker.record.append("delivering", f"door:{rid}", rid=rid, by="door")
    return door.hand_over(worker.dir, rid, {"do": "prompt", "text": text})


class _Log:
    """What the journal has of the delivery of request RID by the keyboard: N events so far, the last one BEGUN, if it is one.

    Its steps have keys of their own: a message may be held after a paste, and then there is another try.
    """

    def __init__(self, worker: Worker, rid: str, n: int, begun: Event | None) -> None:
        self._worker, self._rid, self._n = worker, rid, n
        self.begun = dict(begun.data) if begun else {}

    def left(self) -> Left | None:
        """How far a delivery has come that was interrupted."""
        if not self.begun:
            return None
        before = Before(self.begun.get("echoed"), self.begun.get("run_on", 0), bool(self.begun.get("queued")))
        return Left(before, bool(self.begun.get("entering")))

    @property
    def said(self) -> int:
        """How often the CLI had told before that it took the message: that receipt proves nothing."""
        return int(self.begun.get("said", 0))

    def begin(self, body: str, before: Before) -> None:
        said = self._worker.told.times_taken(body)
        self._write({"by": "keyboard", **before._asdict(), "said": said})

    def enter(self) -> None:
        if not self.begun.get("entering"):
            self._write({**self.begun, "entering": True})

    def hold(self) -> None:
        """It was pasted and something came over it: Enter was not pressed."""
        if self.begun.get("entering"):
            self._write({**self.begun, "entering": False})

    def forget(self) -> None:
        """Nothing was typed."""
        self._write({"by": "nothing"})
        self.begun = {}

    def _write(self, data: dict[str, Any]) -> None:
        self.begun = {**data, "rid": self._rid}
        self._worker.record.append("delivering", f"delivering:{self._rid}:{self._n}", **self.begun)
        self._n += 1


def _by_keyboard(worker: Worker, rid: str, text: str, log: _Log) -> Outcome:
    told = worker.told
    body = delivery.clean(worker.backend.protected(text))
    target = worker.sight.target(0.0) if worker.task.request(rid)[0] == "held" else worker.sight.target()
    target = target._replace(receipt=lambda sent: told.times_taken(sent) > log.said)
    if not rid.startswith("nudge-"):  # a reminder is not worth what a person may be about to change
        target = target._replace(was_sent=lambda held: _is_ours(worker, held))
    steps = deliver.Log(lambda before: log.begin(body, before), log.enter, log.forget)
    outcome = deliver.deliver(target, body, log=steps, left=log.left())
    if isinstance(outcome, Held):
        log.hold()
    elif isinstance(outcome, Unproven):
        worker.unproven = echo.squeezed(body)
    return outcome


def _is_ours(worker: Worker, held: str) -> bool:
    """Whether HELD, a composer's text, was sent or typed by us: a reminder that a dialogue came over, what Enter did not send."""
    ours = echo.squeezed(briefing.REMINDER)
    left = echo.holds(worker.unproven, Composer(held)) is echo.Holds.WHOLE
    return left or held.startswith(ours) or worker.told.signals.receipts[digest(held)] > 0


def _into_the_queue(worker: Worker, rid: str, text: str) -> Outcome | None:
    """Where the composer is not free: by the CLI's own command for it, if it has one and knows the session. Tried once."""
    process = processes.launched(worker.own, worker.task.attempt)
    env = processes.environment(process[0]) if process and worker.backend.queue else None
    session = sessions.of(worker.backend, worker.dir, env) if env else ""
    if not env or not session:
        return None
    worker.record.append("delivering", f"queue:{rid}", rid=rid, by="queue", said=worker.told.times_taken(text))
    outcome = door.queue(worker.backend.queue, session, text, env, worker.task.cwd)
    if outcome is None:
        worker.record.append("delivering", f"queue-not:{rid}", rid=rid, by="nothing")
    return outcome
