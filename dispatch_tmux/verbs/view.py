"""What there is to see of tasks: their state, their screens, their logs, their events."""

from __future__ import annotations

import os
import time
from typing import Any

from dispatch_tmux.backends import sessions, usage
from dispatch_tmux.cli import show
from dispatch_tmux.core import plan
from dispatch_tmux.core.task import Event, Question, State, Task
from dispatch_tmux.core.text import GLYPHS, age, clean, columns, line
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files, summaries
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import MOST_QUESTION, Store

RECENT = 15  # finished tasks that a list shows without --all


def tasks(project: Project) -> list[Task]:
    """Every task as it is now, supervised or not."""
    store = project.store
    supervised = store.supervised()
    return [now(store, t, supervised) for t in summaries.all(store)]


def now(store: Store, task: Task, supervised: bool) -> Task:
    task = summaries.current(store, task, supervised)
    if supervised or task.ended:
        return task
    from dispatch_tmux.verbs.acting import open_questions  # only where nobody supervises: it brings tmux along

    text = plan.marks(plan.parse(store.plan(task.id))) or task.marks
    return task._replace(marks=text, questions=tuple(open_questions(store, task)))


def whole(store: Store, task: Task, q: Question) -> Question:
    """Q with the whole text of its file, which the journal keeps only the beginning of."""
    if q.via != "file":
        return q
    text = files.read_text(store.path(task.id, "ipc", f"{q.id}.question"), MOST_QUESTION)
    return q._replace(text=text.strip() or q.text) if text is not None else q


def recent(found: list[Task], every: bool) -> tuple[list[Task], int]:
    """The tasks to list, and how many finished ones are left out."""
    ended = [t for t in found if t.ended]
    hidden = set() if every else {t.id for t in ended[:-RECENT]}
    return [t for t in found if t.id not in hidden], len(hidden)


def data(store: Store, task: Task) -> dict[str, Any]:
    """A task for --json."""
    return {
        "id": task.id, "title": task.title, "model": task.model, "backend": task.backend, "state": task.state.value,
        "why": task.why, "since": task.since, "created": task.created, "attempt": task.attempt,
        "exit_code": task.exit_code, "cause": task.cause, "instead": list(task.instead),
        "items": [{"text": i.text, "mark": i.mark} for i in plan.parse(store.plan(task.id))],
        "done": task.done_items, "total": len(task.marks), "pane": task.pane, "cwd": task.cwd,
        "questions": [
            {"id": q.id, "via": q.via, "text": q.text, "choices": [c._asdict() for c in q.choices]} for q in task.open_questions
        ],
        "group": task.group, "priority": task.priority, "after": [list(a) for a in task.after], "flags": list(task.flags),
        "late": list(task.late), "worktree": task.worktree, "branch": task.branch, "merged": task.merged,
        "conflicts": list(task.conflicts), "strayed": list(task.strayed),
        "usage": sessions.kept(store.own(task.id))._asdict(),
        "held": [how for _, status, how in task.requests if status == "held"],
        "dir": store.path(task.id),
    }  # fmt: skip


def used(store: Store, listed: list[Task]) -> dict[str, str]:
    """What each running task's CLI tells of its work, in words."""
    told = {t.id: usage.words(sessions.kept(store.own(t.id)), t.state is State.WORKING) for t in listed if not t.ended}
    return {id: words for id, words in told.items() if words}


def screen(project: Project, task: Task) -> str:
    """The task's screen as it is now, or the last one that was kept."""
    if task.pane and project.store.supervised():
        from dispatch_tmux.supervisor import session

        shot = session.server_for(project, task).cmd("capture-pane", "-p", "-t", task.pane)
        if shot.ok and is_its_pane(project, task):
            return clean(shot.text, 200_000).rstrip()
    kept = files.read_text(project.store.own(task.id, "screen.txt"))
    if kept is None:
        raise DispatchError(f"{task.id} has no screen now", hint=f"dispatch logs {task.id} has its output")
    return clean(kept, 200_000).rstrip()


def is_its_pane(project: Project, task: Task) -> bool:
    """Whether the pane on record still is TASK's."""
    from dispatch_tmux.supervisor import session

    server = session.server_for(project, task)
    tag = server.cmd("display-message", "-p", "-t", task.pane, "#{@dispatch_task}\t#{pane_pid}")
    mark, _, pid = tag.text.partition("\t")
    return tag.ok and (pid == str(task.pid) if task.adopted else mark == task.id)


