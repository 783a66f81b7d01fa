"""The built-in demo worker: an honest interactive program that stands in for a coding-agent CLI, without key or network.

python -I -S demo_worker.py PROMPT. Standard library only, and nothing of dispatch: it knows the plan and the question
files, as any worker does, and has a composer, a busy line, dialogues and bracketed paste, as the CLIs have. What an
item makes it do is in ITEMS below.
"""

import codecs
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
import tty
import unicodedata

PACE = float(os.environ.get("DEMO_PACE", "0.6"))  # seconds of work for an item
ASK_TIMEOUT = float(os.environ.get("DEMO_ASK_TIMEOUT", "600"))
RECEIVED = os.environ.get("DEMO_RECEIVED", "")  # for tests: what was submitted, a JSON object a line
TRUTH = os.environ.get("DEMO_TRUTH", "")  # for tests: what it really does, from when on
SUGGEST = os.environ.get("DEMO_SUGGEST", "")
BURST = 0.06  # seconds: an Enter this soon after other keys is part of the paste, as the real CLIs have it
FRAME = 0.15
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
ITEM = re.compile(r"^(\s*(?:[-*+]|\d+[.)])\s+\[)(.)(\]\s*)(.*?)\s*$")
CHOICES = re.compile(r"\s*\(choices:\s*(.*?)\)\s*$")


class Left(Exception):
    """A person pressed Escape."""


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text, width):
    """TEXT's rows on a terminal of WIDTH columns."""
    rows = []
    for line in text.split("\n"):
        row, room = "", width
        for c in line:
            size = columns(c)
            if size > room:
                rows.append(row)
                row, room = "", width
            row, room = row + c, room - size
        rows.append(row)
    return rows


class Terminal:
    """A transcript that scrolls, a live region beneath it, and keys."""

    def __init__(self):
        self.old = termios.tcgetattr(0)
        tty.setraw(0)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.drawn = 0  # rows of the live region above the cursor's row
        self.pending = ""
        self.paste = None
        self.last_key = 0.0
        self.write("\x1b[?2004h")

    def write(self, text):
        data = text.encode("utf-8", "replace")
        while data:
            try:
                data = data[os.write(1, data) :]
            except BlockingIOError:
                select.select([], [1], [])

    def title(self, text):
        self.write(f"\x1b]2;{text}\x07")

    def restore(self):
        termios.tcsetattr(0, termios.TCSADRAIN, self.old)
        self.write("\x1b[?2004l\r\n")

    @property
    def width(self):
        return max(shutil.get_terminal_size().columns, 20)

    def show(self, transcript, rows, cursor):
        """Add TRANSCRIPT above, and redraw the live region ROWS with the cursor at CURSOR (row, column)."""
        out = "\x1b[?25l\r" + (f"\x1b[{self.drawn}A" if self.drawn else "") + "\x1b[J"
        out += "".join(line + "\r\n" for line in transcript)
        out += "\r\n".join(rows)
        up = len(rows) - 1 - cursor[0]
        out += (f"\x1b[{up}A" if up else "") + "\r" + (f"\x1b[{cursor[1]}C" if cursor[1] else "") + "\x1b[?25h"
        self.drawn = cursor[0]
        self.write(out)

    def keys(self, timeout):
        """Keys that came within TIMEOUT seconds: ("text", s), ("paste", s) or ("key", name)."""
        try:
            ready = select.select([0], [], [], timeout)[0]
        except InterruptedError:
            return []
        if not ready:
            return []
        data = os.read(0, 65536)
        if not data:
            sys.exit(0)
        return list(self.parse(self.decoder.decode(data)))

    def parse(self, text):
        text, self.pending = self.pending + text, ""
        while text:
            if self.paste is not None:
                text = yield from self.parse_paste(text)
            elif text.startswith("\x1b[200~"):
                self.paste, text = [], text[6:]
            elif text[0] == "\x1b" and "\x1b[200~".startswith(text) and len(text) > 1:
                self.pending, text = text, ""
            elif found := re.match(r"\x1b\[([A-DHF])", text):
                text = text[found.end() :]
                yield "key", {"A": "up", "B": "down"}.get(found[1], "")
            elif text[0] == "\x1b":
                text = text[1:]
                yield "key", "escape"
            elif text[0] in "\r\n\x03\x15\x7f\x08\x04":
                names = {
                    "\r": "enter",
                    "\n": "enter",
                    "\x03": "c-c",
                    "\x15": "c-u",
                    "\x7f": "back",
                    "\x08": "back",
                    "\x04": "c-d",
                }
                key, text = text[0], text[1:]
                yield "key", names[key]
            else:
                run = re.match(r"[^\x00-\x1f\x7f]+|.", text, re.S)[0]
                text = text[len(run) :]
                if run >= " ":
                    yield "text", run

    def parse_paste(self, text):
        """Take what belongs to a paste; its end may be cut in two by a read."""
        whole = (self.paste.pop()[-5:] if self.paste and len(self.paste[-1]) < 6 else "") + text
        end = whole.find("\x1b[201~")
        if end >= 0:
            self.paste.append(whole[:end])
            pasted, self.paste = "".join(self.paste), None
            yield "paste", pasted.replace("\r\n", "\n").replace("\r", "\n")
            return whole[end + 6 :]
        keep = next((n for n in range(5, 0, -1) if whole.endswith("\x1b[201~"[:n])), 0)
        self.paste.append(whole[: len(whole) - keep])
        if keep:
            self.paste.append(whole[-keep:])
        return ""


