"""Faults F: what happens to files, to state and to processes when things go wrong."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, alive, wait_until

from dispatch_tmux.core import plan
from dispatch_tmux.store import summaries

KILLS = int(os.environ.get("DISPATCH_TEST_KILLS", "25"))
SLEEPS = "exec sleep 600"
TWO_QUESTIONS = """
cd "$DISPATCH_TASK_DIR"
echo started >>starts
for n in 001 002; do
    echo "what about $n?" >ipc/$n.question.tmp && mv ipc/$n.question.tmp ipc/$n.question
    while [ ! -f ipc/$n.answer ]; do sleep 0.1; done
    cat ipc/$n.answer >>answers
    : >ipc/$n.done
done
sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md
: >ipc/.done
"""


def put(crew: Crew, id: str, name: str, text: str | bytes) -> None:
    """A file in the task's directory, renamed into place as the briefing says."""
    path = crew.dir(id) / name
    fresh = path.with_name(path.name + ".tmp")
    fresh.write_bytes(text if isinstance(text, bytes) else text.encode())
    fresh.rename(path)


def sleeper(crew: Crew, *args: str) -> str:
    """A live worker whose files the test writes itself."""
    crew.configure({"sh": crew.script("w.sh", SLEEPS)})
    id = crew.start("-m", "sh", *args, "sit here")
    crew.until(id, "working")
    return id


# --- F1


def test_F1_a_supervisor_killed_at_any_instant_loses_and_doubles_nothing(crew: Crew) -> None:
    crew.configure({"sh": crew.script("w.sh", TWO_QUESTIONS)})
    chance, killed, over = random.Random(1), [0], threading.Event()

    def kill() -> None:
        while killed[0] < KILLS and not over.is_set():
            began = time.monotonic()
            pid = wait_until(lambda: (pid := crew.supervisor_pid()) and alive(pid) and pid)
            slow = time.monotonic() - began  # on a busy machine it does its work as slowly as it starts
            time.sleep(chance.random() * max(0.3, slow))  # the instant is left to chance
            try:
                os.kill(pid, signal.SIGKILL)
                killed[0] += 1
            except ProcessLookupError:
                pass  # `dispatch run` has begun another one in its place

    ids = [crew.start("-m", "sh", "--id", "t0", "job")]
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        ids += [crew.start("-m", "sh", "--id", f"t{n}", "job") for n in range(1, 20)]
        answered = set()
        end = time.monotonic() + 20 * KILLS
        while not all(crew.task(id).ended for id in ids):
            assert time.monotonic() < end, [crew.tell(id) for id in ids if not crew.task(id).ended]
            waiting = [(id, a.q) for id in ids for a in crew.store.asked(id) if not a.answered]
            for id, q in waiting[:1] if killed[0] < KILLS else waiting:
                crew.run("answer", id, "-q", q, f"{id} {q}", ok=None)
                answered.add((id, q))
            due = KILLS * len(answered) // (2 * len(ids))  # the kills are spread over the whole job
            wait_until(lambda due=due: killed[0] >= due or not killer.is_alive(), lambda: f"{killed} kills of {due}")
            time.sleep(0.02)
    finally:
        over.set()
        killer.join()
    assert killed[0] >= KILLS * 9 // 10
    for id in ids:
        assert crew.task(id).state.value == "done", crew.tell(id)
        keys = Counter(e.key for e in crew.events(id) if e.key)
        assert not [key for key, times in keys.items() if times > 1]
        kinds = Counter(e.kind for e in crew.events(id))
        assert {k: kinds[k] for k in ("created", "starting", "started", "question", "answer", "closed")} == {
            "created": 1, "starting": 1, "started": 1, "question": 2, "answer": 2, "closed": 2,
        }  # fmt: skip
        assert (crew.dir(id) / "starts").read_text() == "started\n"
        assert (crew.dir(id) / "answers").read_text() == f"{id} 001\n{id} 002\n"
        assert crew.store.damage(id) == 0


# --- F2


def test_F2_half_a_line_in_the_journal_costs_that_line_only_and_is_counted(crew: Crew) -> None:
    id = sleeper(crew)
    with open(crew.own(id) / "journal.jsonl", "ab") as f:
        f.write(b'{"t": 1.0, "kind": "state", "key": "state:99", "sta')
    put(crew, id, "ipc/001.question", "still there?")
    (news,) = crew.json("wait", "--for", "question")
    assert news["text"] == "still there?"
    assert crew.store.damage(id) == 1
    assert crew.task(id).state.value in ("working", "waiting")


