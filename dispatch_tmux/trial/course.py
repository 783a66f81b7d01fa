"""The course: what is tried with a CLI, step by step, and what must come of it.

Each step is a function that drives the desk, and compares what dispatch saw, answered and delivered with what the model
heard. It returns when all was right, raises `Wrong` when something was not, `Refused` when dispatch said why it did not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from dispatch_tmux.core.task import Question as Asked
from dispatch_tmux.core.task import State
from dispatch_tmux.trial.clients import Question
from dispatch_tmux.trial.desk import Desk, Refused, Wrong
from dispatch_tmux.trial.script import Fail, Say

Verdict = Literal["right", "refused", "wrong", "absent", "untried"]
LONG = " ".join(f"word{n}" for n in range(160))  # some 1 100 characters: no composer has room for them on 24 rows
LINES = "first\n  second, indented\n\nfourth; $(touch x) `id` \"q\" 'q' \\n grün 日本 🎉"
BUSY = 5.0  # seconds that the model is silent
NOT_READY = "it does not get to its composer"
SETTLED = 1.5  # seconds without a request after which a message cannot come again


class Result(NamedTuple):
    """What came of a step: WHY it was not right, the seconds it took, and the screen it ended with (if not right)."""

    step: str
    size: tuple[int, int]
    verdict: Verdict
    why: str = ""
    seconds: float = 0.0
    screen: str = ""


def run(desk: Desk, only: str = "") -> Iterator[Result]:
    """Take the course, or the step ONLY; a result is there as soon as its step is over."""
    is_ready = True
    for name, step in STEPS.items():
        if name in desk.client.lacks:
            yield Result(name, desk.size, "absent")
        elif only and name not in (only, "start pages"):
            continue
        elif is_ready:
            result = _taken(desk, name, step)
            is_ready = result.why != NOT_READY
            yield result
        else:
            yield Result(name, desk.size, "untried")


def _taken(desk: Desk, name: str, step: Callable[[Desk], None]) -> Result:
    began = time.monotonic()
    verdict: Verdict = "right"
    why = screen = ""
    try:
        if name != "start pages" and not _ready(desk):
            raise Wrong(NOT_READY)
        step(desk)
    except Refused as e:
        verdict, why = "refused", str(e)
    except Wrong as e:
        verdict, why = "wrong", str(e)
    if verdict != "right":
        screen = desk.screen
        desk.service.play()
        desk.dispatch("stop", desk.id)
    return Result(name, desk.size, verdict, why, time.monotonic() - began, screen)


def _ready(desk: Desk) -> bool:
    """Whether there is a worker that sits at its composer: the one that there was, or a new one."""
    desk.service.play()
    try:
        if not desk.is_usable():
            heard = len(desk.service.heard)
            desk.begin()
            _through_start_pages(desk, heard)
        desk.until(desk.rests, "a composer")
    except (Wrong, Refused):
        return False
    return True


def _through_start_pages(desk: Desk, heard: int) -> None:
    """Say yes to whatever is asked before the first turn, which is a request after HEARD of them."""

    def begun() -> bool:
        if desk.task.exit_code is not None:
            raise Wrong(f"it ended with exit code {desk.task.exit_code} when it was told yes")
        if desk.question:
            _agree(desk, desk.question)
        return bool(desk.service.turns(heard)) and desk.rests()

    desk.until(begun, "the first turn", 2 * desk.client.patience)


def _agree(desk: Desk, question: Asked) -> None:
    """Choose what lets it go on: the first choice that reads like a yes."""
    agrees = ("yes", "trust", "continue", "allow", "accept", "proceed", "ok")
    choice = next((c.key for c in question.choices if c.label.lower().startswith(agrees)), "")
    desk.answer(*(("--choice", choice) if choice else ("yes",)))


# --- the steps


def start_pages(desk: Desk) -> None:
    """A project that nobody has trusted yet: asked about, answered with yes, and then the first prompt arrives."""
    heard = len(desk.service.heard)
    desk.begin()
    desk.until(lambda: desk.question or desk.service.turns(heard), "a start page", 2 * desk.client.patience)
    if desk.question and not desk.question.choices and not desk.question.is_unknown:
        raise Wrong(f"a {desk.question.kind} page without its choices")
    _through_start_pages(desk, heard)
    if not any(
        "prompt.md" in text or "hold yourself ready" in text for h in desk.service.turns(heard) for text in h.texts
    ):
        raise Wrong("the model did not hear the first prompt")


def message(desk: Desk) -> None:
    """A message to one that rests."""
    _delivered(desk, "message-one, to one that rests")


def lines(desk: Desk) -> None:
    """Several lines, with what a shell, a terminal and a composer could take for something else."""
    _delivered(desk, LINES)


def long_message(desk: Desk) -> None:
    """More than its composer can show."""
    _delivered(desk, LONG)


def busy(desk: Desk) -> None:
    """It works: that is seen, and a message sent meanwhile arrives, once."""
    desk.service.play(Say("That took a while.", BUSY))
    heard = len(desk.service.heard)
    desk.send("work for a while")
    desk.until(lambda: desk.service.turns(heard), "the turn")
    desk.until(lambda: desk.task.state is State.WORKING, "the state `working`", BUSY)
    _delivered(desk, "message-two, to one that works", held=True)


def draft(desk: Desk) -> None:
    """A person has begun to type: no message is mixed with that, and it stays as it is."""
    desk.type("a draft of mine")
    desk.until(lambda: "a draft of mine" in desk.screen, "the draft")
    said = desk.dispatch("send", desk.id, "message-three, beside a draft")
    heard = [h for h in desk.service.turns() if h.count("a draft of mine")]
    if heard:
        raise Wrong("the person's draft was sent")
    if "a draft of mine" not in desk.screen:
        raise Wrong("the person's draft is gone")
    desk.press("C-u")
    desk.until(lambda: "a draft of mine" not in desk.screen, "an empty composer")
    desk.until(lambda: _times(desk, "message-three, beside a draft") == 1, f"the message ({said.why or 'delivered'})")
    _arrived_once(desk, "message-three, beside a draft")


def refused(desk: Desk) -> None:
    """It asks for a permission, and is not given it."""
    name = _asks_to_touch(desk, "refused.txt")
    desk.answer("no")
    desk.until(lambda: not desk.question, "the end of the dialogue")
    if os.path.exists(name):
        raise Wrong("`no` allowed it")


def allowed(desk: Desk) -> None:
    """It asks for a permission, and is given it."""
    name = _asks_to_touch(desk, "allowed.txt")
    desk.answer("yes")
    desk.until(lambda: os.path.exists(name), "what was allowed")
    desk.until(desk.rests, "the end of the turn")


def by_number(desk: Desk) -> None:
    """A permission refused with the number of its last choice."""
    name = _asks_to_touch(desk, "numbered.txt")
    question = desk.asked()
    no = next((c.key for c in question.choices if c.label.lower().startswith(("no", "reject", "deny"))), "")
    if not no:
        raise Wrong(f"no choice that refuses among {[c.label for c in question.choices]}")
    desk.answer("--choice", no)
    desk.until(lambda: not desk.question, "the end of the dialogue")
    if os.path.exists(name):
        raise Wrong(f"choice {no}, which refuses, allowed it")


def label(desk: Desk) -> None:
    """Its own question, answered with the words of a choice: not the first."""
    said = _asks(desk, Question("Which database shall it be?", ("SQLite", "PostgreSQL", "MySQL"), header="Database"))
    desk.answer("PostgreSQL")
    _hears(desk, said, ["PostgreSQL"], ["SQLite", "MySQL"])


def number(desk: Desk) -> None:
    """Its own question, answered with a number."""
    said = _asks(desk, Question("Which port shall it be?", ("eighty", "ninety", "hundred"), header="Port"))
    desk.answer("--choice", "3")
    _hears(desk, said, ["hundred"], ["eighty", "ninety"])


def own_words(desk: Desk) -> None:
    """Its own question, answered with something else."""
    said = _asks(desk, Question("Which cache shall it be?", ("Redis", "Memcached"), header="Cache"))
    desk.answer("--text", "none of them; $HOME")
    _hears(desk, said, ["none of them; $HOME"], ["Redis", "Memcached"])


def several(desk: Desk) -> None:
    """Its own question with several choices: exactly those arrive."""
    said = _asks(desk, Question("Which checks shall run?", ("lint", "types", "tests", "docs"), True, "Checks"))
    desk.answer("--choice", "1,3")
    _hears(desk, said, ["lint", "tests"], ["types", "docs"])


def a_set(desk: Desk) -> None:
    """Two questions at once: each gets its own answer."""
    first = Question("Which colour shall it be?", ("amber", "green"), header="Colour")
    second = Question("Which shape shall it be?", ("circle", "square"), header="Shape")
    said = _asks(desk, first, second)
    desk.answer("green")
    while _answered(desk, said) is None:
        desk.until(lambda: desk.question or _answered(desk, said) is not None, "the next question, or its answer")
        if desk.question and "shape" in desk.question.text.lower():
            desk.answer("circle")
        elif desk.question and "colour" in desk.question.text.lower():
            raise Wrong("the first question is asked again")
        elif desk.question:
            desk.answer("yes")  # a page that shows the answers once more
        time.sleep(0.2)
    _hears(desk, said, ["green", "circle"], ["amber", "square"])


def failure(desk: Desk) -> None:
    """Its service refuses the key: dispatch says so."""
    desk.service.play(*[Fail(401)] * 12)
    desk.dispatch("send", desk.id, "this will fail")
    desk.until(lambda: desk.task.cause or desk.task.ended_by, "a failure with its cause", 2 * desk.client.patience)
    cause = desk.task.cause or desk.task.ended_by
    if cause != "auth":
        raise Wrong(f"a refused key is called {cause}")


def ends(desk: Desk) -> None:
    """It is stopped: its program has ended, and so has the task."""
    desk.dispatch("stop", desk.id)
    desk.until(lambda: desk.task.exit_code is not None, "an exit code")


STEPS: dict[str, Callable[[Desk], None]] = {
    "start pages": start_pages, "message": message, "several lines": lines, "long message": long_message, "busy": busy,
    "draft": draft, "permission refused": refused, "permission given": allowed, "refused by number": by_number,
    "question: label": label, "question: number": number, "question: own words": own_words, "several": several,
    "set of questions": a_set, "failure": failure, "stop": ends,
}  # fmt: skip


# --- what they share


def _times(desk: Desk, text: str) -> int:
    """How often TEXT stands in the newest turn that has it."""
    found = [heard.count(text) for heard in desk.service.turns()]
    return next((count for count in reversed(found) if count), 0)


def _delivered(desk: Desk, text: str, held: bool = False) -> None:
    """Send TEXT; it arrives, whole and once. HELD: dispatch may say that it comes later."""
    said = desk.dispatch("send", desk.id, text)
    if said.code and not (held and said.code == 6):
        raise Refused(said.why)
    desk.until(lambda: _times(desk, text), "the message at the model")
    _arrived_once(desk, text)


def _arrived_once(desk: Desk, text: str) -> None:
    desk.until(lambda: time.monotonic() - desk.service.last > SETTLED, "silence")
    if (times := _times(desk, text)) != 1:
        raise Wrong(f"the message arrived {times} times")
    desk.until(desk.rests, "the end of the turn")


def _asks_to_touch(desk: Desk, name: str) -> str:
    """Let the model want to make a file; the dialogue is there. Returns the file's path."""
    desk.service.play(desk.client.shell(f"touch {name}"))
    desk.send(f"make {name}")
    question = desk.asked("permission")
    if name not in question.text:
        raise Wrong("the question does not say what is to be allowed")
    path = os.path.join(desk.root, name)
    if os.path.exists(path):
        raise Wrong("it was done before it was allowed")
    return path


