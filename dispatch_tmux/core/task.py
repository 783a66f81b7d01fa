"""Tasks, their events, and the fold that turns a journal into what is known of a task. Pure.

    queued → starting → working ⇄ waiting → done | failed | blocked | stopped | lost
                           ⇅ idle

A journal is a list of events. Most carry a `key`: the same key is never written twice, so that an event derived
again after a crash changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, NamedTuple

from dispatch_tmux.errors import UsageProblem


class State(str, Enum):
    """What a task is doing, or how it ended; docs/cli.md says what each of them means."""

    QUEUED = "queued"
    STARTING = "starting"
    WORKING = "working"
    WAITING = "waiting"
    IDLE = "idle"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    STOPPED = "stopped"
    LOST = "lost"


ENDED = frozenset({State.DONE, State.FAILED, State.BLOCKED, State.STOPPED, State.LOST})
RUNNING = frozenset({State.STARTING, State.WORKING, State.IDLE})  # what counts as running time

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")  # safe as a file name, a tmux window name and an argument


def task_id(text: str) -> str:
    """TEXT itself when it is a task id; raises UsageProblem when it is not one."""
    if not _ID.fullmatch(text):
        raise UsageProblem(
            f"{text[:80]!r} is not a task id", hint="use a-z, 0-9 and '-', 64 at most, no '-' at either end"
        )
    return text


def slug(prompt: str, taken: Iterable[str] = (), *, words: int = 5) -> str:
    """A short kebab-case id made of PROMPT's first telling words, not one of TAKEN."""
    filler = {"a", "an", "the", "to", "of", "and", "in", "for", "with", "please", "all", "our", "my", "this", "that"}
    found = re.findall(r"[a-z0-9]+", prompt[:400].lower())
    chosen = [word for word in found if word not in filler][:words] or found[:words] or ["task"]
    base = "-".join(chosen)[:40].strip("-")
    used = set(taken)
    name, n = base, 1
    while name in used:
        n += 1
        name = f"{base}-{n}"
    return name


class Event(NamedTuple):
    """One line of a journal: `t` seconds since the epoch, `kind`, `key` ('' when it may repeat), and its data."""

    t: float
    kind: str
    key: str
    data: dict[str, Any]


class Choice(NamedTuple):
    """A choice of a question: the key that picks it, its words, and whether picking it lets one type an own text."""

    key: str
    label: str
    text: bool = False


NOBODY_KNOWS = "unknown"  # the kind of a question that is just a screen on which nothing moves


class Question(NamedTuple):
    """A worker's question. `id` is '001' for one asked through files, 's1' for one on the screen."""

    id: str
    via: str
    text: str
    choices: tuple[Choice, ...]
    asked: float
    kind: str = ""
    mark: str = ""  # what tells a dialogue on the screen from another: its words, in short
    answer: str | None = None
    closed: str = ""  # '' open · answered · left (a person or the worker ended it) · gone (the worker is)

    @property
    def is_unknown(self) -> bool:
        """Whether it is only a screen on which nothing moves, and which no rule knows: a person has to look."""
        return self.kind == NOBODY_KNOWS


class Task(NamedTuple):
    """What the journal says of one task."""

    id: str
    title: str = ""
    model: str = ""
    backend: str = ""
    cwd: str = ""
    created: float = 0.0
    attempt: int = 0
    state: State = State.QUEUED
    since: float = 0.0
    why: str = ""
    surfaced: bool = False
    states: int = 0  # how many times the state changed; part of the keys of what follows from it
    marks: str = ""  # the plan's marks in order: ' ' open, 'x' done, '?' blocked, '!' error
    progress: int = 0
    nudges: int = 0  # since the last progress
    nudges_in_all: int = 0
    pane: str = ""
    window: str = ""
    server: str = ""
    pid: int = 0
    started: int = 0  # the attempt whose window is known
    exit_code: int | None = None
    said: str = ""  # what it printed last, when it ended in an error
    cause: str = ""  # why it failed, as causes.SAID names it
    hint: str = ""  # what to do about the cause
    instead: tuple[str, ...] = ()  # models that could take over
    stopping: bool = False
    ended_by: str = ""  # the cause its last words tell
    switch_to: int = 0  # the attempt that is to begin anew, with another model or the same
    switched: float = 0.0
    questions: tuple[Question, ...] = ()
    requests: tuple[tuple[str, str, str], ...] = ()  # (request id, delivering|delivered|undelivered, how or why)
    notes: tuple[str, ...] = ()  # what the person added to the plan
    group: str = ""
    priority: int = 0
    after: tuple[tuple[str, str], ...] = ()  # (task id, what of it: schedule.DONE or ANY)
    adopted: bool = False  # a CLI that the person started; its pane is theirs
    released: bool = False
    timeout: float = 0.0  # seconds of running after which it is brought to the person; 0: as configured
    deadline: float = 0.0
    stop_late: bool = False
    waived: tuple[str, ...] = ()  # those of them that the person does without
    worktree: str = ""  # the directory of its git worktree, once made
    branch: str = ""
    base: str = ""  # the commit that the branch began at
    ours: bool = False  # the branch was made for this task
    merged: str = ""  # the commit of the branch that has been merged
    merged_into: str = ""
    conflicts: tuple[str, ...] = ()  # files in which the last merge would have had conflicts
    flags: tuple[str, ...] = ()  # what the worker wants the person to know at once
    ran: float = (
        0.0  # seconds that its attempts ran before the present state, without the time it waited for the person
    )
    late: tuple[str, ...] = ()  # times it went over
    strayed: tuple[str, ...] = ()  # files of the main checkout that changed while it worked in its worktree
    keys: frozenset[str] = frozenset()

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def done_items(self) -> int:
        return self.marks.count("x")

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """Questions that want an answer: asked, and neither answered nor closed."""
        return tuple(q for q in self.questions if q.answer is None and not q.closed)

    @property
    def requests_open(self) -> bool:
        """Whether something is on its way to the worker."""
        return any(
            status in ("delivering", "held") and not rid.startswith("nudge-") for rid, status, _ in self.requests
        )

    def question(self, id: str) -> Question | None:
        return next((q for q in self.questions if q.id == id), None)

    def request(self, id: str) -> tuple[str, str]:
        """Where the request stands and how or why: ('', '') · delivering · held · delivered · undelivered."""
        return next(((status, how) for rid, status, how in self.requests if rid == id), ("", ""))


