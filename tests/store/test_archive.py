"""What is kept of a task that goes: all of it or nothing, bounded, without what is secret; and it comes back as it was."""

from __future__ import annotations

import json
import os
import stat
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import made, over
from properties import settings, texts

from dispatch_tmux.core.task import Task
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import archive, archive_index, task_file
from dispatch_tmux.store.archive import Archived
from dispatch_tmux.store.store import Store

WORKERS = ("plan.md", "output.md", "context.md", "session", "ipc/001.question", "ipc/001.answer", "ipc/001.done", "ipc/.done",
           "ipc/002.flag", "ipc/001.question.former")  # fmt: skip


def kept(store: Store, task: Task) -> Archived:
    """TASK after `clean`, as the archive has it."""
    with archive.alone(store.records):
        assert archive.keep(store, [task]) == {}
    store.remove(task.id)
    (entry,) = archive.entries(store.records)
    return archive.load(store.records, entry.key)


def contents(store: Store, id: str) -> dict[str, tuple[bytes, int]]:
    """A task's files that a worker or a person reads, and their times."""
    paths = [Path(store.path(id, name)) for name in WORKERS] + [
        Path(store.own(id, name)) for name in ("usage.json", "task.yaml")
    ]
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths if path.exists()}


def test_it_comes_back_as_it_was(store: Store) -> None:
    task = made(
        store,
        "auth",
        ("question", {"q": "001", "via": "file", "text": "Which?", "made": 7}),
        *over("failed", code=1),
        title="Audit",
    )
    task_file.write(store, "auth", {"prompt": "audit", "model": "demo", "fallbacks": ["x"], "worktree": "b"})
    for n, name in enumerate(WORKERS):
        Path(store.path("auth", name)).write_bytes(f"{name}\n".encode() + b"\xff\x00\xc3")
        os.utime(store.path("auth", name), ns=(n, 10**18 + n))
    Path(store.own("auth", "usage.json")).write_text('{"tokens": 5}')
    before, journal = contents(store, "auth"), Path(store.own("auth", "journal.jsonl")).read_bytes()
    found = kept(store, task)
    assert store.ids() == [] and found.cut == {}
    assert archive.bring_back(store, found, "auth")
    assert contents(store, "auth") == before
    assert Path(store.own("auth", "journal.jsonl")).read_bytes().startswith(journal)
    back = store.task("auth")
    assert back == task._replace(
        restored=True, pane=""
    )  # its window, which may be another one's by now, is not its own
    assert not archive.bring_back(store, found, "auth")  # the id is taken
    assert archive.bring_back(store, found, "other") and store.task("other").title == "Audit"


@given(st.dictionaries(st.sampled_from(WORKERS), texts), texts)
@settings(max_examples=25)
def test_whatever_was_written_comes_back(written: dict[str, str], title: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as base:
        store = Store(f"{base}/project", f"{base}/home")
        os.mkdir(store.root)
        task = made(store, "t", *over("done"), title=title)
        for name, text in written.items():
            Path(store.path("t", name)).write_bytes(text.encode("utf-8", "surrogatepass"))
        before = contents(store, "t")
        assert archive.bring_back(store, kept(store, task), "t")
        assert contents(store, "t") == before
        assert store.task("t")._replace(restored=False) == task._replace(pane="")


def test_what_is_too_much_is_cut_and_that_is_said(store: Store) -> None:
    task = made(store, "t", *over("done"))
    Path(store.path("t", "output.md")).write_text("x" * (archive.OUTPUT + 100))
    for n in range(40):
        Path(store.path("t", "ipc", f"{n:03}.question")).write_text("q" * 200_000)
    found = kept(store, task)
    assert found.cut["output.md"] == 100 and len(found.files["output.md"]) == archive.OUTPUT
    assert sum(len(text) for name, text in found.files.items() if name.startswith("ipc/")) == archive.ASKED
    assert found.cut["ipc/039.question"] == 200_000


def test_a_very_long_journal_keeps_its_beginning_and_its_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "HALF", 4000)
    monkeypatch.setitem(archive.OURS, "journal.jsonl", 10_000)
    task = made(
        store, "t", *(("note", {"text": f"note {n} " + "x" * 100}) for n in range(200)), *over("failed", code=1)
    )
    found = kept(store, task)
    assert archive.bring_back(store, found, "t")
    back = store.task("t")
    assert (back.title, back.state, back.exit_code) == (task.title, task.state, 1)
    assert back.notes[0] == task.notes[0] and back.notes[-1] == task.notes[-1] and len(back.notes) < 150
    (cut,) = [event for event in store.events("t") if event.kind == "cut"]
    assert cut.data["bytes"] == found.cut["journal.jsonl"] > 10_000


