"""F25: a plan that is long, or no UTF-8, is never cut or changed by what is added to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_tmux.core import plan
from dispatch_tmux.errors import DispatchError
from dispatch_tmux.store import plan_file
from dispatch_tmux.store.project import at
from dispatch_tmux.store.tree import Tree
from dispatch_tmux.supervisor.notes import KeptNotes

NOTE = "use tabs\nand no blanks"
LONG = b"- [ ] one\r\n- [?] two\r\n" + b"x" * 60 + b"\n" * (plan_file.CHECKLIST + 1000) + b"caf\xe9 \xff\xfe\x80 last"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "plan.md").write_bytes(LONG)
    return Tree(str(tmp_path))


def content(tree: Tree) -> bytes:
    return Path(tree.at("plan.md")).read_bytes()


def test_F25_a_note_is_added_once_to_a_long_plan_and_nothing_else_changes(tree: Tree) -> None:
    for _ in range(3):
        plan_file.put_note(tree, NOTE)
    assert content(tree).startswith(LONG + b"\r\n") and content(tree).count(b"> use tabs") == 1
    plan_file.put_note(tree, "another")
    assert content(tree).count(b"## Notes") == 1 and content(tree).count(b"> another") == 1


def test_F25_every_byte_comes_back(tree: Tree) -> None:
    text = plan_file.whole(tree)
    assert text is not None
    plan_file.write(tree, text)
    assert content(tree) == LONG
    plan_file.write(tree, plan.reopened(text))
    assert content(tree) == LONG.replace(b"[?]", b"[ ]")


def test_F25_notes_are_looked_for_in_the_rest_of_a_long_plan(tree: Tree) -> None:
    assert plan_file.lacking(tree, [NOTE]) == [NOTE]
    plan_file.put_note(tree, NOTE)
    assert plan_file.lacking(tree, [NOTE, "other"]) == ["other"]
    Path(tree.at("plan.md")).unlink()
    assert plan_file.lacking(tree, [NOTE]) == [NOTE] and plan_file.whole(tree) is None
    plan_file.put_note(tree, NOTE)
    assert content(tree) == b"\n## Notes\n\n> use tabs\n> and no blanks\n"


def test_F25_one_that_is_too_long_is_left_alone_and_that_is_said(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_file, "MOST", len(LONG) - 1)
    with pytest.raises(DispatchError, match="it is left as it is"):
        plan_file.put_note(tree, NOTE)
    assert plan_file.lacking(tree, [NOTE]) == [] and content(tree) == LONG


def test_F25_the_supervisor_puts_a_note_back_once_however_long_the_plan_is(tmp_path: Path) -> None:
    store = at(str(tmp_path), str(tmp_path / "home")).store
    (tmp_path / "home").mkdir()
    store.prepare()
    store.claim("t")
    now = [0.0]
    notes = KeptNotes(store, "t", lambda: now[0])
    path = Path(store.path("t", "plan.md"))
    path.write_bytes(LONG)
    for _ in range(20):
        notes.keep(store.plan("t"), [NOTE])
        now[0] += 30.0
    assert path.read_bytes().count(b"> use tabs") == 1 and path.read_bytes().startswith(LONG)
    path.write_bytes(LONG)  # its own copy, over it
    notes.keep(store.plan("t"), [NOTE])
    assert path.read_bytes().count(b"> use tabs") == 1