def _asks(desk: Desk, *questions: Question) -> int:
    """Let the model ask; the question is there with its choices. Returns how many requests came before the answer."""
    assert desk.client.ask is not None
    desk.service.play(desk.client.ask(questions))
    desk.send("ask me")
    asked = desk.asked()
    first = questions[0]
    if first.text.split()[1] not in asked.text:
        raise Wrong(f"the question reads {asked.text[:80]!r}")
    labels = [c.label for c in asked.choices][: len(first.labels)]
    seen = first.labels[: len(labels)] if asked.more else first.labels  # the others have no room on the screen
    if not labels or labels != list(seen):
        raise Wrong(f"its choices are {labels}")
    return len(desk.service.heard)


def _answered(desk: Desk, since: int) -> str | None:
    """What the tool that asked gave, in a request after SINCE; None while there is none."""
    found = [h for h in desk.service.turns(since) if h.is_answer and h.results]
    return found[0].results[-1] if found else None


def _hears(desk: Desk, since: int, wanted: list[str], unwanted: list[str]) -> None:
    """The model hears WANTED, and nothing of UNWANTED, as the answer."""
    desk.until(lambda: _answered(desk, since) is not None, "the answer at the model")
    heard = _answered(desk, since) or ""
    if missing := [w for w in wanted if w not in heard.replace("\\", "")]:
        raise Wrong(f"the model did not hear {missing[0]!r} but {heard[:120]!r}")
    if extra := [w for w in unwanted if w in heard]:
        raise Wrong(f"the model heard {extra[0]!r}, which nobody chose: {heard[:120]!r}")
    desk.until(desk.rests, "the end of the turn")
