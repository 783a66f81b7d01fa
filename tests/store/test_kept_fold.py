"""The kept fold of a long journal: what comes of it is what the whole journal says, or it is not believed."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import junk
from test_store_properties import folder, lines

from dispatch_tmux.core.fold import fold
from dispatch_tmux.core.task import State
from dispatch_tmux.store import journal as journals
from dispatch_tmux.store import kept_fold
from dispatch_tmux.store.journal import Journal, parse
from dispatch_tmux.store.tree import Tree


def journal(path: Path) -> Journal:
    """As another process has it: nothing read so far."""
    return Journal(Tree(str(path)), "t")


def line(kind: str, key: str = "", **data: Any) -> bytes:
    return json.dumps({"t": 5.0, "kind": kind, "key": key, **data}).encode() + b"\n"


def whole(path: Path) -> str:
    """The task by the journal alone."""
    return repr(fold("t", (e for e in map(parse, (path / "journal.jsonl").read_bytes().split(b"\n")) if e)))


@pytest.fixture(autouse=True)
def every_journal_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_fold, "WORTH", 1)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lines that are read as events from now on."""
    found: list[bytes] = []

    def noted(text: bytes) -> Any:
        if text:
            found.append(text)
        return parse(text)

    monkeypatch.setattr(journals, "parse", noted)
    return found


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A directory with a journal that has something of each kind, whose fold is kept."""
    file = tmp_path / "journal.jsonl"
    file.write_bytes(
        line("created", "created", title="é\ud800", marks=" x", after=[["other", "done"]], timeout=float("nan"))
        + line("starting", "starting:1", attempt=1)
        + line("started", "started:1", attempt=1, pane=["%", {"1": [2]}], window=None, server=True)
        + b"half a li\n"
        + line("question", "question:001", q="001", text="which?", choices=[["1", "Yes"], ["2", "", True]], more=True)
        + line("question", "question:s1", q="s1", via="screen", type="menu", mark="m", numbers=True)
        + line("answer", "answer:001", q="001", answer="1", rid="r")
        + line("delivered", "delivered:r1", rid="r1", how="it stands there")
        + line("held", "held:r2", rid="r2")
        + line("note", text="a\u2028") + line("flag", "flag:1", text="look") + line("waived", "waived:x", task="other")
        + line("state", "state:1", state="working", why="because", instead=["n", "o"], resets=7.5)
    )  # fmt: skip
    journal(tmp_path).task()
    assert (tmp_path / kept_fold.NAME).stat().st_mode & 0o777 == 0o600
    return tmp_path


@given(st.lists(lines, max_size=10), st.lists(st.integers(0, 400), max_size=5), junk)
def test_from_any_kept_offset_a_journal_comes_to_the_same(written: list[bytes], cuts: list[int], odd: Any) -> None:
    text = b"".join(each.replace(b"\n", b"") + b"\n" for each in [*written, line("exited", code=odd).strip()])
    with folder() as path:
        file = path / "journal.jsonl"
        file.touch()
        for cut in [*sorted(min(cut, len(text)) for cut in cuts), len(text)]:
            with open(file, "ab") as f:
                f.write(text[file.stat().st_size : cut])
            found = journal(path)  # each time another process, which goes on from what the last one has kept
            found.task()
        assert repr(found.task()) == whole(path)
        again = journal(path)
        (path / kept_fold.NAME).unlink()
        fresh = journal(path)
        assert (repr(again.task()), again.damage()) == (repr(fresh.task()), fresh.damage())


def test_of_a_kept_one_only_what_was_added_is_read(kept: Path, parsed: list[bytes]) -> None:
    found = journal(kept)
    assert repr(found.task()) == whole(kept) and found.damage() == 1
    assert parsed == []
    with open(kept / "journal.jsonl", "ab") as f:
        f.write(line("closed", q="001") + line("state", "state:2", state="idle"))
    for each in (found, journal(kept)):
        assert each.task().state is State.IDLE and each.task().questions[0].closed == "answered"
        assert repr(each.task()) == whole(kept)
    assert len(parsed) <= 4


def test_what_was_written_once_is_not_written_again_after_a_kept_one(kept: Path, parsed: list[bytes]) -> None:
    size = (kept / "journal.jsonl").stat().st_size
    assert not journal(kept).append("state", "state:1", state="failed")
    assert parsed == [] and (kept / "journal.jsonl").stat().st_size == size
    assert journal(kept).append("state", "state:2", state="done")
    assert journal(kept).task().state is State.DONE


def _replaced(file: Path) -> None:
    fresh = file.with_name("fresh")
    fresh.write_bytes(line("created", "created", title="another", marks="") + b" " * 5000 + b"\n")
    fresh.replace(file)


def _edited(file: Path) -> None:
    """In place, at its beginning, as long as before, and with the time it had."""
    facts = file.stat()
    with open(file, "r+b") as f:
        text = f.read().replace(b'"working"', b'"waiting"').replace(b"which?", b"WHICH?")
        f.seek(0)
        f.write(text)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert file.stat().st_ino == facts.st_ino and file.stat().st_size == facts.st_size


def _rewritten_longer(file: Path) -> None:
    text = file.read_bytes().replace(b"because", b"because of that")
    with open(file, "r+b") as f:
        f.write(text)


def _a_line_less(file: Path) -> None:
    text = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(text[:6] + text[7:]) + line("note", text="x" * 500))


CHANGES: list[Callable[[Path], object]] = [
    _replaced, _edited, _rewritten_longer, _a_line_less,
    lambda file: os.truncate(file, file.stat().st_size - 1),
    lambda file: os.truncate(file, file.stat().st_size // 2),
    lambda file: file.write_bytes(line("created", "created", title="new", marks="")),
    lambda file: file.write_bytes(b"\0" * (file.stat().st_size + 100) + b"\n" + line("state", state="done")),
]  # fmt: skip


@pytest.mark.parametrize("n", range(len(CHANGES)))
def test_a_journal_that_is_not_the_one_it_was_made_of_is_read_anew(kept: Path, n: int) -> None:
    before = whole(kept)
    CHANGES[n](kept / "journal.jsonl")
    for _ in range(2):  # the second one finds what the first has kept
        assert repr(journal(kept).task()) == whole(kept)
    if CHANGES[n] is not CHANGES[4]:
        assert whole(kept) != before


def test_one_that_lies_beside_another_tasks_journal_is_not_believed(kept: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "journal.jsonl").write_bytes(
        line("created", "created", title="o", marks="") + line("note", text="x" * 2000)
    )
    (other / kept_fold.NAME).write_bytes((kept / kept_fold.NAME).read_bytes())
    assert journal(other).task().title == "o" and repr(journal(other).task()) == whole(other)


def signed(body: bytes) -> bytes:
    return b"%d\n%s" % (zlib.crc32(body), body)


@pytest.mark.parametrize(
    "text",
    [b"", b"\n", b"7", b"x\n[]", b"\xff\n\xff", b"0\n", signed(b""), signed(b"{"), signed(b"[]"), signed(b"null"),
     signed(b"[1,2,3,4,5]"), signed(b"[" * 100_000), signed(b'{"a":1}'), b"9" * 10_000 + b"\n[]"],
)  # fmt: skip
def test_a_damaged_one_is_none_and_is_made_again(kept: Path, text: bytes, parsed: list[bytes]) -> None:
    (kept / kept_fold.NAME).write_bytes(text)
    assert repr(journal(kept).task()) == whole(kept)
    parsed.clear()
    assert repr(journal(kept).task()) == whole(kept) and parsed == []


def test_any_byte_of_it_that_is_another_makes_it_none(kept: Path) -> None:
    path = kept / kept_fold.NAME
    text = path.read_bytes()
    for n in range(0, len(text), 17):
        path.write_bytes(text[:n] + bytes([text[n] ^ 1]) + text[n + 1 :])
        assert repr(journal(kept).task()) == whole(kept), n


def test_one_that_other_steps_have_made_is_none(
    kept: Path, parsed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_fold, "_made_by", lambda: 12345)
    assert repr(journal(kept).task()) == whole(kept)
    assert parsed
    parsed.clear()
    assert repr(journal(kept).task()) == whole(kept) and parsed == []


@pytest.mark.parametrize("kind", ["folder", "fifo", "link"])
def test_what_is_in_its_way_costs_time_only(kept: Path, kind: str) -> None:
    path = kept / kept_fold.NAME
    path.unlink()
    {"folder": path.mkdir, "fifo": lambda: os.mkfifo(path), "link": lambda: path.symlink_to(kept / "away")}[kind]()
    for _ in range(2):
        assert repr(journal(kept).task()) == whole(kept)
    assert not (kept / "away").exists()


def test_what_somebody_else_would_read_otherwise_is_not_kept(tmp_path: Path) -> None:
    """An event that stood there without its line end counts for who has seen it; its line may still become another one."""
    file = tmp_path / "journal.jsonl"
    file.write_bytes(line("created", "created", title="t", marks="").strip())
    found = journal(tmp_path)
    assert found.task().title == "t"
    with open(file, "ab") as f:
        f.write(b"garbage\n" + line("state", "state:1", state="idle"))
    assert found.task().state is State.IDLE
    assert not (tmp_path / kept_fold.NAME).exists()
    assert repr(journal(tmp_path).task()) == whole(tmp_path)


def test_a_journal_is_kept_seldom_enough_and_a_short_one_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not kept_fold.is_due(kept_fold.WORTH - 1, 0) and kept_fold.is_due(kept_fold.WORTH, 0)
    assert not kept_fold.is_due(100 << 20, (100 << 20) - kept_fold.WORTH)
    assert kept_fold.is_due(100 << 20, 98 << 20)


def test_a_supervisor_that_goes_on_writing_leaves_a_fold_near_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_fold, "WORTH", 2000)
    mine = journal(tmp_path)
    mine.append("created", "created", title="t", marks="")
    for n in range(100):
        mine.append("note", f"n:{n}", text="x" * 100)
    with open(tmp_path / "journal.jsonl", "rb") as f:
        found = kept_fold.load(Tree(str(tmp_path)), "t", f.fileno())
    assert found and found.read > (tmp_path / "journal.jsonl").stat().st_size - 2500
    assert len(found.fold.keys) > 75
