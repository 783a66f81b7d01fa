"""The real Claude Code as a worker of `dispatch`, as a person with a shell sees it; only the model is a script."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import install
import pytest
from conftest import Lab
from stub_model import (
    Conversation,
    Say,
    Script,
    Step,
    StubModel,
    Use,
    ask_user,
    asks_by_dialogue,
    by_prompt,
    digest,
    echo,
    fails,
    needs_permission,
    one_after_the_other,
    plan_editor,
    unwrapped,
)
from terminal import Terminal, wait_until

StartModel = Callable[[Script], StubModel]
BUSY = 6.0  # seconds a model talks that is busy
AWKWARD = {
    "one line": "use JWT",
    "shell": "; $(touch x) `id` \"double\" 'single' \\n $HOME && true",
    "emoji": "grün 日本 🎉 👩‍👩‍👧 é",
    "3 lines": "first\n  second, indented\n\nfourth",
    "30 lines": "\n".join(f"line {n}: - [ ] # $x" for n in range(30)),
}


@dataclass(frozen=True)
class Desk:
    """A person's project with dispatch and Claude Code in it; `crew` is tests/conftest.py's."""

    crew: Any
    lab: Lab
    model: StubModel

    def start(self, *arguments: str, prompt: str = "begin", model: str = "claude") -> str:
        return str(self.crew.start("-m", model, *arguments, prompt))

    def at_rest(self) -> str:
        """A worker that has ended its first turn and has been reminded of its plan, as it is only once a minute."""
        id = self.start()
        wait_until(lambda: self.crew.events(id, "nudge"), why=lambda: self.crew.tell(id))
        self.crew.until(id, "idle")
        return id

    def send(self, id: str, text: str) -> str:
        """How the text arrived, by `dispatch send`."""
        sent = self.crew.run("send", "-v", id, text, ok=None)
        assert sent.returncode == 0, f"{sent.stderr}\n{self.crew.tell(id)}"
        return str(sent.stdout)

    def heard(self) -> list[str]:
        """What the model was told after its first prompt, reminders of dispatch's left out."""
        told = [unwrapped(text) for text in self.model.user_texts()[1:]]
        return [text for text in told if not text.startswith("Your plan still has ")]

    def events(self, id: str, *kinds: str) -> list[Any]:
        """Those of these kinds that are about messages of the person."""
        found = [e for e in self.crew.events(id) if e.kind in kinds]
        return [e for e in found if not str(e.data["rid"]).startswith("nudge-")]

    def until_heard(self, *texts: str) -> None:
        try:
            self.model.wait_until(lambda: len(self.heard()) >= len(texts))
        finally:
            assert self.heard() == list(texts)

    def settled(self, id: str) -> str:
        """'delivered' or 'undelivered', as soon as the newest message is one of them and its request is gone."""

        def end() -> Any:
            events = self.events(id, "delivered", "undelivered")
            return bool(events) and not self.crew.store.requests(id) and events[-1].kind

        wait_until(end, why=lambda: self.crew.tell(id))
        return str(end())

    def type(self, id: str, *keys: str) -> None:
        """What a person does who is attached."""
        assert self.crew.tmux("send-keys", "-t", self.crew.task(id).pane, *keys).ok

    def until_shown(self, id: str, text: str) -> None:
        wait_until(lambda: text in self.crew.screen(id), why=lambda: self.crew.tell(id))


@pytest.fixture
def desk(crew: Any, claude_client: install.Client, start_model: StartModel) -> Iterator[Callable[[Script], Desk]]:
    def at(script: Script) -> Desk:
        lab = Lab(claude_client, Terminal(crew.base), crew.home, crew.root)  # its window is dispatch's own
        model = start_model(script)
        lab.lend(crew, model)
        return Desk(crew, lab, model)

    yield at


# ---------------------------------------------------------------- the main job
def test_it_works_through_its_plan_asks_and_finishes_on_the_real_claude_code(desk: Callable[[Script], Desk]) -> None:
    at = desk(plan_editor)
    ask = 'decide {{dispatch ask "JWT or cookies?" --choice JWT --choice cookies}}'
    id = at.start("--item", "write {{echo one > one.txt}}", "--item", ask, "--item", "the rest", prompt="build a login")
    (news,) = at.crew.json("wait", "--for", "question", "--timeout", "40")
    assert (news["task"], news["text"].splitlines()[0]) == (id, "JWT or cookies?")
    assert [choice["label"] for choice in news["choices"]] == ["JWT", "cookies"]
    assert at.crew.task(id).marks == "x  "
    at.crew.run("answer", id, "--choice", "2")
    news = at.crew.json("wait", "--for", "done", "--timeout", "40")
    assert [n["task"] for n in news] == [id]
    assert at.crew.until(id, "done").marks == "xxx"
    assert "cookies" in at.model.tool_results()
    assert (at.crew.dir(id) / "output.md").read_text().startswith("# Result")
    assert (at.crew.root / "one.txt").read_text() == "one\n"
    assert [e for e in at.crew.events(id, "question") if e.data["via"] == "screen"] == []  # it needed no permission


