"""Ordinary and odd repositories, seen by the room of git alone: hooks, signing, LFS, where checkouts are, merges at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from pathlib import Path

import pytest
from repositories import brought, committed, git, hook, repository, work
from threads import at_once

from dispatch_tmux.errors import DispatchError
from dispatch_tmux.git import checkouts, merge, nested, worktree
from dispatch_tmux.git import run as git_run
from dispatch_tmux.git.merge import Work


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "project")


def names(root: Path, commit: str = "HEAD") -> set[str]:
    return set(git(root, "ls-tree", "-r", "--name-only", commit).splitlines())


def is_clean(root: Path) -> bool:
    return git(root, "status", "--porcelain", "--", ".", ":!.dispatch") == ""


# --- W7: hooks and checkouts of dispatch's own


@pytest.mark.parametrize("where", [".git/hooks", ".husky"])
def test_W7_no_hook_of_the_repository_runs_in_checkouts_of_ours(root: Path, where: str) -> None:
    ran = root.parent / "ran"
    body = f"echo $0 >>{ran}; exit 1"
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        hook(root / ".husky", name, body)
    committed(root, "b.txt", "b\n")
    if where == ".husky":
        git(root, "config", "core.hooksPath", ".husky")
    else:
        hook(root / where, "post-checkout", body)
    ran.unlink(missing_ok=True)
    one = work(root)
    assert names(Path(one.path)) == names(root) and not ran.exists()
    git(Path(one.path), "-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "x")
    brought(one)
    assert not ran.exists()


def test_W7_a_hook_that_the_branch_brings_never_runs(root: Path) -> None:
    ran = root.parent / "ran"
    hook(root / ".husky", "commit-msg", "exit 0")
    committed(root, "b.txt", "b\n")
    git(root, "config", "core.hooksPath", ".husky")
    one = work(root)
    hooks_ = ("commit-msg", "pre-commit", "pre-merge-commit", "post-commit", "post-merge", "post-checkout", "pre-push")
    for name in (*hooks_, "post-index-change"):
        hook(Path(one.path) / ".husky", name, f"echo $0 >>{ran}")
    assert ".husky/post-index-change" in merge.diff(one)
    merge.commit_all(one, "work", str(root.parent))
    git(root.parent, "init", "-q", "--bare", "remote")
    git(root, "remote", "add", "origin", str(root.parent / "remote"))
    merge.push(one)
    assert git(root.parent / "remote", "branch", "--format=%(refname:short)") == one.branch
    brought(one)
    assert ".husky/post-merge" in names(root) and not ran.exists()


def test_W7_a_hook_in_git_s_own_directory_runs_after_a_merge_as_with_git_merge(root: Path) -> None:
    ran = root.parent / "ran"
    hook(root / ".git/hooks", "post-merge", f"echo merged >>{ran}; exit 1")
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    brought(one)
    assert ran.read_text() == "merged\n" and is_clean(root)


def test_W7_a_whole_tree_counts_although_git_says_no(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook(root / ".git/hooks", "post-checkout", "echo nvm: not found >&2; exit 3")
    monkeypatch.setattr("dispatch_tmux.git.hooks.NONE", ())  # as with hooks that core.hooksPath does not turn off
    one = work(root)
    assert names(Path(one.path)) == {"a.txt"} and git(Path(one.path), "branch", "--show-current") == "dispatch/a"


def test_W7_a_checkout_that_was_killed_in_the_middle_is_made_anew(root: Path) -> None:
    one = work(root)
    admin = Path(git(Path(one.path), "rev-parse", "--absolute-git-dir"))
    (admin / "locked").write_text("initializing\n")
    (Path(one.path) / "a.txt").unlink()
    again = work(root)
    assert (Path(again.path) / "a.txt").exists() and not (admin / "locked").exists()


def lfs(root: Path) -> None:
    """As `git lfs install` and `git lfs track` leave it, and no git-lfs there."""
    git(root, "config", "filter.lfs.clean", "cat")
    git(root, "config", "filter.lfs.smudge", "git-lfs-that-is-not-there smudge -- %f")
    git(root, "config", "filter.lfs.required", "true")
    (root / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    committed(root, "big.bin", "version https://git-lfs.github.com/spec/v1\n")


def test_W7_a_filter_that_is_missing_is_said_and_leaves_no_branch_behind(root: Path) -> None:
    lfs(root)
    for _ in range(2):  # as a retry would
        with pytest.raises(DispatchError) as raised:
            work(root)
        assert "big.bin: smudge filter lfs failed" in str(raised.value) and "not found" in str(raised.value)
        assert git(root, "branch", "--list", "dispatch/*") == "" and not (root / ".dispatch/worktrees/a").exists()
    git(root, "config", "filter.lfs.smudge", "cat")
    assert (Path(work(root).path) / "big.bin").exists()


def test_W7_a_branch_that_was_there_stays_when_its_checkout_fails(root: Path) -> None:
    lfs(root)
    git(root, "branch", "feature")
    with pytest.raises(DispatchError, match="smudge filter lfs failed"):
        worktree.make(str(root), str(root / ".dispatch/worktrees/a"), "feature")
    assert git(root, "branch", "--list", "feature") == "feature"


# --- W8: the person's hooks, and signing


def test_W8_a_message_that_the_hook_wants_can_be_given(root: Path) -> None:
    hook(root / ".git/hooks", "commit-msg", 'grep -qE "^(feat|fix): " "$1" || { echo "want: feat|fix" >&2; exit 1; }')
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    before = git(root, "rev-parse", "main")
    for squash in (False, True):
        with pytest.raises(DispatchError) as raised:
            brought(one, squash=squash)
        assert str(raised.value) == "the commit-msg hook refuses the merge; nothing was merged:\n    want: feat|fix"
        assert "--message" in raised.value.hint and "--no-verify" in raised.value.hint
    assert git(root, "rev-parse", "main") == before and is_clean(root)
    brought(one, "feat: n")
    assert git(root, "log", "-1", "--format=%s") == "feat: n"


def test_W8_hooks_are_the_person_s_to_skip(root: Path) -> None:
    for name in ("commit-msg", "pre-commit", "pre-merge-commit", "prepare-commit-msg"):
        hook(root / ".git/hooks", name, f"echo {name} says no; exit 1")
    one = work(root)
    (Path(one.path) / "n.txt").write_text("n\n")
    with pytest.raises(DispatchError, match="the pre-commit hook refuses the worker's work"):
        merge.commit_all(one, "n", str(root.parent))
    merge.commit_all(one, "n", str(root.parent), verify=False)
    with pytest.raises(
        DispatchError, match=r"the pre-merge-commit hook refuses the merge; .*\n    pre-merge-commit says no"
    ):
        brought(one)
    brought(one, verify=False)
    assert "n.txt" in names(root)


def test_W8_a_hook_finds_what_lies_beside_it(root: Path) -> None:
    place = root / "my hooks'"
    hook(place, "commit-msg", '. "$(dirname "$0")/common.sh"; says "$1"')
    (place / "common.sh").write_text('says() { echo "common: $(cat "$1")"; exit 1; }\n')
    committed(root, "b.txt", "b\n")
    git(root, "config", "core.hooksPath", "my hooks'")
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    with pytest.raises(DispatchError, match=r"common: Merge dispatch/a"):
        brought(one)


def test_W8_hooks_about_the_message_find_the_tools_and_the_configuration_of_the_person_s_checkout(root: Path) -> None:
    """As husky's: `npx commitlint` needs node_modules, and a configuration that the branch brings would be run by it."""
    ran = root.parent / "ran"
    hook(root / "node_modules/.bin", "lint", f'. ./lint.config; echo "$(pwd): $(cat "$1")" >>{ran}')
    (root / "lint.config").write_text("true\n")
    (root / ".git/info/exclude").write_text(".dispatch\nnode_modules\n")
    committed(root, "b.txt", "b\n")
    hook(root / ".git/hooks", "commit-msg", 'node_modules/.bin/lint "$1" && [ "$(git rev-parse --git-dir)" = .git ]')
    one = work(root)
    (Path(one.path) / "lint.config").write_text(f"echo evil >>{ran}\n")
    merge.commit_all(one, "n", str(root.parent))
    brought(one, "feat: n", squash=True)
    assert ran.read_text() == f"{root}: n\n{root}: feat: n\n"


