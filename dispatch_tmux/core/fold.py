"""What the events of a journal amount to: a table of steps, one a kind of event. docs/files.md lists the kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch_tmux.core.task import HELD, RUNNING, Choice, Event, Question, State, Task, former_of

Facts = dict[str, Any]
Questions = dict[str, Question]
Requests = dict[str, tuple[str, str]]


class Fold:
    """The events of a journal, taken in one after the other; `task` is what they amount to so far.

    Unknown kinds are kept for later versions and skipped, and so is an event that is damaged: the rest counts.
    One that was kept goes on from its `parts`.
    """

    def __init__(
        self,
        id: str,
        facts: Facts | None = None,
        questions: Questions | None = None,
        requests: Requests | None = None,
        keys: set[str] | None = None,
    ) -> None:
        self._id = id
        self._facts: Facts = facts or {}
        self._questions: Questions = questions or {}
        self._requests: Requests = requests or {}
        self.keys: set[str] = keys or set()

    def parts(self) -> tuple[Facts, Questions, Requests, set[str]]:
        """All that it is made of, to be kept. Not to be changed."""
        return self._facts, self._questions, self._requests, self.keys

    def add(self, event: Event) -> None:
        if event.key:
            if event.key in self.keys:
                return
            self.keys.add(event.key)
        if step := _STEPS.get(event.kind):
            try:
                step(event, self._facts, self._questions, self._requests)
            except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError):
                return

    def task(self) -> Task:
        return Task(
            id=self._id,
            questions=tuple(self._questions.values()),
            requests=tuple((rid, *status) for rid, status in self._requests.items()),
            **self._facts,
        )


def fold(id: str, events: Iterable[Event]) -> Task:
    """The task that EVENTS, in journal order, amount to."""
    taken = Fold(id)
    for event in events:
        taken.add(event)
    return taken.task()


def _created(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(created=e.t, since=e.t, marks=str(e.data.get("marks", "")))
    facts.update({name: str(e.data.get(name, "")) for name in ("title", "model", "backend", "cwd", "group")})
    facts.update(priority=int(e.data.get("priority", 0)), stop_late=bool(e.data.get("stop_late")))
    facts.update(adopted=bool(e.data.get("adopted")))
    facts.update({name: float(e.data.get(name, 0)) for name in ("timeout", "deadline")})
    facts.update(after=tuple((str(id), str(wanted)) for id, wanted in e.data.get("after", ())))


def _starting(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(
        attempt=int(e.data["attempt"]), exit_code=None, said="", stopping=False, pane="", window="", nudges=0, told_on=0
    )
    _state(Event(e.t, "state", "", {"state": State.STARTING.value}), facts, questions, requests)


def _started(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update({name: e.data.get(name, "") for name in ("pane", "window", "server")})
    facts.update(started=int(e.data["attempt"]), pid=int(e.data.get("pid", 0)))


def _state(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    if facts.get("state") in RUNNING:
        facts.update(ran=facts.get("ran", 0.0) + max(0.0, e.t - facts.get("since", e.t)))
    state, number = State(e.data["state"]), facts.get("states", 0) + 1
    if facts.get("state") is not state or not facts.get("entered"):
        facts.update(entered=number)
    facts.update(state=state, since=e.t, why=str(e.data.get("why", "")), restored=False)
    facts.update(surfaced=bool(e.data.get("surfaced")), states=number)
    facts.update(
        cause=str(e.data.get("cause", "")),
        hint=str(e.data.get("hint", "")),
        resets=float(e.data.get("resets", 0)),
        zone=str(e.data.get("zone", "")),
        instead=tuple(map(str, e.data.get("instead", ()))),
    )


def _progress(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(marks=str(e.data["marks"]), progress=facts.get("progress", 0) + 1, nudges=0, told_on=0)


def _nudge(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(nudges=facts.get("nudges", 0) + 1, nudges_in_all=facts.get("nudges_in_all", 0) + 1)


def _go_on(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(told_on=facts.get("told_on", 0) + 1, told_at=e.t)


def _question(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    d = e.data
    choices = tuple(Choice(str(c[0]), str(c[1]), bool(c[2:] and c[2])) for c in d.get("choices", ()))
    said = (str(d.get(name, "")) for name in ("text", "type", "mark"))
    text, kind, mark = said
    asked = Question(str(d["q"]), str(d.get("via", "file")), text, choices, e.t, kind, mark)
    if (former := questions.get(former_of(asked.id))) and not former.closed:
        questions[former.id] = former._replace(closed="left")  # its worker has written another one over it
    more, numbers = bool(d.get("more")), bool(d.get("numbers"))
    questions[asked.id] = asked._replace(more=more, numbers=numbers, made=int(d.get("made", 0)))


def _answer(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    if (asked := questions.get(str(e.data["q"]))) and asked.answer is None:
        questions[asked.id] = asked._replace(
            answer=str(e.data.get("answer", "")), answered_by=str(e.data.get("rid", ""))
        )


def _closed(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    if asked := questions.get(str(e.data["q"])):
        questions[asked.id] = asked._replace(closed=str(e.data.get("how", "answered")))


def _request(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    if requests.get(str(e.data["rid"]), ("",))[0] != "delivered":
        requests[str(e.data["rid"])] = (e.kind, str(e.data.get("how", "")))


def _stopping(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(stopping=True, switch_to=0, on_hold=False)


def _note(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(notes=(*facts.get("notes", ()), str(e.data["text"])))


def _exited(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(exit_code=e.data.get("code"), said=str(e.data.get("said", "")), ended_by=str(e.data.get("cause", "")))


def _switched(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    """Another model takes over, or the same begins again; one that was stopped before it began waits for its turn anew."""
    if not facts.get("attempt"):
        facts.update(stopping=False)
        _state(Event(e.t, "state", "", {"state": State.QUEUED.value}), facts, questions, requests)
    facts.update(model=str(e.data["model"]), backend=str(e.data["backend"]))
    facts.update(switch_to=int(e.data["attempt"]), switched=e.t, entered=0)  # an end after this one is another one


def _hold(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(on_hold=True, **({"why": HELD} if facts.get("state", State.QUEUED) is State.QUEUED else {}))


def _unhold(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(on_hold=False, **({"why": ""} if facts.get("why") == HELD else {}))


def _priority(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(priority=int(e.data["priority"]))


def _edited(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    """A person has changed what it is to do, before it began."""
    facts.update({name: str(e.data[name]) for name in ("title", "model", "backend", "group", "marks")})
    facts.update(priority=int(e.data["priority"]))


def _worktree(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update({name: str(e.data.get(name, "")) for name in ("branch", "base")})
    facts.update(worktree=str(e.data["path"]), cwd=str(e.data["cwd"]), ours=bool(e.data.get("ours")), merged="")


def _begun(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(begun=tuple(str(e.data.get(name, "")) for name in ("top", "tree", "why")), begun_at=e.t)


def _merged(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(merged=str(e.data["tip"]), merged_into=str(e.data.get("into", "")), conflicts=())


def _conflict(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(conflicts=tuple(map(str, e.data["files"])))


def _dropped(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(worktree="", branch="", base="", ours=False, conflicts=())


def _waived(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(waived=(*facts.get("waived", ()), str(e.data["task"])))


def _released(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(released=True)
    _state(
        Event(e.t, "state", "", {"state": State.STOPPED.value, "why": "given back to you"}), facts, questions, requests
    )


def _restored(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    """It is over, and its window, which may be another one's by now, is not there."""
    facts.update(restored=True, pane="", window="", server="", pid=0)


def _flag(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(flags=(*facts.get("flags", ()), str(e.data["text"])))


def _late(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(late=(*facts.get("late", ()), str(e.data["why"])))


def _strayed(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(strayed=tuple(map(str, e.data["files"])))


_STEPS = {
    "created": _created,
    "starting": _starting,
    "started": _started,
    "state": _state,
    "progress": _progress,
    "nudge": _nudge,
    "go-on": _go_on,
    "question": _question,
    "answer": _answer,
    "closed": _closed,
    "delivering": _request,
    "held": _request,
    "delivered": _request,
    "undelivered": _request,
    "stopping": _stopping,
    "exited": _exited,
    "switched": _switched,
    "note": _note,
    "hold": _hold,
    "unhold": _unhold,
    "priority": _priority,
    "edited": _edited,
    "worktree": _worktree,
    "begun": _begun,
    "merged": _merged,
    "conflict": _conflict,
    "dropped": _dropped,
    "waived": _waived,
    "flag": _flag,
    "released": _released,
    "restored": _restored,
    "late": _late,
    "strayed": _strayed,
}

KINDS = (*_STEPS, "continued", "pressed")  # of events that are written; those last ones amount to nothing
