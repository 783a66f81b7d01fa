"""The inbox: what keys do to tasks. Each act is a verb of the API, in a thread of its own; what came of it is told in one line."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import dispatch_tmux as dispatch
from dispatch_tmux import Command, DispatchError, Place, Project, Question, Task
from dispatch_tmux.ui import acts, attach, feed
from dispatch_tmux.ui.desk import QUESTION, Notice, Picture, choice_at, named
from dispatch_tmux.ui.spans import words
from dispatch_tmux.ui.view import View

FRESH = 0.5  # seconds for which a question that came by itself takes no digit: it may not have been seen


class Inbox(View):
    """The inbox of a project. EDITOR lets the person change a task that has not begun, in the terminal that it is given."""

    def __init__(
        self, project: Project, picture: Picture, editor: Callable[[Project, str], None] | None = None
    ) -> None:
        super().__init__(project, picture)
        self._editor = editor

    def act(self, doing: str, act: Callable[[], Notice], after: Callable[[], None] | None = None) -> None:
        """Do ACT in a thread, saying DOING meanwhile, then tell what came of it, and do AFTER in ours."""
        self._busy += 1
        self.say(Notice(f"{doing} …"))

        def run() -> None:
            notice = act()
            self._tell(lambda: ended(notice))

        def ended(notice: Notice) -> None:
            self._busy -= 1
            if after:
                after()
            self.say(notice)

        threading.Thread(target=run, name="act", daemon=True).start()

    def _on(self, doing: str, act: Callable[[Project, list[Task]], Notice]) -> None:
        """ACT on the marked tasks, or the selected one."""
        if tasks := self.desk.targets:
            self.desk.marked.clear()
            self.act(f"{doing} {named(tasks)}", lambda: act(self.project, tasks))

    def _on_yes(self, question: str, doing: str, act: Callable[[Project, list[Task]], Notice]) -> None:
        """The same, once the person has said yes to QUESTION. The tasks are those that it names."""
        if tasks := self.desk.targets:

            def yes() -> None:
                self.desk.marked.clear()
                self.act(f"{doing} {named(tasks)}", lambda: act(self.project, tasks))

            self.confirm(f"{question} {named(tasks)}?", yes)

    # --- answering

    def do_digit(self) -> None:
        key = self.pressed
        task, asked = self.desk.current, self.desk.asked
        if not task or not asked or not self._may_answer(asked):
            return self.draw()
        place = choice_at(asked, key)
        if place is None:
            return self.say(
                Notice(f"{key} is none of its choices" if asked.choices else "Enter types the answer", good=False)
            )
        choice = asked.choices[place]
        if asked.kind == "multi":
            return self._type_choices(task, asked, choice.key)
        if choice.text:
            return self._type_answer(task, asked, literal=True)
        return self._answer(task, asked, lambda: acts.answer(self.project, task, asked, choice=choice.key))

    def _may_answer(self, asked: Question) -> bool:
        """Whether the question in sight can be meant: one that took another's place a moment ago cannot."""
        if self._since and time.monotonic() - self._since < FRESH:
            self.say(Notice("another question has just come: look, and press again", good=False))
            return False
        if self.desk.tab != QUESTION:
            self.desk.pick_tab(QUESTION)
            self.look()
            self.say(Notice("this is what it asks; press again"))
            return False
        return not asked.is_unknown

    def _answer(self, task: Task, asked: Question, act: Callable[[], Notice]) -> None:
        """Give the answer, and go on to the next who asks: it need not be waited for."""
        key = (task.id, asked.id)
        self.desk.answering.add(key)
        moved = self.desk.moved
        if not self.desk.open_question(task):
            self.desk.next_that_asks()
            self.desk.moved = moved
        self.act(f"answering {task.id}", act, lambda: self._answered(key))
        self.look()

    def _answered(self, key: tuple[str, str]) -> None:
        """The answer is there, or was not taken: then its question is open again."""
        self.desk.take(feed.read(self.project))
        self.desk.answering.discard(key)
        self.desk.take(self.desk.picture)
        self.look()

    def _type_answer(self, task: Task, asked: Question, literal: bool = False) -> None:
        def ended(text: str | None) -> None:
            if text and text.strip():
                self._answer(task, asked, lambda: acts.answer(self.project, task, asked, text, literal=literal))

        self.ask(f"answer {task.id}: {words(asked.text, 120)}", ended)

    def _type_choices(self, task: Task, asked: Question, first: str) -> None:
        def ended(text: str | None) -> None:
            if text and text.strip():
                self._answer(task, asked, lambda: acts.answer(self.project, task, asked, choice=text.replace(" ", "")))

        self.ask(f"{task.id}: choices with commas between", ended, first)

    def do_enter(self) -> None:
        task, asked = self.desk.current, self.desk.asked
        if task and asked and not asked.is_unknown:
            self._type_answer(task, asked)
        else:
            self.do_attach()

    # --- telling

    def do_send(self) -> None:
        self._tell_them("send to", "sending to", acts.send)

    def do_note(self) -> None:
        self._tell_them("note in the plan of", "noting for", acts.note)

    def _tell_them(self, about: str, doing: str, tell: Callable[[Project, list[Task], str], Notice]) -> None:
        tasks = self.desk.targets
        if not tasks:
            return

        def ended(text: str | None) -> None:
            if text and text.strip():
                self.desk.marked.clear()
                self.act(f"{doing} {named(tasks)}", lambda: tell(self.project, tasks, text))

        self.ask(f"{about} {named(tasks)} · Enter sends · Ctrl-J: a new line · Esc leaves", ended)

    # --- acting

    def do_stop(self) -> None:
        self._on_yes("stop", "stopping", acts.stop)

    def do_retry(self) -> None:
        self._on_yes("begin again", "beginning again", acts.retry)

    def do_resume(self) -> None:
        self._on_yes("take up again", "taking up", acts.resume)

    def do_merge(self) -> None:
        self._on_yes("merge the branch of", "merging", acts.merge)

    def do_pause(self) -> None:
        paused = self.desk.picture.paused
        self.act(
            "the queue", lambda: acts.turn_queue(self.project, paused), lambda: self._took(feed.read(self.project))
        )

    def do_edit(self) -> None:
        task = self.desk.current
        if not task or not self._editor:
            return
        if not task.waits_to_begin:
            self.say(Notice(f"{task.id} has begun: n adds a note to its plan", good=False))
            return
        with self.suspend():
            self._editor(self.project, task.id)
        self.canvas.refresh()

    def do_places(self) -> None:
        found: list[Place] = []

        def read() -> Notice:
            def places() -> str:
                found.extend(dispatch.everywhere())
                return f"{len(found)} projects"

            return acts.outcome(places)

        def shown() -> None:
            self.desk.places = tuple(found)
            here = (n for n, place in enumerate(found) if place.root == self.project.root)
            self.desk.place = next(here, 0)

        self.act("looking at all projects", read, shown)

    def do_hold(self) -> None:
        self._on("holding", acts.hold)

    def do_priority_up(self) -> None:
        self._on("moving", lambda project, tasks: acts.priority(project, tasks, 1))

    def do_priority_down(self) -> None:
        self._on("moving", lambda project, tasks: acts.priority(project, tasks, -1))

    def do_leave(self) -> None:
        """End; in window 0 of dispatch's tmux, where the inbox is always there, only the terminal leaves."""
        if os.environ.get("DISPATCH_FACE"):
            self.act("leaving", lambda: acts.leave(self.project))
        else:
            self.exit(0)

    def do_copy(self) -> None:
        if tasks := self.desk.targets:
            self.copy_to_clipboard(" ".join(task.id for task in tasks))
            self.say(Notice(f"copied: {named(tasks)}"))

    def do_attach(self) -> None:
        task = self.desk.current
        if task is None:
            return
        found: list[Command] = []

        def find() -> Notice:
            def command() -> str:
                found.append(dispatch.attach(self.project, task))
                return ""

            return acts.outcome(command)

        def go() -> None:
            if found:
                self._show(found[0])

        self.act(f"going to {task.id}", find, go)

    def _show(self, command: Command) -> None:
        """Let COMMAND have the terminal until the person comes back; inside a tmux it only tells that tmux to go there."""
        try:
            if attach.takes_terminal():
                with self.suspend():
                    attach.show(command)
            else:
                attach.show(command)
        except DispatchError as e:
            self.say(Notice(acts.said(e), good=False))
        self.canvas.refresh()
