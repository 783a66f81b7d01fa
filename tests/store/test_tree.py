"""What a worker, an archive or a crash may have left in a directory: read bounded, never through a link, never waited for."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from threads import at_once

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import tree as trees
from dispatch_tmux.store.tree import Tree

AS_ROOT = os.geteuid() == 0  # modes stop nobody then


def _secret(base: Path) -> Path:
    """A file outside of every tree that nothing may reach."""
    outside = base / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    return outside


def _link(place: Path, outside: Path) -> None:
    place.symlink_to(outside / "secret")


def _loop(place: Path, outside: Path) -> None:
    place.symlink_to(place)


def _fifo(place: Path, outside: Path) -> None:
    os.mkfifo(place)


def _socket(place: Path, outside: Path) -> None:
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(place))


def _folder(place: Path, outside: Path) -> None:
    place.mkdir()


def _terminal(place: Path, outside: Path) -> None:
    place.symlink_to("/dev/tty")


def _nothing(place: Path, outside: Path) -> None:
    pass


ODD: list[Callable[[Path, Path], None]] = [_link, _loop, _fifo, _socket, _folder, _terminal, _nothing]
LINKS = (_link, _loop, _terminal)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return _secret(tmp_path)


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


# --- reading


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_regular_file_counts_as_missing(
    inside: Path, outside: Path, odd: Callable[[Path, Path], None]
) -> None:
    odd(inside / "f", outside)
    tree, began = Tree(str(inside)), time.monotonic()

    assert tree.read("f") is None
    assert tree.read_bytes("f") is None
    assert tree.stat("f") is None
    assert not tree.has("f")
    assert tree.names("f") == []
    assert not tree.append("f", text="more")
    with pytest.raises(OSError), tree.opened("f", flags=os.O_RDONLY):
        pass
    assert time.monotonic() - began < 5.0
    assert (outside / "secret").read_text() == "secret"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_no_step_of_a_path_is_a_link(inside: Path, outside: Path, depth: int) -> None:
    """As a worker does that turns its `ipc`, its task's directory or `.dispatch` itself into a link."""
    names = [*"abc"[: depth - 1], "via"]
    (inside / "/".join(names[:-1])).mkdir(parents=True, exist_ok=True)
    (inside / "/".join(names)).symlink_to(outside)
    for tree, path in ((Tree(str(inside)), names), (Tree(str(inside), *names), [])):
        assert tree.read(*path, "secret") is None
        assert tree.names(*path) == []
        assert tree.stat(*path, "secret") is None
        assert not tree.remove(*path, "secret")
        assert not tree.append(*path, "secret", text="!")
        assert not tree.make_all(*path, "new")
        with pytest.raises(DispatchError, match="cannot write"):
            tree.replace(*path, "new", text="!")
        with pytest.raises(OSError):
            tree.link("/etc", *path, "new")
        tree.remove_folder(*path, "secret")
    assert sorted(os.listdir(outside)) == ["secret"]
    assert (outside / "secret").read_text() == "secret"


def test_the_base_itself_may_be_reached_by_a_link(inside: Path, tmp_path: Path) -> None:
    """It is where trust begins: a person's HOME or project may well be one."""
    (inside / "f").write_text("x")
    (tmp_path / "way").symlink_to(inside)
    assert Tree(str(tmp_path / "way")).read("f") == "x"


def test_a_file_is_read_as_far_as_is_asked(inside: Path) -> None:
    (inside / "f").write_bytes(b"0123456789" * 300_000)
    tree = Tree(str(inside))
    assert tree.read("f", most=4) == "0123"
    assert len(tree.read("f") or "") == 1 << 20
    assert len(tree.read_bytes("f", most=1 << 22) or b"") == 3_000_000
    assert tree.read("f", most=0) == ""


def test_bytes_that_are_no_utf8_are_replaced_and_a_character_that_is_cut_too(inside: Path) -> None:
    (inside / "f").write_bytes(b"a\xff\xfe\0z" + "é".encode())
    tree = Tree(str(inside))
    assert tree.read("f") == "a\ufffd\ufffd\0zé"
    assert tree.read("f", most=6) == "a\ufffd\ufffd\0z\ufffd"
    assert tree.read_bytes("f") == b"a\xff\xfe\0z\xc3\xa9"


def test_a_name_that_is_too_long_is_no_file(inside: Path) -> None:
    tree = Tree(str(inside))
    assert tree.read("x" * 300) is None
    assert tree.names("x" * 300) == []