def test_W8_a_hook_may_change_what_is_committed(root: Path) -> None:
    hook(root / ".git/hooks", "prepare-commit-msg", 'echo "Signed-off-by: t" >>"$1"')
    hook(root / ".git/hooks", "pre-commit", "git status >/dev/null; exit 0")
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    brought(one, "feat: #12 first", squash=True)
    assert "Signed-off-by: t" in git(root, "log", "-1", "--format=%B")


def test_W8_a_commit_that_cannot_be_signed_says_so(root: Path) -> None:
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    git(root, "config", "commit.gpgsign", "true")
    git(root, "config", "gpg.program", str(hook(root.parent, "gpg", "echo gpg: no secret key >&2; exit 2")))
    with pytest.raises(DispatchError, match="git cannot sign the merge; nothing was merged") as raised:
        brought(one)
    assert "gpg failed to sign the data" in str(raised.value) and "unlock the key" in raised.value.hint
    assert is_clean(root)
    signs = 'cat >/dev/null; printf "\\n[GNUPG:] SIG_CREATED \\n" >&2; echo signature'
    git(root, "config", "gpg.program", str(hook(root.parent, "gpg", signs)))
    brought(one)
    assert "gpgsig" in git(root, "cat-file", "commit", "HEAD")


@pytest.mark.parametrize("setting", ["merge.ff=only", "merge.autoStash=true", "rerere.enabled=true", "commit.verbose=true",
                                     "core.splitIndex=true", "submodule.recurse=true", "core.untrackedCache=true",
                                     "merge.conflictStyle=diff3", "status.showUntrackedFiles=no", "diff.noprefix=true"])  # fmt: skip
