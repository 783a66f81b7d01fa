"""One order in every list: who waits for a person is on top and never left out, and what has no room is counted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from crew import Crew
from made import STARTED, made, over

from dispatch_tmux.cli import listing
from dispatch_tmux.core.task import Question, State, Task
from dispatch_tmux.core.text import columns

NOW = 2000.0


def task(id: str, state: State, **facts: Any) -> Task:
    return Task(id=id, created=1.0, since=1000.0, marks="x ", state=state, model="opus")._replace(**facts)


def asks(id: str, *texts: str, **facts: Any) -> Task:
    questions = tuple(Question(f"{n:03}", "file", text, (), 5.0) for n, text in enumerate(texts, 1))
    return task(id, State.WAITING, questions=questions, **facts)


def crew(asking: int = 3) -> list[Task]:
    """More than fits: those that ask are the youngest."""
    return [
        *(task(f"done-{n}", State.DONE) for n in range(9)),
        *(task(f"queued-{n}", State.QUEUED, why="4 of 4 workers run" if n % 2 else "after auth") for n in range(12)),
        *(task(f"work-{n}", State.WORKING, title=f"Work on {n}", group="Security") for n in range(8)),
        *(asks(f"ask-{n}", f"Which is number {n}?", created=9.0) for n in range(asking)),
    ]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize(("asking", "most"), [(3, 36), (3, 23), (3, 9), (30, 38), (30, 33), (1, 5)])
def test_whoever_waits_is_on_top_with_the_question_and_the_others_are_counted(
    monkeypatch: pytest.MonkeyPatch, width: int, asking: int, most: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = listing.table(crew(asking), NOW, most=most)
    assert len(rows) <= most and all(columns(row) <= width for row in rows)
    shown = "\n".join(rows[rows[0].startswith("TASK") : -1])
    assert len(re.findall(r"^ask-", shown, re.M)) == asking and shown.startswith("ask-0")
    assert len(re.findall("Which is", shown)) == asking
    hidden = sum(map(int, re.findall(r"(\d+)(?= more| working| queued| done)", rows[-1])))
    assert hidden == (29 + asking - len(re.findall(r"^(?:ask|work|queued|done)-", shown, re.M)))


def test_where_not_even_those_that_wait_have_room_they_are_counted_first() -> None:
    assert (
        listing.table(crew(30), NOW, most=10)[-1]
        == "… 21 more waiting for you, 8 working, 12 queued, 9 done: dispatch status --all"
    )


def test_no_line_is_spent_while_somebody_who_waits_is_not_shown() -> None:
    rows = listing.table([asks(f"ask-{n}", "Which?") for n in range(8)], NOW, most=8)
    assert [row.split()[0] for row in rows] == [f"ask-{n}" for n in range(8)]


def test_the_same_reason_of_queued_tasks_is_told_once() -> None:
    rows = listing.table(crew(0), NOW)
    assert [row for row in rows if "4 of 4" in row] == ["  4 of 4 workers run · the next 5, too"]
    assert [row for row in rows if "after auth" in row] == ["  after auth · the next 5, too"]
    assert sum(row.startswith("queued-") for row in rows) == 12


def test_a_title_and_its_group_stand_beside_the_id_where_there_is_room() -> None:
    one = [task("work-7", State.WORKING, title="Rework the login", group="Security")]
    head, row = listing.table(one, NOW)
    assert row.endswith("  Security · Rework the login") and head.index("TITLE") == row.index("Security")
    assert listing.table(one, NOW, {"work-7": "45k of 200k"})[1].endswith("45k of 200k")


def test_a_flag_and_what_asks_more_than_is_shown_are_told() -> None:
    many = [f"Number {n}?" for n in range(7)]
    lost = (("r", "undelivered", "its window is gone"),)
    told = task("b", State.WORKING, flags=("a key is in the history",), requests=lost)
    rows = listing.table([asks("a", *many), told, task("c", State.DONE, requests=lost)], NOW)
    assert "  … 4 more questions" in rows and "  ! a key is in the history" in rows
    assert rows.count("  a message did not arrive: its window is gone") == 1
    assert [row[0] for row in rows if not row.startswith(" ")] == ["T", "a", "b", "c"]


def test_every_list_has_the_order_and_never_hides_who_waits(shared: Crew) -> None:
    for n in range(50):
        made(shared.store, f"failed-{n:02}", *over("failed", why="exit code 3"))
    for n in range(3):
        asked = ("question", {"q": "001", "via": "file", "text": f"Which is {n}?"})
        made(
            shared.store,
            f"ask-{n}",
            *STARTED,
            asked,
            ("exited", {"attempt": 1, "code": 0}),
            ("state", {"state": "blocked"}),
        )
        shared.store.tree(f"ask-{n}").replace("ipc", "001.question", text=f"Which is {n}?\n")
    for args in (("status",), ("brief",), ("report",)):
        rows = shared.run(*args).stdout.splitlines()
        found = [name for row in rows for name in re.findall(r"^(?:\S )?((?:ask|failed)-\d+)\b", row)]
        assert found[:3] == ["ask-0", "ask-1", "ask-2"] and len(found) == len(set(found)), args
        (rest,) = [row for row in rows if row.startswith("… ")]
        assert rest.startswith(f"… {53 - len(found)} more failed: dispatch ") and len(rows) < 40, args
    status = shared.run("status").stdout.splitlines()
    assert status[0] == "3 blocked, 50 failed"
    assert status[-1] == "`dispatch questions` shows what is asked, `dispatch answer TASK …` answers it"
    assert re.findall(r"^\? (\S+) asks", shared.run("questions").stdout, re.M) == ["ask-0", "ask-1", "ask-2"]
    assert [q["task"] for q in shared.json("questions")] == ["ask-0", "ask-1", "ask-2"]
