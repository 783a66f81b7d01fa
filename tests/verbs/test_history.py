"""`history`, `restore` and `usage`: what has been is found, comes back, and is added up, also after `clean`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from made import made, over
from threads import at_once

from dispatch_tmux.backends import sessions
from dispatch_tmux.backends.usage import Usage
from dispatch_tmux.core.task import State, needs
from dispatch_tmux.errors import DispatchError, TaskNotFound, UsageProblem
from dispatch_tmux.store import archive, task_file
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs.clean import clean
from dispatch_tmux.verbs.history import history, is_known, recall, restore
from dispatch_tmux.verbs.usage import total, usage
from dispatch_tmux.verbs.wait import unread


def task(store: Store, id: str, prompt: str, output: str = "", state: str = "done", **created: Any) -> None:
    asked = {"q": "001", "via": "file", "text": f"Which way for {id}?", "choices": [["1", "left"], ["2", "right"]]}
    answered = {"q": "001", "answer": f"the right one of {id}"}
    made(store, id, ("question", asked), ("answer", answered), *over(state), title=prompt[:40], **created)
    task_file.write(store, id, {"prompt": prompt, "model": "demo"})
    store.tree(id).replace("output.md", text=output)


@pytest.fixture(autouse=True)
def tasks(project: Project, store: Store) -> None:
    task(store, "auth", "Audit the login", "the Session Token is weak\nand more", group="Security")
    task(store, "docs", "Write the API documentation", 'says "quoted" and ümläut', model="opus")
    clean(project, "auth", "docs")
    task(store, "live", "Rework the login page", "nothing yet", "failed")


def ids(project: Project, *words: str, **how: Any) -> list[str]:
    return [past.task.id for past in history(project, *words, **how)]


def test_words_are_found_in_prompts_questions_answers_and_results_live_and_archived(project: Project) -> None:
    assert ids(project) == ["live", "docs", "auth"]
    assert ids(project, "LOGIN") == ["live", "auth"] and ids(project, "login", "weak") == ["auth"]
    assert ids(project, "right one of docs") == ["docs"] and ids(project, "way for live") == ["live"]
    assert ids(project, '"quoted"') == ["docs"] and ids(project, "ÜMLÄUT") == ["docs"] and ids(project, "nowhere") == []
    assert ids(project, "prompt") == []  # a name of ours, in none of the texts
    (found,) = history(project, "session token")
    assert (found.archived, found.where, found.name) == (True, "result", "auth")
    assert found.text.startswith("the Session Token")
    assert ids(project, model="opus") == ["docs"] and ids(project, group="Security") == ["auth"]
    assert ids(project, most=1) == ["live"]


def test_since(project: Project, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    assert ids(project, since="2h") == ["live", "docs", "auth"] and ids(project, since="30m") == []
    assert ids(project, since="2026-01-01") and ids(project, since="2099-01-01 10:00") == []
    assert ids(project, since=now - 60) and ids(project, since=now + 60) == []
    for wrong in ("soon", "-7d", "2026-13-01"):
        with pytest.raises(UsageProblem, match="is no time"):
            history(project, since=wrong)


def test_a_long_text_is_searched_to_its_end(project: Project, store: Store) -> None:
    task(store, "long", "x", "y" * 200_000 + " the needle")
    clean(project, "long")
    assert ids(project, "needle") == ["long"] and ids(project, "needles") == []


def test_recall_prints_all_that_is_kept(project: Project, store: Store) -> None:
    found = recall(project, "auth")
    assert found.prompt == "Audit the login" and [item.text for item in found.items] == ["one", "two"]
    assert [(q.text, q.answer) for q in found.questions] == [("Which way for auth?", "the right one of auth")]
    assert found.output.startswith("the Session Token") and found.task.state is State.DONE
    assert recall(project, "live").key == "" and recall(project, "au").key == found.key
    assert is_known(project, "auth") and is_known(project, found.key) and not is_known(project, "au")
    for wrong in ("nosuch", ""):
        with pytest.raises(TaskNotFound):
            recall(project, wrong)


def test_ids_that_were_used_again_are_told_apart(project: Project, store: Store) -> None:
    task(store, "auth", "Audit it again")
    assert [(p.name, p.archived) for p in history(project) if p.task.id == "auth"][:1] == [("auth", False)]
    clean(project, "auth")
    first, second = (p for p in history(project) if p.task.id == "auth")
    assert first.name == "auth" and second.name.startswith("auth.") and recall(project, "auth").others == (second.name,)
    assert recall(project, second.name).prompt == "Audit the login"
    assert restore(project, second.name).id == "auth" and recall(project, "auth").prompt == "Audit the login"
    with pytest.raises(DispatchError, match="there is a task 'auth' already") as told:
        restore(project, first.task.id if second.name == "auth" else next(iter(recall(project, "auth").others)))
    assert "--id" in told.value.hint


def test_it_comes_back_as_a_task_that_is_over(project: Project, store: Store) -> None:
    back = restore(project, "auth")
    assert (back.id, back.state, back.restored, back.pane) == ("auth", State.DONE, True, "")
    assert not [need for need in needs(back) if need.kind == "done"]  # `wait` does not tell it once more
    assert unread(project, [back]) == set()
    assert store.plan("auth") and store.tree("auth").read("output.md", most=11) == "the Session"
    assert not is_known(project, "nosuch") and ids(project, "login", "weak") == ["auth"]
    with pytest.raises(TaskNotFound, match="it is there"):
        restore(project, "auth")
    assert restore(project, "docs", id="other").id == "other"
    with pytest.raises(UsageProblem):
        restore(project, "docs", id="NO ID")
    assert [t.id for t in clean(project).removed] == ["auth", "other"]
    assert {p.name for p in history(project) if p.archived} == {"auth", "other"}


def test_forget_keeps_nothing(project: Project, store: Store) -> None:
    assert [t.id for t in clean(project, "live", forget=True).removed] == ["live"]
    assert "live" not in ids(project)


def test_what_the_config_allows_is_kept(project: Project, store: Store) -> None:
    config = Path(os.environ["DISPATCH_CONFIG"])
    config.write_text('{"limits": {"archive_days": 1}, ' + config.read_text()[1:])
    for entry in archive.entries(store.records):
        path = Path(archive.folder(store.records), f"{entry.key}.json.gz")
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    clean(project, "live")
    assert ids(project) == ["live"]


# --- killed at any point


def killed_at(point: int, work: Callable[[], object]) -> bool:
    """Do WORK in a process that is killed at its POINT-th change of the disk; False when it came to its end."""
    pid = os.fork()
    if not pid:
        left = [point]

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **more: Any) -> Any:
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **more)

            return call

        try:
            for name in ("rename", "fsync", "mkdir", "rmdir", "unlink", "write", "utime", "link"):
                setattr(os, name, counted(getattr(os, name)))
            work()
        finally:
            os._exit(0)
    return bool(os.waitpid(pid, 0)[1])


def whole(project: Project, id: str) -> bool:
    """Whether task ID is there or archived, with all that is to be kept."""
    found = recall(project, id)
    return found.prompt == id and found.output == f"result of {id}" and found.questions[0].answer is not None


def test_F23_a_clean_that_is_killed_at_any_point_loses_nothing(project: Project, store: Store) -> None:
    for point in range(1, 200):
        for id in ("a", "b"):
            if id not in store.ids():
                task(store, id, id, f"result of {id}")
        died = killed_at(point, lambda: clean(project, "a", "b"))
        assert whole(project, "a") and whole(project, "b"), f"killed at point {point}"
        if not died:
            break
        assert [p.task.id for p in history(project, "result")].count("a") <= 1 + point
    assert point > 15 and not {"a", "b"} & set(store.ids())


def test_F23_a_restore_that_is_killed_at_any_point_loses_nothing(project: Project, store: Store) -> None:
    task(store, "a", "a", "result of a")
    for point in range(1, 200):
        if "a" in store.ids():
            clean(project, "a")
        died = killed_at(point, lambda: restore(project, "a"))
        if not died:
            break
        if (
            store.is_abandoned("a") or not store.task("a").created
        ):  # its making was broken off: after a while it is free again
            os.utime(store.own("a"), (1, 1)) if os.path.isdir(store.own("a")) else None
            assert restore(project, "a").created
        assert whole(project, "a"), f"killed at point {point}"
    assert point > 15 and "a" in store.ids()


def test_of_several_cleans_and_restores_at_once_none_spoils_the_other(project: Project, store: Store) -> None:
    names = [f"t{n}" for n in range(12)]
    for id in names:
        task(store, id, id, f"result of {id}")
    each = [Project(project.root, Store(project.root)) for _ in range(4)]
    at_once(
        lambda one: clean(one, every=True), each
    )  # a second one must not archive what is half gone over what is whole
    assert not set(names) & set(store.ids()) and all(whole(project, id) for id in names)

    def back(one: Project) -> list[str]:
        found = []
        for id in names:
            with suppress(DispatchError):  # another one was quicker
                found.append(restore(one, id).id)
        return found

    assert sorted(id for found in at_once(back, each) for id in found) == sorted(names)
    assert all(whole(project, id) and not recall(project, id).key for id in names)


# --- usage


def test_usage_adds_up_what_is_known_and_says_what_is_not(project: Project, store: Store) -> None:
    for id, model, group, used in (
        ("one", "opus", "Docs", Usage(tokens=1000, cost=0.5)), ("two", "opus", "", Usage()), ("three", "haiku", "Docs", Usage(tokens=5))
    ):  # fmt: skip
        made(store, id, *over("done"), model=model, group=group)
        sessions.keep(store.own(id), used)
    clean(project, "one", "three")
    by_model = {one.name: one for one in usage(project, by="model")}
    assert by_model["opus"]._replace(seconds=0) == ("opus", 3, 0, 1000, 0.5, 2, 2)  # "docs" of above, too
    assert by_model["haiku"][3:] == (5, None, 0, 1) and by_model["demo"][3:] == (None, None, 2, 2)
    assert {one.name: one.tokens for one in usage(project, by="group")}["Docs"] == 1005
    assert [one.name for one in usage(project, by="task")] == ["auth", "docs", "live", "one", "two", "three"]
    assert [one.tasks for one in usage(project, by="day")] == [6]
    assert total(usage(project))[3:] == (1005, 0.5, 4, 5)
    assert usage(project, since="2099-01-01") == []
    with pytest.raises(UsageProblem, match="nothing to add up by"):
        usage(project, by="colour")  # type: ignore[arg-type]


def test_a_task_that_a_killed_clean_left_in_both_places_is_counted_once(project: Project, store: Store) -> None:
    with archive.alone(store.records):
        archive.keep(store, [store.task("live")])
    assert ids(project).count("live") == 1 and total(usage(project)).tasks == 3