def test_F19_a_journal_of_a_million_empty_lines_holds_nobody_up(crew: Crew) -> None:
    id = sleeper(crew)
    with open(crew.own(id) / "journal.jsonl", "ab") as f:
        f.write(b"\n" * 1_000_000 + b"x\n" * 100_000)
    began = time.process_time()
    assert crew.store.damage(id) == 100_000
    assert time.process_time() - began < 3  # it was 10
    put(crew, id, "ipc/001.question", "still there?")
    assert [n["text"] for n in crew.json("wait", "--for", "question", "--timeout", "20")] == ["still there?"]


def test_F2_a_line_that_says_too_little_and_one_of_zeros_are_survived(crew: Crew) -> None:
    id = sleeper(crew)
    with open(crew.own(id) / "journal.jsonl", "ab") as f:
        f.write(b'{"t": 1.0, "kind": "state"}\n[]\nnull\n' + b"\0" * 100 + b"\n")
    put(crew, id, "ipc/.done", "")
    put(crew, id, "plan.md", "- [x] all\n")
    assert [n["kind"] for n in crew.json("wait", id)] == ["done"]


def test_F2_an_empty_task_yaml_a_stale_lock_and_an_empty_cache_are_survived(crew: Crew) -> None:
    crew.configure({"sh": crew.script("w.sh", SLEEPS)})
    crew.store.prepare()
    Path(crew.store.lock_path).write_text("1\n")  # pid 1 lives, and is no supervisor of ours
    Path(crew.store.records, "session.lock").write_text("")
    Path(crew.store.records, "summaries.json").write_text("")
    id = crew.start("-m", "sh", "first")
    (crew.own(id) / "task.yaml").write_text("")
    crew.end_supervisor()
    Path(crew.store.records, "summaries.json").write_text(f'{{"{id}": [1, 2]}}')
    assert crew.start("-m", "sh", "second") == "second"
    put(crew, id, "ipc/001.question", "who am I?")
    assert [n["task"] for n in crew.json("wait", "--for", "question")] == [id]


# --- F4


def test_F4_a_note_and_the_marks_survive_a_worker_that_rewrites_its_plan_all_the_time(crew: Crew) -> None:
    script = """
cd "$DISPATCH_TASK_DIR"
n=0
while [ ! -f enough ]; do
    n=$((n + 1))
    sed "s/\\[ \\] item $n\\$/[x] item $n/" plan.md >plan.tmp; sleep 0.05; mv plan.tmp plan.md
done
sleep 600
"""
    crew.configure({"sh": crew.script("w.sh", script)})
    items = [word for n in range(1, 31) for word in ("--item", f"item {n}")]
    id = crew.start("-m", "sh", *items, "work")
    notes = ["use tabs", "leave vendor/ alone\nand its tests", "- [ ] not an item"]
    for note in notes:
        crew.run("note", id, "--", note)
    wait_until(lambda: crew.task(id).marks == "x" * 30, lambda: crew.tell(id))
    (crew.dir(id) / "enough").touch()

    def there() -> bool:
        text = crew.store.plan(id)
        return all(plan.has_note(text, note) for note in notes)

    wait_until(there, lambda: crew.store.plan(id))
    text = crew.store.plan(id)
    assert plan.marks(plan.parse(text)) == "x" * 30
    assert text.count("> use tabs") == 1


# --- F5


def test_F25_a_note_and_a_retry_keep_every_byte_of_a_long_plan(crew: Crew) -> None:
    """The items that failed are opened again, the note stands there once, and all else is as the worker wrote it."""
    long = b"- [x] one\n- [?] two\n" + b"log line \xe9\xff\n" * 130_000
    crew.configure({"w": crew.script("w.sh", "sleep 0.2; exit 1")})
    crew.start("-m", "w", "--id", "t", "--item", "one", "--item", "two", "x")
    crew.until("t", "failed")
    (crew.dir("t") / "plan.md").write_bytes(long)
    crew.run("note", "t", "mind the \udcff gap")
    crew.run("note", "t", "and this")
    attempt = crew.task("t").attempt
    crew.run("retry", "t", ok=None)
    wait_until(lambda: crew.task("t").attempt > attempt and crew.task("t").ended, lambda: crew.tell("t"), 8)
    found = (crew.dir("t") / "plan.md").read_bytes()
    assert found.startswith(long.replace(b"[?]", b"[ ]"))
    assert found[len(long) :] == b"\n## Notes\n\n> mind the ? gap\n\n> and this\n"
    given = crew.base / "huge.md"
    given.write_bytes(b"- [ ] x\n" + b"y" * (16 << 20))
    assert "is longer than 16 million" in crew.run("run", "-m", "w", "--plan", str(given), ok=False).stderr


