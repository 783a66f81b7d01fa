"""The walk through open questions on a terminal: what each key does, and the loop that waits for keys and for news."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from dispatch_tmux import Project
from dispatch_tmux.cli import show, terminal, walk, walk_page
from dispatch_tmux.cli.terminal import PASTE, Terminal
from dispatch_tmux.cli.walk import Walk, key_of
from dispatch_tmux.cli.walk_page import Typed
from dispatch_tmux.core.text import clean

if TYPE_CHECKING:
    from dispatch_tmux import Asked, Question

SOON = 0.15  # seconds that an answer is waited for before the next question is shown
DEAF = 0.7  # seconds without keys after a question has gone by itself: they were meant for that one
HELD = 0.05  # seconds within which the same key again is one that is held down, not pressed
LOOK = 30.0  # seconds after which the times shown are brought up to date
READ = 4.0  # seconds for which the last words stay in a popup


class Screen:
    """WALK on the terminal TERM. ENDS_AWAY: going to a worker's window ends it, as in a popup that would cover that."""

    def __init__(self, project: Project, walk: Walk, term: Terminal, ends_away: bool) -> None:
        self._project, self._walk, self._term, self._ends_away = project, walk, term, ends_away
        self._typed = Typed()
        self._shown: Asked | None = None
        self._page = walk_page.Page([], None, 0)
        self._deaf = 0.0
        self._last = ("", 0.0)
        self._over = False
        self.is_left = False  # for a worker's window

    def run(self) -> None:
        """Until there is nothing more to answer, or the person has enough."""
        self._draw()
        while not self._over:
            if self._walk.current is None and not self._walk.sending:
                self._walk.look()  # what came with the last answer
                if self._walk.current is None:
                    return
            try:
                keys = self._term.keys(LOOK)
            except EOFError:
                return
            self._walk.news()
            if self._is_another():
                self._deaf = time.monotonic() + DEAF if self._shown else 0.0
            else:
                for key in keys if self._deaf < time.monotonic() else [key for key in keys if key == "q"]:
                    self._press(key)
                    if self._is_another() or self._over:
                        break
            self._draw()

    def _is_another(self) -> bool:
        """Whether the question to be answered is not the one that is shown."""
        now, shown = self._walk.current, self._shown
        if now is None or shown is None:
            return now is not shown
        return key_of(now) != key_of(shown) or now.question.choices != shown.question.choices

    def _draw(self) -> None:
        asked = self._walk.current
        if self._is_another():
            self._typed, self._shown = Typed(), asked
            self._term.forget()
        width, height = show.width(), show.height()
        self._page = walk_page.page(asked, self._walk.counts, self._walk.said, self._typed, width, height)
        self._term.draw(self._page.lines, self._page.cursor)

    # --- keys

    def _press(self, key: str) -> None:
        before, self._last = self._last, (key, time.monotonic())
        asked = self._walk.current
        if asked is None:
            self._over = key in ("q", "<eof>")
        elif self._typed.words is not None:
            self._write(asked.question, self._typed.words, key)
        elif key == before[0] and self._last[1] - before[1] < HELD:
            self._walk.said = "a key that is held down counts once"
        else:
            self._choose(asked, key)

    def _choose(self, asked: Asked, key: str) -> None:
        q, typed = asked.question, self._typed
        if key in ("q", "<eof>"):
            self._over = True
        elif key == "s":
            self._walk.skip()
        elif key == "a":
            self._attach(asked)
        elif key in (" ", "<down>", "b", "<up>"):
            step = self._page.step if key in (" ", "<down>") else -self._page.step
            self._typed = typed._replace(at=min(max(typed.at + step, 0), self._page.last))
        elif walk.is_closed(q):
            self._walk.said = "dispatch cannot tell how to answer it: a goes to its window, s skips it"
        elif key.startswith(PASTE):
            self._walk.said = "pasted text is taken as words only: t begins them"
        elif key == "<backspace>":
            self._typed = typed._replace(number=typed.number[:-1])
        elif key == "<esc>":
            self._typed = typed._replace(number="")
        elif key == "<enter>":
            self._enter(q)
        elif key == "t":
            self._begin_words(q)
        elif key.isdecimal() and key.isascii():
            self._digit(q, key)
        elif key in ("y", "n") and q.kind != "multi" and (meant := walk.meant(q, {"y": "yes", "n": "no"}[key])):
            self._give(choice=meant)
        elif key in [c.key for c in q.choices]:
            self._pick(q, key)

    def _digit(self, q: Question, digit: str) -> None:
        if not walk.takes_choices(q):
            self._walk.said = "it has no choices: Enter begins an answer in words"
        elif walk.is_typed(q):
            self._typed = self._typed._replace(number=(self._typed.number + digit)[:4])
        elif found := walk.numbers(q).get(digit):
            self._pick(q, found)
        else:
            self._walk.said = f"{digit} is none of its choices"

    def _pick(self, q: Question, key: str) -> None:
        """Take the choice KEY, or tick it where several may be taken."""
        own = next((c for c in q.choices if c.key == key and c.text), None)
        if own:
            self._begin_words(q)
        elif q.kind == "multi":
            ticked = set(self._typed.ticked) ^ {key}
            self._typed = self._typed._replace(ticked=ticked, number="")
        else:
            self._give(choice=key)

    def _enter(self, q: Question) -> None:
        typed = self._typed
        if typed.number:
            known = walk.numbers(q).get(typed.number)
            if known or q.more:
                self._pick(q, known or typed.number)
            else:
                self._walk.said = f"{typed.number} is none of its choices"
            self._typed = self._typed._replace(number="")
        elif q.kind == "multi" and walk.takes_choices(q):
            if typed.ticked:
                order = [c.key for c in q.choices]
                picked = sorted(typed.ticked, key=lambda key: (order.index(key) if key in order else len(order), key))
                self._give(choice=",".join(picked))
            else:
                self._walk.said = "nothing is ticked: a number ticks, s skips"
        elif q.kind == "continue" and q.via == "screen":
            self._give(text="continue")
        else:
            self._begin_words(q)

    def _begin_words(self, q: Question) -> None:
        if walk.takes_words(q):
            self._typed = self._typed._replace(words="", number="")
        else:
            self._walk.said = "only its choices are taken"

    def _write(self, q: Question, words: str, key: str) -> None:
        """A key while an answer in words is typed."""
        if key == "<enter>":
            if words.strip():
                self._give(text=words, literal=not q.more)
            else:
                self._walk.said = "the answer is empty: Esc goes back"
            return
        if key in ("<esc>", "<eof>"):
            self._typed = self._typed._replace(words=None)
            return
        if key == "<backspace>":
            words = words[:-1]
        elif key == "<clear>":
            words = ""
        elif key == "<word>":
            words = words.rstrip().rpartition(" ")[0]
        elif key.startswith(PASTE):
            words += clean(key.removeprefix(PASTE), terminal.MOST)
        elif len(key) == 1 and key.isprintable():
            words += key
        self._typed = self._typed._replace(words=words)

    def _give(self, text: str = "", choice: str = "", literal: bool = False) -> None:
        if (asked := self._walk.current) is None:
            return
        key = key_of(asked)
        self._walk.give(text, choice, literal)
        self._walk.wait(key, SOON)
        if self._walk.current is not None and key_of(self._walk.current) == key:  # refused: it is asked anew
            self._typed = Typed(at=self._typed.at)

    def _attach(self, asked: Asked) -> None:
        with self._term.away():
            self._walk.said = walk.show_window(self._project, asked)
        self.is_left = self._over = self._ends_away and not self._walk.said


def walk_through(project: Project, first: str | None) -> int:
    """Ask the person all that is open, that of the task FIRST to begin with; the exit code. FIRST, if only '', means a popup."""
    if not show.draws():
        from dispatch_tmux.cli import walk_lines

        return walk_lines.walk_through(project, first or "")
    in_popup = first is not None and bool(os.environ.get("TMUX"))
    term = Terminal()
    found = Walk(project, first or "", term.wake)
    if found.current is not None:
        found.listen()
        try:
            screen = Screen(project, found, term, in_popup)
            with term:
                screen.run()
            if screen.is_left and not found.sending:
                return found.code
            wait_for_the_rest(found, term)
        except KeyboardInterrupt:
            found.news()
            click.echo("\n".join(found.summary()))
            raise
    click.echo("\n".join(found.summary()))
    if in_popup:
        sys.stdout.flush()
        terminal.pause(READ)  # a popup closes with us
    return found.code


def wait_for_the_rest(found: Walk, term: Terminal) -> None:
    """Until it is known of each answer whether it has arrived."""
    if found.sending:
        click.echo(f"{show.many(len(found.sending), 'answer')} on the way …", err=True)
    while found.sending:
        term.listen(1.0)
        found.news()
