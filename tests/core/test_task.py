"""Ids, and the fold that turns a journal into a task."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch_tmux.core.fold import fold
from dispatch_tmux.core.task import Event, State, Task, former_of, needs, number_of, slug, task_id
from dispatch_tmux.errors import UsageProblem


@pytest.mark.parametrize("good", ["a", "7", "fix-login", "a" * 64, "x--y"])
def test_a_good_id(good: str) -> None:
    assert task_id(good) == good


@pytest.mark.parametrize(
    "bad",
    ["", ".", "..", "../x", "/etc", "a/b", "-a", "a-", "A", "ä", "a b", "a\n", "a\0", "a" * 65, "a.b", "a_b", "٣"],
)
def test_a_bad_id(bad: str) -> None:
    with pytest.raises(UsageProblem):
        task_id(bad)


@pytest.mark.parametrize(
    ("prompt", "taken", "id"),
    [
        ("Fix the login test, please", (), "fix-login-test"),
        ("one two three four five six", (), "one-two-three-four-five"),
        ("the of and", (), "the-of-and"),
        ("日本語", (), "ri-ben-yu"),
        ("Ärger mit Übergröße", (), "arger-mit-ubergrosse"),
        ("исправить тест входа", (), "ispravit-test-vkhoda"),
        ("修复登录页面的测试", ("xiu-fu-deng-lu-ye-mian-de-ce",), "xiu-fu-deng-lu-ye-mian-de-ce-2"),
        ("\u2060 ¡!", (), "task"),
        ("internationalization characteristically broken", (), "internationalization"),
        ("../../etc/passwd; rm -rf /", (), "etc-passwd-rm-rf"),
        ("fix", ("fix",), "fix-2"),
        ("fix", ("fix", "fix-2", "fix-4"), "fix-3"),
        ("-- --", (), "task"),
    ],
)
def test_slug(prompt: str, taken: tuple[str, ...], id: str) -> None:
    assert slug(prompt, taken) == id


@pytest.mark.parametrize("prompt", ["x" * 5000, ("word" * 10 + " ") * 9, "a-" * 300, "\0\x1b]0;t\x07", "#(touch x)"])
def test_a_slug_is_always_an_id(prompt: str) -> None:
    first = slug(prompt)
    assert task_id(first) == first
    assert task_id(slug(prompt, [first]))


def event(kind: str, key: str = "", t: float = 1.0, **data: Any) -> Event:
    return Event(t, kind, key, data)


LIFE = [
    event("created", "created", 1, title="t", model="m", backend="b", cwd="/w", marks="  "),
    event("starting", "starting:1", 2, attempt=1),
    event("started", "started:1", 3, attempt=1, pane="%1", window="@1", server="s", pid=42),
    event("state", "state:2", 4, state="working"),
    event("progress", "progress:1", 5, marks="x "),
    event("question", "question:001", 6, q="001", via="file", text="Which?", choices=[["1", "A"], ["2", "B"]]),
    event("state", "state:3", 7, state="waiting", why="asks"),
    event("answer", "answer:001", 8, q="001", answer="B"),
    event("closed", "closed:001", 9, q="001", how="answered"),
    event("nudge", "nudge:1", 10, n=1),
    event("delivering", "delivering:r1", 11, rid="r1"),
    event("delivered", "delivered:r1", 12, rid="r1", how="seen"),
    event("exited", "exited:1", 13, code=0, attempt=1),
    event("state", "state:4", 14, state="failed", why="exit code 0"),
]


def test_fold() -> None:
    task = fold("t", LIFE)
    assert (task.state, task.why, task.since, task.attempt, task.pane, task.pid) == (
        State.FAILED,
        "exit code 0",
        14,
        1,
        "%1",
        42,
    )
    assert (task.marks, task.done_items, task.nudges, task.exit_code) == ("x ", 1, 1, 0)
    (question,) = task.questions
    assert (question.answer, question.closed, [c.label for c in question.choices]) == ("B", "answered", ["A", "B"])
    assert task.request("r1") == ("delivered", "seen")
    assert not task.open_questions
    assert task.ended


@pytest.mark.parametrize("times", [2, 3])
def test_fold_is_idempotent_under_duplicate_keys(times: int) -> None:
    assert fold("t", [e for e in LIFE for _ in range(times)]) == fold("t", LIFE)
    assert fold("t", LIFE * times) == fold("t", LIFE)


def test_every_beginning_of_a_journal_folds_and_unknown_kinds_are_skipped() -> None:
    for n in range(len(LIFE) + 1):
        assert isinstance(fold("t", LIFE[:n]), Task)
    assert fold("t", [*LIFE, event("of a later version", "k", x=1)]) == fold("t", LIFE)


@pytest.mark.parametrize(
    "damaged", [event("state"), event("state", state="no such"), event("starting", attempt="x"), event("question")]
)
def test_an_event_without_its_data_is_skipped(damaged: Event) -> None:
    assert fold("t", [*LIFE, damaged]) == fold("t", LIFE)


def test_a_new_attempt_begins_without_the_last_ones_exit() -> None:
    task = fold("t", [*LIFE, event("starting", "starting:2", 20, attempt=2)])
    assert (task.state, task.exit_code, task.pane, task.nudges, task.started) == (State.STARTING, None, "", 0, 1)


def test_a_later_word_does_not_undo_a_delivery() -> None:
    assert fold("t", [*LIFE, event("held", rid="r1", how="late")]).request("r1")[0] == "delivered"


@pytest.mark.parametrize(
    ("events", "found"),
    [
        (LIFE[:5], []),
        (LIFE[:7], ["question:001"]),
        (LIFE[:8], []),
        (LIFE, ["failed:4"]),
        ([*LIFE[:7], event("closed", "c", q="001", how="left")], []),
        ([*LIFE[:5], event("undelivered", "u", rid="r9", how="its window is gone")], ["undelivered:r9"]),
        ([*LIFE[:5], event("undelivered", "u", rid="r9", how="told: then")], []),
        ([*LIFE[:5], event("state", "state:3", state="idle")], []),
        ([*LIFE[:5], event("state", "state:3", state="idle", surfaced=True)], ["idle:3"]),
        ([*LIFE[:5], event("state", "state:3", state="working", surfaced=True)], ["idle:3"]),
        ([*LIFE[:6], event("state", "state:3", state="blocked")], ["question:001", "blocked:3"]),
        ([*LIFE, event("state", "state:5", state="failed", why="in other words")], ["failed:4"]),  # no news
        (
            [
                *LIFE,
                event("switched", "s", model="m", backend="b", attempt=2),
                event("state", "state:5", state="failed"),
            ],
            ["failed:5"],
        ),
        ([*LIFE, event("starting", "starting:2", attempt=2), event("state", "state:6", state="failed")], ["failed:6"]),
    ],
)
def test_needs(events: list[Event], found: list[str]) -> None:
    assert [n.key for n in needs(fold("t", events))] == found


@pytest.mark.parametrize(
    ("id", "number", "former"),
    [("001", "001", ""), ("001.2", "001", "001"), ("001.12", "001", "001.11"), ("s1", "s1", "")],
)
def test_a_question_of_a_used_number_knows_its_files_and_its_former(id: str, number: str, former: str) -> None:
    assert (number_of(id), former_of(id)) == (number, former)


def test_a_question_of_a_used_number_ends_the_former_one_where_nothing_did() -> None:
    def asked(q: str) -> Event:
        return Event(1.0, "question", f"question:{q}", {"q": q, "via": "file", "text": q, "made": 7})

    answer = Event(2.0, "answer", "answer:001", {"q": "001", "answer": "one"})
    closed = Event(2.0, "closed", "closed:001", {"q": "001", "how": "gone"})
    for between, how in (((), "left"), ((answer,), "left"), ((closed,), "gone")):
        task = fold("t", [asked("001"), *between, asked("001.2"), asked("002")])
        assert [(q.id, q.closed, q.made) for q in task.questions] == [("001", how, 7), ("001.2", "", 7), ("002", "", 7)]
        assert [need.key for need in needs(task)] == ["question:001.2", "question:002"]
    assert not fold("t", [asked("001"), asked("001.x")]).questions[0].closed  # damaged