def test_no_environment_no_request_no_password_and_nobody_else_may_read_it(store: Store) -> None:
    task = made(store, "t", *over("done"))
    task_file.write(store, "t", {"prompt": "x", "env": {"TOKEN": "s3cret"}})
    store.request("t", "choose", q="s1", text="s3cret")
    for name in ("launch-1-5.json", "screen.txt", "terminal.log"):
        Path(store.own("t", name)).write_text("s3cret")
    Path(store.path("t", "notes.txt")).write_text("s3cret")
    found = kept(store, task)
    assert "s3cret" not in json.dumps(found) and found.files["task.yaml"] == 'prompt: "x"\n'
    for path in Path(archive.folder(store.records)).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_task_file_that_a_person_has_edited_loses_no_prompt(store: Store) -> None:
    task = made(store, "t", *over("done"))
    Path(store.own("t", "task.yaml")).write_text("prompt: |\n  two\n  lines\nenv:\n  TOKEN: s3cret\n")
    assert kept(store, task).files["task.yaml"] == 'prompt: "two\\nlines\\n"\n'


def test_X9_links_and_pipes_are_not_followed(store: Store, tmp_path: Path) -> None:
    task = made(store, "t", *over("done"))
    (tmp_path / "secret").write_text("s3cret")
    Path(store.path("t", "output.md")).symlink_to(tmp_path / "secret")
    os.mkfifo(store.path("t", "ipc", "001.question"))
    Path(store.path("t", "ipc", "002.question")).mkdir()
    assert set(kept(store, task).files) == {"journal.jsonl", "task.yaml", "plan.md"}


@pytest.mark.parametrize("damage", [b"", b"not gzip", zlib.compress(b"{}"), b"half"])
def test_what_is_damaged_is_said_and_costs_only_itself(store: Store, damage: bytes) -> None:
    found = kept(store, made(store, "t", *over("done")))
    path = Path(archive.folder(store.records), f"{found.key}.json.gz")
    path.write_bytes(path.read_bytes()[:50] if damage == b"half" else damage)
    with pytest.raises(DispatchError, match="is damaged"):
        archive.load(store.records, found.key)
    assert [line.entry.id for line in archive_index.lines(store.records)] == []


def test_one_whose_journal_is_damaged_does_not_come_back_but_can_be_read(store: Store) -> None:
    made(store, "t", *over("done"))
    Path(store.own("t", "journal.jsonl")).write_bytes(b"\0" * 100)
    found = kept(store, store.task("t")._replace(created=0.0))
    assert "one" in found.files["plan.md"]
    with pytest.raises(DispatchError, match="was damaged"):
        archive.bring_back(store, found, "t")
    assert store.ids() == []


def test_it_is_bounded_by_age_and_by_size(store: Store) -> None:
    tasks = [made(store, f"t{n}", *over("done")) for n in range(4)]
    with archive.alone(store.records):
        archive.keep(store, tasks)
    for n, entry in enumerate(sorted(archive.entries(store.records))):
        path = Path(archive.folder(store.records), f"{entry.key}.json.gz")
        then = time.time() - n * 86400
        os.utime(path, (then, then))
    assert archive.bounded(store.records, 0, 0) == 0
    assert archive.bounded(store.records, 2.5, 0) == 1
    size = max(entry.size for entry in archive.entries(store.records))
    assert archive.bounded(store.records, 0, 2.1 * size / 1e6) == 1
    assert sorted(entry.id for entry in archive.entries(store.records)) == ["t0", "t1"]


def test_what_cannot_be_written_is_said_and_the_others_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [made(store, id, *over("done")) for id in ("a", "b")]
    real = archive.gathered

    def no_room(store: Store, task: Task) -> Archived:
        if task.id == "a":
            raise OSError(28, "No space left on device")
        return real(store, task)

    monkeypatch.setattr(archive, "gathered", no_room)
    with archive.alone(store.records):
        assert archive.keep(store, tasks) == {"a": "it cannot be archived: No space left on device"}
    assert [entry.id for entry in archive.entries(store.records)] == ["b"]


def test_the_index_is_only_a_cache(store: Store) -> None:
    tasks = [made(store, f"t{n}", ("note", {"text": f"word{n}"}), *over("done")) for n in range(3)]
    with archive.alone(store.records):
        archive.keep(store, tasks)
    index = Path(archive.folder(store.records), archive_index.NAME)

    def found(*words: str) -> list[str]:
        return sorted(line.entry.id for line in archive_index.lines(store.records, words))

    assert found() == ["t0", "t1", "t2"] and found("word1") == ["t1"] and index.stat().st_mode & 0o777 == 0o600
    archive.remove(store.records, next(e.key for e in archive.entries(store.records) if e.id == "t1"))
    assert found() == ["t0", "t2"]
    index.write_text(index.read_text()[:-20] + "\n[]\nnonsense\n")
    assert found("word2") == ["t2"]
    index.unlink()
    assert found("word") == ["t0", "t2"] and index.exists()