def test_F5_every_way_to_write_a_plan_is_understood_and_a_lost_one_crashes_nothing(crew: Crew) -> None:
    id = sleeper(crew, "--item", "a", "--item", "b")
    pid = crew.supervisor_pid()
    for text, marks in [
        ("- [X] a\n- [ ] b\n", "x "),
        ("* [ ] a\n  1. [x] b", " x"),
        ("\ufeff- [x] a\r\n- [x] b\r\n", "xx"),
        ("- [?] a\n- [!] b", "?!"),
    ]:
        put(crew, id, "plan.md", text)
        wait_until(lambda marks=marks: crew.task(id).marks == marks, lambda: crew.tell(id))
    (crew.dir(id) / "plan.md").unlink()
    put(crew, id, "ipc/001.question", "where is my plan?")
    crew.until(id, "question")
    assert crew.task(id).marks == "?!"
    put(crew, id, "plan.md", b"")
    put(crew, id, "ipc/002.question", "and now?")
    wait_until(lambda: len(crew.task(id).questions) == 2)
    put(crew, id, "plan.md", b"\xff\xfe\x00- [x]\n- [ ] b\n- [ ] c\n")
    wait_until(lambda: crew.task(id).marks.endswith("  "), lambda: crew.tell(id))
    assert crew.supervisor_pid() == pid


# --- F6


def test_F6_odd_question_files_are_each_surfaced_once(crew: Crew) -> None:
    id = sleeper(crew)
    written: dict[str, Any] = {
        "001": "", "002": "no newline", "004": "after a gap\n", "010": "huge " + "x" * (1 << 20),
        "011": b"\xff\xfe\x00binary\x00",
    }  # fmt: skip
    for q, text in written.items():
        put(crew, id, f"ipc/{q}.question", text)
    wait_until(lambda: len(crew.task(id).questions) == len(written), lambda: crew.tell(id))
    news = {n["question"]: n["text"] for n in crew.json("wait", "--for", "question")}
    assert list(news) == list(written)
    assert (news["001"], news["002"], news["004"]) == ("(an empty question)", "no newline", "after a gap")
    assert news["010"].startswith("huge xxx")
    assert "010.question" in news["010"]  # where the rest is
    assert "binary" in news["011"]
    assert crew.run("wait", "--for", "question", "--timeout", "0.3", ok=False).returncode == 124
    assert Counter(e.key for e in crew.events(id, "question")) == {f"question:{q}": 1 for q in written}
    for q in written:
        crew.run("answer", id, "-q", q, f"answer to {q}")
    assert not crew.task(id).open_questions
    assert (crew.dir(id) / "ipc/010.answer").read_text() == "answer to 010\n"


def test_F6_two_questions_at_once_are_both_asked(crew: Crew) -> None:
    id = sleeper(crew)
    env = {"DISPATCH_TASK_DIR": str(crew.dir(id))}
    asking = [crew.popen("ask", "--timeout", "20", f"question {n}?", **env) for n in (1, 2)]
    wait_until(lambda: len(crew.task(id).open_questions) == 2, lambda: crew.tell(id))
    texts = {q.text: q.id for q in crew.task(id).open_questions}
    for n in (1, 2):
        crew.run("answer", id, "-q", texts[f"question {n}?"], f"answer {n}")
    assert [p.communicate(timeout=20)[0] for p in asking] == ["answer 1\n", "answer 2\n"]


def test_F6_a_question_written_slowly_and_not_renamed_is_asked_once_and_whole(crew: Crew) -> None:
    id = sleeper(crew)
    path = crew.dir(id) / "ipc/001.question"
    with open(path, "w") as f:
        f.write("Which da")
        f.flush()
        put(crew, id, "plan.md", "- [x] sit here\n- [ ] more\n")  # the supervisor looks at everything now
        wait_until(lambda: crew.task(id).marks == "x ")
        assert not crew.task(id).questions
        f.write("tabase?\n1. SQLite\n2. PostgreSQL\n")
    (news,) = crew.json("wait", "--for", "question", "--timeout", "20")
    assert news["text"].startswith("Which database?")
    assert [c["label"] for c in news["choices"]] == ["SQLite", "PostgreSQL"]
    assert len(crew.events(id, "question")) == 1