def details(project: Project, task: Task) -> list[str]:
    """All about one task."""
    store = project.store
    items = plan.parse(store.plan(task.id))
    why = f" — {line(task.why, 200)}" if task.why else ""
    since = age(time.time() - task.since)
    lines = [
        f"{task.id} — {line(task.model, 40)}: {line(task.title, 200)}",
        f"{show.state(task).rstrip()} for {since}{why}" + (f" (attempt {task.attempt})" if task.attempt > 1 else ""),
        "",
    ]
    lines[-1:] = [*show.recovery(task), ""]
    if used := usage.words(sessions.kept(store.own(task.id)), task.state is State.WORKING):
        lines.insert(-1, line(used, 200))
    working = next((i for i in items if i.mark == plan.OPEN), None) if not task.ended else None
    for item in items:
        mark = {plan.DONE: "✓", plan.BLOCKED: "?", plan.ERROR: "!"}.get(item.mark, "⋯" if item is working else "○")
        lines.append(f"  {mark} {line(item.text, 300)}")
    for q in task.open_questions:
        lines += ["", *show.question(task.id, whole(store, task, q), store.path(task.id, "ipc", f"{q.id}.question"))]
    lines += [f"  a message waits: {line(how, 200)}" for _, status, how in task.requests if status == "held"]
    try:
        shown = [x for x in screen(project, task).splitlines() if x.strip()][-8:]
        lines += ["", "  its screen:", *(f"  │ {line(x, max(show.width() - 4, 20))}" for x in shown)]
    except DispatchError:
        pass
    if damage := store.damage(task.id):
        lines.append(f"  {damage} damaged line{'s' if damage > 1 else ''} in its journal (left out)")
    lines += ["", *_around(task), *(_attempts(store.events(task.id)) if task.attempt > 1 else [])]
    output = store.path(task.id, "output.md")
    lines += ["", f"  files:  {store.path(task.id)}"]
    lines += [f"  result: {output}"] if os.path.exists(output) else []
    return lines


def graph(found: list[Task]) -> list[str]:
    """Tasks with what they come after, as wide as the terminal."""
    from dispatch_tmux.core import graph as drawing

    nodes = [(t.id, f"{GLYPHS[t.state]} {t.id}  {t.state.value} {t.done_items}/{len(t.marks)}") for t in found]
    width = show.width()
    rows = drawing.draw(nodes, {t.id: [id for id, _ in t.after] for t in found})
    return [row if columns(row) <= width else row[: width - 1] + "…" for row in rows]


_SIGNS = {
    "alive": "its process lives", "exit_code": "exit code", "server_gone": "the tmux server is gone", "stopping": "it was told to stop",
    "open_question": "unanswered question file", "marks": "plan", "done_marker": "it says that it has finished (ipc/.done)",
    "shows": "its screen shows", "kind": "of the kind", "detail": "with", "cause": "cause in its last words", "settled": "seconds so",
    "quiet": "seconds since it drew anything", "age": "seconds since it began", "nudges": "reminders", "has_screen_rules": "screen rules",
}  # fmt: skip


def evidence(project: Project, task: Task) -> list[str]:
    """What the state of TASK rests on: the signs at its last change, and what there is to see now."""
    store = project.store
    last = next((e for e in reversed(store.events(task.id)) if e.kind == "state"), None)
    lines = [f"{task.id}: {task.state.value}" + (f" — {line(task.why, 200)}" if task.why else "")]
    signs = dict(last.data.get("signs") or {}) if last else {}
    if signs and last:
        lines.append(f"  it rests on, {age(time.time() - last.t)} ago:")
        lines += [
            f"    {_SIGNS.get(name, name)}: {line(str(value), 200)}" for name, value in signs.items() if name in _SIGNS
        ]
    lines.append("  now:")
    lines.append(
        f"    plan: {plan.marks(plan.parse(store.plan(task.id)))!r}, open questions: {len(task.open_questions)}"
    )
    lines.append(f"    supervised: {'yes' if store.supervised() else 'no'}")
    lines += [f"    {text}" for text in _screen_now(project, task)]
    lines.append("  precedence: process, question file, dialogue, finished plan, screen busy or idle, silence")
    return lines


