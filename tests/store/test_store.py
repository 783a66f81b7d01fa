"""What is kept of a project, as supervisor and verbs use it: with anything in a worker's directory, at any moment."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest
from threads import at_once

from dispatch_tmux.core.task import Question
from dispatch_tmux.errors import DispatchError, ForeignProject, TaskNotFound, UsageProblem
from dispatch_tmux.store import files, question_files, watchman
from dispatch_tmux.store import store as stores
from dispatch_tmux.store.question_files import MOST_QUESTION, Asked
from dispatch_tmux.store.store import Store


def again(store: Store) -> Store:
    """As the next command has it."""
    return Store(store.root, store.base)


def begin(store: Store, *ids: str) -> None:
    for id in ids:
        assert store.claim(id)
        store.append(id, "created", "created", title=f"about {id}", marks="")


def ipc(store: Store, id: str = "auth") -> Path:
    return Path(store.path(id, "ipc"))


# --- a project


def test_a_project_in_which_nothing_was_dispatched_is_looked_at_and_nothing_is_made(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "project"), str(tmp_path / "home"))
    assert not store.exists() and store.ids() == [] and list(store.touched()) == []
    assert not store.supervised() and store.watchman() is None and not store.paused()
    store.forget()
    assert os.listdir(tmp_path) == []
    with pytest.raises(TaskNotFound) as told:
        store.find("auth")
    assert "no task has been dispatched here yet" in told.value.hint


def test_what_is_prepared_is_private_and_ignored_by_git(store: Store) -> None:
    assert stat.S_IMODE(os.stat(store.dir).st_mode) == 0o700
    assert Path(store.dir, ".gitignore").read_text() == "*\n"
    assert again(store).exists() and again(store).records == store.records


def test_preparing_again_changes_nothing(store: Store) -> None:
    Path(store.dir, ".gitignore").write_text("mine")
    begin(store, "auth")
    again(store).prepare()
    assert Path(store.dir, ".gitignore").read_text() == "mine"
    assert again(store).ids() == ["auth"]


@pytest.mark.parametrize("where", ["", "tasks"])
@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_in_the_way_is_named(tmp_path: Path, where: str, kind: str) -> None:
    place = tmp_path / "project" / ".dispatch" / where
    place.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    place.write_text("mine") if kind == "file" else place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DispatchError, match=r"\.dispatch") as told:
        Store(str(tmp_path / "project"), str(tmp_path / "home")).prepare()
    assert told.value.hint
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_project_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DispatchError, match="cannot"):
        Store(str(tmp_path / "file"), str(tmp_path / "home")).prepare()


def test_a_foreign_project_gives_nothing_away_whatever_is_asked(store: Store) -> None:
    begin(store, "auth")
    Path(store.dir, "project").write_text("somebody-00000000 " + "0" * 64)
    for ask in (
        lambda s: s.ids(),
        lambda s: s.task("auth"),
        lambda s: s.exists(),
        lambda s: s.prepare(),
        lambda s: s.watchman(),
    ):
        with pytest.raises(ForeignProject, match="auth"):
            ask(again(store))


def test_what_is_forgotten_is_gone_and_can_be_begun_anew(store: Store) -> None:
    begin(store, "auth")
    records = store.records
    store.forget()
    assert not os.path.exists(records)
    with pytest.raises(ForeignProject):
        assert again(store).exists()  # its proof stands there still: what lies in it is nobody's


# --- tasks


def test_tasks_are_directories_with_the_name_of_a_task(store: Store) -> None:
    begin(store, "b", "a")
    tasks = Path(store.records_dir)
    for odd in ("Bad", ".hidden", "a_b", "-x", "\x1b[2J", "x" * 65):
        (tasks / odd).mkdir()
    (tasks / "file").touch()
    (tasks / "link").symlink_to(tasks / "a")
    assert store.ids() == ["a", "b"]
    assert [id for id, _ in store.touched()] == ["a", "b"]


@pytest.mark.parametrize("id", ["..", "../a", "/etc", "a/b", "", "A", "a\n", "\0"])
def test_no_path_is_made_of_what_is_no_id(store: Store, id: str) -> None:
    for ask in (store.path, store.own, store.tree, store.own_tree, store.claim, store.remove, store.task):
        with pytest.raises(UsageProblem):
            ask(id)


@pytest.mark.parametrize(
    ("name", "found"),
    [("auth", "auth"), ("auth-2", "auth-2"), ("d", "docs"), ("doc", "docs"), ("auth-", "auth-2")],
)
def test_a_task_is_found_by_its_beginning(store: Store, name: str, found: str) -> None:
    begin(store, "auth", "auth-2", "docs")
    assert store.find(name) == found


def test_of_many_tasks_that_could_be_meant_five_are_named_and_the_others_counted(store: Store) -> None:
    begin(store, *(f"t-{n}" for n in range(8)))
    for name in ("t", "-", "nosuch"):
        with pytest.raises(TaskNotFound) as told:
            store.find(name)
        assert told.value.hint == "there is: t-3, t-4, t-5, t-6, t-7 … and 3 more"


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("a", "several tasks begin with 'a'", "auth, auth-2"),
        ("", "no task '' in this project", "auth, auth-2, docs"),
        ("uth", "no task 'uth' in this project", "auth, auth-2"),
        ("x" * 500, "no task 'xxx", "docs"),
        ("../docs", "no task '../docs' in this project; did you mean 'docs'?", ""),
        ("dosc", "no task 'dosc' in this project; did you mean 'docs'?", ""),
        ("h-2", "did you mean 'auth-2'?", ""),
    ],
)
def test_a_name_that_is_none_is_told_with_what_there_is(store: Store, name: str, said: str, hint: str) -> None:
    begin(store, "auth", "auth-2", "docs")
    with pytest.raises(TaskNotFound) as told:
        store.find(name)
    assert said in str(told.value) and hint in told.value.hint
    assert len(str(told.value)) < 200


def test_a_task_has_a_directory_of_ours_and_one_of_its_workers(store: Store) -> None:
    assert store.claim("auth")
    assert sorted(os.listdir(store.own("auth"))) == ["inbox"]
    assert sorted(os.listdir(store.path("auth"))) == ["ipc", "signals"]
    assert {stat.S_IMODE(os.stat(p).st_mode) for p in (store.own("auth"), store.path("auth"), ipc(store))} == {0o700}
    assert not again(store).claim("auth")


def test_of_many_that_claim_an_id_one_gets_it(store: Store) -> None:
    won = at_once(lambda mine: mine.claim("auth"), [again(store) for _ in range(6)])
    assert sorted(won) == [False] * 5 + [True]
    assert sorted(os.listdir(store.path("auth"))) == ["ipc", "signals"]


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_lies_in_the_way_of_a_workers_directory_is_put_aside_whole(
    store: Store, tmp_path: Path, kind: str
) -> None:
    place = Path(store.path("auth"))
    (tmp_path / "elsewhere").mkdir()
    if kind == "folder":
        place.mkdir()
        (place / "work").write_text("kept")
    else:
        place.write_text("kept") if kind == "file" else place.symlink_to(tmp_path / "elsewhere")
    assert store.claim("auth")
    assert sorted(os.listdir(place)) == ["ipc", "signals"] and not place.is_symlink()
    (aside,) = Path(store.dir, "left").iterdir()
    assert aside.name.startswith("auth-")
    if kind == "folder":
        assert (aside / "work").read_text() == "kept"
    assert os.listdir(tmp_path / "elsewhere") == []


def test_F23_an_id_whose_making_was_interrupted_is_free_again_after_a_while(store: Store) -> None:
    store.claim("auth")
    assert not store.is_abandoned("auth") and not again(store).claim("auth")
    os.utime(store.own("auth"), (1.0, time.time() - stores.MAKING - 1))
    assert store.is_abandoned("auth")
    assert again(store).claim("auth")
    begin(store, "docs")
    os.utime(store.own("docs"), (1.0, 1.0))
    assert not store.is_abandoned("docs") and not store.claim("docs")
    assert not store.is_abandoned("nobody")


def test_a_removed_task_is_gone_at_once_and_its_name_is_free(store: Store, tmp_path: Path) -> None:
    begin(store, "auth")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "f").touch()
    Path(store.path("auth"), "link").symlink_to(tmp_path / "precious")
    store.remove("auth")
    assert store.ids() == [] and not store.task("auth").created
    assert os.listdir(store.records_dir) == [] and os.listdir(store.tasks_dir) == []
    assert (tmp_path / "precious" / "f").exists()
    with pytest.raises(DispatchError):
        store.append("auth", "state", "state:1", state="done")
    begin(store, "auth")
    assert store.task("auth").title == "about auth"
    store.remove("nobody")


def test_a_workers_directory_that_is_a_link_is_removed_as_a_link(store: Store, tmp_path: Path) -> None:
    begin(store, "auth")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "f").touch()
    os.rename(store.path("auth"), tmp_path / "moved")
    os.symlink(tmp_path / "precious", store.path("auth"))
    store.remove("auth")
    assert (tmp_path / "precious" / "f").exists() and not os.path.lexists(store.path("auth"))


# --- bells


def test_whoever_supervises_is_told_of_new_tasks_and_requests(store: Store) -> None:
    store.claim("auth")
    own = store.own("auth")
    for do in (
        lambda: store.append("auth", "created", "created", title="t", marks=""),
        lambda: store.request("auth", "launch"),
    ):
        os.utime(own, ns=(1, 1))
        do()
        assert dict(store.touched())["auth"] != 1


def test_a_bell_that_cannot_be_rung_costs_no_event(store: Store, tmp_path: Path) -> None:
    begin(store, "auth")
    os.remove(store.bell_path)
    (tmp_path / "elsewhere").write_text("x")
    os.symlink(tmp_path / "elsewhere", store.bell_path)
    assert store.append("auth", "note", text="a")
    os.remove(store.bell_path)
    os.mkfifo(store.bell_path)
    assert store.append("auth", "note", text="b")
    assert again(store).task("auth").notes == ("a", "b")
    assert (tmp_path / "elsewhere").read_text() == "x"


# --- questions


def test_questions_come_by_number_with_what_has_become_of_them(store: Store) -> None:
    begin(store, "auth")
    for name, text in {
        "010.question": "  ten?\n", "002.question": "two?\n1. A\n2. B\n", "1000.question": "last?", "002.answer": "B\n", "002.done": "",
        "003.question.tmp": "half", "3.question": "too few digits", "x.question": "", ".004.question": "", "005.answer": "no question",
    }.items():  # fmt: skip
        (ipc(store) / name).write_text(text)
    assert [one._replace(made=0) for one in store.asked("auth")] == [
        Asked("002", "two?\n1. A\n2. B", (("1", "A"), ("2", "B")), True, True),
        Asked("010", "ten?", (), False, False),
        Asked("1000", "last?", (), False, False),
    ]


def test_a_question_that_is_being_written_is_not_asked_yet(store: Store) -> None:
    begin(store, "auth")
    with open(ipc(store) / "001.question", "w") as f:
        f.write("Whi")
        f.flush()
        assert store.asked("auth") == []
        f.write("ch?")
    assert [q.text for q in store.asked("auth")] == ["Which?"]


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "huge", "bytes", "empty"])
def test_an_odd_question_is_asked_without_its_text_and_hides_no_other(store: Store, tmp_path: Path, kind: str) -> None:
    begin(store, "auth")
    place, secret = ipc(store) / "001.question", tmp_path / "secret"
    secret.write_text("secret")
    if kind in ("huge", "bytes", "empty"):
        place.write_bytes({"huge": b"x" * (1 << 20), "bytes": b"\xff\x00?", "empty": b""}[kind])
    else:
        {"link": lambda: place.symlink_to(secret), "fifo": lambda: os.mkfifo(place), "folder": place.mkdir}[kind]()
    (ipc(store) / "002.question").write_text("Which?")
    first, second = store.asked("auth")
    assert (second.q, second.text) == ("002", "Which?")
    assert "secret" not in first.text and len(first.text) <= MOST_QUESTION


def test_an_answer_is_written_once_and_whole(store: Store) -> None:
    begin(store, "auth")
    assert store.answer_of("auth", "001") is None
    assert store.write_answer("auth", "001", "PostgreSQL\nplease")
    assert not again(store).write_answer("auth", "001", "SQLite")
    assert store.answer_of("auth", "001") == "PostgreSQL\nplease"
    assert (ipc(store) / "001.answer").read_text() == "PostgreSQL\nplease\n"


def test_an_answer_that_is_older_than_the_question_answers_another_one_and_is_put_aside(store: Store) -> None:
    begin(store, "auth")
    for name in ("001.answer", "001.done", "001.question"):
        (ipc(store) / name).write_text(name)
    for name in ("001.answer", "001.done"):
        os.utime(ipc(store) / name, (1000, 1000))
    (asked,) = store.asked("auth")
    assert not asked.answered and not asked.acknowledged
    assert store.write_answer("auth", "001", "mine")
    assert store.answer_of("auth", "001") == "mine" and store.asked("auth")[0].answered
    assert (ipc(store) / "001.answer.former").read_text() == "001.answer"
    assert not store.asked("auth")[0].acknowledged
    assert not store.write_answer("auth", "001", "another")


def test_a_number_that_is_used_again_asks_another_question(store: Store) -> None:
    begin(store, "auth")
    place = ipc(store) / "001.question"
    place.write_text("first?")
    first = Question("001", "file", "first?", (), 0.0, made=place.stat().st_mtime_ns)
    assert store.asked("auth", [first]) == []
    place.write_text("second?")
    os.utime(place, (2000, 2000))
    for closed in ("answered", "gone", ""):
        (found,) = question_files.there(store.tree("auth"), [first._replace(closed=closed)])
        assert (found.id, found.before, found.former is None) == ("001.2", None, bool(closed))
    assert [(one.q, one.text) for one in store.asked("auth", [first])] == [("001.2", "second?")]
    second = Question("001.2", "file", "second?", (), 0.0, made=place.stat().st_mtime_ns, closed="answered")
    assert store.asked("auth", [first, second]) == []
    os.utime(place, (3000, 3000))
    assert [one.q for one in store.asked("auth", [first, second])] == ["001.3"]


def test_a_question_that_is_saved_again_as_it_was_or_has_no_time_on_record_is_the_same(store: Store) -> None:
    begin(store, "auth")
    place = ipc(store) / "001.question"
    place.write_text("Which?")
    asked = Question("001", "file", "Which?", (), 0.0, made=place.stat().st_mtime_ns)
    os.utime(place, (2000, 2000))
    assert store.asked("auth", [asked]) == []  # open, and the same words
    assert store.asked("auth", [asked._replace(made=0, closed="answered")]) == []  # of an earlier version
    assert store.asked("auth", [Question("001", "screen", "Which?", (), 0.0)]) != []


def test_an_answer_goes_through_no_link(store: Store, tmp_path: Path) -> None:
    begin(store, "auth")
    (tmp_path / "mine").write_text("mine")
    (ipc(store) / "001.answer").symlink_to(tmp_path / "mine")
    assert not store.write_answer("auth", "001", "x")
    assert store.answer_of("auth", "001") is None
    os.rename(ipc(store), tmp_path / "ipc")
    ipc(store).symlink_to(tmp_path / "ipc")
    with pytest.raises(DispatchError, match="cannot write"):
        store.write_answer("auth", "002", "x")
    assert (tmp_path / "mine").read_text() == "mine" and not (tmp_path / "ipc" / "002.answer").exists()


def test_flags_are_short_and_in_order(store: Store) -> None:
    begin(store, "auth")
    for name, text in {
        "002.flag": " the key leaked \n",
        "001.flag": "x" * 9000,
        "x.flag": "",
        "003.flag.tmp": "",
    }.items():
        (ipc(store) / name).write_text(text)
    assert [(n, len(t)) for n, t in store.flags("auth")] == [("001", stores.CUT), ("002", 14)]


@pytest.mark.parametrize("name", ["ipc/.done", ".done"])
def test_a_marker_is_a_plain_file(store: Store, tmp_path: Path, name: str) -> None:
    begin(store, "auth")
    place = Path(store.path("auth"), name)
    (tmp_path / "f").touch()
    place.symlink_to(tmp_path / "f")
    assert not store.is_marked_done("auth")
    place.unlink()
    place.mkdir()
    assert not store.is_marked_done("auth")
    place.rmdir()
    place.touch()
    assert store.is_marked_done("auth")


# --- requests


def test_requests_are_carried_out_in_the_order_in_which_they_were_left(store: Store) -> None:
    begin(store, "auth")
    left = [store.request("auth", "send", text=f"é{n}") for n in range(5)]
    found = again(store).requests("auth")
    assert [rid for rid, _ in found] == left == sorted(left)
    assert [r["text"] for _, r in found] == [f"é{n}" for n in range(5)]
    store.drop_request("auth", left[0])
    store.drop_request("auth", left[0])
    assert not store.is_requested("auth", left[0]) and store.is_requested("auth", left[1])
    assert len(store.requests("auth")) == 4


def test_a_request_for_a_task_that_is_gone_is_told(store: Store) -> None:
    with pytest.raises(DispatchError, match="cannot write"):
        store.request("nobody", "launch")


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "null", "[" * 100_000, '"kind"', "\0"])
def test_half_a_request_is_dropped_and_the_others_count(store: Store, text: str) -> None:
    begin(store, "auth")
    inbox = Path(store.own("auth", "inbox"))
    (inbox / "000.json").write_text(text)
    (inbox / "001.json.1234.tmp").write_text("{}")
    rid = store.request("auth", "launch")
    assert store.requests("auth") == [(rid, {"kind": "launch"})]
    assert sorted(os.listdir(inbox)) == ["001.json.1234.tmp", f"{rid}.json"]


# --- the rest


def test_the_queue_is_paused_once(store: Store) -> None:
    assert not store.paused() and not store.unpause()
    assert store.pause() and not store.pause() and again(store).paused()
    assert store.unpause() and not store.unpause() and not again(store).paused()
    assert store.ids() == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("1 0\n", 0), ("1 137\n", 137), ("1 0", 0), ("2 1\n", None), ("", None), ("1", None), ("1 ", None), ("1 -1", None), ("1 x", None),
        ("1 0 0", None), ("1 ٣", None), ("1 ²", None), ("1 " + "9" * 150, 999999), ("\0", None),
    ],
)  # fmt: skip
def test_an_exit_code_is_that_of_the_attempt_or_none(store: Store, said: str, code: int | None) -> None:
    begin(store, "auth")
    Path(store.own("auth", "exit")).write_text(said)
    assert store.exit_code("auth", 1) == code


def test_what_a_worker_writes_is_no_exit_code_but_for_an_attempt_from_before_the_move(store: Store) -> None:
    begin(store, "auth")
    Path(store.path("auth"), "exit").write_text("1 0\n")
    assert store.exit_code("auth", 1) is None
    Path(store.own("auth"), "old-layout").write_text("1\n")
    assert store.exit_code("auth", 1) == 0
    assert store.exit_code("auth", 2) is None
    Path(store.own("auth"), "exit").write_text("1 3\n")
    assert store.exit_code("auth", 1) == 3


def test_a_plan_is_there_or_empty(store: Store) -> None:
    begin(store, "auth")
    assert store.plan("auth") == ""
    Path(store.path("auth"), "plan.md").write_bytes(b"- [ ] \xff\n")
    assert store.plan("auth") == "- [ ] \ufffd\n"


def test_who_supervises_is_who_holds_the_lock(store: Store) -> None:
    fd = files.try_lock(store.lock_path)
    assert fd is not None
    watchman.Signs(fd, store.root)
    found = again(store).watchman()
    assert found == watchman.Watchman(os.getpid(), store.root)
    assert again(store).supervised()
    os.utime(store.lock_path, (1.0, time.time() - watchman.SILENT - 5))
    assert not again(store).supervised()
    os.close(fd)
    assert again(store).watchman() is None


def test_one_damaged_task_hides_no_other(store: Store) -> None:
    begin(store, "a", "b", "c")
    Path(store.own("b", "journal.jsonl")).write_bytes(
        b"\0" * 100 + b"\n" + json.dumps({"t": 1, "kind": "state"}).encode()
    )
    assert [store.task(id).title for id in store.ids()] == ["about a", "", "about c"]
    assert [store.damage(id) for id in store.ids()] == [0, 1, 0]
    assert [e.kind for e in store.events("b")] == ["state"]


@pytest.mark.parametrize(
    ("begun", "free"), [(b"", True), (b'{"t": 1, "kind": "crea', True), (b'{"t": 1, "kind": "created"}\n', False)]
)
def test_F23_an_id_whose_first_event_was_not_written_whole_is_free_again(
    store: Store, begun: bytes, free: bool
) -> None:
    assert store.claim("t")
    Path(store.own("t"), "journal.jsonl").write_bytes(begun)
    assert not store.claim("t")  # it may be being made this very moment
    os.utime(store.own("t"), (1, 1))
    assert store.is_abandoned("t") is free
    assert store.claim("t") is free


def test_F19_a_task_whose_journal_is_odd_is_not_taken_for_one_that_was_never_made(store: Store) -> None:
    assert store.claim("t")
    Path(store.own("t"), "journal.jsonl").mkdir()
    os.utime(store.own("t"), (1, 1))
    assert not store.is_abandoned("t") and not store.claim("t")
