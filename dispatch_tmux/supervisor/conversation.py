"""Talking to a worker: carries out what lies in its inbox, and tells it what is due. Runs in a thread of the worker's."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from dispatch_tmux.backends import briefing, door
from dispatch_tmux.core import limit, plan
from dispatch_tmux.core.delivery import Held, Outcome, Refused, Submitted, Unproven
from dispatch_tmux.core.task import LIMIT, number_of
from dispatch_tmux.errors import DispatchError, PaneGone
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import answer, message
from dispatch_tmux.supervisor.due import Due
from dispatch_tmux.supervisor.worker import Worker

Requests = list[tuple[str, dict[str, Any]]]  # (request id, what is asked for), as Store.requests has them


class Conversation:
    """What is said to WORKER; LOG takes what went wrong with it."""

    def __init__(self, store: Store, worker: Worker, log: Callable[[str], None]) -> None:
        self._store, self._worker, self._log = store, worker, log
        self._may_go_on = False  # its usage limit has ended

    def hold(self, requests: Requests, dues: tuple[Due, ...]) -> bool:
        """Carry out REQUESTS, and what is DUE when there are none. False: not all could be done, try again soon."""
        worker = self._worker
        try:
            self._may_go_on = any(due.kind == "go-on" for due in dues)
            if self._may_go_on:
                self._go_on(speak=not requests)  # else what waits is said now, and says enough
            # what waits for a dialogue waits for its answer
            for rid, request in sorted(requests, key=lambda r: r[1].get("kind") != "choose"):
                if not self._carry_out(rid, request):
                    return False
            for due in dues if not requests else ():
                self._tell(due)
        except PaneGone:
            self._refuse_all()
        except DispatchError as e:
            self._log(f"{worker.id}: {e}")
            return False
        except Exception:  # a bug here must cost one message, and say so, not a worker's whole inbox
            self._log(f"{worker.id}: {traceback.format_exc()}")
            for rid, _ in requests[:1]:
                self._settle(rid, Unproven("dispatch failed inside; supervisor.log has the details"))
        return True

    def _refuse_all(self) -> None:
        """Nothing can be typed into a window that is gone; notes are in the plan all the same."""
        for rid, _ in self._store.requests(self._worker.id):
            self._settle(rid, Refused("its window is gone"))

    def _carry_out(self, rid: str, request: dict[str, Any]) -> bool:
        """Whether the request is settled, one way or the other."""
        worker = self._worker
        status, _ = worker.task.request(rid)
        if status in ("delivered", "undelivered"):
            self._store.drop_request(worker.id, rid)
            return True
        if (why := self._halted()) and (request["kind"] != "choose" or worker.is_stopped()):
            return self._settle(rid, Held(why))
        if request["kind"] == "choose":
            return self._settle(rid, answer.choose(worker, rid, request))
        text = str(request.get("text", ""))
        return self._settle(rid, message.send(worker, rid, briefing.note(text) if request["kind"] == "note" else text))

    def _halted(self) -> str:
        """Why nothing can be said to it now, '' when nothing speaks against it."""
        worker = self._worker
        if worker.is_stopped():
            return f"its program is stopped; `dispatch continue {worker.id}` lets it go on"
        if worker.rests() and not self._may_go_on:
            return f"{worker.task.why}; it is sent when the CLI goes on"
        return ""

    def _settle(self, rid: str, outcome: Outcome) -> bool:
        """Write down what became of the request; False when it is to be tried again."""
        worker = self._worker
        if isinstance(outcome, Held):
            if worker.task.request(rid) != ("held", outcome.why):
                worker.record.append("held", "", rid=rid, how=outcome.why)
            return False
        if isinstance(outcome, Submitted):
            worker.record.append("delivered", f"delivered:{rid}", rid=rid, how=outcome.how)
        else:
            worker.record.append("undelivered", f"undelivered:{rid}", rid=rid, how=outcome.why)
        self._store.drop_request(worker.id, rid)
        door.forget(worker.dir, rid)
        return True

    def _tell(self, due: Due) -> None:
        if due.kind == "nudge":
            self._nudge()
        elif due.kind == "answer":
            for q in due.questions:
                self._tell_answer(q)

    def _nudge(self) -> None:
        """Remind it of the items that are open."""
        worker, task = self._worker, self._worker.task
        number = task.nudges_in_all + 1
        left = [i.text for i in plan.parse(self._store.plan(worker.id)) if i.mark == plan.OPEN]
        outcome = message.send(worker, f"nudge-{number}", briefing.reminder(left[:20]))
        if not isinstance(outcome, Held):
            worker.sight.shown_since = worker.sight.clock()  # the time to the next one begins now
            worker.record.append("nudge", f"nudge:{number}", n=task.nudges + 1)
        if isinstance(outcome, Submitted):
            worker.record.append("delivered", f"delivered:nudge-{number}", rid=f"nudge-{number}")

    def _go_on(self, speak: bool) -> None:
        """Its usage limit has ended: leave the menu that may stand over its composer, and if it is to SPEAK, say so."""
        worker, task = self._worker, self._worker.task
        rid = f"nudge-limit-{task.states}-{task.told_on + 1}"
        worker.record.append("go-on", f"go-on:{rid}")  # first: whoever is killed over it tries again, and not at once
        if asked := next((q for q in task.open_questions if q.kind == LIMIT), None):
            waits = [c for c in asked.choices if limit.WAITS.search(c.label)]
            if len(waits) != 1:
                return  # a person has to choose: it may cost something
            request = {"q": asked.id, "keys": [waits[0].key], "answer": waits[0].label}
            outcome = answer.choose(worker, f"{rid}-menu", request)
            if not isinstance(outcome, Submitted):
                self._log(f"{worker.id}: the menu of its usage limit is still there: {outcome.why}")
                return
        if speak and isinstance(message.send(worker, rid, briefing.GO_ON), Submitted):
            worker.record.append("delivered", f"delivered:{rid}", rid=rid)

    def _tell_answer(self, q: str) -> None:
        """Type the answer to the question file Q, whose worker went idle without reading it."""
        worker = self._worker
        asked = worker.task.question(q)
        text = briefing.late_answer(number_of(q), (asked.answer if asked else "") or "")
        outcome = message.send(worker, f"answer-{q}", text)
        if isinstance(outcome, Submitted | Unproven):
            self._settle(f"answer-{q}", outcome)
            worker.record.append("closed", f"closed:{q}", q=q, how="answered")
