from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from dispatch_tmux import UsageProblem
from dispatch_tmux.cli import common, show
from dispatch_tmux.core import fit
from dispatch_tmux.core.text import GLYPHS, age, clean, line, padded
from dispatch_tmux.verbs import history as verb

if TYPE_CHECKING:
    from dispatch_tmux import Past, Question, Recalled

SHOWN = 20  # tasks that are listed without -n
MOST, MOST_PIPED = 1 << 21, 8000  # characters of a result: a program's context is dear


@click.command()
@click.argument("words", nargs=-1, metavar="[TASK | WORDS…]")
@click.option("--since", default="", metavar="TIME", help="What ended since then: 12h, 7d, 2026-11-20.")
@click.option("-m", "--model", default="", metavar="MODEL", help="Tasks of that model.")
@click.option("--group", default="", metavar="NAME", help="Tasks of that group.")
@click.option(
    "-n", "most", type=click.IntRange(0), default=SHOWN, metavar="N", help=f"At most N tasks ({SHOWN}; 0: all)."
)
@click.option("--words", "literal", is_flag=True, help="Look for the word, also where it is a task's id.")
@click.option("--json", "as_json", is_flag=True, help="A list of tasks (of TASK: all of it).")
def history(
    words: tuple[str, ...], since: str, model: str, group: str, most: int, literal: bool, as_json: bool
) -> None:
    """Search prompts, questions, answers and results of all tasks, also of those that `clean` has taken away.

    All WORDS must be there; newest first. TASK (its id, or a key that the list shows) prints all that is kept of it.

    \b
    dispatch history "session token" --since 30d
    dispatch history auth
    dispatch restore auth
    """
    project = common.project()
    if "" in words:
        raise UsageProblem("a word is empty", hint="dispatch history lists all")
    if len(words) == 1 and not (literal or since or model or group) and verb.is_known(project, words[0]):
        found = verb.recall(project, words[0])
        if as_json:
            common.print_json(_whole(found))
        else:
            rows = _lines_of(found)
            if sys.stdout.isatty():
                rows = [part for row in rows for part in fit.wrapped(row, show.width(), 4)]
            common.echo_lines(rows, f"dispatch history {words[0]} --json")
            if others := len(verb.history(project, words[0], most=SHOWN)) - 1:
                many = show.many(others, "other task") if others < SHOWN - 1 else "other tasks"
                click.echo(f"{many} {'has' if others == 1 else 'have'} this word: dispatch history --words {words[0]}")
        return
    past = verb.history(project, *words, since=since, model=model, group=group, most=most + 1 if most else 0)
    shown = past[:most] if most else past
    if as_json:
        common.print_json([_data(one) for one in shown])
        return
    lines = _listed(shown, words) or ["nothing found" if words or since or model or group else "no task yet"]
    if len(past) > len(shown):
        lines.append(f"… there are more: -n {10 * most}, or -n 0 for all")
    common.echo_lines(lines, "dispatch history --json")


@click.command()
@click.argument("task")
@click.option("--id", default="", metavar="ID", help="Under another id: its own may be taken.")
def restore(task: str, id: str) -> None:
    """Bring a task back that `clean` has taken away: its journal, plan, questions, answers and result.

    TASK is its id (the newest of that id), or a key that `dispatch history` shows. It comes back as a task that is over.

    \b
    dispatch restore auth
    """
    back = verb.restore(common.project(), task, id=id)
    click.echo(f"restored {back.id} ({back.state.value}): dispatch status {back.id}")


def _listed(found: list[Past], words: tuple[str, ...]) -> list[str]:
    """A line a task: its name, how long ago it ended, and where the words are."""
    width, now = min(max((len(p.name) for p in found), default=0), 40), time.time()
    room = max(show.width() - width - 11, 24)
    return [
        f"{GLYPHS[p.task.state]} {padded(p.name, width)}  {age(now - p.task.since):>4}  {_match(p, words, room)}"
        for p in found
    ]


