"""Tasks, their questions and their events, and what a task wants of a person. Pure; the fold of a journal is in fold.py.

    queued → starting → working ⇄ waiting → done | failed | blocked | stopped | lost
                           ⇅ idle · limited · suspended

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
    LIMITED = "limited"
    SUSPENDED = "suspended"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    STOPPED = "stopped"
    LOST = "lost"


HELD = "held: `dispatch unhold` lets it start"
ENDED = frozenset({State.DONE, State.FAILED, State.BLOCKED, State.STOPPED, State.LOST})
HALTED = frozenset({State.LIMITED, State.SUSPENDED})  # it lives, and nothing can be said to it now
RUNNING = frozenset({State.STARTING, State.WORKING, State.IDLE})  # what counts as running time

SHORT = 32  # characters of an id that is made of a prompt: it stands in every list
_IDEOGRAPH = r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")  # safe as a file name, a tmux window name and an argument


def task_id(text: str) -> str:
    """TEXT itself when it is a task id; raises UsageProblem when it is not one."""
    if not _ID.fullmatch(text):
        raise UsageProblem(
            f"{text[:80]!r} is not a task id", hint="use a-z, 0-9 and '-', 64 at most, no '-' at either end"
        )
    return text


def slug(prompt: str, taken: Iterable[str] = (), *, words: int = 5) -> str:
    """A short kebab-case id made of PROMPT's first telling words, not one of TAKEN; other scripts are transliterated."""
    filler = {"a", "an", "the", "to", "of", "and", "in", "for", "with", "please", "all", "our", "my", "this", "that"}
    text = prompt[:400]
    if not text.isascii():
        from anyascii import anyascii

        words += 3 * bool(re.search(_IDEOGRAPH, text))  # each of them is a word, and a short one
        text = anyascii(re.sub(_IDEOGRAPH, r" \g<0> ", text))
    found = re.findall(r"[a-z0-9]+", text.lower())
    chosen = [word for word in found if word not in filler][:words] or found[:words] or ["task"]
    while len("-".join(chosen)) > SHORT and len(chosen) > 1:
        chosen.pop()
    base = chosen[0][:SHORT] if len(chosen) == 1 else "-".join(chosen)
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


DRAWN = frozenset({"menu", "multi", "field"})  # kinds of dialogues that are drawn on the screen, not printed as a line
LIMIT = "limit"  # the kind of an error and of a menu: a usage limit is reached
NOBODY_KNOWS = "unknown"  # the kind of a question that is just a screen on which nothing moves


class Question(NamedTuple):
    """A worker's question. `id` is 's1' for one on the screen; '001' for one asked through files, '001.2' for the second of it."""

    id: str
    via: str
    text: str
    choices: tuple[Choice, ...]
    asked: float
    kind: str = ""
    mark: str = ""  # what tells a dialogue on the screen from another: its words, in short
    answer: str | None = None
    answered_by: str = ""  # the request that brought the answer
    numbers: bool = False  # the choices' keys are their numbers on the screen
    more: bool = False  # its list is longer than the screen: there are choices that are not named here
    closed: str = ""  # '' open · answered · left (a person or the worker ended it) · gone (the worker is)
    made: int = 0  # the time of its file, in nanoseconds: the same number with another one is another question

    @property
    def number(self) -> str:
        """What its files are called by."""
        return number_of(self.id)

    @property
    def is_drawn(self) -> bool:
        """Whether a pointer picks from it, also where the program is one that reads lines."""
        return self.kind in DRAWN

    @property
    def is_unknown(self) -> bool:
        """Whether it is only a screen on which nothing moves, and which no rule knows: a person has to look."""
        return self.kind == NOBODY_KNOWS


def number_of(id: str) -> str:
    """The number in the names of the files of question ID: '001' of '001.2', which a worker has asked with a used number."""
    return id.partition(".")[0]


def former_of(id: str) -> str:
    """The id of the question whose number question ID has used again: '001' for '001.2'; '' where it is the first of it."""
    number, _, n = id.partition(".")
    return "" if not n else number if n == "2" else f"{number}.{int(n) - 1}"


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
    states: int = 0  # how many times the state or its reason changed; part of the keys of what follows from it
    entered: int = 0  # which of these times it came to this state
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
    resets: float = 0.0  # when the usage limit that it has reached ends, seconds since the epoch; 0.0: it is not told
    zone: str = ""  # the time zone that the CLI named it in
    told_on: int = 0  # how often it was told to go on at a usage limit, since it has come forward
    told_at: float = 0.0  # when it was told so last
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
    on_hold: bool = False  # it does not start before a person lets it
    after: tuple[tuple[str, str], ...] = ()  # (task id, what of it: schedule.DONE or ANY)
    adopted: bool = False  # a CLI that the person started; its pane is theirs
    released: bool = False
    restored: bool = False  # it came back out of the archive, and nothing has happened since
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
    begun: tuple[
        str, ...
    ] = ()  # without a worktree: the top of its checkout, its tree at the beginning, why there is none
    begun_at: float = 0.0
    flags: tuple[str, ...] = ()  # what the worker wants the person to know at once
    ran: float = (
        0.0  # seconds that its attempts ran before the present state, without the time it waited for the person
    )
    late: tuple[str, ...] = ()  # times it went over
    strayed: tuple[str, ...] = ()  # files of the main checkout that changed while it worked in its worktree

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def waits_to_begin(self) -> bool:
        """Whether its next attempt waits for its turn."""
        return self.state is State.QUEUED or (self.state is State.WAITING and not self.attempt)

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
    if task.ended and not task.restored:
        found.append(Need(task.state.value, f"{task.state.value}:{task.entered}", task.why))
    elif task.state in HALTED:
        found.append(Need(task.state.value, f"{task.state.value}:{task.states}", task.why))
    elif task.surfaced:
        found.append(Need("idle", f"idle:{task.states}", task.why))
    return tuple(found)