# --- F28

ASKS_AGAIN = """
cd "$DISPATCH_TASK_DIR"
for text in 'which colour?' 'which size?'; do
    printf "$text\\n1. one\\n2. two\\n" >ipc/001.question.tmp && mv ipc/001.question.tmp ipc/001.question
    while [ ! -f ipc/001.answer ]; do sleep 0.05; done
    echo "$text $(cat ipc/001.answer)" >>answers
    : >ipc/001.done
    rm ipc/001.answer
done
exec sleep 600
"""


def test_F28_a_worker_that_uses_a_number_again_is_heard_in_the_same_attempt_and_after_a_retry(crew: Crew) -> None:
    crew.configure({"sh": crew.script("w.sh", ASKS_AGAIN)})
    id = crew.start("-m", "sh", "job")

    def asked() -> list[tuple[str, str]]:
        return [(q.id, q.text.partition("\n")[0]) for q in crew.task(id).open_questions]

    def wait_for(*wanted: tuple[str, str]) -> None:
        wait_until(lambda: asked() == list(wanted), lambda: crew.tell(id))

    wait_for(("001", "which colour?"))
    crew.run("answer", id, "first")
    wait_for(("001.2", "which size?"))
    assert "001.2" in crew.run("questions").stdout
    crew.run("stop", id)
    crew.run("retry", id)
    wait_for(("001.3", "which colour?"))  # no file of the former attempt has answered it
    (news,) = crew.json("wait", "--for", "question", "--as", "fresh", "--timeout", "20")
    assert news["question"] == "001.3"
    crew.run("answer", id, "-q", "001.3", "--choice", "2")
    wait_for(("001.4", "which size?"))
    crew.run("answer", id, "-q", "001.4", "last")
    wait_until(lambda: len((crew.dir(id) / "answers").read_text().splitlines()) == 3)
    assert (crew.dir(id) / "answers").read_text() == "which colour? first\nwhich colour? two\nwhich size? last\n"
    assert "no open question 001.2" in crew.run("answer", id, "-q", "001.2", "late", ok=False).stderr


@pytest.mark.parametrize(("number", "asked"), [("001", "001.2"), ("002", "002")])
def test_F28_a_question_that_nobody_supervises_is_listed_and_its_answer_is_on_record(
    crew: Crew, number: str, asked: str
) -> None:
    id = sleeper(crew)
    put(crew, id, "ipc/001.question", "first?")
    crew.until(id, "question")
    crew.run("answer", id, "one")
    put(crew, id, "ipc/001.done", "")
    wait_until(lambda: crew.task(id).questions[0].closed, lambda: crew.tell(id))
    crew.end_supervisor()
    put(crew, id, f"ipc/{number}.question", "second?")
    (listed,) = crew.json("questions")
    assert (listed["id"], listed["text"]) == (asked, "second?")
    crew.run("answer", id, "two")
    assert (crew.dir(id) / f"ipc/{number}.answer").read_text() == "two\n"
    assert [(q.id, q.answer) for q in crew.task(id).questions] == [("001", "one"), (asked, "two")]
    assert not crew.task(id).open_questions


# --- F7

BLOCKS = """
cd "$DISPATCH_TASK_DIR"
echo started >>starts
if [ -f context.md ]; then
    printf '%s' "$1" >second-prompt
    sed 's/\\[.\\]/[x]/' plan.md >p && mv p plan.md; : >ipc/.done; exit 0
fi
echo 'Which port?' >ipc/001.question
echo 'I knew the port was open' >context.md
sed 's/\\[ \\]/[?]/' plan.md >p && mv p plan.md
"""


@pytest.mark.parametrize("way", ["verb", "file"])
def test_F7_an_answer_to_a_blocked_task_that_nobody_supervises_starts_it_again_once(crew: Crew, way: str) -> None:
    crew.configure({"sh": crew.script("w.sh", BLOCKS), "true": "true"})
    id = crew.start("-m", "sh", "serve")
    crew.until(id, "blocked")
    crew.tmux("kill-server")
    wait_until(lambda: not crew.store.supervised())
    if way == "verb":
        crew.run("answer", id, "use 8080")
    else:
        put(crew, id, "ipc/001.answer", "use 8080\n")
        crew.start("-m", "true", "somebody is here again")
    task = crew.until(id, "done")
    assert task.attempt == 2
    assert [e.data["attempt"] for e in crew.events(id, "started")] == [1, 2]
    assert (crew.dir(id) / "starts").read_text() == "started\n" * 2
    assert "use 8080" in (crew.dir(id) / "second-prompt").read_text()
    assert len(crew.events(id, "answer")) == 1