def test_W8_the_person_s_settings_do_not_change_what_a_merge_is(root: Path, setting: str) -> None:
    git(root, "config", *setting.split("="))
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    assert merge.size(one)[:2] == (1, 1)
    (root / "mine.txt").write_text("mine")
    brought(one)
    assert "n.txt" in names(root) and (root / "mine.txt").read_text() == "mine"
    assert not merge.unsaved(one, "")
    merge.remove(one, True)


# --- where checkouts are


def test_W2_a_separate_git_directory(tmp_path: Path) -> None:
    root = repository(tmp_path / "project", f"--separate-git-dir={tmp_path / 'elsewhere'}")
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    brought(one)
    assert (root / "n.txt").exists() and is_clean(root)
    merge.remove(one, True)
    assert git(root, "branch", "--list", "dispatch/*") == ""


def test_W2_a_checkout_that_git_does_not_tell_of_is_not_left_behind_its_branch(tmp_path: Path) -> None:
    root = repository(tmp_path / "project", f"--separate-git-dir={tmp_path / 'elsewhere'}")
    git(root, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "linked")
    before = git(root, "rev-parse", "main")
    one = Work(str(tmp_path / "linked"), str(tmp_path / "linked"), "linked", before)
    committed(tmp_path / "linked", "n.txt", "n\n")
    with pytest.raises(DispatchError, match="main is checked out, and git does not tell where"):
        brought(one)
    assert git(root, "rev-parse", "main") == before