@pytest.mark.parametrize("model", ["sonnet", "opus"])
def test_the_model_that_the_person_names_is_the_one_asked_on_the_real_claude_code(
    desk: Callable[[Script], Desk], model: str
) -> None:
    at = desk(echo)
    at.start(model=model)
    at.model.wait_until(lambda: at.model.main_requests)
    assert model in at.model.main_requests[0].body["model"]


# ---------------------------------------------------------------- its dialogues
@pytest.mark.parametrize(
    "answer, arrives",
    [(("--choice", "2"), "PostgreSQL"), (("SQLite",), "SQLite"), (('MySQL, "8"; $HOME',), 'MySQL, "8"; $HOME')],
    ids=["choice", "label", "own words"],
)
def test_its_question_dialogue_is_answered_on_the_real_claude_code(
    desk: Callable[[Script], Desk], answer: tuple[str, ...], arrives: str
) -> None:
    at = desk(asks_by_dialogue)
    id = at.start()
    (news,) = at.crew.json("wait", "--for", "question", "--timeout", "40")
    assert "Which database should it be?" in news["text"]
    assert [choice["label"] for choice in news["choices"]][:2] == ["SQLite", "PostgreSQL"]
    at.crew.run("answer", id, *answer)
    at.model.wait_until(lambda: at.model.tool_results())
    assert f'"Which database should it be?"="{arrives}"' in at.model.tool_results()[0]
    wait_until(lambda: not at.crew.task(id).open_questions, why=lambda: at.crew.tell(id))
    assert len(at.crew.events(id, "question")) == 1


@pytest.mark.parametrize("by", ["label", "digit"])
def test_its_permission_dialogue_is_answered_on_the_real_claude_code(desk: Callable[[Script], Desk], by: str) -> None:
    at = desk(needs_permission)
    id = at.start()
    (news,) = at.crew.json("wait", "--for", "question", "--timeout", "40")
    digits = {choice["label"]: choice["key"] for choice in news["choices"]}
    assert {"Yes", "No"} <= set(digits)
    assert "python3 -c" in news["text"]
    at.crew.run("answer", id, *(("Yes",) if by == "label" else ("--choice", digits["Yes"])))
    at.model.wait_until(lambda: at.model.tool_results() == ["42"])


def test_a_refused_permission_leaves_it_idle_on_the_real_claude_code(desk: Callable[[Script], Desk]) -> None:
    at = desk(needs_permission)
    id = at.start()
    at.crew.until(id, "question")
    at.crew.run("answer", id, "No")
    at.crew.until(id, "idle")
    assert at.model.tool_results() == []


def how(at: Desk, id: str) -> list[str]:
    return [e.data["how"] for e in at.events(id, "delivered")]


def pipes(at: Desk, id: str) -> list[str]:
    folder = at.crew.dir(id) / "door"
    return os.listdir(folder) if folder.exists() else []


MULTI = one_after_the_other(ask_user("Which of them?", "apples", "pears", "plums", multi=True), Say("Noted."))


@pytest.mark.parametrize("hook", [True, False], ids=["by its hook", "by keys"])
def test_several_choices_reach_it_on_the_real_claude_code(desk: Callable[[Script], Desk], hook: bool) -> None:
    at = desk(MULTI)
    if not hook:
        at.crew.configure(backends={"claude": {"signals": {"answers": False}}})
    id = at.start()
    (news,) = at.crew.json("wait", "--for", "question", "--timeout", "40")
    assert [choice["label"] for choice in news["choices"]][:3] == ["apples", "pears", "plums"]
    at.crew.run("answer", id, "--choice", "1,3")
    at.model.wait_until(lambda: at.model.tool_results())
    assert '"Which of them?"="apples, plums"' in at.model.tool_results()[0]
    assert how(at, id) == ["its own hook answered" if hook else "the page of all answers had it and was submitted"]
    wait_until(lambda: not pipes(at, id), why=lambda: str(pipes(at, id)))


