"""The inbox as a Textual app: draws the desk, hears keys and the mouse, and shows what threads read. What keys do to tasks: app.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.timer import Timer

from dispatch_tmux import Frame, Place, Project, Task
from dispatch_tmux.core import notices
from dispatch_tmux.ui import acts, feed, help, pages, paint, screen
from dispatch_tmux.ui.desk import DIFF, PLAN, RESULT, SCREEN, Desk, Notice, Page, Picture
from dispatch_tmux.ui.screen import Canvas, Told
from dispatch_tmux.ui.spans import words
from dispatch_tmux.ui.typed import DONE, Typed
from dispatch_tmux.verbs.live import Live

SHOWN = 8.0  # seconds that an outcome stands in the last line
SIDEWAYS = 20  # columns
STANDS = 0.5  # seconds for which a result has to stand there to be read


class View(App[int], inherit_bindings=False):
    """The inbox of PROJECT, which stands as PICTURE: all of it but what is done to tasks."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    CSS = "Screen { background: ansi_default; color: ansi_default; overflow: hidden; }"

    def __init__(self, project: Project, picture: Picture) -> None:
        super().__init__(ansi_color=True)
        self.driver_class = screen.driver(self.driver_class)
        self.project = project
        self.desk = Desk(name=project.root.rstrip("/").rpartition("/")[2] or "/")
        self.desk.take(picture)
        self.canvas = Canvas(self.press, self.paste)
        self.painted = paint.Painted([], [])
        self.failed: Exception | None = None
        self.other: Project | None = None  # the one whose inbox is wanted next
        self._feed = feed.Feed(project, lambda picture: self._tell(lambda: self._took(picture)))
        self._live = Live(project, lambda id, frame: self._tell(lambda: self._drew(id, frame)))
        self._readers = {name: feed.Errands(name) for name in ("page", DIFF)}
        self._asked_for: tuple[Any, ...] = ()  # what the page that was asked for last shows
        self._question = ("", "")  # (task, question) in sight
        self._since = 0.0  # since when it is, monotonic; 0.0 for one that the person went to
        self._yes: Callable[[], None] | None = None
        self._untold: Notice | None = None  # what came while something was asked
        self._typed: Callable[[str | None], None] = lambda text: None
        self._typing: Callable[[str], None] | None = None
        self._result: tuple[Task, float] | None = None  # whose is in sight, since when, monotonic; None once it is read
        self._aging: Timer | None = None
        self._aged = 0.0  # when that draws, monotonic
        self._busy = 0  # acts that go on
        self.pressed = ""

    # --- beginning and end

    def compose(self) -> ComposeResult:
        yield self.canvas

    def on_ready(self) -> None:
        self.canvas.focus()
        notices.listener = lambda text: self._tell(lambda: self.say(Notice(words(text))))
        self._feed.start(self.desk.picture)
        self.look()

    def _handle_exception(self, error: Exception) -> None:
        """Textual would print a traceback; whoever started us says what there is to say."""
        self.failed = self.failed or error
        self.exit(3)

    async def on_unmount(self) -> None:
        notices.listener = None
        self._feed.stop()
        self._live.close()

    def _tell(self, do: Callable[[], None]) -> None:
        """DO, from any thread, in the app's own."""
        if self.is_running:
            self.post_message(Told(do))

    def on_told(self, told: Told) -> None:
        told.do()

    # --- what is seen

    def draw(self) -> None:
        width, height = self.canvas.size
        if width and height:
            self.painted = paint.painted(self.desk, width, height, time.time())
            self.desk.top = self.painted.top
            self.desk.down = min(self.desk.down, self.painted.deepest)
            self.canvas.show(self.painted.lines)
            self._age_in(paint.due(self.desk, self.painted, time.time()))

    def on_canvas_resized(self) -> None:
        self.draw()

    def _tick(self) -> None:
        """Ages have gone on."""
        self._aging = None
        self.draw()

    def _age_in(self, seconds: float) -> None:
        """Draw again when the next age changes, but no more than once a second."""
        at = time.monotonic() + max(1.0, seconds + 0.01)
        if self._aging and at > self._aged - 0.1:
            return
        if self._aging:
            self._aging.stop()
        self._aging, self._aged = self.set_timer(at - time.monotonic(), self._tick), at

    def say(self, notice: Notice | None) -> None:
        """Tell NOTICE in the last line, for a while where it asks nothing; None: no more. While something is asked it waits."""
        if notice and (self._yes or self.desk.typed):
            self._untold = self._untold if self._untold and not self._untold.good else notice
            return
        self.desk.notice = notice
        if notice and not notice.asks:
            self.set_timer(SHOWN, lambda: self._fade(notice))
        self.draw()

    def _say_untold(self) -> None:
        notice, self._untold = self._untold, None
        if notice:
            self.say(notice)

    def _fade(self, notice: Notice) -> None:
        if self.desk.notice is notice and not self._busy:
            self.say(None)

    def look(self, by_hand: bool = False) -> None:
        """Show what is selected: ask for its page, or follow its screen. BY_HAND: the person went there."""
        task, tab, asked = self.desk.current, self.desk.tab, self.desk.asked
        if (question := (task.id, asked.id) if task and asked else ("", "")) != self._question:
            self._question, self._since = question, 0.0 if by_hand else time.monotonic()
        wanted = (task, tab, asked)
        if wanted != self._asked_for:
            self._asked_for = wanted
            if task:
                self._ask_for(task, tab)
            else:
                self._live.show(None)
        self.draw()

    def _ask_for(self, task: Task, tab: str) -> None:
        follows = tab == SCREEN and bool(task.pane) and task.exit_code is None
        self._live.show(task if follows else None)
        if not follows:
            self._read(task, tab)

    def _read(self, task: Task, tab: str) -> None:
        """Have the page TAB of TASK read, and shown if it is still wanted then."""
        asked = self.desk.asked

        def read() -> None:
            page = pages.read(self.project, task, tab, asked)
            self._tell(lambda: self._took_page(page, task))

        self._readers[DIFF if tab == DIFF else "page"].do(read)

    def _took_page(self, page: Page, task: Task) -> None:
        if self.desk.take_page(page):
            is_result = page.tab == RESULT and task.ended and not page.failed
            self._result = (task, time.monotonic()) if is_result else None
            self.draw()

    def _is_read(self) -> None:
        """Somebody is here, as a key or a click tells: a result that has stood there to its end counts as read."""
        desk = self.desk
        shown = desk.current and (desk.page.task, desk.page.tab) == (desk.selected, desk.tab)
        if not self._result or not shown or desk.helps or desk.places is not None or desk.down < self.painted.deepest:
            return
        task, since = self._result
        if time.monotonic() - since >= STANDS:
            self._result = None  # and no daemon: it may be the key that ends us
            threading.Thread(target=acts.has_read, args=(self.project, task), name="read").start()

    def _drew(self, id: str, frame: Frame | None) -> None:
        task = self.desk.current
        if not task or task.id != id or self.desk.tab != SCREEN:
            return
        if frame is None:  # it has no window: its last screen was kept
            self._read(task, SCREEN)
        else:
            self._took_page(pages.screen(id, frame), task)

    def _took(self, picture: Picture) -> None:
        self.desk.take(picture)
        self.look()

    # --- keys and the mouse

    def press(self, key: str) -> None:
        """The person pressed KEY."""
        if self.desk.typed:
            self._type(key, self.desk.typed)
            return
        self._is_read()
        if self._yes is not None:
            yes, self._yes = self._yes, None
            self.say(None)
            if key in ("y", "Y"):
                yes()
            self._say_untold()
            return
        if self.desk.notice and not self._busy:
            self.desk.notice = None
        entry = help.BY_KEY.get(key)
        if self.desk.places is not None and not self._chooses(entry.act if entry else "", self.desk.places):
            return
        if self.desk.helps and not self._reads_on(entry.act if entry else ""):
            return
        if entry is None:
            self.draw()
        else:
            self.pressed = key
            getattr(self, f"do_{entry.act}")()

    def _reads_on(self, act: str) -> bool:
        """While the keys are told others only scroll them or end that; whether ACT is to be done all the same."""
        by = {"down": 1, "scroll_down": 9, "page_down": 9, "up": -1, "scroll_up": -9, "page_up": -9}.get(act)
        self.desk.helps, self.desk.down = by is not None, max(0, self.desk.down + by) if by else 0
        self.draw()
        return act == "leave"

    def _chooses(self, act: str, places: tuple[Place, ...]) -> bool:
        """While a project is chosen others keys end that; whether ACT is to be done all the same."""
        by = {"down": 1, "page_down": 9, "up": -1, "page_up": -9, "first": -len(places), "last": len(places)}.get(act)
        if by is not None:
            self.desk.place = max(0, min(self.desk.place + by, len(places) - 1))
        else:
            self.desk.places = None
            if act == "enter" and places and (project := places[self.desk.place].project):
                self.other = project
                self.exit(0)
        self.draw()
        return act == "leave"

    def on_canvas_clicked(self, clicked: Canvas.Clicked) -> None:
        self._is_read()
        spot = next((s for s in self.painted.spots if s.y == clicked.y and s.left <= clicked.x < s.right), None)
        if clicked.by:
            (self._move if spot and spot.kind == "task" else self._scroll)(clicked.by)
        elif self.desk.typed or self._yes or self.desk.places is not None:
            return  # first things first
        elif spot and spot.kind == "task":
            self.desk.select(spot.value)
            self.look(by_hand=True)
        elif spot and spot.kind == "tab":
            self.desk.pick_tab(spot.value)
            self.look(by_hand=True)
        elif spot and spot.kind in ("choice", "key") and spot.value:
            self.press(spot.value)

    # --- asking the person

    def confirm(self, question: str, yes: Callable[[], None]) -> None:
        """Do YES if the next key is y."""
        self.say(Notice(question, asks=True))
        self._yes = yes

    def ask(
        self,
        about: str,
        ended: Callable[[str | None], None],
        text: str = "",
        changed: Callable[[str], None] | None = None,
    ) -> None:
        """Let the person type a line, beginning with TEXT; ENDED gets it, None where they left. ABOUT stands above it."""

        if self.desk.typed is None:
            self.desk.typed, self._typed, self._typing = Typed(about, text), ended, changed
            self.draw()

    def paste(self, text: str) -> None:
        """The person pasted TEXT; where nothing is typed it is no keys, and goes nowhere."""
        if self.desk.typed:
            self.desk.typed.insert(text.rstrip("\r\n"))
            self._has_typed()

    def _type(self, key: str, typed: Typed) -> None:
        if how := typed.press(key):
            self.desk.typed = None
            self._typed(typed.text if how == DONE else None)
            self._say_untold()
            self.draw()
        else:
            self._has_typed()

    def _has_typed(self) -> None:
        if self._typing and self.desk.typed:
            self._typing(self.desk.typed.text)
        self.draw()

    # --- moving

    def _move(self, by: int) -> None:
        self.desk.move(by)
        self.look(by_hand=True)

    def do_down(self) -> None:
        self._move(1)

    def do_up(self) -> None:
        self._move(-1)

    def do_page_down(self) -> None:
        self._move(max(1, self.painted.list_rows - 2))

    def do_page_up(self) -> None:
        self._move(-max(1, self.painted.list_rows - 2))

    def do_first(self) -> None:
        self._move(-len(self.desk.shown))

    def do_last(self) -> None:
        self._move(len(self.desk.shown))

    def do_next_asking(self) -> None:
        if self.desk.next_that_asks():
            self.look(by_hand=True)
        else:
            self.say(Notice("nobody asks anything"))

    def do_mark(self) -> None:
        self.desk.mark()
        self.look(by_hand=True)

    def do_mark_all(self) -> None:
        self.desk.mark_all()
        self.draw()

    def do_clear(self) -> None:
        if self.desk.marked:
            self.desk.marked.clear()
        else:
            self.desk.look_for("")
        self.look(by_hand=True)

    def do_filter(self) -> None:
        def changed(text: str) -> None:
            self.desk.look_for(text)
            self.look(by_hand=True)

        def ended(text: str | None) -> None:
            if text is None:
                changed("")

        self.ask("show what has these words · Enter keeps it · Esc shows all", ended, self.desk.filter, changed)

    def do_next_tab(self) -> None:
        self._turn(1)

    def do_former_tab(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        self.desk.turn(by)
        self.look(by_hand=True)

    def do_tab_screen(self) -> None:
        self._tab(SCREEN)

    def do_tab_plan(self) -> None:
        self._tab(PLAN)

    def do_tab_diff(self) -> None:
        self._asked_for = ()  # read anew: files change without a bell
        self._tab(DIFF)

    def _tab(self, tab: str) -> None:
        self.desk.pick_tab(tab)
        self.look(by_hand=True)

    def _scroll(self, by: int) -> None:
        self.desk.down = max(0, self.desk.down + (-by if self.desk.page.ends else by))
        self.draw()

    def do_scroll_down(self) -> None:
        self._scroll(max(1, self.painted.page_rows // 2))

    def do_scroll_up(self) -> None:
        self._scroll(-max(1, self.painted.page_rows // 2))

    def do_scroll_right(self) -> None:
        self.desk.right += SIDEWAYS
        self.draw()

    def do_scroll_left(self) -> None:
        self.desk.right = max(0, self.desk.right - SIDEWAYS)
        self.draw()

    def do_help(self) -> None:
        self.desk.helps, self.desk.down = True, 0
        self.draw()