class Worker:
    def __init__(self, terminal, folder):
        self.terminal, self.folder = terminal, folder
        self.typed, self.pasted = "", []  # the composer: text, with \0 where a collapsed paste stands
        self.queue, self.transcript, self.notes = [], [], {}
        self.busy_since = None
        self.dialogue = None  # (rows, what Enter or a digit does with a key)
        self.frozen = False
        self.frame = 0
        self.last_c_c = 0.0
        self.does, self.said = "", ""  # for TRUTH
        self.redraw()

    # --- the screen

    def say(self, text):
        self.transcript += wrapped(text, self.terminal.width)

    def redraw(self):
        width = self.terminal.width
        rule = "─" * width
        rows = []
        if self.busy_since is not None:
            self.frame += 1
            seconds = int(time.monotonic() - self.busy_since)
            rows.append(f"{SPINNER[self.frame % 10]} Working… ({seconds}s · esc to interrupt)"[:width])
        rows += [f"  ❯ queued: {t.splitlines()[0]}"[:width] for t in self.queue[:3]]
        if self.dialogue:
            rows += [rule, *self.dialogue()]
            cursor = (len(rows) - 1, 0)
        else:
            rows.append(rule)
            text = wrapped(self.shown(), width - 3)[-8:]
            text = [("❯ " if n == 0 else "  ") + line for n, line in enumerate(text)]
            rows += text
            cursor = (len(rows) - 1, min(columns(text[-1]), width - 1))
            if not self.typed and SUGGEST:
                rows[-1] += '\x1b[2mTry "explain this repository"\x1b[0m'
            rows += [rule, "  esc to interrupt" if self.busy_since is not None else "  ? for shortcuts"]
        lines, self.transcript = self.transcript, []
        self.terminal.title(f"{'⠂' if self.busy_since is not None else '✳'} demo")
        self.terminal.show(lines, rows, cursor)
        self.tell(self.does or ("question" if self.dialogue else "ready" if self.busy_since is None else "busy"))

    def tell(self, does):
        if TRUTH and does != self.said:
            self.said = does
            with open(TRUTH, "a", encoding="utf-8") as f:
                f.write(f"{time.time():.3f} {does}\n")

    def shown(self):
        parts = iter(enumerate(self.pasted, 1))

        def form(_):
            n, text = next(parts)
            return f"[Pasted text #{n} +{text.count(chr(10))} lines]"

        return re.sub("\0", form, self.typed)

    # --- keys

    def take(self, timeout):
        """Handle keys for TIMEOUT seconds at most (None: until one comes), then redraw."""
        for kind, value in self.terminal.keys(timeout):
            now = time.monotonic()
            burst = now - self.terminal.last_key < BURST
            self.terminal.last_key = now
            if self.dialogue:
                if kind != "paste" or self.dialogue_text:
                    self.dialogue_key(kind, value)
            else:
                self.compose(kind, value, burst)
        if not self.frozen:
            self.redraw()

    def compose(self, kind, value, burst):
        if kind == "paste" and (value.count("\n") >= 3 or len(value) > 800):
            self.typed += "\0"
            self.pasted.append(value)
        elif kind in ("text", "paste"):
            self.typed += value
        elif value == "enter" and burst and self.typed:
            self.typed += "\n"
        elif value == "enter" and self.typed.strip(" \n"):
            self.submit()
        elif value == "c-u":
            self.typed, self.pasted = "", []
        elif value == "back":
            if self.typed.endswith("\0"):
                self.pasted.pop()
            self.typed = self.typed[:-1]
        elif value == "escape" and self.busy_since is not None:
            self.frozen = False
            raise Left
        elif value == "c-c":
            if time.monotonic() - self.last_c_c < 2:
                sys.exit(0)
            self.last_c_c, self.typed, self.pasted = time.monotonic(), "", []

    def submit(self):
        parts = iter(self.pasted)
        text = re.sub("\0", lambda m: next(parts), self.typed)
        self.typed, self.pasted = "", []
        self.frozen = False
        if text.strip() == "/exit":
            sys.exit(0)
        self.queue.append(text)

    def received(self, text):
        if RECEIVED:
            with open(RECEIVED, "a", encoding="utf-8") as f:
                f.write(json.dumps({"t": time.time(), "text": text}) + "\n")
        shown = text if len(text) < 4000 else f"{text[:2000]}\n  … {len(text) - 2000} more characters"
        self.say("\n".join(f"{'> ' if n == 0 else '  '}{line}" for n, line in enumerate(shown.split("\n"))))

    def work(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.take(min(left, FRAME))

    # --- dialogues

    def ask_on_screen(self, question, choices, many=False):
        """A dialogue in the composer's place; returns what was chosen or typed. Raises Left on Escape."""
        state = {"at": 0, "text": "", "on": set(), "answer": None}
        self.dialogue_text = not choices

        def rows():
            if not choices:
                return [f" {question}", "", f"❯ {state['text']}", "", " Enter to submit · Esc to cancel"]
            ticks = [f"[{'x' if n in state['on'] else ' '}] " if many else "" for n in range(len(choices))]
            listed = [f"{'❯' if n == state['at'] else ' '} {n + 1}. {ticks[n]}{c}" for n, c in enumerate(choices)]
            return [f" {question}", "", *listed, "", " Enter to select · Esc to cancel"]

        def key(kind, value):
            if value == "escape":
                raise Left
            if not choices:
                if kind in ("text", "paste"):
                    state["text"] += value.replace("\n", " ")
                elif value == "enter" and state["text"]:
                    state["answer"] = state["text"]
                return
            for digit in value if kind == "text" else "":
                if digit.isdigit() and 0 < int(digit) <= len(choices):
                    if many:
                        state["on"] ^= {int(digit) - 1}
                    else:
                        state["answer"] = choices[int(digit) - 1]
            if value in ("up", "down"):
                state["at"] = (state["at"] + (1 if value == "down" else -1)) % len(choices)
            elif value == "enter":
                state["answer"] = ", ".join(choices[n] for n in sorted(state["on"])) if many else choices[state["at"]]

        busy, self.busy_since = self.busy_since, None
        self.dialogue, self.dialogue_key = rows, key
        self.redraw()
        try:
            while state["answer"] is None:
                self.take(None)
        finally:
            self.dialogue, self.busy_since = None, busy
            self.said = ""  # the next one is another
        self.say(f"  ⎿ {'chosen' if choices else 'typed'}: {state['answer']}")
        return state["answer"]

    # --- a turn

    def live(self, prompt):
        self.queue.append(prompt)
        first = True
        while True:
            while not self.queue:
                self.take(None)
            text = self.queue.pop(0)
            self.received(text)
            self.busy_since = time.monotonic()
            self.redraw()
            try:
                if not first:
                    self.work(PACE)
                    self.say("● You said: " + text[:200].replace("\n", " "))
                self.turn(again=not first)
            except Left:
                self.say("  ⎿ Interrupted · what should happen instead?")
            first = False
            self.busy_since = None
            self.redraw()

    def turn(self, again):
        """Work the open items of the plan off, one at a time."""
        worked = False
        while (item := next_item(self.folder, self.notes)) is not None:
            worked = True
            self.say(f"● {item}")
            mark = self.do(item, again)
            if mark is None:
                return
            tick(self.folder, item, mark)
            while self.queue:
                self.received(self.queue.pop(0))
                self.say("● Noted.")
        if worked:
            finish(self.folder, self.notes)
            self.say(f"● Done: {len(self.notes)} items. The result is in output.md.")

    def do(self, item, again):
        """Do what ITEM says; returns its new mark, or None when the turn is to end."""
        for word, act in ITEMS.items():
            if item.startswith(word):
                rest = item[len(word) :].strip()
                choices = [c.strip() for c in CHOICES.search(rest)[1].split("|")] if CHOICES.search(rest) else []
                return act(self, item, CHOICES.sub("", rest), choices, again)
        self.work(PACE)
        self.notes[item] = f"looked at {sum(len(names) for _, _, names in os.walk('.'))} files here"
        return "x"

    def do_ask(self, item, rest, choices, again):
        self.does = "question"
        self.tell(self.does)
        answer = ask(self.folder, rest, choices, self)
        self.does = ""
        if answer is None:
            put(self.folder, "context.md", f"Done: {', '.join(self.notes) or 'nothing'}\nI asked: {rest}\n")
            tick(self.folder, item, "?")
            sys.exit(0)
        self.say(f"  ⎿ answer: {answer}")
        self.notes[item] = answer
        return "x"

    def do_dialogue(self, item, rest, choices, again):
        try:
            self.notes[item] = self.ask_on_screen(rest, choices, item.startswith("multi:"))
        except Left:
            self.notes[item] = "was not answered"
            return "!"
        return "x"

    def do_sleep(self, item, rest, choices, again):
        self.work(float(rest or 1))
        self.notes[item] = "slept"
        return "x"

    def do_flood(self, item, rest, choices, again):
        found = re.match(r"(\d+)(?: for (\d+))?", rest)
        for _ in range(int(found[2] or 2) * 10 if found else 20):
            self.say("x" * (int(found[1]) * 100 if found else 100))
            self.work(0.1)
        self.notes[item] = "flooded"
        return "x"

    def do_fail(self, item, rest, choices, again):
        self.say("Error: demo failure")
        self.redraw()
        sys.exit(3)

    def do_crash(self, item, rest, choices, again):
        os.kill(os.getpid(), signal.SIGKILL)

    def do_hang(self, item, rest, choices, again):
        self.redraw()
        self.frozen = True
        while self.frozen:
            self.take(None)
        self.notes[item] = "hung"
        return "x"

    def do_stop_early(self, item, rest, choices, again):
        if not again or "for good" in item:
            self.say("● I think that is all.")
            return None
        self.notes[item] = "went on"
        return "x"

    def do_flag(self, item, rest, choices, again):
        ipc = os.path.join(self.folder, "ipc")
        put(ipc, f"{sum(name.endswith('.flag') for name in os.listdir(ipc)) + 1:03}.flag", rest)
        self.notes[item] = "flagged"
        return "x"

    def do_write(self, item, rest, choices, again):
        name, _, text = rest.partition(": ")
        with open(name, "a+", encoding="utf-8") as f:
            f.seek(0)
            if text not in f.read().split("\n"):  # it was written before the worker was killed
                f.write(text + "\n")
        self.notes[item] = f"wrote {name}"
        return "x"

    def do_commit(self, item, rest, choices, again):
        for words in (["add", "--all"], ["commit", "--quiet", "-m", rest or "work"]):
            subprocess.run(["git", "-c", "user.name=demo", "-c", "user.email=demo@localhost", *words], check=True)
        self.notes[item] = "committed"
        return "x"

    def do_error(self, item, rest, choices, again):
        self.notes[item] = "went wrong"
        return "!"


ITEMS = {
    "ask:": Worker.do_ask, "choose:": Worker.do_dialogue, "multi:": Worker.do_dialogue, "type:": Worker.do_dialogue,
    "sleep": Worker.do_sleep, "flood": Worker.do_flood, "fail": Worker.do_fail, "crash": Worker.do_crash, "hang": Worker.do_hang,
    "stop early": Worker.do_stop_early, "error item": Worker.do_error, "flag:": Worker.do_flag,
    "write ": Worker.do_write, "commit": Worker.do_commit,
}  # fmt: skip


# --- files


def put(folder, name, text):
    path = os.path.join(folder, name)
    with open(path + ".tmp", "w", encoding="utf-8", newline="") as f:
        f.write(text)
    os.replace(path + ".tmp", path)


def plan_of(folder):
    try:
        with open(os.path.join(folder, "plan.md"), encoding="utf-8", errors="surrogateescape", newline="") as f:
            return f.read()
    except OSError:
        return ""


def next_item(folder, notes):
    """The first open item, or a blocked one whose question has been answered since."""
    for line in plan_of(folder).splitlines():
        found = ITEM.match(line.lstrip("\ufeff"))
        if found and found[2] == " ":
            return found[4]
        if found and found[2] == "?" and found[4].startswith("ask:") and answered(folder):
            return found[4]
    return None


def answered(folder):
    names = sorted(n for n in os.listdir(os.path.join(folder, "ipc")) if n.endswith(".question"))
    return bool(names) and os.path.exists(os.path.join(folder, "ipc", names[-1][:-9] + ".answer"))


def tick(folder, item, mark):
    """Change the mark of ITEM and nothing else; the file is read again, for notes may have come."""
    lines = plan_of(folder).splitlines(keepends=True)
    for n, line in enumerate(lines):
        found = ITEM.match(line.rstrip("\r\n").lstrip("\ufeff"))
        if found and found[4] == item and found[2] in " ?":
            at = line.index("[") + 1
            lines[n] = line[:at] + mark + line[at + 1 :]
            break
    path = os.path.join(folder, "plan.md")
    with open(path + ".tmp", "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
        f.write("".join(lines))
    os.replace(path + ".tmp", path)


def ask(folder, question, choices, worker):
    """Ask through files and wait; None when nobody answered in time."""
    ipc = os.path.join(folder, "ipc")
    taken = [int(m[1]) for m in (re.match(r"(\d{3})\.question$", n) for n in os.listdir(ipc)) if m]
    last = f"{max(taken, default=0):03d}"
    resumed = os.path.exists(os.path.join(folder, "context.md")) and os.path.exists(os.path.join(ipc, f"{last}.answer"))
    number = last if resumed else f"{max(taken, default=0) + 1:03d}"
    if not resumed:
        put(ipc, f"{number}.question", "\n".join([question, *(f"{n}. {c}" for n, c in enumerate(choices, 1))]) + "\n")
    end = time.monotonic() + ASK_TIMEOUT
    path = os.path.join(ipc, f"{number}.answer")
    while not os.path.exists(path):
        if time.monotonic() > end:
            return None
        worker.take(0.02) if worker else time.sleep(0.02)
    with open(path, encoding="utf-8", errors="replace") as f:
        answer = f.read().strip()
    put(ipc, f"{number}.done", "")
    return answer


def finish(folder, notes):
    put(folder, "output.md", "# Result\n\n" + "".join(f"- {item}: {note}\n" for item, note in notes.items()))
    put(os.path.join(folder, "ipc"), ".done", "")


def without_terminal(folder):
    notes = {}
    while (item := next_item(folder, notes)) is not None:
        print(f"● {item}", flush=True)
        found = CHOICES.search(item)
        choices = [c.strip() for c in found[1].split("|")] if found else []
        if item.startswith("ask:"):
            notes[item] = ask(folder, CHOICES.sub("", item[4:].strip()), choices, None)
        else:
            time.sleep(PACE)
            notes[item] = "done"
        tick(folder, item, "?" if notes[item] is None else "x")
    finish(folder, notes)


def main(prompt):
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
        worker.live(prompt)
    finally:
        try:
            terminal.restore()
        except (OSError, termios.error):
            pass


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "work")
