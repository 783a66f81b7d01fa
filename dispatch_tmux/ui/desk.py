"""What the inbox shows, and what is chosen in it. Pure: no clock, no files, no screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from dispatch_tmux import Place, Question, State, Task
from dispatch_tmux.core import urgency
from dispatch_tmux.ui.spans import Line, words
from dispatch_tmux.ui.typed import Typed

QUESTION, SCREEN, PLAN, DIFF, EVENTS, RESULT = "question", "screen", "plan", "diff", "events", "result"
TABS = (QUESTION, SCREEN, PLAN, DIFF, EVENTS, RESULT)
_HAS_SCREEN = (State.WORKING, State.STARTING, State.IDLE, State.WAITING, State.SUSPENDED)


class Picture(NamedTuple):
    """How a project stands: its tasks, whether anybody supervises it, whether its queue is held back; or a `problem`."""

    tasks: tuple[Task, ...] = ()
    supervised: bool = True
    paused: bool = False
    problem: str = ""


class Page(NamedTuple):
    """What stands beside the list: lines, which are wrapped or cut, shown from the top or, of a screen, the end.

    `choices`: which lines are choices that can be picked, by the digit that does. `failed`: it only says why there is none.
    """

    task: str
    tab: str
    lines: tuple[Line, ...] = ()
    wrap: bool = True
    ends: bool = False
    choices: tuple[tuple[int, str], ...] = ()
    failed: bool = False


class Part(NamedTuple):
    """Tasks under one heading, and the reason that most of them have for being so, where several have it."""

    heading: str
    tasks: tuple[Task, ...]
    reason: str = ""


class Notice(NamedTuple):
    """What is told in the last line. `asks`: it waits for a yes."""

    text: str
    good: bool = True
    asks: bool = False


@dataclass
class Desk:
    """The state of the inbox. What changes it says so with a new picture, a move or a page."""

    name: str = ""
    picture: Picture = field(default_factory=Picture)
    shown: list[Task] = field(default_factory=list)  # in order, those that the filter lets through
    parts: list[Part] = field(default_factory=list)  # the same under their headings
    longest: int = 0  # characters of the longest id among them
    selected: str = ""
    moved: bool = False  # a person has moved: the selection stays where it is, whatever comes above it
    marked: set[str] = field(default_factory=set)
    filter: str = ""
    answering: set[tuple[str, str]] = field(default_factory=set)  # (task, question) whose answers are on their way
    picked: str = ""  # the tab that a person picked
    page: Page = field(default_factory=lambda: Page("", ""))
    top: int = 0  # the first row of the list that is seen
    down: int = 0  # lines that the page is scrolled: from its top, or of one that ends, from its end
    right: int = 0  # columns that it is scrolled
    helps: bool = False
    notice: Notice | None = None
    places: tuple[Place, ...] | None = None  # every project of this user, while one is chosen among them
    place: int = 0
    typed: Typed | None = None  # what the person is typing

    # --- tasks

    def take(self, picture: Picture) -> None:
        """PICTURE is how things stand now."""
        self.picture = picture
        known = {task.id for task in picture.tasks}
        self.marked &= known
        open_now = {(t.id, q.id) for t in picture.tasks for q in t.open_questions}
        self.answering &= open_now
        self._sort()

    def look_for(self, text: str) -> None:
        """Show only tasks that have all words of TEXT in their id, title, group, model or state."""
        self.filter = text
        self._sort()

    def _sort(self) -> None:
        wanted = self.filter.lower().split()
        found = [t for t in self.picture.tasks if all(word in _said_of(t) for word in wanted)]
        before = next((n for n, t in enumerate(self.shown) if t.id == self.selected), 0)
        self.shown = urgency.ordered(found)
        self.parts = [*_parts(self.shown)]
        self.longest = max((len(t.id) for t in self.shown), default=0)
        there = any(t.id == self.selected for t in self.shown)
        if not self.shown:
            self.selected = ""
        elif not self.moved:
            self._select(self.shown[0].id)
        elif not there:
            self._select(self.shown[min(before, len(self.shown) - 1)].id)

    def _select(self, id: str) -> None:
        if id != self.selected:
            self.selected, self.down, self.right = id, 0, 0
            if self.picked == QUESTION:
                self.picked = ""

    @property
    def current(self) -> Task | None:
        return next((t for t in self.shown if t.id == self.selected), None)

    @property
    def targets(self) -> list[Task]:
        """What a key acts on: the marked tasks, else the selected one."""
        marked = [t for t in self.picture.tasks if t.id in self.marked]
        current = self.current
        return marked or ([current] if current else [])

    @property
    def asked(self) -> Question | None:
        """The question of the selected task that is to be answered next."""
        return self.open_question(self.current) if self.current else None

    def open_question(self, task: Task) -> Question | None:
        """The first question of TASK that no answer of ours is on its way to."""
        return next((q for q in task.open_questions if (task.id, q.id) not in self.answering), None)

    # --- moving

    def move(self, by: int) -> None:
        place = next((n for n, t in enumerate(self.shown) if t.id == self.selected), 0)
        self.go(place + by)

    def go(self, place: int) -> None:
        """Select the task at PLACE of those shown, as far as there are any."""
        if self.shown:
            self.moved = place > 0
            self._select(self.shown[max(0, min(place, len(self.shown) - 1))].id)

    def select(self, id: str) -> None:
        self.moved = True
        self._select(id)

    def next_that_asks(self) -> bool:
        """Select the next task that asks something, from the selected one on and round; False when none does."""
        place = next((n for n, t in enumerate(self.shown) if t.id == self.selected), 0)
        for task in (*self.shown[place + 1 :], *self.shown[: place + 1]):
            if self.open_question(task):
                self.select(task.id)
                return True
        return False

    def mark(self) -> None:
        """Mark the selected task, or not any more, and go on to the next one."""
        if self.selected:
            self.marked ^= {self.selected}
            self.move(1)

    def mark_all(self) -> None:
        """Mark all that are shown; none, when they are."""
        ids = {t.id for t in self.shown}
        self.marked = set() if ids <= self.marked else self.marked | ids

    # --- what stands beside

    @property
    def tabs(self) -> tuple[str, ...]:
        return TABS if self.asked else TABS[1:]

    @property
    def tab(self) -> str:
        """The tab in front: what was picked, else what tells most of the selected task."""
        task = self.current
        if task is None:
            return ""
        if self.picked in self.tabs:
            return self.picked
        if self.asked:
            return QUESTION
        if task.state is State.DONE:
            return RESULT
        return SCREEN if task.state in _HAS_SCREEN else PLAN

    def pick_tab(self, tab: str) -> None:
        if tab in self.tabs:
            self.picked, self.down, self.right = tab, 0, 0

    def turn(self, by: int) -> None:
        """The next tab, or the one before."""
        tabs = self.tabs
        if self.tab:
            self.pick_tab(tabs[(tabs.index(self.tab) + by) % len(tabs)])

    def take_page(self, page: Page) -> bool:
        """PAGE was read; False when something else is looked at by now."""
        if (page.task, page.tab) != (self.selected, self.tab):
            return False
        self.page = page
        return True


def _said_of(task: Task) -> str:
    return words(f"{task.id} {task.title} {task.group} {task.model} {task.state.value}").lower()


def _parts(tasks: Sequence[Task]) -> Iterator[Part]:
    """TASKS, which are in their order, by headings."""
    for heading, group in groupby(tasks, urgency.heading):
        found = tuple(group)
        (reason, count), *_ = Counter(t.why for t in found).most_common(1)
        yield Part(heading, found, reason if heading == urgency.QUEUED and count > 1 else "")


def named(tasks: Sequence[Task]) -> str:
    """'auth', '3 tasks'."""
    return tasks[0].id if len(tasks) == 1 else f"{len(tasks)} tasks"


def digit_of(question: Question, n: int) -> str:
    """The digit that picks the choice N (from 0) of QUESTION: its own key where keys are digits; '' beyond the ninth."""
    key = question.choices[n].key
    if any(choice.key.isdigit() for choice in question.choices):
        return key if len(key) == 1 and key.isdigit() and key != "0" else ""
    return str(n + 1) if n < 9 else ""


def choice_at(question: Question, digit: str) -> int | None:
    """Which choice (from 0) DIGIT picks; None for none."""
    return next((n for n in range(len(question.choices)) if digit_of(question, n) == digit), None)
