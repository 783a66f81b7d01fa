"""What each reader of `wait` has been told."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from threads import at_once

from dispatch_tmux.store.consumers import Consumer


def reader(records: Path, name: str = "me") -> Consumer:
    return Consumer(str(records), name)


def tell(consumer: Consumer, id: str, *keys: str) -> None:
    with consumer.changing():
        told = consumer.told()
        consumer.write({**told, id: [*told.get(id, ()), *keys]})


def test_what_one_was_told_is_kept_for_that_one(tmp_path: Path) -> None:
    assert reader(tmp_path).is_new() and reader(tmp_path).told() == {}
    tell(reader(tmp_path), "auth", "question:001")
    tell(reader(tmp_path), "auth", "done:3")
    tell(reader(tmp_path, "other"), "docs", "é")
    assert reader(tmp_path).told() == {"auth": ["question:001", "done:3"]}
    assert not reader(tmp_path).is_new() and reader(tmp_path, "third").is_new()
    assert stat.S_IMODE((tmp_path / "consumers" / "me.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "consumers").stat().st_mode) == 0o700


def test_others_are_found_by_how_their_names_begin(tmp_path: Path) -> None:
    assert reader(tmp_path).others("session-") == []
    for name in ("session-b", "session-a", "sessions", "me"):
        tell(reader(tmp_path, name), name, "k")
    (tmp_path / "consumers" / "session-c.json.1234.tmp").write_text("{}")
    assert reader(tmp_path).others("session-") == [{"session-a": ["k"]}, {"session-b": ["k"]}]


def test_what_many_are_told_at_once_is_kept_whole(tmp_path: Path) -> None:
    def many(n: int) -> None:
        mine = reader(tmp_path)
        for m in range(10):
            tell(mine, "auth", f"{n}.{m}")

    at_once(many, range(4))
    assert sorted(reader(tmp_path).told()["auth"]) == sorted(f"{n}.{m}" for n in range(4) for m in range(10))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "null", "[" * 100_000, "\0", '{"auth": 5, "docs": "x", "web": {"a": 1}, "ok": [1, null]}'],
)
def test_damage_counts_as_never_told(tmp_path: Path, text: str) -> None:
    """Told twice is better than never."""
    tell(reader(tmp_path), "auth", "k")
    (tmp_path / "consumers" / "me.json").write_text(text)
    assert reader(tmp_path).told() in ({}, {"ok": ["1", "None"]})
    tell(reader(tmp_path), "auth", "again")
    assert reader(tmp_path).told()["auth"] == ["again"]


@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
def test_F19_what_is_no_file_in_its_place_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    (tmp_path / "consumers").mkdir()
    place = tmp_path / "consumers" / "me.json"
    {"fifo": lambda: os.mkfifo(place), "link": lambda: place.symlink_to("/dev/zero"), "folder": place.mkdir}[kind]()
    assert reader(tmp_path).is_new() and reader(tmp_path).told() == {} and reader(tmp_path).others("m") == [{}]