class Need(NamedTuple):
    """Something that wants a caller: `key` names it for good, so that a consumer sees it once."""

    kind: str  # question, idle, undelivered, flag, late, or the name of an ended state
    key: str
    text: str
    question: Question | None = None


def needs(task: Task) -> tuple[Need, ...]:
    """What TASK wants of a person now, oldest first."""
    found = [Need("question", f"question:{q.id}", q.text, q) for q in task.open_questions]
    found += [
        Need("undelivered", f"undelivered:{rid}", how)
        for rid, status, how in task.requests
        if status == "undelivered" and not how.startswith("told:")
    ]
    found += [Need("flag", f"flag:{n}", text) for n, text in enumerate(task.flags)]
    found += [Need("late", f"late:{n}", why) for n, why in enumerate(task.late)]
    if task.ended:
        found.append(Need(task.state.value, f"{task.state.value}:{task.states}", task.why))
    elif task.surfaced:
        found.append(Need("idle", f"idle:{task.states}", task.why))
    return tuple(found)


Facts = dict[str, Any]
Questions = dict[str, Question]
Requests = dict[str, tuple[str, str]]


class Fold:
    """The events of a journal, taken in one after the other; `task` is what they amount to so far.

    Unknown kinds are kept for later versions and skipped, and so is an event that is damaged: the rest counts.
    """

    def __init__(self, id: str) -> None:
        self._id = id
        self._facts: dict[str, Any] = {}
        self._questions: dict[str, Question] = {}
        self._requests: dict[str, tuple[str, str]] = {}
        self.keys: set[str] = set()

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
            keys=frozenset(self.keys),
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
    facts.update(attempt=int(e.data["attempt"]), exit_code=None, said="", stopping=False, pane="", window="", nudges=0)
    _state(Event(e.t, "state", "", {"state": State.STARTING.value}), facts, questions, requests)


def _started(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update({name: e.data.get(name, "") for name in ("pane", "window", "server")})
    facts.update(started=int(e.data["attempt"]), pid=int(e.data.get("pid", 0)))


def _state(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    if facts.get("state") in RUNNING:
        facts.update(ran=facts.get("ran", 0.0) + max(0.0, e.t - facts.get("since", e.t)))
    facts.update(state=State(e.data["state"]), since=e.t, why=str(e.data.get("why", "")))
    facts.update(surfaced=bool(e.data.get("surfaced")), states=facts.get("states", 0) + 1)
    facts.update(
        cause=str(e.data.get("cause", "")),
        hint=str(e.data.get("hint", "")),
        instead=tuple(map(str, e.data.get("instead", ()))),
    )


def _progress(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(marks=str(e.data["marks"]), progress=facts.get("progress", 0) + 1, nudges=0)


def _nudge(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(nudges=facts.get("nudges", 0) + 1, nudges_in_all=facts.get("nudges_in_all", 0) + 1)


def _question(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    d = e.data
    choices = tuple(Choice(str(c[0]), str(c[1]), bool(c[2:] and c[2])) for c in d.get("choices", ()))
    said = (str(d.get(name, "")) for name in ("text", "type", "mark"))
    text, kind, mark = said
    questions[str(d["q"])] = Question(str(d["q"]), str(d.get("via", "file")), text, choices, e.t, kind, mark)


def _answer(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    if asked := questions.get(str(e.data["q"])):
        questions[asked.id] = asked._replace(answer=str(e.data.get("answer", "")))


def _closed(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    if asked := questions.get(str(e.data["q"])):
        questions[asked.id] = asked._replace(closed=str(e.data.get("how", "answered")))


def _request(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    if requests.get(str(e.data["rid"]), ("",))[0] != "delivered":
        requests[str(e.data["rid"])] = (e.kind, str(e.data.get("how", "")))


def _stopping(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(stopping=True, switch_to=0)


def _note(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(notes=(*facts.get("notes", ()), str(e.data["text"])))


def _exited(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update(exit_code=e.data.get("code"), said=str(e.data.get("said", "")), ended_by=str(e.data.get("cause", "")))


def _switched(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    """Another model takes over, or the same begins again."""
    facts.update(model=str(e.data["model"]), backend=str(e.data["backend"]))
    facts.update(switch_to=int(e.data["attempt"]), switched=e.t)


def _worktree(e: Event, facts: Facts, questions: Questions, requests: Requests) -> None:
    facts.update({name: str(e.data.get(name, "")) for name in ("branch", "base")})
    facts.update(worktree=str(e.data["path"]), cwd=str(e.data["cwd"]), ours=bool(e.data.get("ours")), merged="")


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
    "worktree": _worktree,
    "merged": _merged,
    "conflict": _conflict,
    "dropped": _dropped,
    "waived": _waived,
    "flag": _flag,
    "released": _released,
    "late": _late,
    "strayed": _strayed,
}