def _match(past: Past, words: tuple[str, ...], room: int) -> str:
    """The text that was found, cut so that the first word is seen."""
    head = f"{past.where}: " if words and past.where != "prompt" else ""
    text = " ".join(clean(past.text, 4000).split())
    at = text.lower().find(words[0].lower()) if words else -1
    spare = room - len(head)
    if at + (len(words[0]) if words else 0) > spare - 2:
        first = text.find(" ", max(0, at - spare // 3), at) + 1 or max(0, at - spare // 3)  # at a word, if there is one
        text = "…" + text[first:].lstrip("…")
    text = line(text, spare)
    at = text.lower().find(words[0].lower()) if words else -1
    if at >= 0:
        end = at + len(words[0])
        text = text[:at] + show.coloured(text[at:end], "1") + text[end:]
    return head + text


def _lines_of(found: Recalled) -> list[str]:
    """All that is kept of a task."""
    task = found.task
    kept = f"archived as {found.key}" if found.key else "not archived"
    why = f" — {line(task.why, 200)}" if task.why else ""
    lines = [
        f"{task.id} — {line(task.model, 40)}: {line(task.title, 200)}",
        f"{show.state(task).rstrip()} {age(time.time() - task.since)} ago{why} ({kept})",
        f"  begun {_moment(task.created)}, ended {_moment(task.since)}, at work {show.length(task.ran)}",
        *([f"  group: {line(task.group, 60)}"] if task.group else []),
        "", *clean(found.prompt, 20_000).splitlines(), "",
        *(f"  {show.MARKS.get(item.mark, '○')} {line(item.text, 300)}" for item in found.items),
    ]  # fmt: skip
    for q in found.questions:
        lines += ["", *_question(q)]
    lines += [f"  note: {line(text, 400)}" for text in task.notes]
    for heading, text in (("its result:", found.output), ("what it left when nobody answered:", found.context)):
        if text.strip():
            lines += ["", heading, *clean(text.rstrip(), MOST if sys.stdout.isatty() else MOST_PIPED).splitlines()]
    lines += [f"({show.many(count, 'byte')} of {name} were too many to keep)" for name, count in found.cut.items()]
    if found.others:
        lines += ["", f"archived earlier under this id: {line(', '.join(found.others), 400)}"]
    return [*lines, *(["", f"dispatch restore {found.key} brings it back"] if found.key else [])]


def _question(q: Question) -> list[str]:
    first, *rest = clean(q.text, 20_000).splitlines() or [""]
    said = "no answer" if q.answer is None else clean(q.answer, 20_000)
    return [f"? {first}", *(f"  {row}" for row in rest), f"  → {said}"]


def _moment(t: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(t))


def _data(past: Past) -> dict[str, Any]:
    t = past.task
    return {
        "id": t.id, "name": past.name, "archived": past.archived, "title": t.title, "model": t.model, "group": t.group,
        "state": t.state.value, "created": t.created, "since": t.since, "where": past.where, "text": past.text,
        "untrusted": ["title", "text"],
    }  # fmt: skip


def _whole(found: Recalled) -> dict[str, Any]:
    t = found.task
    return {
        "id": t.id, "key": found.key, "archived": bool(found.key), "title": t.title, "model": t.model, "backend": t.backend,
        "group": t.group, "state": t.state.value, "why": t.why, "created": t.created, "since": t.since, "attempt": t.attempt,
        "seconds": t.ran, "prompt": found.prompt, "items": [i._asdict() for i in found.items],
        "questions": [
            {"id": q.id, "text": q.text, "choices": [c._asdict() for c in q.choices], "answer": q.answer} for q in found.questions
        ],
        "notes": list(t.notes), "output": found.output, "context": found.context, "cut": found.cut, "others": list(found.others),
        "untrusted": ["title", "why", "items", "questions", "output", "context"],
    }  # fmt: skip
