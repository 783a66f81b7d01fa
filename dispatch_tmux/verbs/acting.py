"""What a person asks of workers: answer, tell, stop. Works on files; the supervisor carries out what needs tmux."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core import task as tasks
from dispatch_tmux.core.task import NOBODY_KNOWS, Question, State, Task
from dispatch_tmux.errors import DispatchError, NeedsDecision, NotDelivered
from dispatch_tmux.store.bell import until
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor import session

OUTCOME = 12.0  # seconds for a delivery
NOTE = 20_000  # characters of a note


# --- answering


def open_questions(store: Store, task: Task) -> tuple[Question, ...]:
    """The task's open questions, with those that no supervisor has written down yet."""
    known = {q.id for q in task.questions}
    fresh = [
        Question(a.q, "file", a.text or "(an empty question)", tuple(tasks.Choice(*c) for c in a.choices), time.time())
        for a in store.asked(task.id)
        if a.q not in known and not a.answered
    ]
    answered = {a.q for a in store.asked(task.id) if a.answered}
    return tuple(q for q in task.open_questions if q.id not in answered) + tuple(fresh)


class Pick(NamedTuple):
    """An answer to a dialogue: keys to press, then text to type; `words` for the record."""

    keys: tuple[str, ...]
    text: str
    words: str


def pick(question: Question, text: str, choice: str) -> Pick:
    """How TEXT or CHOICE ('2', '1,3') answers QUESTION. Raises NeedsDecision that lists the choices."""
    if question.via == "screen" and question.kind == NOBODY_KNOWS:
        raise NeedsDecision(
            "nobody knows what its screen asks", hint="dispatch keys TASK Down Enter, or dispatch attach TASK"
        )
    by_key = {c.key: c for c in question.choices}
    if choice:
        keys = tuple(k.strip() for k in choice.split(","))
        if any(k not in by_key for k in keys):
            raise _no_such_choice(question, choice)
        labels = ", ".join(by_key[k].label for k in keys)
        return Pick(keys, "", labels)
    wanted = text.strip().lower()
    several = {c.label.lower(): c for c in question.choices if not c.text} if question.kind == "multi" else {}
    if several and all(part.strip() in several for part in wanted.split(",")):
        chosen = [several[part.strip()] for part in wanted.split(",")]
        return Pick(tuple(c.key for c in chosen), "", ", ".join(c.label for c in chosen))
    for c in question.choices:
        if wanted in (c.key.lower(), c.label.lower()) and not c.text:
            return Pick((c.key,), "", c.label)
    if question.kind == "list":
        raise NeedsDecision(
            "a list is on its screen that only keys can pick from", hint="dispatch keys TASK Down Enter"
        )
    own = next((c for c in question.choices if c.text), None)
    if own:
        return Pick((own.key,), text, text)
    if question.choices and question.via in ("screen", "dispatch"):
        raise _no_such_choice(question, text)
    return Pick((), text, text)


def _no_such_choice(question: Question, given: str) -> NeedsDecision:
    listed = " · ".join(f"{c.key}. {c.label}" for c in question.choices) or "it has no choices: answer with a text"
    return NeedsDecision(f"{given[:60]!r} is not one of its choices", hint=listed)


def answer(project: Project, task: Task, text: str, choice: str = "", q: str = "") -> str:
    """Answer the task's oldest open question (or Q) and say what became of it. Raises NotDelivered."""
    store = project.store
    asked = open_questions(store, task)
    question = next((x for x in asked if not q or x.id == q), None)
    if question is None:
        said = next((x for x in reversed(task.questions) if x.answer is not None), None)
        hint = (
            f"its question {said.id} was answered: {said.answer}"
            if said
            else f"dispatch note {task.id} TEXT tells it something"
        )
        raise DispatchError(f"{task.id} has no open question{f' {q}' if q else ''}", hint=hint)
    picked = pick(question, text, choice)
    if question.via == "screen":
        return _answer_on_screen(project, task, question, picked)
    words = picked.words
    if question.via == "dispatch":  # one of our own, about a task that has not begun
        store.append(task.id, "answer", f"answer:{question.id}", q=question.id, answer=words, by="person")
        session.ensure(project)
        return f"answered {question.id}"
    if not store.write_answer(task.id, question.id, words):
        raise DispatchError(f"question {question.id} of {task.id} was answered a moment ago")
    store.append(task.id, "answer", f"answer:{question.id}", q=question.id, answer=words[:2000], by="person")
    if task.state is State.BLOCKED:
        store.request(task.id, "launch", env=dict(os.environ))
    session.ensure(project)
    restarted = task.state is State.BLOCKED
    return f"answered {question.id}" + ("; the worker is started again with it" if restarted else "")