def test_an_answer_of_several_lines_reaches_it_whole_on_the_real_claude_code(desk: Callable[[Script], Desk]) -> None:
    at = desk(asks_by_dialogue)
    id = at.start()
    at.crew.until(id, "question")
    text = "neither:\n  - 'MySQL' $(x)\n\nthank you"
    at.crew.run("answer", id, text)
    at.model.wait_until(lambda: at.model.tool_results())
    assert text in at.model.tool_results()[0]
    assert how(at, id) == ["its own hook answered"]


def test_a_person_at_the_keyboard_is_first_and_the_hook_goes_on_the_real_claude_code(
    desk: Callable[[Script], Desk],
) -> None:
    at = desk(asks_by_dialogue)
    id = at.start()
    at.crew.until(id, "question")
    wait_until(lambda: pipes(at, id))
    at.crew.tmux("send-keys", "-t", at.crew.task(id).pane, "2")
    at.model.wait_until(lambda: at.model.tool_results())
    assert '"="PostgreSQL"' in at.model.tool_results()[0]
    wait_until(lambda: not at.crew.task(id).open_questions and not pipes(at, id), why=lambda: at.crew.tell(id))
    assert "has no open question s1" in at.crew.run("answer", id, "--question", "s1", "SQLite", ok=False).stderr


def plans(conversation: Conversation) -> Step:
    """Writes a plan where Claude Code says, and asks whether it may begin."""
    if len(conversation.turn) == 1:
        path = re.search(r"/\S+/plans/[\w-]+\.md", json.dumps(conversation.messages))
        assert path, "not in plan mode"
        return Use("Write", {"file_path": path[0], "content": "# The plan\n\nuse one step\n"})
    return Use("ExitPlanMode", {}) if len(conversation.turn) == 2 else Say("Noted.")


@pytest.mark.parametrize(
    ("answer", "told"),
    [(("--choice", "2"), "approved your plan"), (("use two steps",), "use two steps")],
    ids=["yes", "in words"],
)
def test_its_plan_is_shown_and_approved_or_sent_back_on_the_real_claude_code(
    desk: Callable[[Script], Desk], answer: tuple[str, ...], told: str
) -> None:
    at = desk(plans)
    at.crew.configure(backends={"claude": {"permission_flags": {"default": ["--permission-mode", "plan"]}}})
    id = at.start()
    (news,) = at.crew.json("wait", "--for", "question", "--timeout", "40")
    assert "use one step" in news["text"]
    assert [c["key"] for c in news["choices"]] == ["1", "2", "3"]
    at.crew.run("answer", id, *answer)
    wait_until(lambda: any(told in text for text in at.model.tool_results()), why=lambda: at.crew.tell(id))
    wait_until(lambda: not at.crew.task(id).open_questions, why=lambda: at.crew.tell(id))


def test_S12_one_that_stops_early_is_told_twice_and_brought_to_the_person_on_the_real_claude_code(
    desk: Callable[[Script], Desk],
) -> None:
    at = desk(echo)
    at.crew.configure(times={"nudge": 1.0})
    id = at.start("--item", "never ticked")
    (news,) = at.crew.json("wait", id, "--timeout", "60")
    assert news["state"] == "idle" and "stopped early: 1 item open, reminded twice" in news["text"]
    told = [unwrapped(text) for text in at.model.user_texts()[1:]]
    assert len(told) == 2 and all(t.startswith("Your plan still has 1 open:\n- never ticked") for t in told)


# ---------------------------------------------------------------- messages
def test_D1_each_of_many_short_messages_is_submitted_on_the_real_claude_code(desk: Callable[[Script], Desk]) -> None:
    at = desk(echo)
    id = at.at_rest()
    texts = ["go on", *(f"message {n}" for n in range(6)), "go on"]  # the same words twice are two messages
    for n, text in enumerate(texts, 1):
        at.send(id, text)
        at.until_heard(*texts[:n])


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
def test_D2_a_message_arrives_once_and_byte_for_byte_on_the_real_claude_code(
    desk: Callable[[Script], Desk], text: str
) -> None:
    at = desk(echo)
    id = at.at_rest()
    at.send(id, text)
    at.until_heard(text)
    at.crew.until(id, "idle")
    assert at.heard() == [text]


def test_D3_a_long_paste_that_is_shown_folded_is_seen_to_arrive_on_the_real_claude_code(
    desk: Callable[[Script], Desk],
) -> None:
    at = desk(echo)
    id = at.at_rest()
    text = "\n".join(f"{n}. {'word ' * 12}end" for n in range(60))
    how = at.send(id, text)
    assert "receipt" in how or "a turn has begun" in how  # whichever of the two proofs is there first
    at.until_heard(text)


