"""What a worker's CLI says of itself: its hooks' files, and escape sequences in its output."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch_tmux.backends import hook as answering
from dispatch_tmux.backends import usage
from dispatch_tmux.core import echo
from dispatch_tmux.core.text import clean
from dispatch_tmux.store.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatch_tmux.backends import load as backends
    from dispatch_tmux.backends.rules import Take


MOST = 200  # files of hooks that are read at a time
KEPT = 20  # dialogues that may be open; a worker can tell of as many as it likes
RECEIPTS = 10_000  # prompts that are remembered


class Asked(NamedTuple):
    """What the CLI itself says that it asks; '' and () where it tells no more than that it does."""

    question: str = ""
    choices: tuple[str, ...] = ()
    multiple: bool = False
    fixed: bool = False  # no answer in words

    @classmethod
    def of(cls, signal: dict[str, Any]) -> Asked:
        choices = signal.get("choices")
        labels = tuple(str(c) for c in choices[:50]) if isinstance(choices, list) else ()
        return cls(str(signal.get("question") or ""), labels, bool(signal.get("multiple")), bool(signal.get("fixed")))


class Signals:
    """`turn_over`: the CLI has said that it waits for a person; `receipts`: how often it has said that it took a
    prompt;
    `usage`: what it has told of its work.
    """

    def __init__(self, task_dir: str, rules: backends.Signals) -> None:
        self._tree, self._rules = Tree.of(task_dir), rules
        self.turn_over = False
        self.told_at = -1e9  # on the monotonic clock: when it told of another state, which its screen may not show yet
        self._last = ""
        self.stirred = False  # it has told that it does something, since somebody last took note
        self.background = ""  # what it had in the background when its last turn was over
        self.begun = False  # some are "ready" before they take up their prompt
        self.receipts: Counter[str] = Counter()
        self.usage = usage.Usage()
        self.asked: dict[str, Asked] = {}  # what it asks and nobody has answered, by ids of its own
        self.hooks: dict[str, dict[str, Any]] = {}  # those that wait for an answer, and what they ask
        self._heard: deque[str] = deque(maxlen=50)  # filled by the reader's thread

    def hear(self, data: bytes) -> None:
        """Look for what the CLI says of its state in DATA, some of its output."""
        if self._rules.osc is None:
            return
        for found in self._rules.osc.finditer(data.decode("utf-8", "replace")):
            meaning = self._rules.means.get(found["state"], "")
            if meaning and meaning != self._last:  # some say it with every frame they draw
                self._last, self.told_at = meaning, time.monotonic()
                self._heard.append(meaning)

    def read(self) -> None:
        """Take in what has come since; each file of a hook is read once and removed."""
        while self._heard:
            self._means(self._heard.popleft())
        for name in sorted(n for n in self._tree.names("signals") if n.endswith(".json") and not n.startswith("."))[
            :MOST
        ]:
            text = self._tree.read("signals", name)
            if not self._tree.remove("signals", name):
                continue
            try:
                self._take(dict(json.loads(text or "")), name[: -len(".json")])
            except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
                continue  # not ours, or half of one

    def _take(self, signal: dict[str, Any], name: str) -> None:
        rules = self._rules
        meaning = rules.means.get(str(signal.get(rules.field)))
        if ref := str(signal.get(rules.ref) or "") if rules.ref else "":
            if meaning == "question":
                self.asked[ref] = Asked.of(signal)
                _cut(self.asked, KEPT)
            else:
                self.asked.pop(ref, None)
        if meaning == "question" and rules.answers:
            self.hooks[name] = signal
            _cut(self.hooks, KEPT)
        if meaning == "submitted":
            text = str(signal.get(rules.prompt, ""))
            wrapped = rules.unwrap.match(text) if rules.unwrap else None
            self.receipts[digest(wrapped["text"] if wrapped else text)] += 1
            _cut(self.receipts, RECEIPTS)
        if meaning in ("idle", "submitted", "ready") and rules.background:
            self.background = running_tasks(signal.get(rules.background)) if meaning == "idle" else ""
        if meaning:
            self._means(meaning)
        self.learn(signal, rules.takes)

    def _means(self, meaning: str) -> None:
        if meaning in ("busy", "submitted", "question"):
            self.begun = self.stirred = True
        self.turn_over = meaning == "idle" and self.begun
        if meaning in ("idle", "question"):
            self.told_at = time.monotonic()

    def hook_of(self, shown: str) -> str:
        """The hook that waits for the answer to the dialogue with the text SHOWN; '' for none, and where nobody can say which.

        Of two that ask the very same the elder's dialogue is shown first.
        """
        there = set(self._tree.names("door"))
        fits = [n for n, payload in self.hooks.items() if f"{n}.fifo" in there and answering.matches(payload, shown)]
        exact = [n for n in fits if answering.matches(self.hooks[n], shown, whole=True)]
        return exact[0] if exact else fits[0] if len(fits) == 1 else ""

    def learn(self, data: object, takes: Iterable[Take]) -> None:
        """Take from DATA, the CLI's own, what TAKES find in it."""
        told = usage.take(self.usage, data, takes)
        self.usage = told.usage
        self.receipts.update(digest(text) for text in told.said)
        _cut(self.receipts, RECEIPTS)


def _cut(kept: dict[str, Any], most: int) -> None:
    """Leave MOST of KEPT, those that came last."""
    while len(kept) > most:
        del kept[next(iter(kept))]


_OVER = frozenset(
    {"completed", "complete", "done", "finished", "failed", "killed", "stopped", "cancelled", "canceled", "error"}
)


def running_tasks(listed: object) -> str:
    """What of the tasks that a CLI LISTED goes on, in words; '' for nothing."""
    tasks = [t for t in listed[:50] if isinstance(t, dict)] if isinstance(listed, list) else []
    going = [t for t in tasks if str(t.get("status", "")).lower() not in _OVER]
    named = [
        " ".join(str(t.get("description") or t.get("command") or t.get("type") or "a task").split())[:60] for t in going
    ]
    return clean(", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else ""), 300)


def digest(text: str) -> str:
    """What stands for TEXT, whatever was done to its blanks; a text may be long, and a session has many."""
    return hashlib.sha256(echo.squeezed(text).encode("utf-8", "replace")).hexdigest()