def _screen_now(project: Project, task: Task) -> list[str]:
    from dispatch_tmux.config import load as configuration
    from dispatch_tmux.screen import read as screens

    if not task.pane or not is_its_pane(project, task):
        return ["no window"]
    from dispatch_tmux.supervisor import session

    server = session.server_for(project, task)
    shot = server.cmd("capture-pane", "-p", "-e", "-t", task.pane)
    facts = server.cmd(
        "display-message", "-p", "-t", task.pane, "#{cursor_x} #{cursor_y} #{pane_dead} #{pane_title}"
    ).text.split(" ", 3)
    if not shot.ok or len(facts) < 3:
        return ["no window"]
    title = facts[3] if len(facts) > 3 else ""
    shown = screens.look(
        configuration.backend(task.backend).screen, shot.text, title=title, cursor=(int(facts[0]), int(facts[1]))
    )
    kind = f" ({shown.kind})" if shown.kind else ""
    dead = ", the program has ended" if facts[2] == "1" else ""
    return [f"its screen shows: {shown.shows}{kind}{dead}; title: {line(title, 80)!r}"]


def _attempts(events: list[Event]) -> list[str]:
    """A line an attempt: when it began, with which model, how it ended."""
    said: dict[int, list[str]] = {}
    model = ""
    for e in events:
        try:
            if e.kind in ("created", "switched"):
                model = line(str(e.data["model"]), 40)
            elif e.kind == "starting":
                how = ", resumed" if e.data.get("resume") else ""
                said[int(e.data["attempt"])] = [f"{time.strftime('%m-%d %H:%M:%S', time.localtime(e.t))} {model}{how}"]
            elif e.kind == "exited" and int(e.data["attempt"]) in said:
                said[int(e.data["attempt"])].append(f"exit code {e.data.get('code')}")
        except (KeyError, ValueError):
            continue
    return [f"  attempt {n}: {', '.join(parts)}" for n, parts in said.items()]


def _around(task: Task) -> list[str]:
    """Its group, what it comes after, and how its worktree stands."""
    lines = [f"  group:  {line(task.group, 60)}"] if task.group else []
    if task.after:
        lines.append(
            "  after:  " + ", ".join(id + (" (however it ends)" if kind == "any" else "") for id, kind in task.after)
        )
    lines += [f"  flag:   {line(text, 400)}" for text in task.flags]
    lines += [f"  late:   {why}" for why in task.late]
    if task.worktree:
        merged = f" · merged into {line(task.merged_into, 80)}" if task.merged else ""
        lines.append(f"  branch: {line(task.branch, 200)}{merged}")
        lines.append(f"  in:     {line(task.worktree, 400)}")
    if task.conflicts:
        lines.append(f"  merging it conflicts in {line(', '.join(task.conflicts), 300)}")
    if task.strayed:
        lines.append(f"  the main checkout changed while it worked: {line(', '.join(task.strayed), 300)}")
    return lines


def words(id: str, event: Event) -> str:
    """An event as a line."""
    d = event.data
    said = {
        "question": lambda: f"asks ({d.get('q')}): {d.get('text', '')}",
        "answer": lambda: f"answered ({d.get('q')}): {d.get('answer', '')}",
        "state": lambda: f"{d.get('state')}{': ' + d['why'] if d.get('why') else ''}",
        "progress": lambda: ", ".join(f"[{c.get('mark')}] {c.get('item')}" for c in d.get("changed", ())),
        "exited": lambda: f"exit code {d.get('code')}",
        "note": lambda: f"note: {d.get('text', '')}",
        "flag": lambda: f"flag: {d.get('text', '')}",
        "late": lambda: str(d.get("why", "")),
        "worktree": lambda: f"{d.get('branch')} in {d.get('path')}",
        "merged": lambda: f"into {d.get('into')}",
        "conflict": lambda: f"with {d.get('into')}: {', '.join(d.get('files', ()))}",
        "strayed": lambda: ", ".join(d.get("files", ())),
    }
    text = (
        said[event.kind]()
        if event.kind in said
        else " ".join(f"{k}={v}" for k, v in d.items() if k in ("attempt", "pane", "how", "q"))
    )
    stamp = time.strftime("%H:%M:%S", time.localtime(event.t))
    return line(f"{stamp}  {id}  {event.kind}  {text}", 400)


def waiting(found: list[Task]) -> bool:
    return any(t.open_questions for t in found) or any(t.state is State.BLOCKED for t in found)