def test_D4_a_message_that_still_stands_on_the_screen_is_not_sent_again_on_the_real_claude_code(
    desk: Callable[[Script], Desk],
) -> None:
    at = desk(by_prompt({"stand": one_after_the_other(Say("stand here " * 20, seconds=1.0))}))
    id = at.at_rest()
    at.send(id, "stand here")
    wait_until(lambda: at.crew.screen(id).count("stand here") > 1, why=lambda: at.crew.tell(id))
    at.crew.until(id, "idle")
    at.send(id, "stand here")
    at.until_heard("stand here", "stand here")


def test_D5_a_persons_draft_is_left_alone_and_the_message_waits_on_the_real_claude_code(
    desk: Callable[[Script], Desk],
) -> None:
    at = desk(echo)
    id = at.at_rest()
    at.type(id, "-l", "half a dra")
    at.until_shown(id, "half a dra")
    held = at.crew.run("send", id, "the message", ok=False)
    assert "draft" in held.stderr
    assert "half a dra" in at.crew.screen(id)
    assert at.heard() == []
    at.type(id, "C-u")
    at.until_heard("the message")
    assert at.settled(id) == "delivered"


def test_D12_what_looks_like_a_command_stays_text_on_the_real_claude_code(desk: Callable[[Script], Desk]) -> None:
    at = desk(echo)
    id = at.at_rest()
    for text in ("/clear", "!touch x", "ends with \\"):
        at.send(id, text)
    at.model.wait_until(lambda: len(at.heard()) == 3)
    assert all(text in heard for text, heard in zip(("/clear", "!touch x", "ends with \\"), at.heard(), strict=True))


@pytest.mark.parametrize("size", [801, 8000, 20000])
def test_D13_a_message_of_thousands_of_characters_arrives_whole_on_the_real_claude_code(
    desk: Callable[[Script], Desk], size: int
) -> None:
    at = desk(echo)
    id = at.at_rest()
    text = ("näh 日本 🎉 words " * size)[: size - 3] + "end"
    at.send(id, text)
    at.model.wait_until(lambda: at.heard())
    assert [(len(t), digest(t)) for t in at.heard()] == [(size, digest(text))]


def test_D14_a_message_right_after_the_start_is_not_lost_on_the_real_claude_code(
    desk: Callable[[Script], Desk],
) -> None:
    at = desk(echo)
    id = at.start()
    at.crew.run("send", id, "and one more thing", ok=None)  # it may say that it waits
    assert at.settled(id) == "delivered"
    at.until_heard("and one more thing")
    assert at.model.user_texts()[0].rstrip().endswith("begin")  # its first prompt came as it was


def test_a_message_at_the_time_of_a_reminder_arrives_apart_from_it_on_the_real_claude_code(
    desk: Callable[[Script], Desk],
) -> None:
    at = desk(echo)
    id = at.start()
    wait_until(
        lambda: at.crew.events(id, "delivering"), why=lambda: at.crew.tell(id)
    )  # the supervisor types its reminder now
    at.send(id, "use JWT")
    at.until_heard("use JWT")
    assert len(at.model.user_texts()) == 3


@pytest.mark.parametrize("text", [AWKWARD["shell"], AWKWARD["30 lines"]], ids=["one line", "30 lines"])
def test_D16_a_message_to_a_busy_worker_arrives_once_on_the_real_claude_code(
    desk: Callable[[Script], Desk], text: str
) -> None:
    at = desk(by_prompt({"begin": one_after_the_other(Say("word " * 300, seconds=BUSY))}))
    id = at.start()
    at.until_shown(id, "word word")
    at.send(id, text)
    at.until_heard(text)
    at.crew.until(id, "idle")
    assert at.heard() == [text]


@pytest.mark.parametrize("moment", ["before the paste", "between paste and Enter", "after Enter"])
@pytest.mark.parametrize("text", [AWKWARD["one line"], AWKWARD["30 lines"]], ids=["one line", "30 lines"])
def test_D19_a_supervisor_killed_while_it_delivers_delivers_once_or_says_so_on_the_real_claude_code(
    desk: Callable[[Script], Desk], moment: str, text: str
) -> None:
    at = desk(echo)
    id = at.at_rest()
    sending = at.crew.popen("send", id, text)
    marks = {
        "before the paste": lambda: at.events(id, "delivering"),
        "between paste and Enter": lambda: "use JWT" in at.crew.screen(id) or "[Pasted text" in at.crew.screen(id),
        "after Enter": lambda: at.heard(),
    }
    wait_until(marks[moment], why=lambda: at.crew.tell(id))
    at.crew.kill_supervisor()
    outcome = at.settled(id)
    sending.communicate(timeout=20)
    if outcome == "delivered":
        at.until_heard(text)
    at.send(id, "and the next")
    at.model.wait_until(lambda: "and the next" in at.heard())
    assert at.heard() == [text, "and the next"] if outcome == "delivered" else at.heard().count(text) <= 1


