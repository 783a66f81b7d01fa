"""The inbox by its keys and the mouse, in Textual's own pilot; its acts are those of a real project."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from crew import Crew, wait_until
from made import made, over
from textual.pilot import Pilot

import dispatch_tmux as dispatch
from dispatch_tmux.store import project as projects
from dispatch_tmux.ui import feed, pages, view
from dispatch_tmux.ui.app import Inbox
from dispatch_tmux.ui.desk import Notice
from dispatch_tmux.ui.spans import Line
from dispatch_tmux.verbs.wait import unread

Play = Callable[["Seat"], Awaitable[None]]
ASKS = ("question", {"q": "001", "via": "file", "text": "Which?", "choices": [["1", "red"], ["2", "blue"]]})


class Seat:
    """A person at the inbox."""

    def __init__(self, app: Inbox, pilot: Pilot[Any]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def lines(self) -> list[str]:
        return ["".join(text for text, _ in line) for line in self.app.painted.lines]

    @property
    def styles(self) -> list[Line]:
        return self.app.painted.lines

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def sees(self, words: str, seconds: float = 10.0) -> str:
        """The line with WORDS, as soon as there is one."""
        end = time.monotonic() + seconds
        while True:
            if found := next((line for line in self.lines if words in line), ""):
                return found
            assert time.monotonic() < end, f"no {words!r} in\n" + "\n".join(self.lines)
            await self.pilot.pause(0.01)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if char == " " else char for char in text))


def sit(crew: Crew, play: Play, size: tuple[int, int] = (100, 30)) -> Inbox:
    """PLAY at the inbox of CREW's project."""

    async def run() -> Inbox:
        app = Inbox(crew.project, feed.read(crew.project))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app._since = 0.0  # a person has looked at it
            await play(Seat(app, pilot))
        assert app.failed is None
        return app

    return asyncio.run(run())


