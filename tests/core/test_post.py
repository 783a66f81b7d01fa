"""When a receiver is told what: at once, gathered, one cause once, never twice, and nothing while quiet."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import properties
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_tmux.core import alerts, post
from dispatch_tmux.core.alerts import KINDS, Entry, Item, Message, To
from dispatch_tmux.core.post import Post
from dispatch_tmux.core.quiet import Quiet
from dispatch_tmux.core.task import Choice, Question, State, Task

UTC = datetime.timezone.utc
BELL = To("bell")
NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()
NIGHT = Quiet(22 * 60, 7 * 60)


def item(task: str, kind: str = "failed", text: str = "", cause: str = "", at: float = NOON, **more: Any) -> Item:
    return Item(kind, task, f"{kind}:{task}:{at}", text, at, cause=cause, **more)


def sent(box: Post, at: float, stands: Callable[[Item], bool] = lambda item: True) -> Message | None:
    """What goes out AT seconds after noon."""
    message = box.cut(NOON + at, at, stands)
    if message:
        box.over(at)
    return message


def names(message: Message | None) -> list[str]:
    return [item.task for item in message.items] if message else []


def box(*entries: Entry, **told: Any) -> Post:
    return Post(entries or [Entry(KINDS, BELL)], told.pop("told", {}), zone=UTC, **told)


def test_the_first_goes_at_once_and_a_burst_is_gathered() -> None:
    here = box()
    here.take(item("a"), NOON, 0.0)
    assert here.wait(NOON, 0.0) == post.SETTLE <= 0.1
    assert names(sent(here, post.SETTLE)) == ["a"]
    for n, name in enumerate("bcd"):
        here.take(item(name), NOON, 1.0 + n)
        assert sent(here, 1.0 + n) is None
    wait = here.wait(NOON, 4.0)
    assert wait is not None and names(sent(here, 4.0 + wait)) == ["b", "c", "d"] and wait < post.GATHER
    assert here.wait(NOON, 60.0) is None and sent(here, 60.0) is None


def test_eight_with_one_cause_are_one_message() -> None:
    here = box()
    for n in range(8):
        here.take(item(f"t{n}", cause="failed claude auth", text="logged out"), NOON, n * 0.2)
        first = sent(here, n * 0.2)
        assert first is None
        if n == 0:
            assert names(sent(here, 0.05)) == ["t0"]
    assert sent(here, 20.0) is None and here.wait(NOON + 20, 20.0) is None
    here.take(item("other"), NOON + 30, 30.0)
    later = sent(here, 31.0)
    assert later and names(later) == ["other"] and later.more == (("failed claude auth", 7),)
    assert "and 7 more: failed claude auth" in alerts.said(later, NOON)[1]


def test_those_that_come_together_are_named_together() -> None:
    here = box()
    for n in range(8):
        here.take(item(f"t{n}", cause="lost x", text="tmux was killed", kind="lost"), NOON, 0.0)
    message = sent(here, 1.0)
    assert message and alerts.said(message, NOON) == ("t0, t1, t2 +5 are lost: tmux was killed", "")


def test_one_cause_is_told_again_when_it_is_another_time_or_nobody_has_it_any_more() -> None:
    here = box()
    for n, (at, open_) in enumerate([(0.0, True), (10.0, False), (200.0, True)]):
        here.take(item(f"t{n}", "question", cause="question allow?"), NOON + at, at)
        assert names(sent(here, at + 1, lambda each, n=n, open_=open_: open_ or each.task == f"t{n}")) == [f"t{n}"]  # type: ignore[misc]


def test_one_limit_is_one_notice_until_it_ends_and_a_longer_one_is_another() -> None:
    here = box()

    def limited(name: str, at: float, until: float) -> list[str]:
        here.take(item(name, "limited", cause="limited claude", at=NOON + at, until=until), NOON + at, at)
        return names(sent(here, at + 6))

    assert limited("a", 0, NOON + 7200) == ["a"]
    assert limited("b", 3000, NOON + 7200) == [] and limited("a", 4000, NOON + 7260) == []
    assert limited("c", 5000, NOON + 400_000) == ["c"]
    assert limited("d", 400_001, NOON + 400_010) == ["d"] and limited("e", 400_020, 0.0) == []
    assert (
        limited("f", 401_000, 0.0) == ["f"] and limited("g", 401_500, 0.0) == [] and limited("h", 403_000, 0.0) == ["h"]
    )


def test_what_was_answered_meanwhile_is_not_sent() -> None:
    here = box()
    here.take(item("a"), NOON, 0.0)
    here.take(item("b"), NOON, 0.0)
    assert names(sent(here, 1.0, lambda each: each.task == "b")) == ["b"]
    assert here.wait(NOON, 9.0) is None


def test_what_came_while_quiet_is_one_line_when_that_ends() -> None:
    here, late = box(Entry(KINDS, BELL, quiet=NIGHT)), 10.5 * 3600  # 22:30
    for n, kind in enumerate(["question", "question", "question", "failed", "done"]):
        here.take(item(f"t{n}", kind, at=NOON + late + n), NOON + late + n, late + n)
    assert sent(here, late + 60) is None and here.wait(NOON + late, late) == post.LOOK
    over = 19 * 3600
    assert here.wait(NOON + over - 10, over - 10) == 10
    message = sent(here, over, lambda each: each.kind != "done")
    assert message and alerts.said(message, NOON) == ("while quiet: 3 questions, 1 failed", "")
    assert here.wait(NOON + over, over + 100) is None


def test_a_receiver_that_is_not_quiet_hears_of_it_and_each_only_of_what_it_wants() -> None:
    here = box(Entry(("question",), BELL, quiet=NIGHT), Entry(("failed", "question"), BELL, group="Docs"))
    late = 11 * 3600
    assert here.take(item("u", "done", at=NOON + late), NOON + late, late)  # counts as told: it is none later, either
    here.take(item("a", "question", at=NOON + late), NOON + late, late)
    here.take(item("b", "question", at=NOON + late, group="Docs"), NOON + late, late)
    here.take(item("c", "failed", at=NOON + late), NOON + late, late)
    assert names(sent(here, late + 1)) == ["b"]
    assert here.as_told().keys() == {"u", "b", "c"}


def test_what_happened_before_anybody_was_to_be_told_is_one_line() -> None:
    here = box(since=NOON)
    for n in range(30):
        here.take(item(f"t{n}", "question", at=NOON - 100 + n), NOON, 0.0)
    here.take(item("new", "failed", text="exit code 3", at=NOON + 1), NOON, 0.0)
    message = sent(here, 2.0)
    assert message and alerts.said(message, NOON)[1] == "before this: 30 questions\nnew failed: exit code 3"


def test_a_dead_receiver_is_tried_ever_more_seldom_and_told_what_still_stands() -> None:
    here, at, pauses = box(), 0.0, []
    here.take(item("a", cause="x"), NOON, 0.0)
    here.take(item("b", cause="x"), NOON, 0.0)
    for _ in range(12):
        wait = here.wait(NOON, at)
        assert wait is not None
        at += wait
        message = here.cut(NOON, at, lambda each: True)
        assert names(message) == ["a", "b"] and message and here.wait(NOON, at) is None
        here.failed(message, at, again=True)
        assert here.as_told() == {}
        pauses.append(here.wait(NOON, at))
    assert pauses[:3] == [5.0, 10.0, 20.0] and pauses[-1] == post.LONGEST
    assert names(sent(here, at + post.LONGEST, lambda each: each.task == "b")) == ["b"] and here.failures == 0


def test_what_may_have_arrived_is_not_sent_again() -> None:
    here = box()
    here.take(item("a"), NOON, 0.0)
    message = here.cut(NOON, 1.0, lambda each: True)
    assert message
    here.failed(message, 1.0, again=False)
    assert here.wait(NOON, 1.0) is None and here.as_told() == {"a": [item("a").mark]}


def test_another_config_drops_what_nobody_wants_any_more() -> None:
    here = box()
    here.take(item("a", "question"), NOON, 0.0)
    here.take(item("b", "failed"), NOON, 0.0)
    here.change([Entry(("failed",), BELL)])
    assert names(sent(here, 1.0)) == ["b"] and here.wait(NOON, 9.0) is None


kinds = st.sampled_from(["question", "failed", "limited", "done", "flag"])
steps = st.lists(
    st.tuples(st.floats(0, 40_000), kinds, st.integers(0, 5), st.sampled_from(["", "x", "y"]), st.sampled_from(["ok", "again", "lost"])),
    max_size=25,
)  # fmt: skip


@given(steps, st.booleans(), st.booleans())
def test_whatever_happens_each_is_told_at_most_once_and_nothing_while_quiet(
    steps: Any, quiet: bool, killed: bool
) -> None:
    here = box(Entry(KINDS, BELL, quiet=NIGHT if quiet else None))
    at, arrived, known = 0.0, [], []

    def step(how: str) -> None:
        nonlocal here
        message = here.cut(NOON + at, at, lambda each: True)
        if message:
            assert not (quiet and NIGHT.covers(NOON + at, UTC))
            if killed:  # right after it was written down; what is not told is found again
                here = box(*here.entries, told=here.as_told())
                for each in known:
                    here.take(each, NOON + at, at)
            elif how == "again":
                here.failed(message, at, again=True)
                return
            elif how == "lost":
                here.failed(message, at, again=False)
            else:
                here.over(at)
            arrived.extend(each.mark for each in message.items)

    for pause, kind, task, cause, how in steps:
        at += pause
        each = item(f"t{task}", kind, cause=cause and f"{kind} {cause}", at=NOON + at)
        known.append(each)
        here.take(each, NOON + at, at)
        step(how)
    for _ in range(2000):
        wait = here.wait(NOON + at, at)
        if wait is None:
            break
        at += max(wait, 0.001)
        step("ok")
    assert here.wait(NOON + at, at) is None, "nothing waits for ever"
    assert len(arrived) == len(set(arrived)) and set(arrived) <= {each.mark for each in known}
    assert {each.mark for each in known if not each.cause} <= set(arrived)
    assert {mark for marks in here.as_told().values() for mark in marks} == {each.mark for each in known}


def question(text: str, *choices: str) -> Task:
    asked = Question("001", "file", text, tuple(Choice(str(n), label) for n, label in enumerate(choices, 1)), NOON)
    return Task("auth", created=NOON - 9, state=State.WAITING, since=NOON, questions=(asked,))


def test_the_words_of_a_question() -> None:
    (found,) = alerts.items(question("Which database?", "PostgreSQL", "SQLite"), NOON)
    message = Message((found,))
    assert alerts.said(message, NOON) == ("auth asks: Which database? [PostgreSQL · SQLite]", "")
    data = alerts.data(message, NOON, "/x/shop")
    assert (data["kind"], data["title"], data["count"]) == (
        "question",
        "shop: auth asks: Which database? [PostgreSQL · SQLite]",
        1,
    )
    assert data["events"][0]["choices"] == ["PostgreSQL", "SQLite"] and data["events"][0]["task"] == "auth"


@pytest.mark.parametrize("state", [state for state in State if state.value in KINDS])
def test_each_state_has_words(state: State) -> None:
    task = Task(
        "auth",
        created=1.0,
        state=state,
        why="a reason",
        since=NOON,
        backend="claude",
        resets=NOON + 600,
        entered=1,
        surfaced=True,
    )
    (found,) = alerts.items(task, NOON)
    title, _ = alerts.said(Message((found,)), NOON)
    assert state.value.removesuffix("ed") in title or title == "auth does nothing: a reason"


@given(properties.texts, properties.texts, st.lists(properties.texts, max_size=30))
def test_X3_what_a_worker_says_is_clean_and_short(text: str, group: str, choices: list[str]) -> None:
    task = question(text * 40, *choices)._replace(group=group, flags=(text,), model=text)
    found = alerts.items(task, NOON)
    assert len(found) == 2
    data = alerts.data(Message(tuple(found * 30)), NOON, f"/x/{text}")
    shown = [
        data["title"],
        data["text"],
        data["project"],
        *(str(value) for event in data["events"] for value in event.values()),
    ]
    assert not any(properties.forbidden(char) for words in shown for char in words)
    assert len(str(data)) < 60_000 and len(data["events"]) == alerts.LISTED


def test_all_is_over() -> None:
    tasks = [
        Task("a", created=1, state=State.DONE, since=5.0, group="g"),
        Task("b", created=1, state=State.FAILED, since=7.0),
    ]
    found = alerts.all_done(tasks, "")
    assert found and found.text == "1 done, 1 failed" and alerts.ended_at(found.mark) == 7.0
    assert (alerts.all_done(tasks, "g") or found).text == "1 done" and alerts.all_done(tasks, "h") is None
    assert alerts.all_done([*tasks, Task("c", created=1, state=State.QUEUED)], "") is None
    assert alerts.all_done([*tasks, Task("c", created=1, state=State.STOPPED, since=9.0)], "") is None
