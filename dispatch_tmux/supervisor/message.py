"""How a message reaches a live worker: the CLI's own door where it has one, else the keyboard, else the CLI's own queue.

Each way is written down before it is taken, so that a supervisor that is killed in between never says a thing twice.
"""

from __future__ import annotations

from dispatch_tmux.backends import door, sessions
from dispatch_tmux.backends.signals import digest
from dispatch_tmux.core import delivery
from dispatch_tmux.core import state as states
from dispatch_tmux.core.delivery import Held, Outcome, Submitted, Unproven
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
    outcome = _by_keyboard(worker, rid, text, ways[-1] if last == "keyboard" else None)
    if isinstance(outcome, Held) and last in ("", "door"):
        return _into_the_queue(worker, rid, text) or outcome
    return outcome


def _at_the_door(worker: Worker, rid: str, text: str) -> Outcome | None:
    if not door.is_open(worker.dir):
        return None
    worker.record.append("delivering", f"door:{rid}", rid=rid, by="door")
    return door.hand_over(worker.dir, rid, {"do": "prompt", "text": text})


def _by_keyboard(worker: Worker, rid: str, text: str, begun: Event | None) -> Outcome:
    told = worker.told
    body = delivery.clean(worker.backend.protected(text))
    taken = begun.data.get("said", 0) if begun else 0  # how often before: that receipt proves nothing

    def before(seen: int) -> None:
        nonlocal taken
        taken = told.times_taken(body)
        worker.record.append("delivering", f"delivering:{rid}", rid=rid, by="keyboard", echoed=seen, said=taken)

    target = worker.sight.target(0.0) if worker.task.request(rid)[0] == "held" else worker.sight.target()
    target = target._replace(receipt=lambda sent: told.times_taken(sent) > taken)
    if not rid.startswith("nudge-"):  # a reminder is not worth what a person may be about to change
        ours = delivery.squeezed(states.REMINDER)  # one that a dialogue came over
        target = target._replace(was_sent=lambda held: held.startswith(ours) or told.signals.receipts[digest(held)] > 0)
    echoed = begun.data.get("echoed") if begun else None
    return deliver.deliver(target, body, before=before, resumed=echoed, interrupted=begun is not None)


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
