"""The journal and the question files of a task, however they are written."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from properties import junk, texts, words

from dispatch_tmux.core.fold import fold
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store.journal import Journal, parse
from dispatch_tmux.store.store import Store
from dispatch_tmux.store.tree import Tree

kinds = st.sampled_from(["created", "state", "progress", "question", "answer", "note", "flag", "unknown"])
data = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(["working", "done"]),
        "q": st.sampled_from(["001", "002"]),
        "text": words,
        "marks": st.text(" x", max_size=3),
        "answer": words,
    },
)
lines = (
    st.tuples(st.floats(0, 1e6), kinds, st.sampled_from(["", "a", "b", "c"]), data).map(
        lambda e: json.dumps({"t": e[0], "kind": e[1], "key": e[2], **e[3]}).encode()
    )
    | st.binary(max_size=8)
    | junk.map(lambda value: json.dumps(value).encode())
)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as path:
        yield Path(path)


@given(st.lists(lines, max_size=8), st.lists(st.integers(0, 300), max_size=5))
def test_F2_a_journal_read_as_it_grows_is_the_one_read_at_once(written: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(line.replace(b"\n", b"") + b"\n" for line in written)
    with folder() as path:
        journal, file = Journal(Tree(str(path)), "t"), path / "journal.jsonl"
        file.touch()
        for cut in [*sorted(min(cut, len(whole)) for cut in cuts), len(whole)]:
            with open(file, "ab") as f:
                f.write(whole[file.stat().st_size : cut])
            journal.task()
        expected = [e for e in map(parse, whole.split(b"\n")) if e]
        assert repr(journal.events()) == repr(expected)
        assert repr(journal.task()) == repr(fold("t", expected))


@given(
    st.lists(lines, max_size=4),
    st.binary(max_size=30).map(lambda torn: torn.replace(b"\n", b"")),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=5),
)
def test_F1_what_is_appended_behind_a_torn_line_is_there_once(
    written: list[bytes], torn: bytes, keys: list[str]
) -> None:
    with folder() as path:
        before = b"".join(line.replace(b"\n", b"") + b"\n" for line in written)
        (path / "journal.jsonl").write_bytes(before + torn)
        known = {e.key for e in map(parse, (before + torn).split(b"\n")) if e}
        for key in keys:
            assert Journal(Tree(str(path)), "t").append("note", key, text="x") is (key not in known)
            known.add(key)
        assert [e.key for e in Journal(Tree(str(path)), "t").events() if e.key].count(keys[0]) >= 1
        appended = (path / "journal.jsonl").read_bytes()[len(before + torn) :]
        assert appended.count(b'"key"') == len({*keys} - {e.key for e in map(parse, (before + torn).split(b"\n")) if e})


@given(
    st.dictionaries(
        st.integers(0, 1200).map(lambda n: f"{n:03}") | st.sampled_from(["x", "1", "٠٠١", "-01", "001.tmp"]),
        texts,
        max_size=6,
    ),
    st.sets(st.integers(0, 3).map(lambda n: f"{n:03}")),
)
def test_F6_each_question_file_is_asked_once_and_in_order(files: dict[str, str], answered: set[str]) -> None:
    with folder() as path:
        store = Store(str(path), str(path / "home"))
        store.prepare()
        store.claim("t")
        ipc = Path(store.path("t", "ipc"))
        for name, text in files.items():
            (ipc / f"{name}.question").write_text(text, errors="surrogateescape" if text.isascii() else "replace")
        for q in answered:
            (ipc / f"{q}.answer").write_text("x")
        found = store.asked("t")
        wanted = sorted((name for name in files if name.isascii() and name.isdigit() and len(name) > 2), key=int)
        assert [one.q for one in found] == wanted
        assert all(one.answered == (one.q in answered) for one in found)


@given(texts, texts)
def test_an_answer_stands_as_it_was_given_and_the_second_one_is_refused(first: str, second: str) -> None:
    with folder() as path:
        store = Store(str(path), str(path / "home"))
        store.prepare()
        store.claim("t")
        try:
            assert store.write_answer("t", "001", first)
        except DispatchError:
            return
        assert not store.write_answer("t", "001", second)
        assert store.answer_of("t", "001") == first.encode("utf-8", "replace").decode()
