"""Whose `.dispatch` is it: what counts as ours, what is said of anything else, and that two at once agree."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from threads import at_once

from dispatch_tmux.errors import DispatchError, ForeignProject
from dispatch_tmux.store import trust
from dispatch_tmux.store.store import Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".dispatch" / "tasks").mkdir(parents=True, mode=0o700)
    return root


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "home"


def standing(root: Path, base: Path) -> trust.Standing:
    return trust.standing(str(root), str(base))


def register(root: Path, base: Path) -> Path:
    return Path(trust.register(str(root), str(base)))


def said(root: Path) -> str:
    return (root / ".dispatch" / "project").read_text()


# --- ours


def test_a_project_without_anything_is_none_and_becomes_ours(root: Path, base: Path) -> None:
    assert standing(root.parent, base).kind == "none"
    assert standing(root, base).kind == "none"
    records = register(root, base)
    assert standing(root, base) == trust.Standing("ours", str(records))
    assert records.parent == base / "projects" and records.name.startswith("project-")
    assert (records / "tasks").is_dir()
    assert {stat.S_IMODE(p.stat().st_mode) for p in (base, base / "projects", records, records / "tasks")} == {0o700}
    assert {stat.S_IMODE(p.stat().st_mode) for p in (records / "key", root / ".dispatch" / "project")} == {0o600}


def test_of_many_that_begin_at_once_all_have_the_same_records(root: Path, base: Path) -> None:
    found = at_once(lambda _: trust.register(str(root), str(base)), range(6))
    assert len(set(found)) == 1
    assert [p.name for p in (base / "projects").iterdir()] == [os.path.basename(found[0])]  # the losers' are removed
    assert standing(root, base).records == found[0]


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a b.c", "a-b-c-"),
        ("..", "project-"),
        ("日本", "project-"),
        ("#(touch x)", "touch-x-"),
        ("x" * 90, "x" * 50 + "-"),
        ("--", "project-"),
    ],
)
def test_records_are_called_after_the_project_whatever_that_is_called(name: str, begins: str) -> None:
    found = trust.new_name(f"/there/{name}")
    assert found.startswith(begins)
    assert trust._NAME.fullmatch(found)
    assert found != trust.new_name(f"/there/{name}")


def test_a_project_that_was_moved_is_ours_and_its_new_place_is_kept(root: Path, base: Path, tmp_path: Path) -> None:
    records = register(root, base)
    root.rename(tmp_path / "moved")
    assert standing(tmp_path / "moved", base) == trust.Standing("ours", str(records))
    assert (records / "root").read_text() == f"{tmp_path}/moved\n"


def test_a_project_by_another_way_is_ours_and_its_place_stays(root: Path, base: Path, tmp_path: Path) -> None:
    records = register(root, base)
    (tmp_path / "way").symlink_to(root)
    assert standing(tmp_path / "way", base).kind == "ours"
    assert (records / "root").read_text() == f"{root}\n"


def test_a_copy_is_foreign_and_the_original_stays_ours(root: Path, base: Path, tmp_path: Path) -> None:
    register(root, base)
    shutil.copytree(root, tmp_path / "copy")
    found = standing(tmp_path / "copy", base)
    assert found.kind == "foreign" and f"is a copy of {root}/.dispatch" in found.why
    assert "dispatch trust" in found.hint
    assert standing(root, base).kind == "ours"


@pytest.mark.parametrize(("name", "why"), [(b"caf\xe9", "is not UTF-8"), (b"a\nb", "has a line break")])
def test_a_directory_that_no_worker_can_be_told_of_is_refused_before_anything_is_written(
    tmp_path: Path, base: Path, name: bytes, why: str
) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    root.mkdir()
    with pytest.raises(DispatchError, match=why) as refused:
        Store(str(root), str(base)).prepare()
    assert "\n" not in str(refused.value) and str(refused.value).encode("utf-8")
    assert os.listdir(root) == [] and not base.exists()


@pytest.mark.parametrize("name", ["a b", "é", "日本", "a\u2028b", "'\"$(x)", "#{pane_id}", "x:y.z"])
def test_any_other_name_of_a_project_will_do(tmp_path: Path, base: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    Store(str(tmp_path / name), str(base)).prepare()
    assert standing(tmp_path / name, base).kind == "ours"


# --- not ours

FORGED = [
    "{name}",
    "{name} {wrong}",
    "{name} ",
    "{name} {key} more",
    "{name} {key}x",
    "../projects/{name} {key}",
    "/{name} {key}",
    "nobody-00000000 {key}",
    "nobody-00000000 " + "0" * 64,
    "\0",
    "x" * 5000,
]


@pytest.mark.parametrize("forged", FORGED)
def test_a_proof_that_is_not_ours_proves_nothing(root: Path, base: Path, forged: str) -> None:
    records = register(root, base)
    key = (records / "key").read_text().strip()
    (root / ".dispatch" / "project").write_text(forged.format(name=records.name, key=key, wrong="0" * 64))
    found = standing(root, base)
    assert found.kind == "foreign" and not found.records
    assert "by another user or on another machine" in found.why


@pytest.mark.parametrize("key", ["", " \n", "short"])
def test_an_empty_key_of_ours_opens_nothing(root: Path, base: Path, key: str) -> None:
    records = register(root, base)
    (records / "key").write_text(key)
    (root / ".dispatch" / "project").write_text(f"{records.name} {key}")
    assert standing(root, base).kind == "foreign"


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_a_proof_that_is_no_file_is_none(root: Path, base: Path, kind: str) -> None:
    register(root, base)
    proof = root / ".dispatch" / "project"
    (root / "real").write_text(said(root))
    proof.unlink()
    {"link": lambda: proof.symlink_to(root / "real"), "fifo": lambda: os.mkfifo(proof), "folder": proof.mkdir}[kind]()
    assert standing(root, base).kind == "old"


def test_records_that_are_gone_are_named(root: Path, base: Path) -> None:
    records = register(root, base)
    (records / "root").unlink()
    assert f"has no records any more ({records})" in standing(root, base).why
    shutil.rmtree(records)
    assert standing(root, base).kind == "foreign"


def test_what_has_no_proof_but_tasks_came_from_somewhere(root: Path, base: Path) -> None:
    (root / ".dispatch" / "tasks" / "auth").mkdir()
    found = standing(root, base)
    assert found.kind == "old" and "archive" in found.why


@pytest.mark.parametrize(
    ("names", "kind"), [([], "none"), ([".gitignore"], "none"), (["worktrees"], "old"), (["bell"], "old")]
)
def test_what_an_interrupted_first_start_leaves_is_nothing(root: Path, base: Path, names: list[str], kind: str) -> None:
    for name in names:
        (root / ".dispatch" / name).touch()
    assert standing(root, base).kind == kind


def test_the_home_directory_may_be_a_project(tmp_path: Path) -> None:
    """`~/.dispatch` holds the records of all projects then, and its own tasks."""
    base = tmp_path / ".dispatch"
    base.mkdir(mode=0o700)
    (base / "config.yaml").write_text("")
    (base / "projects").mkdir(mode=0o700)
    assert standing(tmp_path, base).kind == "none"
    register(tmp_path, base)
    assert standing(tmp_path, base).kind == "ours"


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_what_others_may_write_is_foreign_with_what_mends_it(root: Path, base: Path, mode: int) -> None:
    register(root, base)
    (root / ".dispatch").chmod(mode)
    found = standing(root, base)
    assert found.kind == "foreign" and "may be written by other users" in found.why and "chmod go-w" in found.hint
    assert not trust.may_be_taken(str(root))
    (root / ".dispatch").chmod(0o755)
    assert standing(root, base).kind == "ours"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_foreign_and_names_the_owner(root: Path, base: Path) -> None:
    register(root, base)
    for uid, name in ((65534, trust.owner(os.stat("/"))), (54321, "user 54321")):
        os.chown(root / ".dispatch", uid, -1)
        found = standing(root, base)
        assert found.kind == "foreign" and found.why.startswith("belongs to ")
        assert name in found.why or uid == 65534
        assert not trust.may_be_taken(str(root))
        with pytest.raises(ForeignProject, match="Nothing in it is run"):
            raise trust.refusal(str(root), found)


@pytest.mark.parametrize("mode", [0o722, 0o777])
def test_a_home_that_others_may_write_is_not_believed(root: Path, base: Path, mode: int) -> None:
    register(root, base)
    base.chmod(mode)
    for ask in (standing, register):
        with pytest.raises(DispatchError, match="may be written by other users") as told:
            ask(root, base)
        assert told.value.hint == f"chmod go-w {base}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_home_of_another_user_is_not_believed(root: Path, base: Path) -> None:
    register(root, base)
    os.chown(base, 54321, -1)
    with pytest.raises(DispatchError, match="belongs to user 54321"):
        standing(root, base)


def test_a_home_that_is_a_link_is_where_it_leads(root: Path, tmp_path: Path) -> None:
    """Dotfiles are kept in a repository by some."""
    (tmp_path / "dotfiles").mkdir(mode=0o700)
    base = tmp_path / "home"
    base.symlink_to(tmp_path / "dotfiles")
    register(root, base)
    assert standing(root, base).kind == "ours"
    (tmp_path / "dotfiles").chmod(0o777)
    with pytest.raises(DispatchError, match="may be written"):
        standing(root, base)


@pytest.mark.parametrize("place", ["", "tasks"])
def test_a_link_is_refused_wherever_it_leads(root: Path, base: Path, tmp_path: Path, place: str) -> None:
    register(root, base)
    folder = root / ".dispatch" / place
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DispatchError, match="is a symbolic link") as refused:
        standing(root, base)
    assert "remove it" in refused.value.hint
    assert not trust.may_be_taken(str(root)) or place


def test_a_file_in_its_place_is_named(tmp_path: Path, base: Path) -> None:
    (tmp_path / ".dispatch").write_text("mine")
    with pytest.raises(DispatchError, match="not a directory"):
        standing(tmp_path, base)
    (tmp_path / "f").touch()
    with pytest.raises(DispatchError, match="cannot look at"):
        standing(tmp_path / "f", base)


def test_a_home_that_cannot_be_made_is_told_with_its_setting(root: Path, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(DispatchError, match="cannot make") as told:
        register(root, tmp_path / "f" / "home")
    assert "HOME" in told.value.hint


# --- what is said


def test_a_refusal_names_some_of_the_tasks_and_counts_all(root: Path, base: Path) -> None:
    for n in range(7):
        (root / ".dispatch" / "tasks" / f"t{n}").mkdir()
    for odd in ("Bad", ".hidden", "\x1b[2J", "a" * 70):
        (root / ".dispatch" / "tasks" / odd).mkdir()
    told = str(trust.refusal(str(root), standing(root, base)))
    assert "(7 tasks: t0, t1, t2, t3, t4, …)" in told
    assert "\x1b" not in told and "Bad" not in told


def test_what_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o755)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o775)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("mine")
    found = {
        name for name in ("mine", "shared", "file", "link", "nothing") if trust.is_somebody_elses(str(tmp_path / name))
    }
    assert found == {"shared", "file", "link", "nothing"}
