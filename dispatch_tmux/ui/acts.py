"""What a key does to tasks: a verb of the API, its outcome in one line. Each function may take long, and raises nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import dispatch_tmux as dispatch
from dispatch_tmux import DispatchError, Project, Question, Refused, Task
from dispatch_tmux.ui.desk import Notice
from dispatch_tmux.ui.spans import words
from dispatch_tmux.verbs import attach

_moving = threading.Lock()
READER = "inbox"  # as which what was shown here counts as told


def said(error: Exception) -> str:
    """What is wrong, where, and what to do, as one line."""
    if isinstance(error, DispatchError):
        hint = error.hint.partition("\n")[0]
        return words(f"{error}{f' — {hint}' if hint else ''}", 500)
    if isinstance(error, OSError):
        return words(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 500)
    return words(f"unexpected: {type(error).__name__}: {error}", 500)


def outcome(act: Callable[[], str]) -> Notice:
    """What ACT says came of it."""
    try:
        return Notice(act())
    except Exception as e:
        return Notice(said(e), good=False)


def each(tasks: Sequence[Task], done: str, act: Callable[[str], str]) -> Notice:
    """ACT on each of TASKS; of several how many were DONE, and why not the first that was not."""
    if len(tasks) == 1:
        return outcome(lambda: act(tasks[0].id))

    def several() -> str:
        came = dispatch.each([task.id for task in tasks], act)
        refused = [one for one in came if isinstance(one, Refused)]
        text = f"{done} {len(tasks) - len(refused)} of {len(tasks)}"
        return f"{text} · {refused[0].task}: {said(refused[0].error)}" if refused else text

    return outcome(several)


def answer(
    project: Project, task: Task, asked: Question, text: str = "", *, choice: str = "", literal: bool = False
) -> Notice:
    def act() -> str:
        done = dispatch.answer(project, task, text, choice=choice, question=asked.id, literal=literal)
        more = ", and starts again" if done.restarted else ", for its next attempt" if done.kept else ""
        return f"{done.task}: {'kept' if done.kept else 'answered'}: {words(done.answer, 200)}{more}"

    return outcome(act)


def send(project: Project, tasks: Sequence[Task], text: str) -> Notice:
    return each(tasks, "delivered to", lambda id: f"delivered to {dispatch.send(project, id, text).task}")


def note(project: Project, tasks: Sequence[Task], text: str) -> Notice:
    def act(id: str) -> str:
        done = dispatch.note(project, id, text)
        return f"noted in the plan of {done.task}{', and delivered' if done.proof else ''}"

    return each(tasks, "noted for", act)


def has_read(project: Project, task: Task) -> Notice:
    """The result of TASK, which is over, was read in the inbox: `clean` may take it."""

    def act() -> str:
        news = dispatch.wait(project, task, kinds=("done", "failed"), timeout=0, reader=READER, acknowledge=False)
        dispatch.acknowledge(project, [one for one in news if one.task.since == task.since], READER)
        return ""

    return outcome(act)


def stop(project: Project, tasks: Sequence[Task]) -> Notice:
    def act() -> str:
        ended = dispatch.stop(project, *tasks)
        return f"{ended[0].id}: {ended[0].state.value}" if len(ended) == 1 else f"stopped {len(ended)}"

    return outcome(act)


def retry(project: Project, tasks: Sequence[Task]) -> Notice:
    def act(id: str) -> str:
        now = dispatch.retry(project, id)
        return f"{now.id} begins again: attempt {now.attempt}, {now.state.value}"

    return each(tasks, "begun again:", act)


def resume(project: Project, tasks: Sequence[Task]) -> Notice:
    def act(id: str) -> str:
        (now,) = dispatch.resume(project, id)
        return f"{now.id} goes on: attempt {now.attempt}, {now.state.value}"

    return each(tasks, "taken up", act)


def merge(project: Project, tasks: Sequence[Task]) -> Notice:
    def act(id: str) -> str:
        done = dispatch.merge(project, id)
        return f"{done.task} is in {done.into} now, at {done.commit[:10]}"

    return each(tasks, "merged", act)


def turn_queue(project: Project, paused: bool) -> Notice:
    def act() -> str:
        if paused:
            return "waiting tasks start again" if dispatch.unpause(project) else "the queue was not paused"
        return "nothing new starts now; p lets it go on" if dispatch.pause(project) else "the queue is paused already"

    return outcome(act)


def hold(project: Project, tasks: Sequence[Task]) -> Notice:
    """Hold them, or where all are held let them go."""
    if all(task.on_hold for task in tasks):
        return each(tasks, "let go", lambda id: f"{dispatch.unhold(project, id).id} has its turn again")
    return each(tasks, "held", lambda id: f"{dispatch.hold(project, id).id} does not start before h is pressed again")


def priority(project: Project, tasks: Sequence[Task], by: int) -> Notice:
    """Raise their priorities BY so much, from what they are by now: the key may be pressed faster than the list is read."""

    def act(id: str) -> str:
        with _moving:
            now = dispatch.priority(project, id, dispatch.status(project, id).priority + by)
        return f"{id} has priority {now.priority}"

    return each(tasks, "moved", act)


def leave(project: Project) -> Notice:
    """Let the terminal go that looks at window 0."""
    return outcome(
        lambda: "workers go on, and so does the inbox" if attach.leave(project) else "no terminal shows this window"
    )
