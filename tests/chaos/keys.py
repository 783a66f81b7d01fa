"""Keys at random in the inbox, everything but a yes: nothing is stopped, merged, retried or removed, and nothing breaks.

Wanted: no traceback, the supervisor untouched, the inbox answering to the end, Ctrl-C, Ctrl-\\ and Ctrl-Z included.
"""

from __future__ import annotations

import random
import sys
import time

import pexpect
from chaos.rig import Result, Rig, progress, rig, until

TRIES = 3000  # keys
SIZES = ((24, 80), (30, 40), (60, 200), (16, 60))
WORDS = ("\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F", "\x1b[Z", "\t", "\r", " ", "\x1b", "\x7f",
         "\x03", "\x1c", "\x1a", "\x04", "\x0c", "\x1b[<0;5;5M\x1b[<0;5;5m", "\x1b[<64;5;5M", "\x1bOP", "漢", "é", "\x1b[200~pasted\nlines\x1b[201~")  # fmt: skip
LETTERS = "".join(chr(n) for n in range(33, 127) if chr(n) not in "yY")  # never a yes


class Inbox:
    """`dispatch ui` of the rig R on a terminal of its own."""

    def __init__(self, r: Rig, size: tuple[int, int]) -> None:
        words = ["-m", "dispatch_tmux", "ui"]
        env = {**r.env, "TERM": "xterm-256color"}
        self.term = pexpect.spawn(sys.executable, words, cwd=str(r.root), env=env, dimensions=size, encoding="utf-8", codec_errors="replace")  # fmt: skip
        self.seen = ""

    def read(self, seconds: float = 0.0) -> str:
        end, got = time.monotonic() + seconds, ""
        while True:
            try:
                got += self.term.read_nonblocking(65536, 0.02)
            except pexpect.TIMEOUT:
                if time.monotonic() >= end:
                    break
            except pexpect.EOF:
                break
        self.seen = (self.seen + got)[-200_000:]
        return got

    def press(self, key: str) -> None:
        try:
            self.term.send(key)
        except OSError:
            pass

    def is_attached(self) -> bool:
        """Whether a tmux client has the terminal."""
        try:
            with open(f"/proc/{self.term.pid}/task/{self.term.pid}/children") as f:
                children = f.read().split()
            return any(b"attach" in open(f"/proc/{pid}/cmdline", "rb").read() for pid in children)
        except OSError:
            return False


def campaign(seed: int, tries: int) -> Result:
    chance, failures, ends = random.Random(seed), [], 0
    with rig("keys") as r:
        crew(r)
        supervisor, before = r.supervisor(), marks(r)
        inbox = Inbox(r, SIZES[0])
        inbox.read(2.0)
        for n in range(tries):
            inbox.press(chance.choice(WORDS) if chance.random() < 0.4 else chance.choice(LETTERS))
            if n % 20 == 0:
                inbox.read(0.05)
            if inbox.is_attached():
                inbox.press("\x02d")
                inbox.read(0.3)
            if not inbox.term.isalive():
                ends += 1
                inbox.read()
                failures += of_its_end(inbox, n)
                inbox = Inbox(r, chance.choice(SIZES))
                inbox.read(1.5)
            elif n % 500 == 499:
                found = of_now(r, supervisor, before, n)
                progress(n, tries, found)
                failures += found
        inbox.press("\x1b\x1b")
        inbox.read(0.5)
        failures += of_now(r, supervisor, before, tries)
        if "Traceback" in inbox.seen or "unexpected:" in inbox.seen:
            failures.append(f"a traceback on the screen: {inbox.seen[-400:]!r}")
        inbox.term.close(force=True)
    return Result(tries, failures, [f"it was quit {ends} times"])


def crew(r: Rig) -> None:
    """Workers in many states."""
    r.configure(models={"demo": {"backend": "demo"}})
    for n, item in enumerate(
        ["sleep 3000"] * 4
        + ["ask: which? (choices: a | b)"] * 4
        + ["choose: what? (choices: x | z)"] * 3
        + ["fail", "one"]
    ):
        r.d("run", "-m", "demo", "--id", f"t{n}", "--item", item, f"task {n}")
    r.d("pause")
    r.d("run", "-m", "demo", "--id", "waits", "--item", "one", "later")
    until(lambda: r.task("t11").state.value == "failed")


def marks(r: Rig) -> dict[str, tuple[int, int]]:
    """What nobody may change without a yes: which tasks there are, and how often each was stopped or begun."""
    kinds = ("stopping", "starting", "merged", "dropped", "switched")
    return {t["id"]: tuple(len(r.events(t["id"], kind)) for kind in kinds) for t in r.tasks() if t["id"] != "waits"}  # type: ignore[misc]


def of_now(r: Rig, supervisor: int, before: object, n: int) -> list[str]:
    found = []
    if r.supervisor() != supervisor:
        found.append(f"key {n}: the supervisor is another one")
    if (now := marks(r)) != before:
        found.append(f"key {n}: something was done without a yes: {before} → {now}")
    return found


def of_its_end(inbox: Inbox, n: int) -> list[str]:
    inbox.term.wait() if inbox.term.isalive() else None
    status, number = inbox.term.exitstatus, inbox.term.signalstatus
    drawn = inbox.seen.rpartition("\x1b[?1049h")
    at_work = bool(drawn[1]) and "\x1b[?1049l" not in drawn[2]  # else a Ctrl-C is one for any program
    well = status in (0, 130) or (number in (2, 3) and not at_work)
    found = [] if well else [f"key {n}: the inbox ended with {status} ({number}): {inbox.seen[-300:]!r}"]
    if "Traceback" in inbox.seen:
        found.append(f"key {n}: a traceback: {inbox.seen[-600:]!r}")
    return found
