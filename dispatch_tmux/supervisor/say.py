"""How a message reaches a live session: the CLI's own door where it has one, else the keyboard, else the CLI's own queue.

Each way is written down before it is taken, so that a supervisor that is killed in between never says a thing twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch_tmux.backends import door, sessions
from dispatch_tmux.backends.signals import digest
from dispatch_tmux.core import delivery
from dispatch_tmux.core import state as states
from dispatch_tmux.core.delivery import Held, Outcome, Submitted, Unproven
from dispatch_tmux.store import processes
from dispatch_tmux.supervisor import deliver

if TYPE_CHECKING:
    from dispatch_tmux.core.task import Event
    from dispatch_tmux.supervisor.worker import Worker


def say(worker: Worker, rid: str, text: str) -> Outcome:
    """Bring TEXT into the live session as one message; after a crash, go on where the record of RID stops."""
    ways = [e for e in worker.store.events(worker.id) if e.kind == "delivering" and e.data.get("rid") == rid]
    last = ways[-1].data.get("by", "keyboard") if ways else ""
    text = delivery.clean(text)
    if last == "queue":
        worker.said_before = ways[-1].data.get("said", 0)
        if worker.said(text) > worker.said_before:
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
    worker.append("delivering", f"door:{rid}", rid=rid, by="door")
    return door.hand_over(worker.dir, rid, {"do": "prompt", "text": text})


def _by_keyboard(worker: Worker, rid: str, text: str, begun: Event | None) -> Outcome:
    body = delivery.clean(worker.backend.protected(text))
    worker.said_before = begun.data.get("said", 0) if begun else 0

    def before(seen: int) -> None:
        worker.said_before = worker.said(body)  # the receipt of the same words sent earlier proves nothing
        worker.append("delivering", f"delivering:{rid}", rid=rid, by="keyboard", echoed=seen, said=worker.said_before)

    echoed = begun.data.get("echoed") if begun else None
    target = worker.target(0.0) if worker.task.request(rid)[0] == "held" else worker.target()
    if not rid.startswith("nudge-"):  # a reminder is not worth what a person may be about to change
        ours = delivery.squeezed(states.REMINDER)  # one that a dialogue came over
        target = target._replace(
            was_sent=lambda held: held.startswith(ours) or worker.signals.receipts[digest(held)] > 0
        )
    return deliver.deliver(target, body, before=before, resumed=echoed, interrupted=begun is not None)


def _into_the_queue(worker: Worker, rid: str, text: str) -> Outcome | None:
    """Where the composer is not free: by the CLI's own command for it, if it has one and knows the session. Tried once."""
    process = processes.launched(worker.own, worker.task.attempt)
    env = processes.environment(process[0]) if process and worker.backend.queue else None
    session = sessions.of(worker.backend, worker.dir, env) if env else ""
    if not env or not session:
        return None
    worker.append("delivering", f"queue:{rid}", rid=rid, by="queue", said=worker.said(text))
    outcome = door.queue(worker.backend.queue, session, text, env, worker.task.cwd)
    if outcome is None:
        worker.append("delivering", f"queue-not:{rid}", rid=rid, by="nothing")
    return outcome
