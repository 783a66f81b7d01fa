"""Permission dialogues of the real Codex, Gemini CLI and opencode, seen and answered; messages delivered to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from terminal import wait_until
from test_others_dispatch import PATIENCE, Desk, desk, service

CHOICES = {
    "codex": ["Yes, proceed", "Yes, and don't ask again", "No, and tell"],
    "gemini": ["Allow once", "Allow for this session", "No, suggest changes"],
    "opencode": ["Allow once", "Allow always", "Reject"],
}


def asking(desk: Desk) -> str:
    """A worker whose CLI wants to be allowed to run its command."""
    desk.configure()
    if desk.name == "opencode":
        desk.set(permission={"bash": "ask"})
    if desk.name == "codex":
        desk.service.also = {"sandbox_permissions": "require_escalated", "justification": "May I leave the sandbox?"}
    desk.service.first = ["touch made.txt"]
    id = desk.crew.start("-m", desk.model, "--permissions", "ask", "--item", "one", "do it")
    desk.crew.until(id, "question", PATIENCE)
    return str(id)


def test_its_permission_dialogue_is_a_question_and_the_answer_lets_it_go_on(desk: Desk) -> None:
    id = asking(desk)
    (question,) = desk.crew.task(id).open_questions
    assert question.kind == "permission"
    labels = [c.label for c in question.choices]
    assert len(labels) == len(CHOICES[desk.name]), labels
    assert all(label.startswith(begin) for label, begin in zip(labels, CHOICES[desk.name], strict=True)), labels
    assert "made.txt" in question.text

    desk.crew.run("answer", id, "--choice", "1")
    wait_until(lambda: (desk.crew.root / "made.txt").exists(), seconds=PATIENCE, why=lambda: desk.crew.screen(id))
    for _ in range(3):  # some ask again for the next of the command's parts
        task = desk.crew.task(id)
        if task.open_questions:
            desk.crew.run("answer", id, "--choice", "1")
    desk.crew.until(id, "done", PATIENCE)


def test_a_refusal_reaches_it(desk: Desk) -> None:
    id = asking(desk)
    desk.crew.run("answer", id, "--choice", "3")
    wait_until(lambda: not desk.crew.task(id).open_questions, seconds=PATIENCE)
    assert not (desk.crew.root / "made.txt").exists()


@pytest.mark.parametrize("desk", ["gemini"], indirect=True)
def test_D16_a_message_while_a_dialogue_is_open_waits_and_is_not_an_answer(desk: Desk) -> None:
    id = asking(desk)
    held = desk.crew.run("send", id, "1", ok=False)
    assert held.returncode == 6 and "dialogue" in held.stderr, held.stderr
    assert not (desk.crew.root / "made.txt").exists()
    desk.crew.run("stop", id)


@pytest.mark.parametrize(
    "text", ["use JWT", "; $(touch x) `id` \"q\" 'q' \\n", "grün 日本 🎉", "first\n  second\n\nfourth", "word " * 1600]
)
def test_D2_a_message_arrives_once_and_whole(desk: Desk, text: str) -> None:
    desk.configure()
    id = desk.crew.start("-m", desk.model, "--permissions", "skip", "--item", "one", "do it")
    desk.crew.until(id, "done", PATIENCE)
    sent = desk.crew.run("send", id, text, ok=None)
    assert sent.returncode == 0, sent.stderr + desk.crew.screen(id)
    body = "".join(text.split())

    def times() -> int:
        """How often the message stands in the newest request that has it."""
        found = [r.text for r in list(desk.service.requests) if r.main and body in "".join(r.text.split())]
        return "".join(found[-1].split()).count(body) if found else 0

    wait_until(lambda: times() > 0, seconds=PATIENCE, why=lambda: desk.crew.screen(id))
    assert times() == 1
    wait_until(lambda: desk.service.settled(2.0), seconds=PATIENCE)
    assert times() == 1


QUESTIONS = {  # each CLI's own tool for questions
    "codex": (
        "request_user_input",
        {
            "id": "q1",
            "options": [
                {"label": "SQLite", "description": "a file"},
                {"label": "PostgreSQL", "description": "a server"},
            ],
        },
    ),
    "gemini": (
        "ask_user",
        {
            "type": "choice",
            "options": [
                {"label": "SQLite", "description": "a file"},
                {"label": "PostgreSQL", "description": "a server"},
            ],
        },
    ),
    "opencode": (
        "question",
        {"options": [{"label": "SQLite", "description": "a file"}, {"label": "PostgreSQL", "description": "a server"}]},
    ),
}


def questioning(desk: Desk) -> str:
    """A worker whose CLI shows its own question."""
    desk.configure()
    if desk.name == "codex":
        path = desk.crew.home / ".codex" / "config.toml"
        path.write_text(path.read_text() + "\n[features]\ndefault_mode_request_user_input = true\n")
    tool, more = QUESTIONS[desk.name]
    desk.service.first = ["true"]
    desk.service.calls = [
        (tool, {"questions": [{"header": "Database", "question": "Which database shall it be?", **more}]})
    ]
    id = desk.crew.start("-m", desk.model, "--permissions", "skip", "--item", "one", "do it")
    desk.crew.until(id, "question", PATIENCE)
    return str(id)


@pytest.mark.parametrize(
    ("answer", "arrives"),
    [(["--choice", "2"], "PostgreSQL"), (["sqlite"], "SQLite"), (['MySQL, "8"; $HOME'], 'MySQL, \\"8\\"; $HOME')],
    ids=["choice", "label", "own words"],
)
def test_its_own_question_is_answered(desk: Desk, answer: list[str], arrives: str) -> None:
    id = questioning(desk)
    (question,) = desk.crew.task(id).open_questions
    assert "Which database shall it be?" in question.text
    assert [c.label for c in question.choices][:2] == ["SQLite", "PostgreSQL"], question.choices
    asked = len(desk.service.requests)
    desk.crew.run("answer", id, *answer)
    wait_until(lambda: len(desk.service.requests) > asked, seconds=PATIENCE, why=lambda: desk.crew.screen(id))
    heard = [r.text for r in desk.service.requests[asked:] if r.main]
    assert any(arrives in text or arrives.replace("\\", "") in text for text in heard), heard[-1][
        -600:
    ] + desk.crew.screen(id)
    desk.crew.until(id, "done", PATIENCE)


def allowing(desk: Desk, id: str, wanted: Callable[[], object]) -> None:
    """Allow all it asks for until WANTED holds: each turn of the scripted model wants its command again."""

    def there() -> object:
        for q in desk.crew.task(id).open_questions:
            desk.crew.run("answer", id, "--question", q.id, "--choice", "1", ok=None)
        return wanted()

    wait_until(there, seconds=PATIENCE, why=lambda: desk.crew.screen(id))


@pytest.mark.parametrize("desk", ["codex", "opencode"], indirect=True)
def test_D16_at_its_own_door_a_message_goes_past_a_dialogue_and_a_draft(desk: Desk) -> None:
    text = "/1 as it\n  stands  "
    id = asking(desk)
    desk.crew.run("send", id, text)
    assert not (desk.crew.root / "made.txt").exists(), "the message answered the dialogue"
    allowing(desk, id, lambda: any(text in r.text for r in desk.service.requests))
    assert [r.text.count(text) for r in desk.service.requests if text in r.text][-1] == 1

    def at_rest() -> bool:
        return (
            desk.service.settled(3.0)
            and "esc interrupt" not in desk.crew.screen(id)
            and not desk.crew.task(id).open_questions
        )

    allowing(desk, id, at_rest)
    desk.crew.tmux("send-keys", "-t", desk.crew.task(id).pane, "-l", "a draft of mine")
    wait_until(lambda: "a draft of mine" in desk.crew.screen(id), seconds=PATIENCE)
    desk.crew.run("send", id, "past the draft")
    allowing(desk, id, lambda: any("past the draft" in r.text for r in desk.service.requests))
    assert not any("a draft of mine" in r.text for r in desk.service.requests)


@pytest.mark.parametrize("desk", ["opencode"], indirect=True)
def test_without_its_plugin_the_keyboard_does_it_all(desk: Desk) -> None:
    desk.crew.env["OPENCODE_PURE"] = "1"
    id = asking(desk)
    assert not (desk.crew.root / ".dispatch" / "tasks" / id / "door").exists()
    desk.crew.run("answer", id, "--choice", "1")
    wait_until(lambda: (desk.crew.root / "made.txt").exists(), seconds=PATIENCE, why=lambda: desk.crew.screen(id))


@pytest.mark.parametrize("desk", ["opencode"], indirect=True)
def test_a_question_that_the_screen_has_no_room_for_is_told_and_answered(desk: Desk) -> None:
    id = questioning(desk)
    pane = desk.crew.task(id).pane
    for rows in ("8", "50", "8"):  # with 8 rows neither its choices nor its end are to be seen
        desk.crew.tmux("resize-window", "-t", pane, "-x", "60", "-y", rows)
        wait_until(lambda rows=rows: len(desk.crew.screen(id).splitlines()) <= int(rows))
        desk.crew.run("keys", id, "Down")  # makes it draw
    assert [q.id for q in desk.crew.task(id).open_questions] == ["s1"]
    desk.crew.run("answer", id, "--choice", "1")
    desk.crew.until(id, "done", PATIENCE)


@pytest.mark.parametrize("desk", ["opencode"], indirect=True)
def test_a_question_asked_on_a_low_screen_has_all_its_choices(desk: Desk) -> None:
    desk.configure()
    desk.service.quiet = True
    id = desk.crew.start("-m", desk.model, "--permissions", "skip", "--item", "one", "do it")
    desk.crew.until(id, "idle", PATIENCE)
    desk.crew.tmux("resize-window", "-t", desk.crew.task(id).pane, "-x", "60", "-y", "8")
    tool, more = QUESTIONS["opencode"]
    desk.service.first = ["true"]
    desk.service.calls = [
        (tool, {"questions": [{"header": "Database", "question": "Which one? " + "and why? " * 30, **more}]})
    ]
    desk.crew.run("send", id, "ask me")
    desk.crew.until(id, "question", PATIENCE)
    (question,) = desk.crew.task(id).open_questions
    assert question.text.startswith("Which one?") and [c.label for c in question.choices][:2] == [
        "SQLite",
        "PostgreSQL",
    ]
    desk.crew.run("answer", id, "postgresql")
    wait_until(lambda: any("PostgreSQL" in r.text.split("ask me")[-1] for r in desk.service.requests if r.main))
