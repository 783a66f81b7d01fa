"""`dispatch demo`: the main job with three built-in workers, in a scratch project of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable

from dispatch_tmux.core import plan
from dispatch_tmux.core.order import Order
from dispatch_tmux.core.task import Question, State, Task
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import project
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import acting
from dispatch_tmux.verbs import run as starting
from dispatch_tmux.verbs import wait as waiting
from dispatch_tmux.verbs.wait import Reader

ORDERS = (
    Order("pick the storage", "storage", ("read the code", "ask: Which database? (choices: SQLite | PostgreSQL)", "write the schema")),
    Order("clean the build", "cleanup", ("find build products", "choose: Delete build/ ? (choices: Yes | No)", "check the rest")),
    Order("count the lines", "census", ("list the files", "count their lines", "write the table")),
)  # fmt: skip
DEMO = Resolution("demo", "demo", "demo")
PATIENCE = 120.0  # seconds without any news after which something is wrong

Say = Callable[[str], None]
Ask = Callable[[Task, Question], tuple[str, str]]  # → (text, choice)


def scratch() -> Project:
    """A fresh directory with a little in it for the workers to look at."""
    root = tempfile.mkdtemp(prefix="dispatch-demo-")
    for name, text in (("app.py", "print('hello')\n"), ("README.md", "# demo\n"), ("build/app.bin", "0" * 64)):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    return project.at(root)


def play(where: Project, say: Say, ask: Ask) -> bool:
    """Run the three workers to their end; whether all finished."""
    for order in ORDERS:
        task = starting.start(where, order, DEMO)
        say(f"● {task.id} — {task.model}: {task.title}")
    reader = Reader(where, "demo")
    ended: dict[str, Task] = {}
    while len(ended) < len(ORDERS):
        news = waiting.wait(reader, (), waiting.KINDS, PATIENCE)
        if not news:
            say("nothing has happened for two minutes; `dispatch doctor` may know why")
            return False
        for item in news:
            if item.need.question:
                _answer(where, item.task, item.need.question, say, ask)
            elif item.task.ended:
                ended[item.task.id] = item.task
                say(
                    f"{'✓' if item.task.state is State.DONE else '✗'} {item.task.id} {item.task.state.value} {item.task.why}".rstrip()
                )
        reader.acknowledge(news)
    return all(task.state is State.DONE for task in ended.values())


def _answer(where: Project, task: Task, question: Question, say: Say, ask: Ask) -> None:
    say(f"? {task.id} asks: {question.text.splitlines()[0]}")
    for c in question.choices:
        say(f"    {c.key}. {c.label}")
    text, choice = ask(task, question)
    said = acting.answer(where, where.store.task(task.id), text, choice, question.id)
    say(f"  → {text or next((c.label for c in question.choices if c.key == choice), choice)} ({said})")


def results(where: Project, say: Say) -> None:
    """The three checklists as they are now, and what came of them."""
    for order in ORDERS:
        say(f"\n{order.id}")
        for item in plan.parse(where.store.plan(order.id)):
            say(f"  {'✓' if item.mark == plan.DONE else '○'} {item.text}")
        say(f"  result: {where.store.path(order.id, 'output.md')}")


def remove(where: Project) -> None:
    """End the workers, close the session and remove the directory."""
    acting.stop(where, [order.id for order in ORDERS if os.path.isdir(where.store.path(order.id))])
    server = session.server_of(where)
    found = server.session_of(where.root)
    if found:
        from dispatch_tmux.tmux import objects as tmux_objects

        tmux_objects.session(server, found).kill()
    shutil.rmtree(where.root, ignore_errors=True)