@pytest.mark.skipif(AS_ROOT, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_none(inside: Path) -> None:
    (inside / "f").write_text("x")
    (inside / "f").chmod(0)
    assert Tree(str(inside)).read("f") is None


@pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="a lease is Linux's")
def test_F19_a_file_that_somebody_has_leased_counts_as_missing_and_nobody_waits(inside: Path) -> None:
    (inside / "plan.md").write_text("- [ ] x")
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # how the kernel asks for it back, for 45 s
    try:
        with open(inside / "plan.md") as held:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            began = time.monotonic()
            assert Tree(str(inside)).read("plan.md") is None
            assert not Tree(str(inside)).append("plan.md", text="more")
            assert time.monotonic() - began < 5
    finally:
        signal.signal(signal.SIGIO, before)
    assert Tree(str(inside)).read("plan.md") == "- [ ] x"


def test_a_base_that_is_gone_is_empty_and_does_not_take_writes(tmp_path: Path) -> None:
    tree = Tree(str(tmp_path / "gone"))
    assert tree.read("f") is None and tree.names() == [] and not tree.has("f") and not tree.remove("f")
    assert not tree.make_all("a", "b")
    with pytest.raises(DispatchError, match="gone/f"):
        tree.replace("f", text="x")


def test_names_are_bounded(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST_NAMES", 5)
    for n in range(9):
        (inside / str(n)).touch()
    assert len(Tree(str(inside)).names()) == 5


def test_times_are_those_of_what_lies_there_and_not_of_what_a_link_leads_to(inside: Path, outside: Path) -> None:
    (inside / "a").touch()
    os.utime(inside / "a", ns=(5, 7_000_000_001))
    (inside / "link").symlink_to(outside)
    os.utime(inside / "link", ns=(5, 9), follow_symlinks=False)
    assert Tree(str(inside)).times() == {"a": 7_000_000_001, "link": 9}
    assert Tree(str(inside)).times("a") == Tree(str(inside)).times("link") == {}


def test_a_file_is_renamed_in_its_directory_and_nothing_beyond_a_link(inside: Path, outside: Path) -> None:
    (inside / "a").write_text("a")
    (inside / "b").write_text("b")
    assert Tree(str(inside)).rename("a", to="b") and (inside / "b").read_text() == "a"
    assert not Tree(str(inside)).rename("a", to="c")
    (outside / "x").touch()
    (inside / "link").symlink_to(outside)
    assert not Tree(str(inside)).rename("link", "x", to="y") and (outside / "x").exists()


def test_no_descriptor_is_left_open_whatever_lies_there(inside: Path, outside: Path) -> None:
    for n, odd in enumerate(ODD):
        odd(inside / str(n), outside)
    tree = Tree(str(inside))

    def all_of_it() -> int:
        for n in range(len(ODD)):
            tree.read(str(n))
            tree.read(str(n), "deeper")
            tree.names(str(n))
            tree.append(str(n), text="x")
            tree.write_pipe(str(n), data=b"x")
        tree.replace("new", text="x")
        tree.make_all("a", "b")
        tree.remove_folder("a")
        return len(os.listdir("/proc/self/fd"))

    assert all_of_it() == all_of_it()


# --- where trust begins


def test_a_workers_directory_is_reached_from_its_project_on(tmp_path: Path, outside: Path) -> None:
    task = tmp_path / "project" / ".dispatch" / "tasks" / "auth"
    task.mkdir(parents=True)
    (task / "f").write_text("x")
    tree = Tree.of(str(task))
    assert tree.path == str(task) and tree.at("ipc", "q") == str(task / "ipc" / "q")
    assert tree.read("f") == "x"


@pytest.mark.parametrize("place", [".dispatch/tasks/auth", ".dispatch/tasks", ".dispatch"])
def test_from_its_project_on_no_step_to_a_workers_directory_is_a_link(
    tmp_path: Path, outside: Path, place: str
) -> None:
    task = tmp_path / "project" / ".dispatch" / "tasks" / "auth"
    link = tmp_path / "project" / place
    link.parent.mkdir(parents=True)
    there = outside / task.relative_to(link)
    there.mkdir(parents=True, exist_ok=True)
    (there / "secret").write_text("secret")
    link.symlink_to(outside)
    assert (task / "secret").read_text() == "secret"
    assert Tree.of(str(task)).read("secret") is None


def test_a_directory_elsewhere_is_its_own_base(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    assert Tree.of(str(tmp_path)).read("f") == "x"


# --- writing


def test_a_file_is_replaced_whole_and_private(inside: Path) -> None:
    tree = Tree(str(inside))
    old = os.umask(0)
    try:
        assert tree.replace("f", text="first")
        assert tree.replace("f", text="second\r\n\udcff")
    finally:
        os.umask(old)
    assert (inside / "f").read_bytes() == b"second\r\n?"
    assert stat.S_IMODE((inside / "f").stat().st_mode) == 0o600
    assert os.listdir(inside) == ["f"]


@pytest.mark.parametrize("odd", [*LINKS, _fifo, _socket])
def test_what_is_in_the_way_of_a_new_file_is_replaced_itself(
    inside: Path, outside: Path, odd: Callable[[Path, Path], None]
) -> None:
    odd(inside / "f", outside)
    assert Tree(str(inside)).replace("f", text="ours")
    assert (inside / "f").read_text() == "ours" and not (inside / "f").is_symlink()
    assert (outside / "secret").read_text() == "secret"


@pytest.mark.parametrize("odd", [*LINKS, _fifo, _folder])
def test_with_exclusive_whatever_is_there_stays(inside: Path, outside: Path, odd: Callable[[Path, Path], None]) -> None:
    odd(inside / "f", outside)
    before = os.lstat(inside / "f")
    assert Tree(str(inside)).replace("f", text="ours", exclusive=True) is False
    assert os.lstat(inside / "f").st_ino == before.st_ino
    assert os.listdir(inside) == ["f"]


def test_a_directory_in_the_way_is_told_and_no_half_file_stays(inside: Path) -> None:
    (inside / "f").mkdir()
    with pytest.raises(DispatchError, match=r"cannot write .*/f: "):
        Tree(str(inside)).replace("f", text="x")
    assert os.listdir(inside) == ["f"]


def test_of_many_exclusive_writers_one_wins_and_readers_see_whole_texts(inside: Path) -> None:
    tree = Tree(str(inside))
    won = at_once(lambda n: tree.replace("f", text=str(n) * 50_000, exclusive=True), range(8))
    assert won.count(True) == 1
    assert tree.read("f") == str(won.index(True)) * 50_000
    assert os.listdir(inside) == ["f"]


def test_readers_of_a_file_that_is_replaced_see_one_of_both(inside: Path) -> None:
    tree = Tree(str(inside))
    tree.replace("f", text="a" * 70_000)
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.add(tree.read("f") or "nothing")

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(30):
        tree.replace("f", text="ab"[n % 2] * 70_000)
    over.set()
    reader.join()
    assert seen <= {"a" * 70_000, "b" * 70_000}


def test_text_is_appended_to_what_is_there_only(inside: Path) -> None:
    tree = Tree(str(inside))
    assert not tree.append("plan.md", text="x")
    assert not (inside / "plan.md").exists()
    (inside / "plan.md").write_text("- [ ] a\n")
    assert tree.append("plan.md", text="> a note é\n")
    assert (inside / "plan.md").read_text() == "- [ ] a\n> a note é\n"


# --- removing


@pytest.mark.parametrize("odd", [*LINKS, _fifo, _socket])
def test_a_link_or_a_pipe_is_removed_itself(inside: Path, outside: Path, odd: Callable[[Path, Path], None]) -> None:
    odd(inside / "f", outside)
    assert Tree(str(inside)).remove("f")
    assert not os.path.lexists(inside / "f")
    assert (outside / "secret").exists()


def test_a_directory_is_not_removed_as_a_file(inside: Path) -> None:
    (inside / "d").mkdir()
    assert not Tree(str(inside)).remove("d")
    assert (inside / "d").is_dir()


def test_a_folder_goes_with_all_in_it_and_nothing_behind_its_links(inside: Path, outside: Path) -> None:
    deep = inside / "d" / "e" / "f"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (deep / "to_folder").symlink_to(outside)
    (deep / "to_file").symlink_to(outside / "secret")
    (inside / "d" / "broken").symlink_to("nowhere")
    os.mkfifo(inside / "d" / "pipe")
    Tree(str(inside)).remove_folder("d")
    assert os.listdir(inside) == []
    assert sorted(os.listdir(outside)) == ["secret"]


def test_a_link_in_place_of_a_folder_goes_and_the_folder_behind_it_stays(inside: Path, outside: Path) -> None:
    (inside / "d").symlink_to(outside)
    Tree(str(inside)).remove_folder("d")
    assert os.listdir(inside) == []
    assert (outside / "secret").exists()


def test_removing_a_folder_that_is_not_there_is_nothing(inside: Path) -> None:
    Tree(str(inside)).remove_folder("d")
    Tree(str(inside)).remove_folder("d", "e")
    assert os.listdir(inside) == []


# --- making


def test_directories_are_made_private_and_those_that_are_there_stay(inside: Path) -> None:
    tree = Tree(str(inside))
    assert tree.make_all("a", "b", "c")
    (inside / "a" / "b" / "f").write_text("x")
    assert tree.make_all("a", "b", "c", "d")
    assert (inside / "a" / "b" / "f").read_text() == "x"
    assert {stat.S_IMODE(p.stat().st_mode) for p in (inside / "a", inside / "a" / "b" / "c" / "d")} == {0o700}
    with pytest.raises(FileExistsError):
        tree.make("a")
    with pytest.raises(FileNotFoundError):
        tree.make("nowhere", "b")


@pytest.mark.parametrize("odd", [_link, _loop, _fifo])
@pytest.mark.parametrize("place", ["a", "a/b", "a/b/c"])
def test_what_is_in_the_way_of_directories_stops_them(
    inside: Path, outside: Path, place: str, odd: Callable[[Path, Path], None]
) -> None:
    (inside / place).parent.mkdir(parents=True, exist_ok=True)
    odd(inside / place, outside)
    assert not Tree(str(inside)).make_all("a", "b", "c")


# --- copies


def test_a_file_comes_along_with_its_mode_and_time(inside: Path, outside: Path) -> None:
    source = outside / "run.sh"
    source.write_text("#!/bin/sh\n")
    source.chmod(0o754)
    os.utime(source, ns=(10**18, 10**18 + 7))
    assert Tree(str(inside)).bring(str(source), "run.sh")
    there = (inside / "run.sh").stat()
    assert (inside / "run.sh").read_text() == "#!/bin/sh\n"
    assert stat.S_IMODE(there.st_mode) == 0o754
    assert there.st_mtime_ns == 10**18 + 7


def test_a_link_comes_along_as_a_link(inside: Path, outside: Path) -> None:
    (outside / "l").symlink_to("secret")
    assert Tree(str(inside)).bring(str(outside / "l"), "l")
    assert os.readlink(inside / "l") == "secret"


@pytest.mark.parametrize("odd", [_fifo, _socket, _folder])
def test_what_is_neither_does_not_come_along(inside: Path, outside: Path, odd: Callable[[Path, Path], None]) -> None:
    odd(outside / "odd", outside)
    assert not Tree(str(inside)).bring(str(outside / "odd"), "odd")
    assert os.listdir(inside) == []


@pytest.mark.parametrize("odd", [*LINKS, _fifo, _folder])
def test_nothing_is_copied_over_what_is_there_or_through_it(
    inside: Path, outside: Path, odd: Callable[[Path, Path], None]
) -> None:
    (outside / "new").write_text("new")
    odd(inside / "f", outside)
    with pytest.raises(FileExistsError):
        Tree(str(inside)).bring(str(outside / "new"), "f")
    with pytest.raises(FileExistsError):
        Tree(str(inside)).link("/", "f")
    assert (outside / "secret").read_text() == "secret"


# --- pipes


def test_who_waits_at_a_pipe_is_given_the_data_and_the_pipe_goes(inside: Path) -> None:
    os.mkfifo(inside / "p")
    reader = os.open(inside / "p", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert Tree(str(inside)).write_pipe("p", data=b"yes\n")
        assert os.read(reader, 100) == b"yes\n"
    finally:
        os.close(reader)
    assert not os.path.lexists(inside / "p")


@pytest.mark.parametrize("odd", ODD)
def test_without_somebody_who_reads_nothing_is_handed_over(
    inside: Path, outside: Path, odd: Callable[[Path, Path], None]
) -> None:
    odd(inside / "p", outside)
    before = sorted(os.listdir(inside))
    assert not Tree(str(inside)).write_pipe("p", data=b"secret answer")
    assert sorted(os.listdir(inside)) == before
    assert (outside / "secret").read_text() == "secret"


def test_a_plain_file_in_place_of_a_pipe_is_neither_written_nor_removed(inside: Path) -> None:
    (inside / "p").write_text("mine")
    assert not Tree(str(inside)).write_pipe("p", data=b"x")
    assert (inside / "p").read_text() == "mine"


def test_the_age_of_a_pipe_is_that_of_a_pipe_only(inside: Path) -> None:
    os.mkfifo(inside / "p")
    os.utime(inside / "p", (1000.0, 2000.0))
    (inside / "f").touch()
    os.utime(inside / "f", (1000.0, 2000.0))
    tree, now = Tree(str(inside)), time.time()
    assert tree.pipe_made("p") == 2000.0
    assert tree.pipe_made("f") >= now and tree.pipe_made("none") >= now
