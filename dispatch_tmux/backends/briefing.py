"""What a worker is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_PROTOCOL = """\
You are a worker of `dispatch`, alone in a tmux window. Work through a checklist, and keep it true while you work:
others read it to see how far you are.

Your checklist:   {dir}/plan.md
Your result goes: {dir}/output.md

1. Read the checklist. Take its items from the top, one at a time.
2. As soon as an item is done, change its `- [ ]` to `- [x]` in that file, with your file editing tool rather than a
   shell command (a short note may follow, after " — ").
   Blocked: `- [?]` with the reason. Failed: `- [!]` with the reason. Change nothing else in it, and read it again
   before each item: notes from the person who dispatched you are added at its end.
3. When you need a decision, ask with a shell command and use what it prints as the answer:
       dispatch ask "Which database?" --choice SQLite --choice PostgreSQL
   If it prints "still waiting", run the command that it names. Without that command: write the question to
   {dir}/ipc/001.question (002, 003, … for the next; write to a name ending in .tmp first and rename it), wait for
   001.answer beside it, read it, then create an empty 001.done.
   If no answer comes within a few minutes: write what you know and what is left into {dir}/context.md, mark the item
   `- [?]`, and end your turn. You will be started again with the answer.
4. Something critical that the person must know at once, but need not answer: `dispatch flag "…"`, and go on.
5. When nothing is left, write the result to output.md, then create the empty file {dir}/ipc/.done and stop.
"""


def briefing(directory: str, prompt: str, prefix: str = "", around: str = "") -> str:
    """The first prompt of the worker whose task directory is DIRECTORY (absolute)."""
    parts = [
        prefix.strip(),
        _PROTOCOL.format(dir=directory).strip(),
        around,
        f"The task, in the words of the person:\n\n{prompt.strip()}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def worktree(path: str, branch: str, root: str) -> str:
    """What a worker in a git worktree must know."""
    return (
        f"You work in a git worktree of your own, {path}, on the branch {branch}. Change files there only, never in the\n"
        f"main checkout {root} (your checklist and result excepted). Commit your work on that branch if you can."
    )


def before(others: Sequence[tuple[str, str, str, str]]) -> str:
    """What the tasks that were waited for have left: (id, state, path of the result, branch) each, '' for none."""
    lines = []
    for id, state, output, branch in others:
        left = [f"its result is {output}" if output else "", f"its branch is {branch}" if branch else ""]
        lines.append(f"- {id} ({state}): {', and '.join(filter(None, left)) or 'it left no result'}")
    return "\n".join(["This task comes after others. Read what they have left:", *lines]) if lines else ""


def resumption(
    directory: str, prompt: str, context: str, answers: Sequence[tuple[str, str]], prefix: str = "", around: str = ""
) -> str:
    """The prompt of a further attempt: what the former one left, and the answers that have come since."""
    said = "\n\n".join(f"You asked:\n{asked}\n\nThe answer:\n{answered}" for asked, answered in answers)
    parts = [
        briefing(directory, prompt, prefix, around).strip(),
        "This was begun before, by you or by another agent, and stopped before the end. What is checked off is done: "
        "look at what is there, and go on from the first item that is not checked; take `- [?]` items up again. "
        f"The numbers of the questions in {directory}/ipc (NNN.question.former, too) are used up: a new one takes the next.",
        f"What you left in context.md:\n\n{context.strip()}" if context.strip() else "",
        said,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def resumed(directory: str) -> str:
    """The prompt for a session that is taken up again after its program had ended."""
    return (
        f"You were interrupted: your program was ended from outside. Read {directory}/plan.md and look at what is there "
        "already; then go on from the first item that is not checked. What was asked of you, and how, still holds.\n"
    )


def late_answer(q: str, answer: str) -> str:
    """What a worker is told that stopped waiting for the answer to its question."""
    return f"The answer to your question {q}: {answer}\nGo on with your checklist."


def note(text: str) -> str:
    return f"A note from the person who dispatched you (it is in plan.md as well): {text}"


GO_ON = "Your usage limit has been reset. Go on with your checklist, from the first item that is not done."
REMINDER = "Your plan still has "


def reminder(open_items: Sequence[str]) -> str:
    """What an idle worker is told."""
    listed = "\n".join(f"- {item}" for item in open_items)
    return (
        f"{REMINDER}{len(open_items)} open:\n{listed}\n"
        "Go on with them. If you cannot, mark the item [?] or ask with `dispatch ask`."
    )
