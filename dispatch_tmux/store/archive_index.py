"""What is searched of the archive, in one file: a line a task, so that ten thousand are looked through in a moment.

    archive/index.jsonl       JSON a line: [key, size and time of its file, facts, texts, whether they are longer than that]

It is a cache: what is missing is read from the archived tasks, what is gone is left out, and it may be deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import archive, files, task_file
from dispatch_tmux.store.archive import Archived, Entry
from dispatch_tmux.store.journal import parse
from dispatch_tmux.store.tree import Tree

NAME = "index.jsonl"
MOST = 1 << 30  # bytes of it
SEARCHED = 16_000  # characters of each task's texts that it has; of a longer one the archived task is read
_FACTS = ("title", "model", "backend", "group", "why", "created", "since", "ran", "attempt", "marks")
_KINDS = ('"question"', '"answer"', '"note"', '"flag"')


class Texts(NamedTuple):
    """What of a task is searched: what was asked of it, what it asked and was answered, what it was told, what came of it."""

    prompt: str = ""
    question: str = ""
    answer: str = ""
    note: str = ""
    result: str = ""


class Line(NamedTuple):
    """A task in the index; `more`: its texts are longer than here. `used` is what its usage.json has."""

    entry: Entry
    task: Task
    used: Mapping[str, Any]
    texts: Texts
    more: bool


def lines(records: str, words: tuple[str, ...] = ()) -> Iterator[Line]:
    """The archived tasks, the last ended first; of those that cannot have all of WORDS (casefolded) none. Renews the index."""
    needles = [json.dumps(word, ensure_ascii=False)[1:-1] for word in words]
    for _, text in _renewed(records):
        folded = text.casefold() if needles else ""
        may_be = text.endswith(",true]") or all(needle in folded for needle in needles)
        if may_be and (line := _line(text)):
            yield line


def texts_of(found: Archived) -> Texts:
    """The texts of a task that is archived, or was gathered."""
    said: dict[str, list[str]] = {"question": [], "answer": [], "note": [], "flag": []}
    for line in found.files.get("journal.jsonl", "").split("\n"):
        if any(kind in line for kind in _KINDS) and (event := parse(line.encode("utf-8", "replace"))):
            said.get(event.kind, []).append(str(event.data.get("answer" if event.kind == "answer" else "text", "")))
    for name, text in found.files.items():
        kind = name.partition(".")[2].removesuffix(".former")
        if name.startswith("ipc/") and kind in said and text.strip() not in said[kind]:
            said[kind].append(text.strip())
    prompt = str(task_file.parse(found.files.get("task.yaml", "")).get("prompt", ""))
    question, answer, note = ("\n".join(said[kind]) for kind in ("question", "answer", "note"))
    result = [*said["flag"], *(found.files[name] for name in ("output.md", "context.md") if name in found.files)]
    return Texts(prompt or found.task.title, question, answer, note, "\n".join(result))


def _renewed(records: str) -> list[tuple[float, str]]:
    """The lines of the index as the archive is now, each with when its task ended, the last first."""
    tree = Tree(records, "archive")
    there = {entry.key: entry for entry in archive.entries(records)}
    kept: dict[str, tuple[float, str]] = {}
    before = (tree.read(NAME, most=MOST) or "").split("\n") if there else []
    for text in before:
        try:
            key, size, time, since = json.loads(text[: text.index(",[")] + "]")
        except (ValueError, TypeError):
            continue
        if (entry := there.get(key)) and (entry.size, entry.time) == (size, time):
            kept[key] = float(since), text
    fresh = [entry for key, entry in there.items() if key not in kept]
    for entry in fresh:
        kept[entry.key] = _made(records, entry)
    found = sorted(kept.values(), key=lambda one: -one[0])
    if fresh or len(kept) != len(before) - 1:
        try:
            files.replace(os.path.join(tree.path, NAME), "".join(f"{text}\n" for _, text in found))
        except DispatchError:
            pass  # it is only a cache
    return found


def _made(records: str, entry: Entry) -> tuple[float, str]:
    """The line of ENTRY; one that cannot be read has no texts."""
    head = [entry.key, entry.size, entry.time]
    try:
        found = archive.load(records, entry.key)
    except DispatchError:
        return 0.0, json.dumps([*head, 0.0, [], {}, [], False], separators=(",", ":"))
    whole, left = texts_of(found), SEARCHED
    texts = []
    for text in whole:
        texts.append(text[: max(0, left)])
        left -= len(text)
    facts = [found.task.state.value, *(getattr(found.task, name) for name in _FACTS)]
    line = [*head, found.task.since, facts, used(found), texts, left < 0]
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
    return found.task.since, text


def used(found: Archived) -> dict[str, Any]:
    """What its usage.json has; {} without one."""
    try:
        data = json.loads(found.files.get("usage.json", "{}"))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _line(text: str) -> Line | None:
    """What a line of the index says; None for one that says nothing."""
    try:
        key, size, time, _, facts, used, texts, more = json.loads(text)
        state, *others = facts
        id = str(key).rpartition(".")[0]
        task = Task(id=id, state=State(state), **dict(zip(_FACTS, others, strict=True)))
        return Line(Entry(key, id, size, time), task, used, Texts(*texts), more)
    except (ValueError, TypeError, RecursionError):
        return None