def _answer_on_screen(project: Project, task: Task, question: Question, picked: Pick) -> str:
    keys, text = picked.keys, picked.text
    if question.kind in ("confirm", "choice", "text", "secret", "continue") and _reads_lines(task):
        keys, text = (), text or (picked.keys[0] if picked.keys else "")  # a line program: the key is a line
    session.ensure(project)
    rid = project.store.request(
        task.id, "choose", q=question.id, keys=keys, text=text, answer="(not kept)" if question.kind == "secret" else picked.words
    )  # fmt: skip
    return delivered(project.store, task.id, rid)


def _reads_lines(task: Task) -> bool:
    return not configuration.backend(task.backend).interactive


def delivered(store: Store, id: str, rid: str, seconds: float = OUTCOME) -> str:
    """How request RID arrived. Raises NotDelivered with the reason when it did not, or not yet."""

    def settled() -> Task | None:
        task = store.task(id)
        return task if task.request(rid)[0] in ("delivered", "undelivered", "held") else None

    task = until(store, settled, seconds)
    status, how = task.request(rid) if task else ("", "")
    if status == "delivered":
        return how
    if status == "undelivered":
        raise NotDelivered(
            f"not delivered to {id}: {how}", hint=f"look at it: dispatch screen {id} · dispatch attach {id}"
        )
    raise NotDelivered(
        f"{id} does not have it yet: {how or 'the supervisor has not come to it'}",
        hint=f"it is typed as soon as that is over; dispatch status {id} shows it",
    )


# --- telling


def send(project: Project, task: Task, text: str) -> str:
    """Type TEXT into the live session, seen to arrive. Raises NotDelivered."""
    _must_live(task)
    session.ensure(project)
    return delivered(project.store, task.id, project.store.request(task.id, "send", text=text))


def press(project: Project, task: Task, keys: Sequence[str]) -> None:
    """Press KEYS (tmux's names) in TASK's window."""
    server = session.server_for(project, task)
    for key in keys:
        answer = server.cmd("send-keys", "-t", task.pane, "--", key)
        if not answer.ok:
            raise NotDelivered(f"tmux does not press {key}: {answer.text}")
        time.sleep(0.3)  # an Enter that follows an arrow key at once is lost in some CLIs
    project.store.append(task.id, "pressed", "", keys=list(keys))


def note(project: Project, task: Task, text: str) -> str:
    """Put TEXT at the end of the plan, and tell a live worker that has a composer."""
    store = project.store
    if not text.strip():
        raise DispatchError("the note is empty")
    if len(text) > NOTE:
        raise DispatchError(
            f"the note has {len(text)} characters, {NOTE} are the most", hint="put it into a file and name that"
        )
    store.put_note(task.id, text)  # first: the supervisor, too, puts what is on record where it is missing
    store.append(task.id, "note", f"note:{time.time_ns():x}", text=text)
    if task.ended or not task.started or _reads_lines(task):
        return "noted in its plan"
    session.ensure(project)
    rid = store.request(task.id, "note", text=text)
    return f"noted in its plan and told: {delivered(store, task.id, rid)}"


def _must_live(task: Task) -> None:
    if not task.started or task.exit_code is not None:
        raise NotDelivered(
            f"{task.id} is {task.state.value}, its program does not run",
            hint=f"dispatch note {task.id} TEXT adds to its plan",
        )


# --- ending


