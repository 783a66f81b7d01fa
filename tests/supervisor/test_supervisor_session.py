"""A project's session and supervisor: there when they are needed, one of each, and nobody else's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from crew import Crew, alive, parent, wait_until

from dispatch_tmux.core.task import Task
from dispatch_tmux.store import project as projects
from dispatch_tmux.store.project import Project
from dispatch_tmux.supervisor import face, session
from dispatch_tmux.tmux import session as tmux_session


@pytest.fixture
def project(shared: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project of the test's own on the module's tmux server."""
    for name, value in shared.env.items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "a project: #(touch ran) {x}"
    root.mkdir()
    found = projects.at(str(root), str(shared.home / ".dispatch"))
    if not shared.server.running():
        shared.tmux("new-session", "-d", "-s", "holds-the-server", "cat")
    yield found
    if (id := shared.server.session_of(found.root)) is not None:
        shared.tmux("kill-session", "-t", id)
    wait_until(lambda: not found.store.supervised())


def pid(project: Project) -> int:
    return int(Path(project.store.lock_path).read_text().split("\n")[0])


def test_the_first_one_starts_it_and_the_next_one_finds_it(shared: Crew, project: Project) -> None:
    session.ensure(project)
    assert project.store.supervised()
    first, id = pid(project), shared.server.session_of(project.root)
    assert id is not None
    assert tmux_session.face(shared.server, id) is not None
    session.ensure(project)
    assert pid(project) == first and shared.server.session_of(project.root) == id
    assert not list(Path(project.root).rglob("ran"))


def test_of_many_at_once_one_starts_it(shared: Crew, project: Project) -> None:
    wrong: list[BaseException] = []

    def ensure() -> None:
        try:
            session.ensure(project)
        except BaseException as e:
            wrong.append(e)

    threads = [threading.Thread(target=ensure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and project.store.supervised()
    assert [root for _, root in shared.server.sessions().values()].count(project.root) == 1


def test_without_window_0_it_goes_on_and_the_next_one_who_looks_finds_a_window(shared: Crew, project: Project) -> None:
    session.ensure(project)
    id, first = str(shared.server.session_of(project.root)), pid(project)
    shared.tmux("new-window", "-d", "-t", f"{id}:", "cat")  # a worker's: the session lives on
    found = tmux_session.face(shared.server, id)
    assert found and found.kind == tmux_session.WAITS
    shared.tmux("kill-pane", "-t", found.pane)
    session.ensure(project)
    assert tmux_session.face(shared.server, id) is None and project.store.supervised() and pid(project) == first
    pane = face.ensure(shared.server, id, project)
    assert face.ensure(shared.server, id, project) == pane != found.pane
    again = tmux_session.face(shared.server, id)
    assert again and (again.pane, again.dead, again.kind) == (pane, False, tmux_session.WAITS)


def test_the_supervisor_ends_with_its_session_though_the_server_goes_on(shared: Crew, project: Project) -> None:
    session.ensure(project)
    loop = parent(pid(project))
    shared.tmux("kill-session", "-t", str(shared.server.session_of(project.root)))
    wait_until(lambda: not project.store.supervised())
    wait_until(lambda: not alive(loop))
    assert shared.server.running() and shared.server.session_of(project.root) is None


def test_a_session_of_somebody_elses_that_is_called_the_same_is_left_alone(shared: Crew, project: Project) -> None:
    shared.tmux("new-session", "-d", "-s", project.session_name, "cat")
    session.ensure(project)
    id = shared.server.session_of(project.root)
    names = {id: name for id, (name, _) in shared.server.sessions().items()}
    assert id is not None and names[id].startswith(f"{project.session_name}-")
    assert (project.session_name, "") in shared.server.sessions().values()
    assert len(shared.tmux("list-panes", "-s", "-t", f"={project.session_name}:").lines) == 1
    shared.tmux("kill-session", "-t", f"={project.session_name}")


def test_it_reads_the_configuration_of_who_needs_it_however_old_the_server_is(shared: Crew, project: Project) -> None:
    shared.tmux("set-environment", "-g", "DISPATCH_CONFIG", "/nosuch")
    session.ensure(project)
    environ = Path(f"/proc/{pid(project)}/environ")
    if environ.exists():
        assert f"DISPATCH_CONFIG={shared.config_path}".encode() in environ.read_bytes().split(b"\0")
    shared.tmux("set-environment", "-g", "-u", "DISPATCH_CONFIG")


def test_what_is_waited_for_is_returned_or_nothing_in_time(project: Project) -> None:
    project.store.prepare()
    assert session.until(project, lambda: "there", 30.0) == "there"
    began = time.monotonic()
    assert session.until(project, lambda: None, 0.05) is None
    assert time.monotonic() - began < 20
    found: list[str] = []
    threading.Timer(0.1, lambda: (found.append("later"), project.store.ring())).start()
    assert session.until(project, lambda: found[0] if found else None, 30.0) == "later"


def test_a_task_is_on_our_server_and_an_adopted_one_on_the_persons(shared: Crew, project: Project) -> None:
    assert session.server_of(project).socket.name == shared.socket
    assert session.server_for(project, Task("t", server="/old/socket")).socket.name == shared.socket
    assert session.server_for(project, Task("t", adopted=True, server="/theirs")).socket.name == "/theirs"
