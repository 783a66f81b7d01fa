"""What a worker is told: all that was asked, in the person's words, with places that it can find."""

from __future__ import annotations

import pytest

from dispatch_tmux.backends import briefing

DIR = "/p/.dispatch/tasks/auth"


@pytest.mark.parametrize("prompt", ["Fix it", "{dir} {0} %s {", "two\n\nparagraphs", "- [ ] no item", "é日本"])
def test_the_first_prompt_has_the_task_in_the_person_s_words_and_its_files(prompt: str) -> None:
    told = briefing.briefing(DIR, prompt)
    assert told.endswith(f"{prompt}\n")
    for name in ("plan.md", "output.md", "context.md", "ipc/001.question", "ipc/.done"):
        assert f"{DIR}/{name}" in told or name == "output.md"
    assert "{dir}" not in told.replace(prompt, "")
    assert "dispatch ask" in told and "dispatch flag" in told


def test_a_path_with_braces_is_told_as_it_is() -> None:
    assert "/p{x}/.dispatch/tasks/a/plan.md" in briefing.briefing("/p{x}/.dispatch/tasks/a", "Fix it")


def test_what_comes_before_and_around_stands_in_its_place() -> None:
    told = briefing.briefing(DIR, "Fix it", prefix="  You are strict.\n", around="You work in a worktree.")
    places = [
        told.index(words) for words in ("You are strict.", "You are a worker", "You work in a worktree.", "Fix it")
    ]
    assert places == sorted(places) and places[0] == 0
    assert "\n\n\n" not in briefing.briefing(DIR, "Fix it")


def test_a_worktree_is_told_with_its_branch_and_the_place_to_leave_alone() -> None:
    told = briefing.worktree("/p/.dispatch/worktrees/auth", "dispatch/auth", "/p")
    assert "/p/.dispatch/worktrees/auth, on the branch dispatch/auth." in told and "main checkout /p (" in told


def test_what_others_have_left_is_told_as_far_as_they_left_it() -> None:
    told = briefing.before(
        [("a", "done", "/o.md", "b1"), ("b", "failed", "", "b2"), ("c", "done", "/o2.md", ""), ("d", "stopped", "", "")]
    )
    assert told.splitlines()[1:] == [
        "- a (done): its result is /o.md, and its branch is b1",
        "- b (failed): its branch is b2",
        "- c (done): its result is /o2.md",
        "- d (stopped): it left no result",
    ]
    assert briefing.before([]) == ""


def test_who_goes_on_is_told_all_that_was_known_and_answered() -> None:
    told = briefing.resumption(
        DIR,
        "Fix it",
        "I had found the cause.\n",
        [("Which?", "The second."), ("When?", "Now.")],
        "Be strict.",
        "Around.",
    )
    assert told.startswith("Be strict.") and "Around." in told and "Fix it" in told
    assert "What you left in context.md:\n\nI had found the cause." in told
    assert "You asked:\nWhich?\n\nThe answer:\nThe second.\n\nYou asked:\nWhen?\n\nThe answer:\nNow." in told
    bare = briefing.resumption(DIR, "Fix it", " \n", [])
    assert "context.md:\n\n" not in bare and "You asked" not in bare and "begun before" in bare


def test_later_words_name_what_they_are_about() -> None:
    assert f"{DIR}/plan.md" in briefing.resumed(DIR)
    assert briefing.late_answer("001", "Use TLS").startswith("The answer to your question 001: Use TLS\n")
    assert briefing.note("use 8080").endswith(": use 8080")


def test_a_reminder_names_what_is_open_and_the_ways_out() -> None:
    text = briefing.reminder(["build", "test it"])
    assert all(part in text for part in ("2 open", "- build", "- test it", "[?]", "dispatch ask"))
