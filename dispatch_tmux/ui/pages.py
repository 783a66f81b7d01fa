"""What stands beside the list, read with the verbs of the API and written as lines: a question, a plan, a diff, events, a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import dispatch_tmux as dispatch
from dispatch_tmux import CAUSES, DispatchError, Frame, Project, Question, State, Task
from dispatch_tmux.core import urgency
from dispatch_tmux.core.text import clean
from dispatch_tmux.ui import ansi, events
from dispatch_tmux.ui.acts import said
from dispatch_tmux.ui.desk import DIFF, EVENTS, PLAN, QUESTION, RESULT, SCREEN, Page, digit_of
from dispatch_tmux.ui.spans import ASKS, BAD, BOLD, BUSY, DIM, GOOD, WARNS, Line, plain, words
from dispatch_tmux.verbs import questions, status, tasks

MOST_LINES = 5000  # of a page
MOST_EVENTS = 500
MOST_RESULT = 400_000  # bytes
_MARKS = {"x": ("✓", GOOD), "?": ("?", ASKS), "!": ("!", BAD)}  # of a plan's items; every other one is open


def read(project: Project, task: Task, tab: str, asked: Question | None) -> Page:
    """The page TAB of TASK. What cannot be read is said on it. ASKED: the question that is to be answered next."""
    pages: dict[str, Callable[[], list[Line]]] = {
        SCREEN: lambda: _kept_screen(project, task),
        PLAN: lambda: _plan(project, task),
        DIFF: lambda: _diff(project, task),
        EVENTS: lambda: _events(project, task),
        RESULT: lambda: _result(project, task),
    }
    failed = False
    try:
        if tab == QUESTION and asked:
            return _question(project, task, asked)
        lines = pages[tab]() if tab in pages else []
    except DispatchError as e:
        failed = True
        lines = [plain(words(str(e)), DIM), *(plain(f"  {words(row)}", DIM) for row in e.hint.splitlines())]
    except Exception as e:  # an odd file or a bug: the other pages go on
        failed = True
        lines = [plain(said(e), BAD)]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], plain(f"… {len(lines) - MOST_LINES} more lines", DIM)]
    return Page(task.id, tab, tuple(lines), wrap=tab not in (SCREEN, DIFF), ends=tab in (SCREEN, EVENTS), failed=failed)


def screen(task: str, frame: Frame) -> Page:
    """A worker's screen as it is now."""
    return Page(task, SCREEN, tuple(ansi.lines(frame.text)), wrap=False, ends=True)


# --- the question


def _question(project: Project, task: Task, asked: Question) -> Page:
    whole = next((a for a in questions.of(project, task) if a.question.id == asked.id), None)
    q = whole.question if whole else asked
    rows = questions.words(q, 20_000, whole.path if whole else "")
    lines: list[Line] = [plain(rows[0] if rows else "", BOLD), *map(plain, rows[1:])]
    while len(lines) > 1 and not lines[-1][0][0].strip():
        lines.pop()
    lines.append(())
    choices = []
    for n, choice in enumerate(q.choices):
        digit = digit_of(q, n)
        if digit:
            choices.append((len(lines), digit))
        lines.append(((f"  {digit or words(choice.key, 4):>2}  ", ASKS), (words(choice.label, 300), "")))
    lines += [(), plain(_how(q), DIM)]
    if len(task.open_questions) > 1:
        lines.append(plain(f"{len(task.open_questions) - 1} more of this task after it", DIM))
    return Page(task.id, QUESTION, tuple(lines), choices=tuple(choices))


def _how(q: Question) -> str:
    if q.is_unknown:
        return "dispatch cannot tell what it asks: a attaches to its window"
    if q.kind == "multi":
        return "several may be picked: a digit begins, commas between them, Enter sends"
    if not q.choices:
        return "Enter types the answer"
    own = (
        "Enter types an answer of your own" if q.via == "file" or any(c.text for c in q.choices) else "Enter: by words"
    )
    more = ", also one that is further down its list" if q.more else ""
    return f"a digit picks · {own}{more}"


# --- the plan, and all that is known beside it