@pytest.mark.parametrize("way", ["verb", "file"])
def test_F7_an_answer_to_a_live_worker_that_nobody_supervises_is_on_record_once(crew: Crew, way: str) -> None:
    crew.configure({"sh": crew.script("w.sh", TWO_QUESTIONS), "true": "true"})
    id = crew.start("-m", "sh", "serve")
    crew.until(id, "question")
    crew.end_supervisor()
    if way == "verb":
        crew.run("answer", id, "one")
    else:
        put(crew, id, "ipc/001.answer", "one\n")
        wait_until(lambda: (crew.dir(id) / "ipc/002.question").exists())
        crew.start("-m", "true", "somebody is here again")
    wait_until(lambda: crew.task(id).question("002"), lambda: crew.tell(id))
    crew.run("answer", id, "two")
    crew.until(id, "done")
    assert (crew.dir(id) / "answers").read_text() == "one\ntwo\n"
    assert [(e.data["q"], e.data["answer"]) for e in crew.events(id, "answer")] == [("001", "one"), ("002", "two")]


# --- F9


def test_F9_stop_ends_daemons_and_the_stubborn_and_nothing_else(crew: Crew) -> None:
    script = """
cd "$DISPATCH_TASK_DIR"
setsid sh -c 'echo $$ >pid-setsid; exec sleep 1000' &
nohup sh -c 'echo $$ >pid-nohup; exec sleep 1000' >/dev/null 2>&1 &
(sh -c 'trap "" HUP TERM INT; echo $$ >pid-stubborn; while :; do sleep 1; done' &)
setsid sh -c 'trap "" HUP TERM; (echo >pid-orphan-made; sh -c "echo \\$\\$ >pid-orphan; exec sleep 1000" &)' &
echo $$ >pid-main
trap '' HUP TERM
while :; do sleep 1; done
"""
    crew.configure({"sh": crew.script("w.sh", script)})
    id = crew.start("-m", "sh", "serve")
    other = crew.start("-m", "sh", "serve too")
    ours = subprocess.Popen(["sleep", "1000"], cwd=crew.dir(id))
    names = ["pid-setsid", "pid-nohup", "pid-stubborn", "pid-orphan", "pid-main"]

    def pids(task: str) -> list[int]:
        found = [crew.dir(task) / name for name in names]
        return [int(p.read_text()) for p in found if p.exists() and p.read_text().strip()]

    try:
        wait_until(lambda: len(pids(id)) == len(pids(other)) == len(names))
        crew.run("stop", id)
        wait_until(lambda: not any(map(alive, pids(id))), lambda: pids(id), seconds=5)
        assert all(map(alive, pids(other)))
        assert ours.poll() is None
        assert crew.task(id).state.value == "stopped"
        assert crew.task(other).state.value == "working"
    finally:
        ours.send_signal(signal.SIGKILL)
        ours.wait()


# --- F11


