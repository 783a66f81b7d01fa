"""The built-in demo worker: an honest interactive program that stands in for a coding-agent CLI, without key or network.

python -I -S demo_worker.py PROMPT. Standard library only, and nothing of dispatch but its own parts in `demo/`: it knows
the plan and the question files, as any worker does, and has a composer, a busy line, dialogues and bracketed paste, as the
CLIs have. What an item makes it do is in ITEMS below.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import time

if __name__ == "__main__":  # started with -I -S: nothing but the standard library is on the path. Ours goes last
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from dispatch_tmux.backends.demo import task_files
from dispatch_tmux.backends.demo.composer import Composer
from dispatch_tmux.backends.demo.dialogue import Left
from dispatch_tmux.backends.demo.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is slow to import
    from collections.abc import Callable
    from typing import NoReturn

    Choices = list[str]
    Act = Callable[["Worker", str, str, Choices], str | None]

PACE = float(os.environ.get("DEMO_PACE", "0.6"))  # seconds of work for an item


class Worker(Composer):
    """Works the plan in FOLDER off, turn by turn, on TERMINAL.

    An item's act gets the item, what it says after its first word, and its choices; it returns the item's new mark, or None
    when the turn is to end.
    """

    def __init__(self, terminal: Terminal, folder: str) -> None:
        self.folder = folder
        self.notes: dict[str, str] = {}  # what came of each item
        self.limits: dict[str, float] = {}  # when those end that an item has reached, in seconds since the epoch
        self.again = False  # this is not the first turn
        super().__init__(terminal)

    # --- a turn

    def live(self, prompt: str) -> NoReturn:
        """Take PROMPT, then whatever is typed, until the program is ended."""
        self.queue.append(prompt)
        while True:
            while not self.queue:
                self.take(None)
            text = self.queue.pop(0)
            self.received(text)
            self.busy_since = time.monotonic()
            self.redraw()
            try:
                if self.again:
                    self.work(PACE)
                    self.say("● You said: " + text[:200].replace("\n", " "))
                self.turn()
            except Left:
                self.say("  ⎿ Interrupted · what should happen instead?")
            self.again = True
            self.busy_since = None
            self.redraw()

    def turn(self) -> None:
        """Work the open items of the plan off, one at a time. Raises Left when a person presses Escape."""
        worked = False
        while (item := task_files.next_item(self.folder)) is not None:
            worked = True
            self.say(f"● {item}")
            mark = self.do(item)
            if mark is None:
                return
            task_files.tick(self.folder, item, mark)
            while self.queue:
                self.received(self.queue.pop(0))
                self.say("● Noted.")
        if worked:
            task_files.finish(self.folder, self.notes)
            self.say(f"● Done: {len(self.notes)} items. The result is in output.md.")

    def do(self, item: str) -> str | None:
        """Do what ITEM says; returns its new mark, or None when the turn is to end."""
        for word, act in ITEMS.items():
            if item.startswith(word):
                rest, choices = task_files.parted(item[len(word) :].strip())
                return act(self, item, rest, choices)
        return self.look(item)

    # --- the acts

    def look(self, item: str) -> str | None:
        self.work(PACE)
        self.notes[item] = f"looked at {sum(len(names) for _, _, names in os.walk('.'))} files here"
        return "x"

    def ask(self, item: str, rest: str, choices: Choices) -> str | None:
        self.does = "question"
        self.tell(self.does)
        answer = task_files.ask(self.folder, rest, choices, self.take)
        self.does = ""
        if answer is None:
            task_files.put(self.folder, "context.md", f"Done: {', '.join(self.notes) or 'nothing'}\nI asked: {rest}\n")
            task_files.tick(self.folder, item, "?")
            sys.exit(0)
        self.say(f"  ⎿ answer: {answer}")
        self.notes[item] = answer
        return "x"

    def dialogue(self, item: str, rest: str, choices: Choices) -> str | None:
        try:
            self.notes[item] = self.ask_on_screen(rest, choices, item.startswith("multi:"))
        except Left:
            self.notes[item] = "was not answered"
            return "!"
        return "x"

    def sleep(self, item: str, rest: str, choices: Choices) -> str | None:
        self.work(float(rest or 1))
        self.notes[item] = "slept"
        return "x"

    def flood(self, item: str, rest: str, choices: Choices) -> str | None:
        found = re.match(r"(\d+)(?: for (\d+))?", rest)
        for _ in range(int(found[2] or 2) * 10 if found else 20):
            self.say("x" * (int(found[1]) * 100 if found else 100))
            self.work(0.1)
        self.notes[item] = "flooded"
        return "x"

    def fail(self, item: str, rest: str, choices: Choices) -> str | None:
        self.say("Error: demo failure")
        self.redraw()
        sys.exit(3)

    def crash(self, item: str, rest: str, choices: Choices) -> str | None:
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    def hang(self, item: str, rest: str, choices: Choices) -> str | None:
        self.redraw()
        self.frozen = True
        while self.frozen:
            self.take(None)
        self.notes[item] = "hung"
        return "x"

    def stop_early(self, item: str, rest: str, choices: Choices) -> str | None:
        if not self.again or "for good" in item:
            self.say("● I think that is all.")
            return None
        self.notes[item] = "went on"
        return "x"

    def limit(self, item: str, rest: str, choices: Choices) -> str | None:
        """At its usage limit for so many seconds; with "menu" its menu stands over that."""
        seconds = re.match(r"\d+", rest)
        ends = self.limits.setdefault(item, time.time() + float(seconds[0] if seconds else 10))
        left = round(ends - time.time())
        if left <= 0:
            self.notes[item] = "went on after the limit"
            return "x"
        banner = f"\x1b[31m  ⎿ You've hit your usage limit · resets in {left} seconds\x1b[0m"
        if "menu" in rest:
            self.say(banner)
            self.ask_on_screen("What do you want to do?", ["Stop and wait for limit to reset", "Upgrade your plan"])
        self.say(banner)
        return None

    def flag(self, item: str, rest: str, choices: Choices) -> str | None:
        task_files.flag(self.folder, rest)
        self.notes[item] = "flagged"
        return "x"

    def write(self, item: str, rest: str, choices: Choices) -> str | None:
        found = re.fullmatch(r"([^:]+\.\w+|[^\s:]+): (.*)|(\S+\.\w+)", rest, re.S)
        if not found:
            return self.look(item)  # "write the schema" names no file
        name, text = found[1] or found[3], found[2] or ""
        with open(name, "a+", encoding="utf-8") as f:
            f.seek(0)
            if text not in f.read().split("\n"):  # it was written before the worker was killed
                f.write(text + "\n")
        self.notes[item] = f"wrote {name}"
        return "x"

    def commit(self, item: str, rest: str, choices: Choices) -> str | None:
        import subprocess  # for this act only, and a quarter of the start-up time

        for words in (["add", "--all"], ["commit", "--quiet", "-m", rest or "work"]):
            subprocess.run(["git", "-c", "user.name=demo", "-c", "user.email=demo@localhost", *words], check=True)
        self.notes[item] = "committed"
        return "x"

    def error(self, item: str, rest: str, choices: Choices) -> str | None:
        self.notes[item] = "went wrong"
        return "!"


ITEMS: dict[str, Act] = {
    "ask:": Worker.ask, "choose:": Worker.dialogue, "multi:": Worker.dialogue, "type:": Worker.dialogue,
    "sleep": Worker.sleep, "flood": Worker.flood, "fail": Worker.fail, "crash": Worker.crash, "hang": Worker.hang,
    "stop early": Worker.stop_early, "limit ": Worker.limit, "error item": Worker.error, "flag:": Worker.flag,
    "write ": Worker.write, "commit": Worker.commit,
}  # fmt: skip


def without_terminal(folder: str) -> None:
    """Work the plan in FOLDER off where there is no terminal to draw on."""
    notes: dict[str, str | None] = {}
    while (item := task_files.next_item(folder)) is not None:
        print(f"● {item}", flush=True)
        if item.startswith("ask:"):
            question, choices = task_files.parted(item[len("ask:") :].strip())
            notes[item] = task_files.ask(folder, question, choices)
        else:
            time.sleep(PACE)
            notes[item] = "done"
        task_files.tick(folder, item, "?" if notes[item] is None else "x")
    task_files.finish(folder, notes)


def first_prompt(folder: str) -> str:
    try:
        with open(os.path.join(folder, "prompt.md"), encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return "work"


def main(prompt: str) -> None:
    """Work as PROMPT says, or, without one, as the task's prompt.md does."""
    folder = os.environ.get("DISPATCH_TASK_DIR", "")
    if not os.path.isdir(os.path.join(folder, "ipc")):
        sys.exit("demo worker: DISPATCH_TASK_DIR names no task directory; dispatch sets it")
    if not (os.isatty(0) and os.isatty(1)):
        without_terminal(folder)
        return
    terminal = Terminal()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    try:
        worker = Worker(terminal, folder)
        signal.signal(signal.SIGWINCH, lambda *_: worker.redraw())
        worker.live(prompt or first_prompt(folder))
    finally:
        try:
            terminal.restore()
        except (OSError, termios.error):
            pass


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
