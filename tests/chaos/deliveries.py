"""Messages to demo workers from many senders under kill -9 of the supervisor, while somebody types drafts into their composers.

Wanted: what was told "delivered" is there once and as it was sent, nothing is there twice or elsewhere or out of order, every
message has an outcome, no mailbox stays shut. The messages and their times come from the seed; who meets whom does not.
"""

from __future__ import annotations

import json
import os
import queue
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from chaos.rig import Result, Rig, kill, progress, rig, until

from dispatch_tmux.core import delivery
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import send as sending

TRIES = 400
WORKERS = int(os.environ.get("DELIVERIES_WORKERS", "16"))
SENDERS = int(os.environ.get("DELIVERIES_SENDERS", "8"))
PERSON = os.environ.get("DELIVERIES_PERSON", "1") == "1"
A_KILL = 32  # messages
SETTLE = 180.0  # seconds that what is held may take at the end

POOL = ("continue", "yes", "go on", "ok", "no")
HEAD = "Please look at the file src/main/java/com/example/app/Controller.java and then do the following thing: "
QUOTES = (
    'it\'s "quoted" `back` $(touch pwned) ${HOME} #{pane_id} #(touch pwned) %H %% \\ \\n ; && | > < * ? ~ [a-z] {x,y}'
)
UNICODE = (
    "naïve 漢字かな交じり文 한국어 😀🏳️\u200d🌈 e\u0301\u0323 नमस्ते ไทย עברית العربية \u202eRTL\u202c zero\u200bwidth ﷽ 𝔘𝔫𝔦 "
    "👩\u200d👩\u200d👧\u200d👦 🇩🇪🇫🇷 👍🏽 a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308 x\U000e1234y"
)
CONTROLS = "a\x1b[201~b\x1b[31mred\x1b]0;t\x07c\x00d\x03e\x04f\x15g\x7fh\x08i\x0cj\x9bk\x85l\u2028m\rn\r\no\tp"
TOKEN = re.compile(r"§(\d+)§")


class Message(NamedTuple):
    n: int
    kind: str
    text: str
    worker: str
    pause: float


def messages(rng: random.Random, tries: int, workers: list[str]) -> Iterator[Message]:
    """TRIES messages; some workers get more than others."""
    for n in range(tries):
        kind, text = _text(rng, f"§{n}§")
        worker = rng.choice(workers[:3]) if rng.random() < 0.25 else rng.choice(workers)
        yield Message(n, kind, text, worker, rng.choice([0, 0, 0.05, 0.3]))


def _text(rng: random.Random, token: str) -> tuple[str, str]:
    words = "word " * rng.randrange(1, 60)
    lines = [rng.choice(["", "  ", "\t", "- ", "# "]) + f"line {n} of it" for n in range(rng.randrange(2, 40))]
    some = "".join(rng.choice("abc déf 漢\n") for _ in range(rng.choice([778, 900, 5000, 20_000])))
    end = rng.choice([";", "\\", " ", "{", "'", "#", "/x", "@f", "?"])
    kinds: dict[str, str] = {
        "pool": rng.choice(POOL),
        "same head": HEAD + "x" * rng.randrange(30) + " " + token,
        "leading": rng.choice("-/!#@&;:.~\\%$>|") + rng.choice(["", " ", "-"]) + "word " + token,
        "quotes": rng.choice([QUOTES + " " + token, token + QUOTES]),
        "unicode": rng.choice([token + " " + UNICODE, UNICODE + " " + token]),
        "controls": "a" + CONTROLS + token,
        "multi": "\n".join(lines) + "\n" + token,
        "long": token + " " + some,
        "one row": token + " " + "word " * 155,
        "trailing": f"{token} ends with {end}",
        "short": f"short {token}",
        "blank lines": f"   indented\n\n\n   {token}   \n\n",
        "tiny": token,
        "words": words + token,
    }
    return rng.choice(list(kinds.items()))


class Sent(NamedTuple):
    message: Message
    rid: str  # of the request; '' when none was left. It begins with the time in nanoseconds
    left: int  # when the request was there, as time.time_ns
    said: str  # what the sender was told