def _plan(project: Project, task: Task) -> list[Line]:
    lines = [plain(words(task.title), "")] if task.title else []
    lines += [*_wants(task), ()]
    items = tasks.items(project, task)
    working = next((i for i in items if i.mark == " "), None) if not task.ended else None
    for item in items:
        glyph, style = _MARKS.get(item.mark, ("⋯", BUSY) if item is working else ("○", DIM))
        lines.append(((f"  {glyph} ", style), (words(item.text), DIM if item.mark == "x" else "")))
    lines += [(), *_around(task)]
    if used := status.usage_of(project, task):
        lines.append(_fact("used", used))
    for attempt in dispatch.details(project, task).attempts if task.attempt > 1 else ():
        code = f", exit code {attempt.code}" if attempt.ended else ""
        lines.append(_fact(f"attempt {attempt.number}", f"{_moment(attempt.began)} {words(attempt.model, 40)}{code}"))
    return lines


def _moment(t: float) -> str:
    return time.strftime("%m-%d %H:%M", time.localtime(t))


def _wants(task: Task) -> Iterator[Line]:
    """Why it is as it is, and how to go on."""
    if task.why:
        yield plain(words(task.why), WARNS)
    if task.cause in CAUSES:
        yield plain(f"cause: {CAUSES[task.cause]}" + (f" — {words(task.hint, 300)}" if task.hint else ""), BAD)
    if task.instead:
        yield plain(f"installed instead: {words(', '.join(task.instead), 200)}", DIM)
    if task.state in (State.FAILED, State.LOST, State.STOPPED, State.LIMITED):
        yield plain("r begins it again, from the first open item", DIM)
    if task.state is State.SUSPENDED:
        yield plain(f"dispatch continue {task.id} lets its program go on", DIM)
    for text in task.flags:
        yield (("flag: ", ASKS), (words(text, 1000), ""))
    for text in (*task.late, *urgency.messages(task)):
        yield plain(words(text), WARNS)


def _around(task: Task) -> Iterator[Line]:
    after = ", ".join(id + (" (however it ends)" if kind == "any" else "") for id, kind in task.after)
    facts = {
        "group": task.group, "after": after, "branch": task.branch, "in": task.worktree or task.cwd,
        "merged": f"into {task.merged_into}" if task.merged else "", "conflicts": ", ".join(task.conflicts),
        "strayed": ", ".join(task.strayed), "priority": str(task.priority or ""),
        "began": _moment(task.created),
    }  # fmt: skip
    for name, value in facts.items():
        if value:
            yield _fact(name, value)


def _fact(name: str, value: str) -> Line:
    return ((f"  {name:<10}", DIM), (words(value), ""))


# --- the others


def _kept_screen(project: Project, task: Task) -> list[Line]:
    return [*map(plain, dispatch.read_screen(project, task).splitlines())]


def _diff(project: Project, task: Task) -> list[Line]:
    text = dispatch.diff(project, task)
    rows = clean(text, 4_000_000).split("\n")
    return [plain(row, _of_patch(row)) for row in rows] if text.strip() else [plain("no changes", DIM)]


def _of_patch(row: str) -> str:
    """The style of a line of a patch."""
    if row.startswith(("diff ", "index ", "--- ", "+++ ", "new file", "deleted file", "rename ", "similarity ")):
        return BOLD
    return {"+": GOOD, "-": BAD, "@": BUSY}.get(row[:1], "")


def _events(project: Project, task: Task) -> list[Line]:
    found = [*dispatch.events(project, task)][-MOST_EVENTS:]
    stamps = [time.strftime("%H:%M:%S", time.localtime(event.t)) for event in found]
    return [
        ((f"{stamp}  ", DIM), (f"{words(event.kind, 12):<12}", BUSY), (events.said(event), ""))
        for stamp, event in zip(stamps, found, strict=True)
    ]


def _result(project: Project, task: Task) -> list[Line]:
    text = dispatch.result(project, task, MOST_RESULT + 1)
    if not text.strip():
        return [plain("it has left no result" if task.ended else "there is no result yet", DIM)]
    rows = clean(text, len(text) * 8).split("\n")
    more = len(text.encode("utf-8", "replace")) > MOST_RESULT
    rest = [plain(f"… it is longer: dispatch status {task.id} names its file", DIM)] if more else []
    return [*(plain(row, BOLD if row.startswith("#") else "") for row in rows), *rest]