def is_running(project: Project, id: str) -> bool:
    """Whether task ID is not over, or its program still lives (a finished agent sits at its composer)."""
    from dispatch_tmux.store import processes

    task = project.store.task(id)
    return not task.ended or processes.alive(processes.launched(project.store.own(id), task.attempt))


def stop(project: Project, ids: Sequence[str]) -> list[str]:
    """End the workers' processes, all of them. Returns what is left running, normally nothing."""
    from dispatch_tmux.store import processes, summaries

    store = project.store
    left: list[str] = []
    for id in ids:
        task = store.task(id)
        if task.adopted and not task.ended:
            raise DispatchError(f"{id} is a program of yours, adopted", hint=f"dispatch release {id} gives it back")
        process = processes.launched(store.own(id), task.attempt)
        if process is None and task.attempt and not task.ended:  # its launch line has only just begun
            until(store, lambda id=id, n=task.attempt: processes.launched(store.own(id), n), 3.0)  # type: ignore[misc]
            process = processes.launched(store.own(id), task.attempt)
        if task.ended and not processes.alive(process):
            continue
        store.append(id, "stopping", f"stopping:{task.attempt}", by="person")
        for rid, _ in store.requests(id):
            store.drop_request(id, rid)
        left += [f"{id}: process {pid}" for pid in processes.end(store.path(id), process)]
        if not task.attempt or task.state is State.QUEUED:
            store.append(id, "state", f"state:{task.states + 1}", state=State.STOPPED.value)
    if ids and not store.supervised():
        for id in ids:
            task = store.task(id)
            now = summaries.current(store, task, supervised=False)
            if now.state is not task.state:
                store.append(id, "state", f"state:{task.states + 1}", state=now.state.value, why=now.why)
    for id in ids:
        until(store, lambda id=id: _is_over(store, id) or None, 5.0)  # type: ignore[misc]
    return left


def _is_over(store: Store, id: str) -> bool:
    """Whether task ID has ended and its exit code, if there is one, is on record (the supervisor writes it down)."""
    task = store.task(id)
    if not task.ended:
        return False
    return task.exit_code is not None or store.exit_code(id, task.attempt) is None or not store.supervised()


class Kept(NamedTuple):
    """A task that `clean` leaves alone, and why."""

    id: str
    why: str


def cleanable(project: Project, found: Sequence[Task], force: bool = False) -> tuple[list[Task], list[Kept]]:
    """What of FOUND may go: not what others wait for, nor what would be lost with its worktree (but with FORCE)."""
    from dispatch_tmux.store import summaries
    from dispatch_tmux.verbs import merge as merging

    waited = {id: t.id for t in summaries.all(project.store) if not t.ended and not t.attempt for id, _ in t.after}
    go, kept = [], []
    for task in found:
        try:
            lost = merging.unsaved(project, task) if task.branch and not force else None
        except DispatchError as e:
            lost = None
            kept.append(Kept(task.id, str(e)))
            continue
        if task.id in waited:
            kept.append(Kept(task.id, f"{waited[task.id]} comes after it"))
        elif lost:
            kept.append(Kept(task.id, f"its worktree has {lost}: dispatch merge {task.id}, or drop it"))
        else:
            go.append(task)
    return go, kept


def clean(project: Project, found: Sequence[Task], force: bool = False) -> list[str]:
    """Remove ended tasks: their windows, what still runs in them, worktrees and directories. Returns what was rescued."""

    from dispatch_tmux.verbs import merge as merging

    stop(project, [task.id for task in found])
    server = session.server_of(project)
    rescued: list[str] = []
    for task in found:
        if task.branch:
            rescued += merging.drop(project, task, force)
        panes = server.cmd("list-panes", "-a", "-F", "#{pane_id} #{@dispatch_task} #{session_id}")
        mine = server.session_of(project.root) if panes.ok else None
        for line in panes.lines if panes.ok else ():
            pane, tag, where = line.split(" ") if line.count(" ") == 2 else ("", "", "")
            if tag == task.id and where == mine:
                server.cmd("kill-pane", "-t", pane)
        project.store.remove(task.id)
    project.store.ring()
    return rescued