class Run:
    """One campaign on the rig R, and what it leaves for the reckoning."""

    def __init__(self, r: Rig, seed: int, tries: int) -> None:
        self.r, self.seed, self.tries = r, seed, tries
        self.workers = [f"w{n}" for n in range(WORKERS)]
        self.sent: list[Sent] = []
        self.drafts: list[tuple[str, str, bool]] = []  # worker, words, whether they were sent
        self.kills = self.shut = 0
        self.over = threading.Event()
        self.errors: Counter[str] = Counter()

    def go(self) -> None:
        for n, id in enumerate(self.workers):
            received = str(self.r.base / f"received-{id}")
            pace = ("0.02", "0.05", "0.3")[n % 3]
            self.r.start("-m", "demo", "--id", id, "--item", "look", "hello", DEMO_RECEIVED=received, DEMO_PACE=pace)
        rng = random.Random(self.seed)
        self.due: queue.SimpleQueue[Message] = queue.SimpleQueue()
        for message in messages(rng, self.tries, self.workers):
            self.due.put(message)
        senders = [self._thread(self._send) for _ in range(SENDERS)]
        others = [self._thread(self._kill)] + ([self._thread(self._type)] if PERSON else [])
        for thread in senders:
            thread.join()
        self.over.set()
        for thread in others:
            thread.join()
        self._settle()

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except Exception as e:
                self.errors[repr(e)[:100]] += 1

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        return thread

    def _send(self) -> None:
        while True:
            try:
                message = self.due.get_nowait()
            except queue.Empty:
                return
            LEFT.rid, LEFT.at = "", 0
            try:
                said = "delivered" if sending.send(self.r.project, message.worker, message.text) else ""
            except DispatchError as e:
                said = str(e)
            self.sent.append(Sent(message, LEFT.rid, LEFT.at, said))
            if len(self.sent) % 200 == 0:
                progress(len(self.sent) - 1, self.tries, [f"{self.kills} kills, load {os.getloadavg()[0]:.0f}"])
            time.sleep(message.pause)

    def _kill(self) -> None:
        rng = random.Random(self.seed + 1)
        while not self.over.is_set():
            if self.kills < len(self.sent) / A_KILL:
                time.sleep(rng.uniform(0, 0.4))
                if pid := until(self.r.supervisor, 20, 0.02):
                    self.kills += kill(pid)
            time.sleep(0.05)

    def _type(self) -> None:
        """Drafts, key by key, by somebody who does not care what else goes on; some are sent, some removed."""
        rng, n = random.Random(self.seed + 2), 0
        while not self.over.wait(rng.uniform(0.1, 1.0)):
            id, n = rng.choice(self.workers), n + 1
            pane, words, sends = self.r.task(id).pane, f"draft ¤{n}¤ of a person", rng.random() < 0.5
            if rng.random() < 0.2:
                self.r.tmux("copy-mode", "-t", pane)
                continue
            self.r.tmux("copy-mode", "-q", "-t", pane)
            cut = rng.randrange(1, len(words))
            for part in (words[:cut], words[cut:]):
                self.r.tmux("send-keys", "-t", pane, "-l", part)
                time.sleep(rng.uniform(0, 1.0))
            self.r.tmux("send-keys", "-t", pane, "Enter" if sends else "C-u")
            self.drafts.append((id, words, sends))

    def _settle(self) -> None:
        """Until nothing is held any more; what somebody's draft holds is let go."""
        for id in self.workers:
            self.r.tmux("copy-mode", "-q", "-t", self.r.task(id).pane)

        def settled() -> bool:
            session.ensure(self.r.project)
            for id in self.workers:
                if self.r.store.requests(id) and any(
                    "draft" in how for _, s, how in self.r.task(id).requests if s == "held"
                ):
                    self._clear(id)
            return not any(self.r.store.requests(id) for id in self.workers)

        until(settled, SETTLE, 1.0)
        time.sleep(2)

    def _clear(self, id: str) -> None:
        pane = self.r.task(id).pane
        rows = self.r.tmux("capture-pane", "-p", "-t", pane).lines
        composer = "\n".join(rows[-12:])
        if "¤" not in composer and "❯ draft" not in composer:
            self.shut += 1
            self.errors[f"shut by: {composer[-300:]!r}"] += 1
        self.r.tmux("send-keys", "-t", pane, "C-u")


LEFT = threading.local()  # the id of the request that this thread has left last


@contextmanager
def requests_seen(r: Rig) -> Iterator[None]:
    """While this lasts, LEFT.rid is the last request of each thread."""
    kind = type(r.store)
    real = kind.request

    def request(self, id: str, what: str, **data: object) -> str:  # type: ignore[no-untyped-def]
        LEFT.rid = real(self, id, what, **data)
        LEFT.at = time.time_ns()
        return LEFT.rid

    before = dict(os.environ)
    os.environ.update(r.env)
    kind.request = request  # type: ignore[method-assign]
    try:
        yield
    finally:
        kind.request = real  # type: ignore[method-assign]
        os.environ.clear()
        os.environ.update(before)


def campaign(seed: int, tries: int) -> Result:
    with rig("deliveries") as r, requests_seen(r):
        run = Run(r, seed, tries)
        run.go()
        return Reckoning(run).result()