def test_D19_none_of_many_messages_is_lost_or_doubled_on_the_real_claude_code(desk: Callable[[Script], Desk]) -> None:
    at = desk(echo)
    id = at.at_rest()
    sent: list[str] = []
    unsure: list[str] = []
    for n in range(5):
        sent.append(f"number {n}")
        sending = at.crew.popen("send", id, sent[-1])
        wait_until(lambda n=n: len(at.events(id, "delivering")) > n, why=lambda: at.crew.tell(id))
        began = time.monotonic()
        wait_until(lambda began=began, n=n: time.monotonic() - began > 0.1 * n)  # another moment each time
        at.crew.kill_supervisor()
        sending.communicate(timeout=30)
        if at.settled(id) == "undelivered":
            unsure.append(sent[-1])
    at.model.wait_until(lambda: set(sent) - set(unsure) <= set(at.heard()))
    assert [text for text in at.heard() if text not in unsure] == [text for text in sent if text not in unsure]
    assert all(at.heard().count(text) <= 1 for text in unsure)


# ---------------------------------------------------------------- models and their failures
@pytest.mark.parametrize(
    "asked, family",
    [
        ("sonnet", "sonnet"),
        ("opus", "opus"),
        ("haiku", "haiku"),
        ("sonnet-4.6", "claude-sonnet-4-6"),
        ("claude-4.7-opus", "claude-opus-4-7"),
    ],
)
def test_the_model_that_was_asked_for_reaches_the_service(
    desk: Callable[[Script], Desk], asked: str, family: str
) -> None:
    at = desk(echo)
    at.start(prompt=f"use {asked} to begin", model=asked)
    at.model.wait_until(lambda: bool(at.model.user_texts()))

    told = {request.body["model"] for request in at.model.main_requests}
    assert told and all(family in name for name in told), told


@pytest.mark.parametrize("batch", [False, True], ids=["interactive", "batch"])
@pytest.mark.parametrize("status, cause", [(401, "auth"), (404, "model"), (429, "quota"), (529, "overloaded")])
def test_S10_each_failure_of_the_service_has_its_cause_and_a_retry_that_works(
    desk: Callable[[Script], Desk], status: int, cause: str, batch: bool
) -> None:
    at = desk(fails(status))
    at.crew.env["CLAUDE_CODE_MAX_RETRIES"] = "1"  # else 401 and 429 are tried ten times, some minutes
    backends = {"claude": {"command": "claude -p"}} if batch else {}
    at.crew.configure({}, backends=backends, models={"sonnet": {"backend": "claude"}, "demo": {"backend": "demo"}})
    id = at.start("--item", "one", model="sonnet")
    task = at.crew.until(id, "failed", 60)

    assert task.cause == cause, at.crew.tell(id)
    assert "-m demo" in at.crew.run("status", id).stdout
    at.crew.run("retry", id, "-m", "demo")
    assert at.crew.until(id, "done").model == "demo"


def test_a_fallback_takes_over_from_a_claude_that_is_overloaded(desk: Callable[[Script], Desk]) -> None:
    at = desk(fails(529))
    at.crew.env["CLAUDE_CODE_MAX_RETRIES"] = "1"
    models = {"sonnet": {"backend": "claude", "fallbacks": ["demo"]}, "demo": {"backend": "demo"}}
    at.crew.configure({}, models=models)
    id = at.start("--item", "one", model="sonnet")
    news = at.crew.json("wait", id, "--timeout", "60")

    assert [n["kind"] for n in news] == ["done"] and at.crew.task(id).model == "demo"


def test_permissions_ask_brings_claudes_own_prompts_and_the_plan_needs_none(desk: Callable[[Script], Desk]) -> None:
    at = desk(plan_editor)
    id = at.start("--permissions", "ask", "--item", "write {{echo one > one.txt}}", "--item", "the rest")
    at.crew.until(id, "question", 60)
    (question,) = at.crew.task(id).open_questions

    assert question.via == "screen" and "one.txt" in question.text
    at.crew.run("answer", id, "--choice", "1")
    assert at.crew.until(id, "done", 60).marks == "xx"
