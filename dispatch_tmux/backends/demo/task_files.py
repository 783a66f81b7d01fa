"""The files of its task as the demo worker uses them: the plan, questions and answers, the result. As any worker does."""

from __future__ import annotations

import os
import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is slow to import
    from collections.abc import Callable, Mapping, Sequence

ASK_TIMEOUT = float(os.environ.get("DEMO_ASK_TIMEOUT", "600"))  # seconds that an answer is waited for
ITEM = re.compile(r"^(\s*(?:[-*+]|\d+[.)])\s+\[)(.)(\]\s*)(.*?)\s*$")
CHOICES = re.compile(r"\s*\(choices:\s*(.*?)\)\s*$")


def put(folder: str, name: str, text: str) -> None:
    """Write the file NAME in FOLDER, whole or not at all."""
    path = os.path.join(folder, name)
    with open(path + ".tmp", "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
        f.write(text)
    os.replace(path + ".tmp", path)


def plan_of(folder: str) -> str:
    """The plan as it is now; '' when there is none."""
    try:
        with open(os.path.join(folder, "plan.md"), encoding="utf-8", errors="surrogateescape", newline="") as f:
            return f.read()
    except OSError:
        return ""


def next_item(folder: str) -> str | None:
    """The first open item, or a blocked one whose question has been answered since."""
    for line in plan_of(folder).splitlines():
        found = ITEM.match(line.lstrip("\ufeff"))
        if found and found[2] == " ":
            return found[4]
        if found and found[2] == "?" and found[4].startswith("ask:") and _is_answered(folder):
            return found[4]
    return None


def parted(text: str) -> tuple[str, list[str]]:
    """What an item says, and its choices: `which? (choices: red | blue)`."""
    found = CHOICES.search(text)
    return CHOICES.sub("", text), [c.strip() for c in found[1].split("|")] if found else []


def tick(folder: str, item: str, mark: str) -> None:
    """Change the mark of ITEM and nothing else; the file is read again, for notes may have come."""
    lines = plan_of(folder).splitlines(keepends=True)
    for n, line in enumerate(lines):
        found = ITEM.match(line.rstrip("\r\n").lstrip("\ufeff"))
        if found and found[4] == item and found[2] in " ?":
            at = line.index("[") + 1
            lines[n] = line[:at] + mark + line[at + 1 :]
            break
    put(folder, "plan.md", "".join(lines))


def ask(folder: str, question: str, choices: Sequence[str], wait: Callable[[float], None] = time.sleep) -> str | None:
    """Ask through files; None when nobody answered in time. WAIT passes some seconds until the next look."""
    ipc = os.path.join(folder, "ipc")
    last = f"{max(_numbers(ipc), default=0):03d}"
    resumed = os.path.exists(os.path.join(folder, "context.md")) and os.path.exists(os.path.join(ipc, f"{last}.answer"))
    number = last if resumed else f"{int(last) + 1:03d}"
    if not resumed:
        put(ipc, f"{number}.question", "\n".join([question, *(f"{n}. {c}" for n, c in enumerate(choices, 1))]) + "\n")
    end = time.monotonic() + ASK_TIMEOUT
    path = os.path.join(ipc, f"{number}.answer")
    while not os.path.exists(path):
        if time.monotonic() > end:
            return None
        wait(0.02)
    with open(path, encoding="utf-8", errors="replace") as f:
        answer = f.read().strip()
    put(ipc, f"{number}.done", "")
    return answer


def _numbers(ipc: str) -> list[int]:
    """The numbers of the question files, those of former attempts too."""
    return [int(m[1]) for m in (re.match(r"(\d{3})\.question(\.former)?$", n) for n in os.listdir(ipc)) if m]


def _is_answered(folder: str) -> bool:
    """Whether the last question has an answer."""
    names = sorted(n for n in os.listdir(os.path.join(folder, "ipc")) if n.endswith(".question"))
    return bool(names) and os.path.exists(os.path.join(folder, "ipc", names[-1][:-9] + ".answer"))


def flag(folder: str, text: str) -> None:
    """Let the person know TEXT at once."""
    ipc = os.path.join(folder, "ipc")
    put(ipc, f"{sum(name.endswith('.flag') for name in os.listdir(ipc)) + 1:03}.flag", text)


def finish(folder: str, notes: Mapping[str, str | None]) -> None:
    """Write the result, a line an item, and say that all is done."""
    put(folder, "output.md", "# Result\n\n" + "".join(f"- {item}: {note}\n" for item, note in notes.items()))
    put(os.path.join(folder, "ipc"), ".done", "")
