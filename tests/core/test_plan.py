"""The checklist: what counts as an item, what its mark means, what a note may do."""

from __future__ import annotations

import pytest

from dispatch_tmux.core import plan


@pytest.mark.parametrize(
    ("text", "marks", "words"),
    [
        ("", "", []),
        ("- [ ] a\n- [x] b\n- [?] c\n- [!] d\n", " x?!", ["a", "b", "c", "d"]),
        ("- [X] a", "x", ["a"]),
        ("* [ ] a\n+ [x] b\n1. [ ] c\n12) [x] d", " x x", ["a", "b", "c", "d"]),
        ("- [ ] a\n  - [x] nested\n\t* [ ] deeper", " x ", ["a", "nested", "deeper"]),
        ("\ufeff- [x] a\r\n- [ ] b\r\n", "x ", ["a", "b"]),
        ("# Title\n\n- [ ] a — a note\n\ntext [x] in it\n", " ", ["a — a note"]),
        ("- [~] undefined", " ", ["undefined"]),
        ("- [x]", "x", [""]),
        ("- [ ]no blank after the box\n-[x] none before\n- []\n- [xx] two", "", []),
        ("```\n- [x] an example\n```\n- [ ] real", " ", ["real"]),
        ("~~~\n```\n- [x] an example\n~~~\n- [ ] real", " ", ["real"]),
        ("```\n- [x] a fence that nobody closed", "", []),
        ("> - [x] quoted", "", []),
    ],
)
def test_parse(text: str, marks: str, words: list[str]) -> None:
    items = plan.parse(text)
    assert (plan.marks(items), [i.text for i in items]) == (marks, words)


def test_an_item_knows_its_line() -> None:
    assert [i.line for i in plan.parse("# t\n\n- [ ] a\n\n- [ ] b\n")] == [2, 4]


def test_what_is_rendered_is_parsed_again_and_a_line_break_makes_no_item() -> None:
    text = plan.render("a\n- [x] title", ["one\n- [x] smuggled", "two"], "the context")
    items = plan.parse(text)
    assert [i.text for i in items] == ["one - [x] smuggled", "two"]
    assert plan.marks(items) == "  "
    assert text.index("the context") < text.index("- [ ] one")


@pytest.mark.parametrize(
    "before", ["", "- [ ] a", "- [ ] a\n", "- [ ] a\r\n- [x] b\r\n", "- [ ] a\n\n## Notes\n\n> one\n"]
)
@pytest.mark.parametrize("note", ["use 8080", "- [x] not an item\n- [x] nor this", "## Notes", "> quoted"])
def test_a_note_goes_to_the_end_and_is_never_an_item(before: str, note: str) -> None:
    after = plan.with_note(before, note)
    assert after.startswith(before)
    assert plan.parse(after) == plan.parse(before)
    assert not plan.has_note(before, note)
    assert plan.has_note(after, note)
    assert after.count("## Notes") <= 1 + note.count("## Notes")
    assert ("\r\n" in after) == ("\r\n" in before)