class Reckoning:
    """What was told of each message, held against what the workers have received."""

    def __init__(self, run: Run) -> None:
        self.run, self.failures = run, list[str]()
        self.counts: Counter[str] = Counter()
        self.got = {id: self._received(id) for id in run.workers}
        self.outcomes = {id: {rid: (s, how) for rid, s, how in run.r.task(id).requests} for id in run.workers}

    def _received(self, id: str) -> list[str]:
        path = self.run.r.base / f"received-{id}"
        return (
            [json.loads(line)["text"] for line in path.read_text(errors="replace").splitlines()]
            if path.exists()
            else []
        )

    def result(self) -> Result:
        pool: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        order: dict[str, list[tuple[Sent, int]]] = defaultdict(list)
        for sent in self.run.sent:
            status, how = self.outcomes[sent.message.worker].get(sent.rid, ("", sent.said))
            self.counts[status or "refused"] += 1
            if sent.message.kind == "pool":
                pool[sent.message.worker, sent.message.text][status] += 1
            else:
                self._one(sent, status, how, order)
        self._pool(pool)
        self._order(order)
        self._left_behind()
        drafts = [self._draft(*draft) for draft in self.run.drafts]
        return Result(
            len(self.run.sent),
            self.failures,
            [
                f"{len(self.run.sent)} messages, {self.run.kills} kills, told: {dict(self.counts)}",
                f"drafts of a person: {len(drafts)}, not as typed: {sum(drafts)}",
                *(f"{count} × {error}" for error, count in self.run.errors.items()),
            ],
        )

    def _one(self, sent: Sent, status: str, how: str, order: dict[str, list[tuple[Sent, int]]]) -> None:
        message = sent.message
        token, want, mine = f"§{message.n}§", delivery.clean(message.text), self.got[message.worker]
        hits = [at for at, text in enumerate(mine) if token in text]
        exact = [at for at in hits if mine[at] == want]
        glued = [at for at in hits if "¤" in mine[at] or "draft" in mine[at] or len(TOKEN.findall(mine[at])) > 1]
        if any(token in text for id, texts in self.got.items() if id != message.worker for text in texts):
            self._fail("to a wrong worker", sent, status, how)
        if len(hits) > 1:
            self._fail(f"doubled ({len(hits)})", sent, status, how)
        if hits and not exact and not glued:
            self._fail(f"mangled: {mine[hits[0]][:120]!r}", sent, status, how)
        if status == "delivered" and not hits:
            self._fail("told delivered, not there", sent, status, how)
        if status == "delivered" and hits and not exact and glued:
            self._fail(f"told delivered, glued: {mine[glued[0]][-60:]!r}", sent, status, how)
        if status not in ("delivered", "undelivered") and sent.rid:
            self._fail("no outcome", sent, status, how)
        if status == "undelivered":
            self.counts[
                "undelivered and there" if exact else "undelivered, glued" if glued else "undelivered, not there"
            ] += 1
        if sent.rid and exact:
            order[message.worker].append((sent, exact[0]))

    def _fail(self, what: str, sent: Sent, status: str, how: str) -> None:
        message = sent.message
        self.failures.append(f"{what}: {message.worker} {message.kind} §{message.n}§ {sent.rid} {status}: {how}")

    def _pool(self, pool: dict[tuple[str, str], Counter[str]]) -> None:
        """Those that are alike can only be counted."""
        for (id, text), told in pool.items():
            there = self.got[id].count(text)
            if there < told["delivered"]:
                self.failures.append(f"{id}: {text!r} told delivered {told['delivered']} times, there {there} times")
            if there > told.total():
                self.failures.append(f"{id}: {text!r} sent {told.total()} times, there {there} times")

    def _order(self, order: dict[str, list[tuple[Sent, int]]]) -> None:
        for id, arrived in order.items():
            for one, at in arrived:
                for other, then in arrived:
                    if then < at and one.left < int(other.rid.partition("-")[0], 16):
                        self.failures.append(f"out of order: {id} {one.rid} {other.rid}")

    def _left_behind(self) -> None:
        r = self.run.r
        kill(r.supervisor())  # the next one tidies up

        def left() -> list[str]:
            session.ensure(r.project)
            files = [str(path) for id in self.run.workers for path in (r.own(id) / "inbox").glob("*.tmp")]
            return files + [
                name for name in r.tmux("list-buffers", "-F", "#{buffer_name}").lines if "dispatch-" in name
            ]

        until(lambda: not left(), 10)
        if found := left():
            self.failures.append(f"left behind: {len(found)}, {found[0]}")
        if self.run.shut:
            self.failures.append(f"{self.run.shut} mailboxes shut by what dispatch had typed")
        journals = Counter(e.key for id in self.run.workers for e in r.events(id) if e.key)
        keys = [
            key for id in self.run.workers for key, n in Counter(e.key for e in r.events(id) if e.key).items() if n > 1
        ]
        self.counts["events"] = journals.total()
        if keys:
            self.failures.append(f"events written twice: {keys[:3]}")

    def _draft(self, id: str, words: str, sends: bool) -> bool:
        """Whether it did not become what was typed."""
        mark = words.split()[1]
        found = [text for text in self.got[id] if mark in text]
        return [text.strip() for text in found] != ([words] if sends else [])
