"""A task's journal: appended by several, read as it grows, and whole again after any kind of damage."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import resource
from pathlib import Path
from typing import Any

import pytest
from threads import at_once

from dispatch_tmux.core.fold import fold
from dispatch_tmux.core.task import State
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import files
from dispatch_tmux.store import journal as journals
from dispatch_tmux.store.journal import Journal, parse
from dispatch_tmux.store.tree import Tree


def line(kind: str, key: str = "", t: float = 1.0, **data: Any) -> bytes:
    return json.dumps({"t": t, "kind": kind, **({"key": key} if key else {}), **data}).encode()


CREATED = line("created", "created", title="t", marks="  ")


def journal(folder: Path) -> Journal:
    """As another process has it: nothing read so far."""
    return Journal(Tree(str(folder)), "auth")


@pytest.fixture
def begun(tmp_path: Path) -> Journal:
    found = journal(tmp_path)
    assert found.append("created", "created", title="t", marks="  ")
    return found


def state(to: str, n: int) -> bytes:
    return line("state", f"state:{n}", state=to)


# --- appending


def test_what_is_appended_is_read_by_others_in_order(begun: Journal, tmp_path: Path) -> None:
    begun.append("note", text="é\u2028\n\x1b[2J")
    begun.append("state", "state:1", state="working", why="x" * 5000)
    other = journal(tmp_path)
    assert [(e.kind, e.key) for e in other.events()] == [("created", "created"), ("note", ""), ("state", "state:1")]
    assert other.task() == begun.task()
    assert other.task().notes == ("é\u2028\n\x1b[2J",)
    assert other.task().state is State.WORKING
    assert len((tmp_path / "journal.jsonl").read_bytes().splitlines()) == 3
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_key_is_written_once_also_by_one_that_has_read_nothing(begun: Journal, tmp_path: Path) -> None:
    assert begun.append("state", "state:1", state="working")
    size = (tmp_path / "journal.jsonl").stat().st_size
    assert not begun.append("state", "state:1", state="failed")
    assert not journal(tmp_path).append("state", "state:1", state="failed")
    assert (tmp_path / "journal.jsonl").stat().st_size == size
    assert begun.task().state is State.WORKING


def test_without_a_key_the_same_may_be_said_twice(begun: Journal) -> None:
    assert begun.append("note", text="a") and begun.append("note", text="a")
    assert begun.task().notes == ("a", "a")


def test_of_many_that_derive_the_same_event_one_writes_it(tmp_path: Path) -> None:
    journal(tmp_path).append("created", "created", title="t", marks="")

    def derive(mine: Journal) -> list[bool]:
        return [mine.append("progress", f"progress:{n}", marks="x" * n) for n in range(1, 11)]

    shared = journal(tmp_path)
    wrote = at_once(derive, [shared] * 3 + [journal(tmp_path) for _ in range(3)])
    assert [sum(column) for column in zip(*wrote, strict=True)] == [1] * 10
    assert journal(tmp_path).task().progress == shared.task().progress == 10


def test_a_journal_begins_with_created_only(tmp_path: Path) -> None:
    """So that a late event does not bring a task back that was removed."""
    with pytest.raises(DispatchError, match=r"cannot write .*journal\.jsonl: No such file"):
        journal(tmp_path).append("state", "state:1", state="done")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_file_takes_no_event_and_counts_as_none(tmp_path: Path, kind: str) -> None:
    there, elsewhere = tmp_path / "journal.jsonl", tmp_path / "elsewhere"
    elsewhere.write_bytes(CREATED + b"\n")
    {"link": lambda: there.symlink_to(elsewhere), "fifo": lambda: os.mkfifo(there), "folder": there.mkdir}[kind]()
    found = journal(tmp_path)
    for event in ("created", "state"):
        with pytest.raises(DispatchError, match="cannot write"):
            found.append(event, "k", state="done")
    assert not found.task().created and found.events() == [] and found.damage() == 0
    assert elsewhere.read_bytes() == CREATED + b"\n"


def test_a_full_disk_costs_the_event_and_no_later_one(begun: Journal, tmp_path: Path) -> None:
    path, before = tmp_path / "journal.jsonl", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, before[1]))
    try:
        with pytest.raises(DispatchError, match="cannot write"):
            begun.append("note", "n", text="x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes()[-1:] != b"\n"  # half a line stands there
    assert begun.append("note", "n", text="again")
    for found in (begun, journal(tmp_path)):
        assert found.task().notes == ("again",)
        assert found.damage() == 1


def test_a_held_lock_is_waited_for_once_and_then_named_at_once(
    begun: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "locked", functools.partial(files.locked, seconds=0.05))
    with open(tmp_path / "journal.jsonl") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(DispatchError, match=f"locked by process {os.getpid()}"):
            begun.append("note", text="a")
        with pytest.raises(DispatchError, match="locked by another process"):
            begun.append("note", text="b")
        assert begun.task().title == "t"  # reading asks for no lock
    with pytest.raises(DispatchError, match="locked by another process"):  # a supervisor does not stumble at every look
        begun.append("note", text="c")
    monkeypatch.setattr(journals.time, "monotonic", lambda: 1e12)
    assert begun.append("note", text="d")
    assert begun.task().notes == ("d",)


# --- growing


def test_what_others_add_is_seen_at_the_next_look(begun: Journal, tmp_path: Path) -> None:
    assert begun.task().state is State.QUEUED
    journal(tmp_path).append("state", "state:1", state="working")
    assert begun.task().state is State.WORKING
    assert begun.task() is begun.task()  # unchanged: nothing is folded anew


def test_a_line_that_is_still_being_written_counts_once_it_is_whole(begun: Journal, tmp_path: Path) -> None:
    whole = state("working", 1)
    with open(tmp_path / "journal.jsonl", "ab", buffering=0) as f:
        for n in range(0, len(whole), 7):
            assert begun.task().state is State.QUEUED
            assert begun.damage() == 0
            f.write(whole[n : n + 7])
        assert begun.task().state is State.WORKING  # whole, although no line end stands behind it
        f.write(b"\n" + state("idle", 2))
        assert begun.task().state is State.IDLE
    assert begun.task().states == journal(tmp_path).task().states == 2
    assert begun.damage() == 0


def test_an_event_after_half_a_line_is_kept_and_the_half_line_is_counted(begun: Journal, tmp_path: Path) -> None:
    with open(tmp_path / "journal.jsonl", "ab") as f:
        f.write(state("working", 1)[:20])
    assert begun.append("state", "state:2", state="idle")
    for found in (begun, journal(tmp_path)):
        assert found.task().state is State.IDLE and found.damage() == 1


def test_another_file_in_its_place_is_read_anew(begun: Journal, tmp_path: Path) -> None:
    """As after `clean` and a new task of the same id."""
    begun.append("state", "state:1", state="working")
    assert begun.task().title == "t"
    fresh = tmp_path / "fresh"
    fresh.write_bytes(line("created", "created", title="another", marks="") + b"\n" + b" " * 5000)
    fresh.replace(tmp_path / "journal.jsonl")
    assert begun.task().title == "another"
    assert begun.task().state is State.QUEUED
    assert begun.append("state", "state:1", state="done")  # its keys are not the former one's


def test_a_file_that_was_cut_is_read_anew(begun: Journal, tmp_path: Path) -> None:
    size = (tmp_path / "journal.jsonl").stat().st_size
    begun.append("state", "state:1", state="working")
    assert begun.task().state is State.WORKING
    os.truncate(tmp_path / "journal.jsonl", size)
    assert begun.task().state is State.QUEUED


def test_a_journal_that_goes_leaves_an_empty_task(begun: Journal, tmp_path: Path) -> None:
    assert begun.task().created
    (tmp_path / "journal.jsonl").unlink()
    assert not begun.task().created and begun.task().id == "auth" and begun.damage() == 0


# --- damage

GARBAGE = [
    b"{", b"[]", b"[1]", b'"t"', b"null", b"7", b"{}", b'{"t": 1}', b'{"kind": "state"}', b'{"t": null, "kind": "state"}',
    b'{"t": "soon", "kind": "state"}', b'{"t": NaN, "kind": "state"}', b'{"t": Infinity, "kind": "state"}',
    b'{"t": -1, "kind": "state"}', b'{"t": 1e300, "kind": "state"}', b'{"t": 1%s, "kind": "s"}' % (b"0" * 400),
    b"\xff\xfe\0", b"\0" * 64, b"[" * 100_000, b'{"a":' * 50_000, b"x" * 5_000_000, b"%s" % (b"1" * 10_000),
]  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda g: repr(g[:24]))
def test_a_line_that_is_no_event_costs_itself_only(tmp_path: Path, garbage: bytes) -> None:
    assert parse(garbage) is None
    lines = [CREATED, garbage, state("working", 1), garbage, state("idle", 2)]
    (tmp_path / "journal.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    found = journal(tmp_path)
    assert found.damage() == 2
    assert found.task() == fold("auth", found.events())
    assert found.task().state is State.IDLE and found.task().states == 2
    assert found.append("state", "state:3", state="done") and found.task().state is State.DONE


def test_blank_lines_are_no_damage(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b"\n" + CREATED + b"\n\n  \n\r\n" + state("idle", 1) + b"\r\n")
    found = journal(tmp_path)
    assert found.damage() == 0 and found.task().state is State.IDLE


def test_an_event_with_odd_data_is_kept_for_those_who_list_events(tmp_path: Path) -> None:
    odd = line("starting", "starting:1", attempt={"a": [None]})
    (tmp_path / "journal.jsonl").write_bytes(CREATED + b"\n" + odd + b"\n")
    found = journal(tmp_path)
    assert [e.kind for e in found.events()] == ["created", "starting"]
    assert found.task().attempt == 0 and found.task().title == "t"


@pytest.mark.parametrize("megabytes", [5, 17, 40])
def test_megabytes_without_a_line_end_hide_nothing_behind_them(tmp_path: Path, megabytes: int) -> None:
    with open(tmp_path / "journal.jsonl", "wb") as f:
        f.write(CREATED + b"\n" + state("working", 1) + b"\n")
        f.truncate(megabytes << 20)  # zeros, as a power cut leaves
        f.seek(0, os.SEEK_END)
        f.write(b"\n" + state("idle", 2) + b"\n")
    found = journal(tmp_path)
    assert found.task().state is State.IDLE
    assert found.damage() >= 1
    assert found.append("state", "state:2", state="failed") is False
    assert found.append("state", "state:3", state="done") and found.task().state is State.DONE
