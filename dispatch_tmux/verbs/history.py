"""`history` and `restore`: what has been, also after `clean`; and bringing it back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dispatch_tmux.core import order, plan
from dispatch_tmux.core.fold import fold
from dispatch_tmux.core.plan import Item
from dispatch_tmux.core.task import Question, Task, task_id
from dispatch_tmux.errors import DispatchError, TaskNotFound
from dispatch_tmux.store import archive, archive_index, question_files
from dispatch_tmux.store.archive import Archived, Entry
from dispatch_tmux.store.archive_index import Texts
from dispatch_tmux.store.directories import SHOWN
from dispatch_tmux.store.journal import parse
from dispatch_tmux.store.project import Project
from dispatch_tmux.verbs import tasks
from dispatch_tmux.verbs.tasks import Which

AROUND = 300  # characters on either side of what was found


class Past(NamedTuple):
    """A task of now or before. `name` is what `recall` and `restore` know it by: its id, or its key where that means a later
    one. `archived`: `clean` has taken it away.

    `where` says in which of its texts the first word was found ("prompt", "question", "answer", "note", "result"), `text` is
    what stands around it there.
    """

    task: Task
    name: str
    archived: bool
    where: str
    text: str


class Recalled(NamedTuple):
    """All that is kept of a task: what it was asked, what it asked (with the answers), what came of it.

    `cut` are bytes that were too many to keep, by file; `others` the keys of archived tasks of the same id, the newest first.
    """

    task: Task
    key: str
    prompt: str
    items: tuple[Item, ...]
    questions: tuple[Question, ...]
    output: str
    context: str
    cut: dict[str, int]
    others: tuple[str, ...] = ()


def history(
    project: Project, *words: str, since: float | str = 0.0, model: str = "", group: str = "", most: int = 0
) -> list[Past]:
    """The tasks in whose texts all of WORDS stand, live and archived ones, the last ended first; MOST of them (0: all).

    SINCE: only those that ended, or changed last, since then ("7d" ago, a date, seconds since the epoch). MODEL and GROUP: only
    those of that model, that group. Raises UsageProblem for a time that is none.
    """
    begin = order.past(since, time.time()) if isinstance(since, str) and since else float(since or 0)
    wanted = tuple(word.casefold() for word in words if word.strip())
    newest = {entry.id: entry.key for entry in reversed(_entries(project))} | dict.fromkeys(project.store.ids(), "")
    found = []
    for task, key, texts in _merged(_live(project, begin), _archived(project, begin, wanted)):
        if (model and task.model != model) or (group and task.group != group):
            continue
        if all(any(word in text.casefold() for text in (task.id, task.title, *texts)) for word in wanted):
            name = task.id if newest.get(task.id) == key else key or task.id
            found.append(Past(task, name, bool(key), *_around(task, texts, wanted)))
            if len(found) == most:
                break
    return found


_One = tuple[Task, str, Texts]


def _merged(live: Sequence[_One], archived: Iterable[_One]) -> Iterator[_One]:
    """Both by when they ended, the last first; of one that is in both, as a killed `clean` leaves it, the live one."""
    there, left = {(task.id, round(task.created * 1000)) for task, _, _ in live}, list(live)
    for one in archived:
        while left and left[0][0].since >= one[0].since:
            yield left.pop(0)
        if (one[0].id, round(one[0].created * 1000)) not in there:
            yield one
    yield from left


def _live(project: Project, begin: float) -> list[_One]:
    store = project.store
    there = [task for task in tasks.every(project) if task.since >= begin] if store.exists() else []
    there.sort(key=lambda task: -task.since)
    return [(task, "", archive_index.texts_of(archive.gathered(store, task))) for task in there]


def _archived(project: Project, begin: float, wanted: tuple[str, ...]) -> Iterator[_One]:
    if not project.store.exists():
        return
    for line in archive_index.lines(project.store.records, wanted):
        if line.task.since < begin:
            return
        texts = line.texts
        if line.more and not all(
            any(w in t.casefold() for t in (line.task.id, line.task.title, *texts)) for w in wanted
        ):
            try:
                texts = archive_index.texts_of(archive.load(project.store.records, line.entry.key))
            except DispatchError:
                continue  # it went this moment
        yield line.task, line.entry.key, texts


def _around(task: Task, texts: Texts, wanted: tuple[str, ...]) -> tuple[str, str]:
    """In which text the first of the words stands, and what is around it; without words, the title."""
    for where, text in zip(Texts._fields, texts, strict=True) if wanted else ():
        if (at := text.lower().find(wanted[0])) >= 0:
            first = max(0, at - AROUND)
            return where, f"{'…' if first else ''}{text[first : at + AROUND]}"
    return "prompt", task.title or texts.prompt[:AROUND]


def recall(project: Project, which: Which) -> Recalled:
    """All that is kept of the task, live or archived: by its id (the newest of it) or its key. Raises TaskNotFound."""
    store, name = project.store, which.id if isinstance(which, Task) else which
    entries = _entries(project)
    if name in store.ids():
        task = store.task(name)
        others = tuple(e.key for e in entries if e.id == name)
        return _recalled(archive.gathered(store, task), others, tasks.one(project, name))
    entry = _find(project, name, entries)
    others = tuple(e.key for e in entries if e.id == entry.id and e.key != entry.key)
    return _recalled(archive.load(store.records, entry.key), others)


def is_known(project: Project, name: str) -> bool:
    """Whether NAME is exactly a task's id, or an archived one's key."""
    return project.store.exists() and (
        name in project.store.ids() or any(name in (e.id, e.key) for e in _entries(project))
    )


def restore(project: Project, which: str, *, id: str = "") -> Task:
    """Bring an archived task back, as one that is over: with its journal, plan, questions, answers and result.

    WHICH is its id (the newest of it) or its key; ID another id for it. It leaves the archive. Raises TaskNotFound, and DispatchError
    when there is a task of that id already, or when its journal was damaged.
    """
    store, wanted = project.store, task_id(id) if id else ""
    if not store.exists():
        raise TaskNotFound(f"no archived task {which[:80]!r}", hint="no task has been dispatched here yet")
    with archive.alone(store.records):
        entry = _find(project, which, _entries(project))
        wanted = wanted or entry.id
        if not archive.bring_back(store, archive.load(store.records, entry.key), wanted):
            raise DispatchError(f"there is a task {wanted!r} already", hint=f"dispatch restore {which} --id ANOTHER-ID")
        archive.remove(store.records, entry.key)
    return store.task(wanted)


def _entries(project: Project) -> list[Entry]:
    """What is in the archive, the newest task first."""
    if not project.store.exists():
        return []
    return sorted(archive.entries(project.store.records), key=lambda e: -int(e.key.rpartition(".")[2], 16))


def _find(project: Project, name: str, entries: Sequence[Entry]) -> Entry:
    """The archived task that NAME means: a key, an id (the newest of it), or the only id that begins so. Raises TaskNotFound."""
    for entry in entries:
        if name in (entry.key, entry.id):
            return entry
    near = {e.id: e for e in reversed(entries) if name and e.id.startswith(name)}
    if len(near) == 1:
        return next(iter(near.values()))
    if name in project.store.ids():
        raise TaskNotFound(f"{name} is no archived task, it is there", hint=f"dispatch status {name}")
    listed = ", ".join(list(near)[-SHOWN:])
    raise TaskNotFound(
        f"{'several archived tasks begin with' if near else 'no archived task'} {name[:80]!r}",
        hint=f"there is: {listed}" if near else "dispatch history lists them",
    )


def _recalled(found: Archived, others: tuple[str, ...], now: Task | None = None) -> Recalled:
    events = (parse(line.encode("utf-8", "replace")) for line in found.files.get("journal.jsonl", "").split("\n"))
    task = fold(found.task.id, (event for event in events if event))
    if not task.created:
        task = found.task  # its journal was damaged
    if now is not None:
        task = task._replace(state=now.state, why=now.why, since=now.since)
    return Recalled(
        task, found.key, archive_index.texts_of(found).prompt, plan.parse(found.files.get("plan.md", "")),
        tuple(_whole(found, q) for q in task.questions), found.files.get("output.md", ""), found.files.get("context.md", ""),
        found.cut, others,
    )  # fmt: skip


def _whole(found: Archived, q: Question) -> Question:
    """Q with the whole text of its file, which the journal has only the beginning of, and its whole answer."""
    if q.via != "file" or "." in q.id:
        return q
    text, said = (found.files.get(f"ipc/{q.number}.{kind}", "").strip() for kind in ("question", "answer"))
    if len(q.text) >= question_files.CUT and text:
        q = q._replace(text=text)
    return q._replace(answer=said) if q.answer is not None and said.startswith(q.answer) else q