def test_W2_merging_in_a_submodule(root: Path, tmp_path: Path) -> None:
    repository(tmp_path / "library")
    git(root, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(root, "commit", "-qm", "with a submodule")
    one = work(root / "lib")
    committed(Path(one.path), "n.txt", "n\n")
    brought(one)
    assert (root / "lib" / "n.txt").exists() and git(root / "lib", "status", "--porcelain", "--", ":!.dispatch") == ""


def test_W2_core_bare_set_by_accident_is_said(root: Path) -> None:
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    git(root, "config", "core.bare", "true")
    with pytest.raises(DispatchError, match=r"core.bare is true") as raised:
        worktree.check(str(root), "dispatch/b", "")
    assert raised.value.hint == f"git -C {root} config core.bare false"
    with pytest.raises(DispatchError, match=r"core.bare is true"):
        brought(one)
    git(root, "config", "core.bare", "false")
    brought(one)
    assert is_clean(root)


def test_W2_a_bare_git_directory_with_worktrees_beside_it_is_no_accident(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "bare"
    git(tmp_path, "clone", "-q", "--bare", str(root), str(place / ".git"))
    git(place, "worktree", "add", "-q", "main")
    one = work(place, home=str(place / "main"))
    git(place, "config", "user.name", "t")
    committed(Path(one.path), "n.txt", "n\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    merge.merge(str(place), "main", git(one.path, "rev-parse", "HEAD"), merge.How("m", str(scratch)))
    assert (place / "main" / "n.txt").exists() and is_clean(place / "main")


@pytest.mark.parametrize("kind", ["shallow", "sparse", "partial"])
def test_W2_clones_that_have_not_all(root: Path, tmp_path: Path, kind: str) -> None:
    for n in range(3):
        committed(root, f"d{n}/f.txt", "x\n")
    git(root, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    how = {"shallow": ["--depth=1"], "sparse": ["--sparse"], "partial": ["--filter=blob:none"]}[kind]
    git(tmp_path, "clone", "-q", *how, f"file://{root}", str(clone))
    if kind == "sparse":
        git(clone, "sparse-checkout", "set", "d1")
    one = work(clone)
    committed(Path(one.path), "d1/n.txt", "n\n")
    assert merge.size(one)[:2] == (1, 1)
    brought(one)
    assert (clone / "d1" / "n.txt").exists() and is_clean(clone) and "d0/f.txt" in names(clone)
    assert not merge.unsaved(one, "")


def test_W2_one_that_git_refuses_is_told_from_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(DispatchError, match=r"git refuses .*dubious ownership") as raised:
        worktree.check(str(root), "dispatch/a", "")
    assert raised.value.hint.startswith("git config --global --add safe.directory")


# --- W10


def test_W10_a_branch_begins_where_the_person_stands(root: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(root, "worktree", "add", "-q", str(linked), "-b", "linked")
    committed(linked, "sub/l.txt", "l\n")
    assert checkouts.home(str(root), str(linked / "sub")) == str(linked)
    assert checkouts.home(str(root), str(root)) == checkouts.home(str(root), str(tmp_path)) == str(root)
    assert checkouts.home(str(root), str(repository(tmp_path / "other"))) == str(root)
    one = work(root, home=str(linked))
    assert one.base == git(linked, "rev-parse", "HEAD")
    committed(Path(one.path), "n.txt", "n\n")
    assert merge.size(one)[:2] == (1, 1)  # not what `linked` is ahead of main
    tip = git(one.path, "rev-parse", "HEAD")
    (tmp_path / "scratch").mkdir()
    merge.merge(str(root), "linked", tip, merge.How("m", str(tmp_path / "scratch")))
    assert (linked / "n.txt").exists() and is_clean(linked) and "n.txt" not in names(root, "main")


# --- W9


def test_W9_a_stash_made_on_the_branch_is_work(root: Path) -> None:
    (root / "a.txt").write_text("mine\n")
    git(root, "stash")
    one = work(root)
    path = Path(one.path)
    assert not merge.unsaved(one, "")  # the person's own stash is none of its
    (path / "a.txt").write_text("kept for later\n")
    git(path, "stash")
    committed(path, "n.txt", "n\n")
    git(path, "checkout", "-q", "--detach")
    (path / "n.txt").write_text("more\n")
    git(path, "stash", "push", "-m", "look \x1b[31m here")
    git(path, "checkout", "-q", "dispatch/a")
    brought(one)
    git(root, "reset", "-q", "--hard", "HEAD~1")
    lost = merge.unsaved(one, git(path, "rev-parse", "HEAD"))
    assert len(lost.stashed) == 2 and "2 stash entries (On (no branch): look" in str(lost)
    assert "WIP on dispatch/a: " in str(lost)
    kept = merge.keep(one, "a", True, lost)
    assert [line.rsplit("-", 2)[-2:] for line in kept] == [["stash", "1"], ["stash", "2"]]
    merge.remove(one, True)
    assert not worktree.stashed(str(root), "dispatch/a")  # kept on branches: told once
    branch = kept[1].split()[-1]
    git(root, "stash", "apply", branch)
    assert (root / "a.txt").read_text() == "kept for later\n"
    assert len(git(root, "stash", "list").splitlines()) == 3


def test_W9_what_was_stashed_before_the_task_is_not_its(root: Path) -> None:
    git(root, "branch", "feature")
    git(root, "checkout", "-q", "feature")
    (root / "a.txt").write_text("mine\n")
    git(root, "stash")
    git(root, "checkout", "-q", "main")
    assert len(worktree.stashed(str(root), "feature", 0)) == 1
    assert worktree.stashed(str(root), "feature", 4e9) == []
    assert worktree.stashed(str(root), "other") == []


# --- X10


def test_X10_links_that_are_configured_go_through_no_link_of_the_branch(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "d").mkdir()
    (root / "d" / "cache").mkdir()
    git(root, "checkout", "-q", "-b", "evil")
    (root / "e").symlink_to(outside)
    committed(root, "b.txt", "b\n")
    git(root, "checkout", "-q", "main")
    (root / "e").mkdir()
    (root / "e" / "cache").mkdir()
    one = work(root, base="evil")
    worktree.furnish(str(root), one.path, ["e/cache", "d/cache", "../outside", str(outside), "."])
    assert list(outside.iterdir()) == [] and (Path(one.path) / "d/cache").is_symlink()
    assert os.readlink(Path(one.path) / "d/cache") == str(root / "d/cache")


def test_X10_a_patch_is_written_through_no_link(root: Path) -> None:
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    target = root.parent / "target"
    target.write_text("mine")
    (root / ".dispatch/rescued").mkdir()
    (root / ".dispatch/rescued/x.patch").symlink_to(target)
    with pytest.raises(OSError):
        worktree.rescue(str(root), one.path, "rescued/x", one.base)
    assert target.read_text() == "mine"


# --- F24


def test_F24_four_merges_at_once_are_all_merged_and_nothing_else_is_staged(root: Path) -> None:
    tips, before = [], git(root, "rev-parse", "HEAD")
    for n in range(4):
        one = work(root, f"t{n}")
        committed(Path(one.path), f"{n}.txt", "x\n")
        tips.append(git(one.path, "rev-parse", "HEAD"))
    for shared in (True, False):  # with one lock, and with two projects in one repository
        places = [root.parent / ("s" if shared else f"s{n % 2}") for n in range(4)]
        for place in set(places):
            place.mkdir()
        hows = [merge.How(f"m{n}", str(places[n]), squash=bool(n % 2)) for n in range(4)]
        at_once(lambda n, hows=hows: merge.merge(str(root), "main", tips[n], hows[n]), range(4))
        assert {f"{n}.txt" for n in range(4)} <= names(root) and is_clean(root)
        git(root, "reset", "-q", "--hard", before)


def test_F24_a_checkout_that_goes_while_it_is_looked_at_is_in_the_way_of_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(root, "worktree", "add", "-q", "--detach", str(root.parent / "m"))
    listed = checkouts.every(str(root))
    assert len(listed) == 2
    shutil.rmtree(root.parent / "m")
    monkeypatch.setattr(os.path, "isdir", lambda path: True)  # a moment ago it was there
    checkouts.check_free(str(root), "main")


def test_F24_a_branch_that_moves_while_it_is_merged_into_is_merged_again(root: Path) -> None:
    """The person commits just when git has put the files there: neither theirs nor ours is lost, nothing stays staged."""
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    committed(root, "mine.txt", "mine\n")
    mine = git(root, "rev-parse", "HEAD")
    git(root, "reset", "-q", "--hard", "HEAD~1")
    once = root.parent / "once"
    hook(
        root / ".git/hooks",
        "post-index-change",
        f"[ -e {once} ] && exit 0; touch {once}; git update-ref refs/heads/main {mine}",
    )
    brought(one)
    assert once.exists() and {"mine.txt", "n.txt"} <= names(root) and is_clean(root)
    assert git(root, "log", "--format=%p", "-1").split() == [mine[:7], git(one.path, "rev-parse", "--short=7", "HEAD")]


@pytest.mark.parametrize("what", ["merge", "cherry-pick", "revert", "rebase"])
def test_F24_a_checkout_in_the_middle_of_something_is_named(root: Path, what: str) -> None:
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    git(root, "checkout", "-q", "-b", "side")
    committed(root, "a.txt", "side\n")
    git(root, "checkout", "-q", "main")
    committed(root, "a.txt", "main\n")
    git(root, what, *(["HEAD~1"] if what == "revert" else ["side"]), ok=False)
    if what == "revert":
        git(root, "revert", "--abort", ok=False)
        (root / ".git/REVERT_HEAD").write_text(git(root, "rev-parse", "HEAD") + "\n")
    before = git(root, "rev-parse", "main")
    with pytest.raises(DispatchError, match=f"{root} is in the middle of a {what} of its own; nothing was merged"):
        brought(one)
    assert git(root, "rev-parse", "main") == before
    git(root, what, "--abort")
    brought(one)
    assert "n.txt" in names(root) and is_clean(root)


def test_F24_a_lock_of_git_s_is_waited_for_and_then_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "BRIEF", 0.5)
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    lock = root / ".git/index.lock"
    lock.write_text("")
    with pytest.raises(DispatchError, match=r"another git is at work in .*, or was killed there") as raised:
        brought(one)
    assert "index.lock" in str(raised.value) and is_clean(root) is True
    monkeypatch.setattr(merge, "BRIEF", 10.0)
    threading.Timer(0.3, lock.unlink).start()
    brought(one)
    assert "n.txt" in names(root) and is_clean(root)


def test_F24_who_holds_the_merge_is_named_and_what_killed_ones_leave_is_removed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "PATIENCE", 0.2)
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    scratch = root.parent / "scratch"
    for name in ("merge-killed", "commit-now", "commit-killed"):
        (scratch / name).mkdir(parents=True)
    os.utime(scratch / "commit-killed", (1e9, 1e9))
    git(root, "worktree", "add", "-q", "--detach", str(scratch / "merge-killed/m"))
    lock = os.open(scratch / "merge.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(DispatchError, match=rf"merge.lock is locked by process {os.getpid()}"):
        merge.merge(str(root), "main", git(one.path, "rev-parse", "HEAD"), merge.How("m", str(scratch)))
    os.close(lock)
    brought(one)
    assert {name for name in os.listdir(scratch) if not name.endswith(".lock")} == {"commit-now"}


def test_F24_what_hangs_in_a_hook_costs_its_deadline_only(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch_tmux.git.run.DEADLINE", 1.0)
    hook(root / ".git/hooks", "commit-msg", "sleep 20")
    one = work(root)
    committed(Path(one.path), "n.txt", "n\n")
    with pytest.raises(DispatchError, match="git merge did not end within 1 s"):
        brought(one)


def test_W2_what_lies_outside_of_a_sparse_checkout_is_work_like_any_other(root: Path, tmp_path: Path) -> None:
    committed(root, "d/f.txt", "x\n")
    git(tmp_path, "clone", "-q", "--sparse", f"file://{root}", str(tmp_path / "clone"))
    one = work(tmp_path / "clone")
    committed(Path(one.path), "n.txt", "n\n")
    (Path(one.path) / "far").mkdir()
    (Path(one.path) / "far" / "away.txt").write_text("x\n")
    assert merge.size(one).files == 2 and "1 untracked file (far/away.txt)" in str(merge.unsaved(one, ""))
    merge.commit_all(one, "all", str(tmp_path))
    brought(one)
    assert {"n.txt", "far/away.txt", "d/f.txt"} <= names(tmp_path / "clone")


def test_what_git_says_is_told_without_its_advice() -> None:
    said = git_run.Said(1, "", "hint: Disable this message\nfatal: no way\nhint: more\nremote: x\n")
    assert said.why == "no way" and said.words == "fatal: no way\nremote: x"
    assert git_run.Said(2, "", "").why == git_run.Said(2, "", "").words == "exit code 2"


# --- X9: what a worker writes into its worktree is not run by git on behalf of the person


def evil(folder: Path, ran: Path) -> Path:
    """A repository in FOLDER whose configuration says so in RAN when git looks into it."""
    repository(folder)
    for name, value in (("core.fsmonitor", "fsmonitor"), ("filter.x.clean", "filter"), ("core.pager", "pager")):
        git(folder, "config", name, f"echo {value} >>{ran}; false")
    (folder / ".git/info/attributes").write_text("* filter=x\n")
    return folder


def everything(one: Work, ran: Path) -> None:
    """All that dispatch asks git in a worktree, and that nothing of the worker's has run."""
    worktree.footprint(one.root)
    merge.size(one)
    merge.diff(one)
    merge.uncommitted(one)
    merge.unsaved(one, "")
    assert not ran.exists()


def test_X9_git_does_not_look_into_a_repository_that_the_worker_made(root: Path) -> None:
    one, ran = work(root), root.parent / "ran"
    inner = evil(Path(one.path) / "inner", ran)
    ran.unlink(missing_ok=True)
    everything(one, ran)
    assert merge.repositories(one) == ["inner"]
    with pytest.raises(DispatchError, match="inner in the worktree is a repository of its own"):
        merge.commit_all(one, "x", str(root.parent))
    git(Path(one.path), "add", "-A")
    git(Path(one.path), "-c", "core.hooksPath=/dev/null", "commit", "-qm", "x")
    (inner / "a.txt").write_text("changed\n")
    ran.unlink(missing_ok=True)
    everything(one, ran)
    assert "inner" in merge.uncommitted(one).changed, "what is in it nobody can tell: it counts as changed"
    lost = merge.unsaved(one, "")
    kept = merge.keep(one, "a", True, lost)
    merge.remove(one, True)
    place = Path(next(name for name in kept if name.startswith("repository ")).split(" ", 1)[1])
    assert (place / "a.txt").read_text() == "changed\n" and not ran.exists()


def test_X9_a_submodule_of_git_s_own_making_is_looked_into(root: Path, tmp_path: Path) -> None:
    git(root, "submodule", "--quiet", "add", str(repository(tmp_path / "library")), "lib")
    git(root, "commit", "-qm", "with a submodule")
    one = work(root)
    git(Path(one.path), "submodule", "--quiet", "update", "--init")
    assert not merge.unsaved(one, "") and merge.repositories(one) == []
    (Path(one.path) / "lib" / "a.txt").write_text("changed\n")
    assert merge.unsaved(one, "").changed == ("lib",)


def test_W1_commits_in_a_submodule_of_a_worktree_are_lost_with_it_unless_a_remote_has_them(
    root: Path, tmp_path: Path
) -> None:
    library = repository(tmp_path / "library")
    git(root, "submodule", "--quiet", "add", str(library), "lib")
    git(root, "commit", "-qm", "with a submodule")
    one = work(root)
    lib = Path(one.path) / "lib"
    git(Path(one.path), "submodule", "--quiet", "update", "--init")
    committed(lib, "n.txt", "only here\n")
    made = git(lib, "rev-parse", "HEAD")
    git(Path(one.path), "commit", "-qam", "lib")
    brought(one)
    lost = merge.unsaved(one, "")
    assert str(lost) == "commits that no remote has in lib" and lost
    (lib / "more.txt").write_text("nor committed\n")
    kept = merge.keep(one, "a", True, merge.unsaved(one, ""))
    merge.remove(one, True)
    place = Path(kept[0].removeprefix("repository "))
    assert git(place, "rev-parse", "HEAD") == made and (place / "more.txt").exists()
    assert git(place, "status", "--porcelain") == "?? more.txt"
    again = work(root, "b")
    git(root, "-C", "lib", "fetch", "-q", str(place))
    assert not merge.unsaved(again, "")


@pytest.mark.parametrize("how", ["a repository of its own", "a file that leads elsewhere", "a link", "nothing"])
def test_X9_a_worktree_whose_git_leads_elsewhere_is_not_entered(root: Path, how: str) -> None:
    one, ran = work(root), root.parent / "ran"
    other = evil(root.parent / "other", ran)
    mark = Path(one.path) / ".git"
    nested.check(one.root, one.path)
    mark.unlink()
    if how.startswith("a repository"):
        (other / ".git").rename(mark)
    elif how.startswith("a file"):
        mark.write_text(f"gitdir: {other / '.git'}\n")
    elif how.startswith("a link"):
        mark.symlink_to(other / ".git")
    ran.unlink(missing_ok=True)
    with pytest.raises(DispatchError, match=r"is no worktree of .* any more"):
        nested.check(one.root, one.path)
    assert not ran.exists()


def test_W1_a_patch_can_be_applied_whatever_is_set_for_reading_diffs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting in (
        "diff.noprefix=true",
        "color.ui=always",
        "diff.submodule=log",
        "diff.external=true",
        "diff.x.textconv=tr a b <",
    ):
        git(root, "config", *setting.split("=", 1))
    (root / ".gitattributes").write_text("*.txt diff=x\n")
    committed(root, "t.txt", "aaa\n")
    one = work(root)
    (Path(one.path) / "t.txt").write_text("aaa\naab\n")
    (Path(one.path) / "blob").write_bytes(bytes(range(256)) * 9)
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    shown = merge.diff(one)
    assert "+aab" in shown and "a/t.txt" in shown and "\x1b" not in shown and merge.size(one).files == 2
    kept = merge.keep(one, "a", True, merge.unsaved(one, ""))
    monkeypatch.delenv("GIT_LITERAL_PATHSPECS")
    git(root, "apply", kept[1].removeprefix("patch "))
    assert (root / "t.txt").read_text() == "aaa\naab\n" and (root / "blob").read_bytes() == bytes(range(256)) * 9