def test_F11_a_thousand_finished_tasks_are_read_once(crew: Crew) -> None:
    crew.store.prepare()
    for n in range(1000):
        folder = crew.own(f"old-{n:04}")
        (folder / "inbox").mkdir(parents=True)
        lines = [
            {
                "t": 1.0 + n,
                "kind": "created",
                "key": "created",
                "title": "old",
                "model": "m",
                "backend": "b",
                "cwd": "/",
                "marks": "x",
            },
            {"t": 2.0 + n, "kind": "starting", "key": "starting:1", "attempt": 1},
            {"t": 3.0 + n, "kind": "state", "key": "state:2", "state": "done"},
        ]
        (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(crew.json("wait", "--as", "a", "--for", "done")) == 1000
    assert Path(crew.store.records, "summaries.json").exists()

    journal = crew.own("old-0500") / "journal.jsonl"
    stat = journal.stat()
    poisoned = journal.read_text().replace('"done"', '"lost"')
    with open(journal, "r+") as f:
        f.write(poisoned)
    os.utime(journal, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert crew.run("wait", "--as", "a", "--for", "lost", ok=False).returncode == 5  # not read again
    os.utime(journal, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert [n["task"] for n in crew.json("wait", "--as", "a", "--for", "lost")] == ["old-0500"]

    crew.configure({"true": "true"})
    id = crew.start("-m", "true", "fresh")
    assert [n["task"] for n in crew.json("wait", id)] == [id]
    assert len(summaries.all(crew.store)) == 1001


def test_F11_status_of_a_thousand_finished_tasks_lists_few_and_counts_the_rest(crew: Crew) -> None:
    pytest.importorskip("dispatch_tmux.cli.status")
    crew.store.prepare()
    for n in range(1000):
        crew.store.claim(f"old-{n:04}")
        journal = crew.own(f"old-{n:04}") / "journal.jsonl"
        journal.write_text(
            '{"t": 1, "kind": "created", "title": "old", "marks": "x"}\n{"t": 2, "kind": "state", "state": "done"}\n'
        )
    shown = crew.run("status").stdout
    assert len(shown.splitlines()) < 60
    assert "9" in shown  # 9xx more


# --- F19, F20


def test_F20_a_start_that_fails_fails_once_and_the_others_go_on(crew: Crew) -> None:
    first = f"sh -c 'while [ ! -e {crew.root}/go ]; do sleep 0.05; done'"
    crew.configure({"first": first, "gone": "sh -c 'sleep 600'", "sh": "sh -c 'sleep 600'"})
    crew.start("-m", "first", "--id", "a", "x")
    crew.start("-m", "gone", "--id", "b", "--after-any", "a", "x")
    crew.start("-m", "sh", "--id", "c", "--after-any", "a", "x")
    crew.configure({"first": first, "sh": "sh -c 'sleep 600'"})  # b's backend is not there any more
    (crew.root / "go").touch()
    crew.until("b", "failed")
    crew.until("c", "working")
    crew.start("-m", "sh", "--id", "d", "x")
    crew.until("d", "working")
    assert [e.data["state"] for e in crew.events("b", "state")].count("failed") == 1
    assert not crew.store.requests("b")
    crew.configure({"first": first, "gone": "sh -c 'sleep 600'", "sh": "sh -c 'sleep 600'"})
    crew.run("retry", "b")
    crew.until("b", "working")
    assert [e.data["attempt"] for e in crew.events("b", "started")] == [2]


ODD = {
    "a pipe": lambda path: os.mkfifo(path),
    "a directory": lambda path: path.mkdir(),
    "a link in a circle": lambda path: path.symlink_to(path),
    "a link to a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a link to what never ends": lambda path: path.symlink_to("/dev/zero"),
    "null": lambda path: path.write_text("null"),
    "a number": lambda path: path.write_text("5"),
    "deep": lambda path: path.write_text("[" * 200_000),
    "bytes": lambda path: path.write_bytes(bytes(range(256)) * 40),
    "nothing": lambda path: path.write_text(""),
}
PLACES = (
    "dir/plan.md", "dir/output.md", "dir/context.md", "dir/session", "dir/ipc/001.question", "dir/ipc/001.flag", "dir/ipc/.done",
    "dir/ipc", "dir/signals", "dir/signals/x.json", "dir/door", "own/exit", "own/process-1", "own/task.yaml", "own/usage.json",
    "own/inbox/1-1.json", "own/journal.jsonl", "own/screen.txt", "own/terminal.log", "own/inbox",
)  # fmt: skip


@pytest.mark.parametrize(
    "first", range(0, len(PLACES), 4), ids=[", ".join(PLACES[n : n + 4]) for n in range(0, len(PLACES), 4)]
)
def test_F19_an_odd_file_costs_its_own_task_and_no_other(crew: Crew, first: int) -> None:
    """Whatever lies in their places, the other worker is served, and no verb hangs or fails inside."""
    crew.configure({"sh": "sh -c 'sleep 600'"})
    others = list(ODD.values())[1:]
    odd = {  # each place has a pipe, each kind some places
        f"odd-{number}-{n}": (place, make)
        for number, place in list(enumerate(PLACES))[first : first + 4]
        for n, make in enumerate((ODD["a pipe"], others[number % 9], others[(number + 4) % 9]))
    }
    tasks = [{"id": id, "model": "sh", "prompt": "x"} for id in odd]
    crew.run("run", "--batch", "-", stdin=json.dumps({"tasks": tasks}))
    for id, (place, make) in odd.items():
        where, _, name = place.partition("/")
        path = (crew.dir(id) if where == "dir" else crew.own(id)) / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        make(path)
    crew.start("-m", "demo", "--id", "good", "--item", "ask: which? (choices: x | y)", "x")
    crew.until("good", "question")
    for verb in (["status"], ["questions", "--json"], ["report"], ["doctor"], ["wait", "--timeout", "0"]):
        done = crew.run(*verb, ok=None)
        assert done.returncode in (0, 1, 124) and "unexpected" not in done.stderr, (verb, done.stderr)
    for id in list(odd)[::3]:
        for verb in (["status"], ["note"], ["stop"]):
            done = crew.run(*verb, id, *(["words"] if verb == ["note"] else []), ok=None)
            assert done.returncode != 3, (verb, id, done.stderr)
    crew.run("answer", "good", "--choice", "1")
    crew.until("good", "done")


def test_F19_a_journal_that_somebody_keeps_locked_costs_its_own_task_and_is_named(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    id = crew.start("-m", "sh", "--id", "locked", "x")
    holder = subprocess.Popen(["flock", str(crew.own(id) / "journal.jsonl"), "sleep", "600"])
    try:
        wait_until(lambda: subprocess.run(["flock", "-n", str(crew.own(id) / "journal.jsonl"), "true"]).returncode)
        crew.start("-m", "demo", "--id", "good", "--item", "ask: which? (choices: x | y)", "x")
        crew.until("good", "question")
        refused = crew.run("note", id, "words", ok=False)
        assert "is locked by process" in refused.stderr
        crew.run("answer", "good", "--choice", "1")
        crew.until("good", "done")
    finally:
        subprocess.run(["pkill", "-P", str(holder.pid)], check=False)
        holder.kill()
        holder.wait()


@pytest.mark.parametrize("trouble", ["stopped", "silent"])
def test_F19_a_supervisor_that_does_nothing_is_told_from_one_that_works_and_replaced(crew: Crew, trouble: str) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    crew.start("-m", "sh", "--id", "a", "x")
    pid = crew.supervisor_pid()
    os.kill(pid, signal.SIGSTOP)
    if trouble == "silent":  # as if it hung: not stopped, and no sign of life
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGSTOP)
        os.utime(crew.store.lock_path, (1, 1))
    wait_until(lambda: not crew.store.supervised())
    done = crew.run("run", "-m", "sh", "--id", "b", "y")
    assert "another one takes over" in done.stderr
    crew.until("b", "working")
    assert crew.supervisor_pid() != pid and crew.store.supervised()


def test_F19_a_task_that_cannot_be_read_is_named_and_can_be_removed(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    crew.start("-m", "sh", "--id", "odd", "x")
    crew.start("-m", "sh", "--id", "good", "x")
    crew.until("good", "working")
    (crew.own("odd") / "journal.jsonl").unlink()
    (crew.own("odd") / "journal.jsonl").mkdir()
    assert "1 task cannot be read: odd" in crew.run("status").stdout
    assert "odd cannot be read" in crew.run("doctor", ok=None).stdout
    crew.run("clean", "odd")
    assert "cannot be read" not in crew.run("status").stdout
    wait_until(lambda: not [p for p in Path("/proc").glob("[0-9]*/environ") if _carries(p, str(crew.dir("odd")))])


def _carries(environ: Path, mark: str) -> bool:
    try:
        return f"DISPATCH_TASK_DIR={mark}".encode() in environ.read_bytes().split(b"\0")
    except OSError:
        return False


def test_F23_a_run_that_was_killed_before_its_task_was_written_does_not_burn_the_id(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    crew.store.prepare()
    crew.store.claim("mine")  # as far as the killed one came
    assert "there is a task 'mine' already" in crew.run("run", "-m", "sh", "--id", "mine", "x", ok=False).stderr
    os.utime(crew.own("mine"), (time.time() - 60, time.time() - 60))  # a while later
    assert "1 task cannot be read: mine" in crew.run("status").stdout
    crew.start("-m", "sh", "--id", "mine", "x")
    crew.until("mine", "working")


def test_F23_a_task_whose_run_was_killed_before_it_asked_for_the_start_is_told_and_can_be_started(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    crew.start("-m", "sh", "--id", "good", "x")  # somebody supervises
    crew.run("pause")
    crew.start("-m", "sh", "--id", "cut", "x")
    lines = (crew.own("cut") / "journal.jsonl").read_text().splitlines()
    created = json.loads(lines[0])
    for rid, _ in crew.store.requests("cut"):
        crew.store.drop_request("cut", rid)
    (crew.own("cut") / "journal.jsonl").write_text(json.dumps({**created, "t": created["t"] - 58}) + "\n")
    crew.run("resume-queue")
    crew.run("note", "cut", "hello")  # it is looked at
    (news,) = crew.json("wait", "cut", "--timeout", "20")
    assert news["kind"] == "failed" and "dispatch retry cut" in news["text"]
    crew.run("retry", "cut")
    assert crew.until("cut", "working").attempt == 1


def test_F23_nothing_of_a_message_stays_behind_when_a_supervisor_is_killed_while_it_pastes(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    crew.start("-m", "sh", "--id", "a", "x")
    crew.until("a", "working")
    dead = subprocess.Popen(["true"])
    dead.wait()
    hex16, inbox = "0123456789abcdef", crew.own("a") / "inbox"
    left = [inbox / f"paste-{dead.pid}-x.tmp", inbox / "paste-from-before.tmp", inbox / "1-2.json.0f.tmp"]
    for path in left:
        path.write_text("the words of a message")
    os.utime(left[2], (time.time() - 60, time.time() - 60))  # what a killed `send` has left
    fresh = inbox / "1-3.json.0e.tmp"  # what a `send` is writing now
    fresh.write_text("{}")
    theirs = ["mine", f"dispatch-{os.getpid()}-{hex16}", "dispatch-notes"]
    for name in (f"dispatch-{dead.pid}-{hex16}", *theirs):
        crew.tmux("set-buffer", "-b", name, "the words of a message")
    crew.kill_supervisor()

    def buffers() -> list[str]:
        return sorted(crew.tmux("list-buffers", "-F", "#{buffer_name}").lines)

    wait_until(lambda: buffers() == sorted(theirs), lambda: f"{buffers()} {crew.tell('a')}")
    assert not [path for path in left if path.exists()] and fresh.exists()


def test_F26_run_says_that_a_start_failed_and_ends_with_1(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    subprocess.run(["git", "init", "-q"], cwd=crew.root, check=True)
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "--allow-empty", "-m", "1"],
                   cwd=crew.root, check=True)  # fmt: skip
    crew.store.prepare()
    (crew.root / ".dispatch" / "worktrees").write_text("in the way")
    done = crew.run("run", "-m", "sh", "--worktree", "--id", "a", "x", ok=False)
    assert "a could not be started: no worktree:" in done.stderr and "dispatch retry a" in done.stderr
    assert crew.task("a").state.value == "failed"


def test_F13_a_task_whose_id_is_used_again_is_told_again(crew: Crew) -> None:
    item = "ask: Deploy? (choices: Yes | No)"
    for _ in range(2):
        crew.start("-m", "demo", "--id", "nightly", "--item", item, "x")
        assert [n["kind"] for n in crew.json("wait", "--timeout", "30")] == ["question"]
        crew.run("answer", "nightly", "Yes")
        assert [n["kind"] for n in crew.json("wait", "--timeout", "30")] == ["done"]
        assert crew.run("wait", "--timeout", "0", ok=False).returncode == 5
        crew.run("stop", "nightly")
        crew.run("clean", "nightly")


def test_F15_a_task_that_was_stopped_before_it_began_can_be_started(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'sleep 600'"})
    crew.run("pause")
    crew.start("-m", "sh", "--id", "a", "x")
    crew.run("stop", "a")
    assert crew.task("a").state.value == "stopped"
    crew.run("resume-queue")
    crew.run("retry", "a")
    assert crew.until("a", "working").attempt == 1


BRIEF = """
cd "$DISPATCH_TASK_DIR"
sed 's/\\[ \\]/[x]/' plan.md >p && mv p plan.md
: >ipc/.done
"""


def test_F14_a_clean_while_the_supervisor_writes_leaves_a_task_or_nothing(crew: Crew) -> None:
    crew.configure({"brief": crew.script("w.sh", BRIEF)})
    for n in range(8):
        crew.start("-m", "brief", "--id", f"t{n}", "x")

    def all_are_cleaned() -> bool:
        crew.run("clean", "--all", ok=None)  # right into what is written of their ends
        for task in crew.json("status"):
            first = next(iter(crew.events(task["id"])), None)
            assert first is None or first.kind == "created", f"{task['id']} begins with {first}"
        return not crew.json("status")

    wait_until(all_are_cleaned, lambda: crew.run("status").stdout)
    for n in range(8):
        crew.start("-m", "brief", "--id", f"t{n}", "x")  # their ids are free, and nothing of the former is there
        assert crew.until(f"t{n}", "done").attempt == 1
    crew.run("clean", "--all")
    assert not os.listdir(os.path.dirname(crew.own("t0"))) and not os.listdir(crew.dir("t0").parent)
