"""`demo`: the main job with three built-in workers, in a scratch project of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from dispatch_tmux.config import load as configuration
from dispatch_tmux.config.yaml_text import scalar
from dispatch_tmux.core import plan
from dispatch_tmux.core.plan import Item
from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.models.resolve import Resolution
from dispatch_tmux.store import project as projects
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import session
from dispatch_tmux.verbs import stop, wait
from dispatch_tmux.verbs.run import run
from dispatch_tmux.verbs.wait import News

JOBS = {  # id → prompt, items: one asks through a file, one on its screen, one just works
    "storage": ("pick the storage", ("read the code", "ask: Which database? (choices: SQLite | PostgreSQL)", "write the schema")),
    "cleanup": ("clean the build", ("find build products", "choose: Delete build/ ? (choices: Yes | No)", "check the rest")),
    "census": ("count the lines", ("list the files", "count their lines", "write the table")),
}  # fmt: skip
DEMO = Resolution("demo", "demo", "demo")  # whatever the user's config says
ENDS = 5.0  # seconds for its supervisor to end, once its session has
PATIENCE = 120.0  # seconds without any news after which something is wrong


class Result(NamedTuple):
    """What came of a demo task: its items as they are now, and the path of its result."""

    task: str
    items: tuple[Item, ...]
    output: str


def scratch() -> Project:
    """A fresh directory with a little in it for the workers to look at."""
    root = tempfile.mkdtemp(prefix="dispatch-demo-")
    for name, text in (("app.py", "print('hello')\n"), ("README.md", "# demo\n"), ("build/app.bin", "0" * 64)):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    return projects.at(root)


def own_config(project: Project) -> str:
    """Where the person's configuration cannot be read: the path of one that the demo uses instead (DISPATCH_CONFIG); else ''.

    It has a tmux server of its own, which goes with the demo.
    """
    try:
        configuration.load()
    except DispatchError:
        path = os.path.join(project.root, "config.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"tmux: {{socket: {scalar(os.path.join(project.root, 'tmux'))}}}\n")
        return path
    return ""


def start(project: Project) -> Iterator[Task]:
    """Start the three workers, one after another."""
    for id, (prompt, items) in JOBS.items():
        yield run(project, prompt, id=id, items=items, choose=lambda model, prompt: DEMO)


def play(project: Project) -> Iterator[News]:
    """What the workers want and what becomes of them, until all have ended. Whoever reads it answers the questions.

    Raises DispatchError when nothing comes for two minutes.
    """
    ended: set[str] = set()
    while len(ended) < len(JOBS):
        news = wait.wait(project, timeout=PATIENCE, reader="demo")
        if not news:
            raise DispatchError("nothing has happened for two minutes", hint="`dispatch doctor` may tell why")
        for item in news:
            if item.task.ended:
                ended.add(item.task.id)
            yield item


def finished(project: Project) -> bool:
    """Whether all three have done their job."""
    return all(project.store.task(id).state is State.DONE for id in JOBS)


def results(project: Project) -> list[Result]:
    """The three checklists as they are now, and what came of them."""
    store = project.store
    return [Result(id, plan.parse(store.plan(id)), store.path(id, "output.md")) for id in JOBS]


def remove(project: Project) -> None:
    """End the workers, close the session and remove the directory; that also where there is no tmux to ask."""
    try:
        stop.end(project, [id for id in JOBS if id in project.store.ids()])
        server = session.server_of(project)
        if found := server.session_of(project.root):
            from dispatch_tmux.tmux import objects

            objects.session(server, found).kill()
            project.store.is_left(ENDS)
    except DispatchError:
        pass
    finally:
        project.store.forget()
        shutil.rmtree(project.root, ignore_errors=True)