@pytest.fixture
def crewed(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> Crew:
    """A project with tasks in several states, none of which runs."""
    for name, value in crew.env.items():
        monkeypatch.setenv(name, value)
    made(crew.store, "asks", ASKS, *over("blocked", 0), title="Paint it")
    crew.store.tree("asks").replace("ipc", "001.question", text="Which?\n1. red\n2. blue\n")
    made(crew.store, "asks-too", ASKS, *over("blocked", 0), title="Paint that [bold]too[/bold]")
    crew.store.tree("asks-too").replace("ipc", "001.question", text="Which?\n1. red\n2. blue\n")
    made(crew.store, "broken", *over("failed", 1, why="exit code 1"), title="Mend it")
    made(crew.store, "fine", *over("done"), items=("one", "two"), marks="xx", title="Do it")
    crew.store.tree("fine").replace("output.md", text="# All done\nas [red]asked[/red]\n")
    return crew


def test_a_person_moves_looks_and_filters(crewed: Crew) -> None:
    async def play(seat: Seat) -> None:
        await seat.sees("1  red")
        assert seat.lines[1].startswith(" needs you 3")
        await seat.press("G")
        await seat.sees("as [red]asked[/red]")
        await seat.press("t")
        await seat.sees("✓ two")
        await seat.press("tab", "tab")
        await seat.sees("created")
        await seat.press("slash")
        await seat.type("mend")
        await seat.press("enter")
        assert seat.app.desk.current and seat.app.desk.current.id == "broken"
        await seat.sees("/mend 1 of 4")
        await seat.press("escape")
        assert len(seat.app.desk.shown) == 4
        await seat.press("question_mark")
        await seat.press("J", "J", "J", "J")
        await seat.sees("quit; workers go on")
        await seat.press("question_mark")
        await seat.sees("needs you 3")

    for size in ((40, 24), (200, 60)):
        sit(crewed, play, size)


def test_nothing_that_cannot_be_undone_happens_without_a_yes(crewed: Crew) -> None:
    before = [crewed.events(id) for id in crewed.store.ids()]

    async def play(seat: Seat) -> None:
        for key in ("x", "r", "R", "m"):
            for no in ("n", "escape", "enter", key):
                await seat.press("asterisk", key)
                assert seat.lines[-1].rstrip().endswith("?  y/N")
                await seat.press(no)
                assert "y/N" not in seat.lines[-1] and seat.app._busy == 0
                await seat.press("escape")

    sit(crewed, play)
    assert [crewed.events(id) for id in crewed.store.ids()] == before
    assert not crewed.store.supervised()


def test_a_result_that_stood_there_to_its_end_counts_as_read(crewed: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "STANDS", 0.0)
    made(crewed.store, "long", *over("done"), title="Write a lot")
    crewed.store.tree("long").replace("output.md", text="a line of it\n" * 60 + "the end\n")
    both = [crewed.task("fine"), crewed.task("long")]
    assert unread(crewed.project, both) == {"fine", "long"}

    async def play(seat: Seat) -> None:
        for id, words in (("fine", "as [red]asked[/red]"), ("long", "a line of it")):
            seat.app.desk.select(id)
            seat.app.look(by_hand=True)
            await seat.sees(words)
            await seat.press("y")
        wait_until(lambda: not unread(crewed.project, both[:1]))
        assert unread(crewed.project, both[1:])
        await seat.press(*"JJJJJJJJJJ")
        await seat.sees("the end")
        await seat.press("q")  # in which it is noted all the same

    sit(crewed, play)
    wait_until(lambda: not unread(crewed.project, both))
    assert [news.task.id for news in dispatch.wait(crewed.project, "fine", timeout=0)] == ["fine"]  # for another reader


def test_a_result_that_is_too_long_to_be_shown_says_so(crewed: Crew) -> None:
    crewed.store.tree("fine").replace("output.md", text=("x" * 99 + "\n") * 4100)
    page = pages.read(crewed.project, crewed.task("fine"), "result", None)
    assert "it is longer" in page.lines[-1][0][0] and len(page.lines) > 4000


def test_after_a_yes_it_is_done_and_what_came_of_it_is_told_in_one_line(crewed: Crew) -> None:
    async def play(seat: Seat) -> None:
        await seat.press("G", "m", "y")
        await seat.sees("has no worktree")
        await seat.press("g", "space", "space", "m", "y")
        line = await seat.sees("merged 0 of 2")
        assert "has no worktree" in line and not seat.app.desk.marked
        await seat.press("p")
        await seat.sees("nothing new starts now")
        await seat.sees("queue paused")

    sit(crewed, play)
    assert crewed.store.paused()


def test_what_comes_while_something_is_asked_is_told_afterwards(crewed: Crew) -> None:
    async def play(seat: Seat) -> None:
        await seat.press("x")
        seat.app.say(Notice("the merge failed", good=False))
        seat.app.say(Notice("a message arrived"))
        assert seat.lines[-1].rstrip().endswith("y/N")  # y would stop it: that has to be seen
        await seat.press("n")
        assert "the merge failed" in seat.lines[-1]
        await seat.press("slash", "f")
        seat.app.say(Notice("a message arrived"))
        await seat.press("enter")
        assert "a message arrived" in seat.lines[-1]

    sit(crewed, play)


def test_a_digit_answers_the_question_in_sight_and_the_next_comes(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in crew.env.items():
        monkeypatch.setenv(name, value)
    for id in ("first", "second"):
        crew.start("-m", "demo", "--id", id, "--item", "ask: Which? (choices: red | blue)", "paint", DEMO_PACE="0.01")
        crew.until(id, "question")

    async def play(seat: Seat) -> None:
        await seat.sees("2  blue")
        await seat.press("7")
        await seat.sees("7 is none of its choices")
        await seat.press("2")
        await seat.sees("2  blue")
        assert seat.app.desk.current and seat.app.desk.current.id == "second"
        await seat.press("1")  # at once: that question has only just come
        await seat.sees("look, and press again")
        await seat.press("enter")
        await seat.type("neither of them")
        await seat.press("enter")
        await seat.sees("second: answered: neither of them")
        await seat.sees("2 done")

    sit(crew, play)
    assert [crew.store.answer_of(id, "001") for id in ("first", "second")] == ["blue", "neither of them"]


def test_a_refusal_is_one_line_and_what_was_typed_is_taken_as_it_stands(crewed: Crew) -> None:
    async def play(seat: Seat) -> None:
        await seat.press("G", "s")
        await seat.type("hello [bold]")
        await seat.press("enter")
        assert "its program is not running" in await seat.sees("fine is done")
        await seat.press("n")
        await seat.type("one")
        await seat.press("ctrl+j")
        await seat.type("two")
        await seat.press("enter")
        await seat.sees("noted in the plan of fine")
        await seat.press("s", "escape")
        assert seat.app.desk.typed is None

    sit(crewed, play)
    assert crewed.task("fine").notes == ("one\ntwo",)


def test_the_mouse_selects_turns_tabs_and_asks_before_it_stops_anything(crewed: Crew) -> None:
    async def play(seat: Seat) -> None:
        async def click(words: str) -> None:
            y = next(n for n, line in enumerate(seat.lines) if words in line)
            await seat.pilot.click(offset=(seat.lines[y].index(words) + 1, y))

        await click("broken")
        assert seat.app.desk.current and seat.app.desk.current.id == "broken"
        await click("events")
        await seat.sees("exited")
        await click("retry")
        assert "y/N" in seat.lines[-1]
        await seat.press("n")

    sit(crewed, play, (120, 30))


def test_what_happens_shows_by_itself(crewed: Crew) -> None:
    async def play(seat: Seat) -> None:
        await seat.sees("needs you 3")
        crewed.store.append("fine", "state", "", state="failed", why="after all")
        await seat.sees("needs you 4")
        made(crewed.store, "new", title="A new one")
        await seat.sees("A new one")

    sit(crewed, play)


def test_without_colours_what_is_selected_can_still_be_told(crewed: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def play(seat: Seat) -> None:
        await seat.sees("needs you")
        (row,) = [
            line for line in seat.styles if any("reverse" in style and text.strip() == "asks" for text, style in line)
        ] or [None]
        assert row is not None
        assert seat.app.no_color

    sit(crewed, play)


def test_a_project_that_cannot_be_read_is_said(crew: Crew) -> None:
    made(crew.store, "theirs")
    (crew.root / ".dispatch" / "project").write_text("somebody-00000000 " + "0" * 64)
    crew.project = projects.at(str(crew.root), str(crew.home / ".dispatch"))

    async def play(seat: Seat) -> None:
        await seat.press("j", "x", "1", "enter", "tab", "space", "d", "J")
        await seat.sees("dispatch trust")
        assert seat.app.desk.picture.problem

    sit(crew, play)


def test_a_question_is_shown_whole_and_a_choice_beyond_the_ninth_is_typed(crewed: Crew) -> None:
    labels = [f"colour {n}" for n in range(1, 13)]
    ask = (
        "question",
        {
            "q": "001",
            "via": "file",
            "text": "Which of all?",
            "choices": [[str(n), label] for n, label in enumerate(labels, 1)],
        },
    )
    made(crewed.store, "aa-many", ask, *over("blocked", 0))
    crewed.run("pause")

    async def play(seat: Seat) -> None:
        seat.app.desk.select("aa-many")
        seat.app.look(by_hand=True)
        await seat.sees("colour 12")
        await seat.press("enter")
        await seat.type("12")
        await seat.press("enter")
        await seat.sees("aa-many: answered: colour 12")

    sit(crewed, play)


def test_a_task_that_has_not_begun_is_held_moved_and_edited(crewed: Crew) -> None:
    crewed.run("pause")
    crewed.start("-m", "demo", "--id", "later", "x")
    edited: list[str] = []

    async def play(seat: Seat) -> None:
        seat.app._editor = lambda project, id: edited.append(id)
        seat.app.desk.select("later")
        seat.app.look(by_hand=True)
        assert "edit" in seat.lines[-1]
        await seat.press("plus", "plus", "plus", "minus")  # faster than the list is read
        wait_until(lambda: crewed.task("later").priority == 2)
        await seat.sees("later has priority 2")
        await seat.press("h")
        await seat.sees("does not start before h is pressed again")
        await seat.press("g", "e")
        await seat.sees("has begun")

    sit(crewed, play)
    assert crewed.task("later").priority == 2 and crewed.task("later").on_hold and edited == []


def test_all_projects_are_shown_and_another_one_is_gone_to(crewed: Crew) -> None:
    other = projects.at(str(crewed.base / "zz-other"), str(crewed.home / ".dispatch"))
    (crewed.base / "zz-other").mkdir()
    made(other.store, "theirs", ASKS, *over("blocked", 0))

    async def play(seat: Seat) -> None:
        await seat.press("P")
        assert "1 blocked" in await seat.sees("zz-other")
        await seat.press("escape")
        await seat.sees("needs you 3")
        assert seat.app.other is None
        await seat.press("P")
        await seat.sees("zz-other")
        await seat.press("G", "enter")

    app = sit(crewed, play)
    assert app.other and app.other.root == other.root
