"""How tasks stand, true also when nobody supervises them: their files and processes are asked then."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from crew import wait_until
from made import STARTED, made, over

from dispatch_tmux.core.task import State, Task
from dispatch_tmux.errors import TaskNotFound
from dispatch_tmux.store import processes
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import brief, questions, status, tasks

WORKS = (*STARTED, ("state", {"state": "working"}))


@pytest.fixture
def program(store: Store) -> subprocess.Popen[bytes]:
    """A program that stands for the worker of task `auth`."""
    made(store, "auth", *WORKS)
    running = subprocess.Popen(["sleep", "1000"])
    Path(store.own("auth"), "process-1").write_text(f"{running.pid} {processes.started(running.pid)}\n")
    yield running
    running.kill()
    running.wait()


def test_a_worker_that_lives_works_on_though_nobody_looks(project: Project, program: subprocess.Popen[bytes]) -> None:
    assert status.status(project, "auth").state is State.WORKING
    assert not status.is_supervised(project)


def test_one_whose_process_is_gone_is_lost_and_with_its_exit_code_it_is_what_that_says(
    project: Project, store: Store, program: subprocess.Popen[bytes]
) -> None:
    program.kill()
    program.wait()
    lost = status.status(project, "auth")
    assert lost.state is State.LOST and lost.why
    Path(store.own("auth"), "exit").write_text("1 3\n")
    failed = status.status(project, "auth")
    assert failed.state is State.FAILED and "exit code 3" in failed.why and failed.exit_code == 3
    store.tree("auth").replace("plan.md", text="- [x] one\n- [x] two\n")
    store.tree("auth").replace("ipc", ".done", text="")
    Path(store.own("auth"), "exit").write_text("1 0\n")
    assert status.status(project, "auth").state is State.DONE


def test_a_process_number_that_another_program_has_now_is_not_the_worker(project: Project, store: Store) -> None:
    made(store, "auth", *WORKS)
    Path(store.own("auth"), "process-1").write_text(f"{os.getpid()} 1\n")
    assert status.status(project, "auth").state is State.LOST


def test_what_a_worker_has_checked_and_asked_meanwhile_is_seen(
    project: Project, store: Store, program: subprocess.Popen[bytes]
) -> None:
    store.tree("auth").replace("plan.md", text="- [x] one\n- [ ] two\n- [ ] three\n")
    store.tree("auth").replace("ipc", "001.question", text="Which database?\n1. SQLite\n2. PostgreSQL\n")
    store.tree("auth").replace("ipc", "002.question", text="Answered already?")
    store.tree("auth").replace("ipc", "002.answer", text="yes")
    task = status.status(project, "auth")
    assert (task.marks, task.done_items) == ("x  ", 1)
    assert [(q.id, [c.label for c in q.choices]) for q in task.open_questions] == [("001", ["SQLite", "PostgreSQL"])]
    (asked,) = questions.questions(project)
    assert asked.path == store.path("auth", "ipc", "001.question") and asked.question.text.startswith("Which database?")


def test_a_question_that_has_an_answer_in_its_file_is_open_no_more(
    project: Project, store: Store, program: subprocess.Popen[bytes]
) -> None:
    store.append("auth", "question", "question:001", q="001", via="file", text="Which?")
    store.tree("auth").replace("ipc", "001.question", text="Which?")
    assert len(status.status(project, "auth").open_questions) == 1
    store.write_answer("auth", "001", "this")
    assert status.status(project, "auth").open_questions == ()


def test_the_oldest_task_comes_first_and_one_is_found_by_its_beginning(project: Project, store: Store) -> None:
    for id in ("zeta", "alpha", "alpha-2"):
        made(store, id, *over("done"))
    assert [t.id for t in status.status(project)] == ["zeta", "alpha", "alpha-2"]
    assert status.status(project, "z").id == "zeta" and status.status(project, "alpha").id == "alpha"
    assert tasks.id_of(project, Task("alpha")) == "alpha"
    assert tasks.ids_of(project, Task("alpha")) == ["alpha"] == tasks.ids_of(project, "alpha")
    for wrong in ("alph", "", "nosuch", "../alpha", "ALPHA"):
        with pytest.raises(TaskNotFound):
            status.status(project, wrong)


def test_a_task_that_is_being_made_is_none_yet(project: Project, store: Store) -> None:
    store.claim("half")
    assert status.status(project) == []
    with pytest.raises(TaskNotFound, match="has no journal"):
        status.status(project, "half")


def test_one_damaged_journal_costs_that_task(project: Project, store: Store) -> None:
    made(store, "good", *over("done"))
    made(store, "empty", *over("done"))
    Path(store.own("empty"), "journal.jsonl").write_text("")
    made(store, "odd", *over("done"))
    os.unlink(store.own("odd", "journal.jsonl"))
    os.mkdir(store.own("odd", "journal.jsonl"))
    assert [t.id for t in status.status(project)] == ["good"]
    assert set(status.unreadable(project)) == {"empty", "odd"}


def test_questions_of_some_tasks_only(project: Project, store: Store) -> None:
    for id in ("a", "b"):
        made(store, id, ("question", {"q": "s1", "via": "screen", "text": f"{id}?"}), *over("blocked", None))
    assert [a.question.text for a in questions.questions(project)] == ["a?", "b?"]
    assert [(a.task.id, a.path) for a in questions.questions(project, "b")] == [("b", "")]
    with pytest.raises(TaskNotFound):
        questions.questions(project, "nosuch")


def test_changes_are_told_when_they_come(project: Project, store: Store) -> None:
    made(store, "auth", *over("done"))
    changes = status.changes(project, 0.05)
    assert (next(changes), next(changes)) == (True, False)
    store.append("auth", "note", text="x")
    assert wait_until(lambda: next(changes)) is True
    changes.close()


# --- brief


def test_a_brief_has_what_wants_the_person_first_and_nothing_old(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for state in ("done", "failed", "blocked"):
        made(store, state, *over(state))
    made(store, "queued")
    found = brief.brief(project)
    assert [t.id for t in found.tasks] == ["blocked", "failed", "queued", "done"]
    later = brief.of_interest(list(found.tasks), found.at + brief.RECENT + 1)
    assert [t.id for t in later] == ["queued"]


def test_a_brief_says_what_may_be_used_or_why_not(project: Project) -> None:
    config = Path(os.environ["DISPATCH_CONFIG"])
    config.write_text("default: opus\nmodels: {opus: {backend: claude}}\naliases: {quick: {model: opus}}\n")
    found = brief.brief(project)
    assert (found.configured, found.default, found.models, found.aliases) == (True, "opus", ("opus",), ("quick",))
    assert not found.ever and found.tasks == ()
    config.write_text("default: [\n")
    assert str(config) in brief.brief(project).problem
    config.unlink()
    found = brief.brief(project)
    assert (found.configured, found.problem, found.models) == (False, "", ())
