"""Answers to menus of programs that no rule knows, drawn in the styles of the field: what arrives is what was asked for, or nothing."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, wait_until

MENUS = Path(__file__).parents[1] / "menus.py"
LABELS = ["No, exit", "Yes, once", "Yes, and always from now on"]


class Asking:
    """A worker that asks with menus; `got` is what its program was told."""

    def __init__(self, crew: Crew, id: str) -> None:
        self.crew, self.id = crew, id

    @property
    def got(self) -> list[Any]:
        path = self.crew.root / "got.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def until_asked(self, words: str = "") -> Any:
        """The open question, as soon as it is one with these WORDS."""

        def there() -> Any:
            return next(
                (q for q in self.crew.task(self.id).open_questions if words in q.text and not q.is_unknown), None
            )

        return wait_until(there, lambda: self.crew.tell(self.id))

    def answer(self, *words: str, ok: bool | None = True) -> Any:
        return self.crew.run("answer", self.id, *words, ok=ok)

    def until_got(self, *wanted: Any) -> None:
        wait_until(lambda: len(self.got) >= len(wanted), lambda: f"{self.got}\n{self.crew.tell(self.id)}")
        assert self.got == list(wanted)


@pytest.fixture
def asks(crew: Crew) -> Callable[..., Asking]:
    def start(*pages: dict[str, Any]) -> Asking:
        crew.configure(
            {"menus": f"{shlex.quote(sys.executable)} {shlex.quote(str(MENUS))} {shlex.quote(json.dumps(pages))}"}
        )
        return Asking(crew, crew.start("-m", "menus", "ask"))

    return start


def page(style: str, question: str = "Which one?", **more: Any) -> dict[str, Any]:
    return {"style": style, "question": question, "choices": LABELS, "hint": "Use arrow keys, Enter to select", **more}


def test_every_style_is_read_and_the_choice_that_arrives_is_the_one_asked_for(asks: Callable[..., Asking]) -> None:
    styles = ["ink", "numbered", "moves", "boxed", "bar", "radio", "buttons", "inline"]
    worker = asks(*(page(style, f"Page {style}: which one?") for style in styles))
    for n, style in enumerate(styles):
        question = worker.until_asked(f"Page {style}")
        assert [c.label for c in question.choices] == LABELS, (style, question)
        worker.answer(*(["--choice", "2"], ["--label", "yes, once"], ["yes"], ["3"])[n % 4])
        worker.until_got(*(LABELS[2] if k % 4 == 3 else LABELS[1] for k in range(n + 1)))
    assert [q.answer for q in worker.crew.task(worker.id).questions] == worker.got


def test_D22_a_digit_is_pressed_only_where_the_screen_says_that_it_picks(asks: Callable[..., Asking]) -> None:
    worker = asks(page("digits", hint="Press a number (1-3)"), page("ink", "And then?"))
    worker.until_asked("Press a number")
    worker.answer("--choice", "2")
    worker.until_asked("And then?")
    worker.until_got(LABELS[1])  # and no Enter went to the next page


def test_D22_no_means_no_though_yes_is_preselected_and_the_other_way_round(asks: Callable[..., Asking]) -> None:
    worker = asks(page("ink", "Trust it?", choices=["No, exit", "Yes, I trust this folder"]),
                  page("ink", "Delete it?", choices=["Yes, delete", "Keep it", "No, go back"]),
                  page("ink", "Allow it?", choices=["Allow always", "Allow once", "Allow for this session", "Deny"]))  # fmt: skip
    for question, word in (("Trust it?", "yes"), ("Delete it?", "no"), ("Allow it?", "YES")):
        worker.until_asked(question)
        worker.answer(word)
    worker.until_got("Yes, I trust this folder", "No, go back", "Allow once")


def test_S19_a_list_that_scrolls_is_walked_to_a_choice_beyond_the_screen(asks: Callable[..., Asking]) -> None:
    many = [f"model {n:02}" for n in range(1, 31)]
    worker = asks(
        page("ink", "Which model?", choices=many, rows=5), page("numbered", "Which tool?", choices=many, rows=4)
    )
    assert len(worker.until_asked("Which model?").choices) == 5
    worker.answer("--label", "model 23")
    worker.until_asked("Which tool?")
    done = worker.answer("--choice", "77", ok=False)
    assert done.returncode == 6 and "nothing was confirmed" in done.stderr
    worker.answer("--choice", "17")
    worker.until_got("model 23", "model 17")
    assert [q.answer for q in worker.crew.task(worker.id).questions] == ["model 23", "model 17"]


def test_D22_after_the_ticks_no_key_goes_to_the_next_question(asks: Callable[..., Asking]) -> None:
    checks = page("boxes", "Which checks?", choices=["Lint", "Unit", "E2E"], hint="Space to toggle · Enter to submit")
    worker = asks(checks, page("ink", "Which branch shall be deleted?", choices=["main", "scratch"]),
                  {**checks, "style": "ticks", "question": "And which of these?"})  # fmt: skip
    assert worker.until_asked("Which checks?").kind == "multi"
    worker.answer("--choice", "1,3")
    worker.until_asked("Which branch")
    worker.until_got(["Lint", "E2E"])
    worker.answer("scratch")
    worker.until_asked("And which of these?")
    worker.answer("unit")
    worker.until_got(["Lint", "E2E"], "scratch", ["Unit"])


def test_D22_where_the_pointer_does_not_stay_nothing_is_confirmed_and_that_is_said(asks: Callable[..., Asking]) -> None:
    worker = asks(page("tricky", "Sure?", deaf=0))
    worker.crew.tmux("resize-window", "-x", "100", "-y", "30", "-t", worker.crew.task(worker.id).pane)
    worker.until_asked("Sure?")
    (worker.crew.root / "deaf").touch()
    done = worker.answer("--choice", "3", ok=None)
    if done.returncode:  # it was moved back in time
        assert (
            done.returncode == 6
            and "nothing was confirmed" in done.stderr
            and "the pointer is on 'No, exit'" in done.stderr
        )
        assert worker.got == []
    else:
        assert worker.got == [LABELS[2]]


def test_S22_keys_that_a_page_ignores_at_first_are_pressed_again(asks: Callable[..., Asking]) -> None:
    worker = asks(page("ink", "Deaf to the first key?", deaf=1))
    worker.until_asked("Deaf")
    worker.answer("--choice", "2")
    worker.until_got(LABELS[1])


def test_words_go_into_a_field_and_enter_only_once_they_are_seen_there(asks: Callable[..., Asking]) -> None:
    worker = asks(
        page("field", "What shall it be called?", choices=[], hint="Enter to submit · Esc to cancel"), page("ink")
    )
    assert worker.until_asked("What shall it be called?").kind == "field"
    worker.answer("--text", "7 Zwerge 数据 x")
    worker.until_got("7 Zwerge 数据 x")


def test_S22_two_that_ask_alike_are_two_questions_each_answered_by_its_own_answer(asks: Callable[..., Asking]) -> None:
    worker = asks(
        page("ink", "Run it?\r\n\r\n$ print(1)\r\n\r\nProceed?"),
        page("ink", "Run it?\r\n\r\n$ print(2)\r\n\r\nProceed?"),
    )
    first = worker.until_asked("print(1)")
    worker.answer("--choice", "2")
    second = worker.until_asked("print(2)")
    assert (first.id, second.id) == ("s1", "s2")
    worker.answer("no")
    worker.until_got(LABELS[1], LABELS[0])


def test_D23_of_two_answers_to_one_dialogue_the_second_is_told_that_it_came_late(asks: Callable[..., Asking]) -> None:
    worker = asks(page("ink", "Which colour?", choices=["red", "green", "blue"]), page("ink", "Next?"))
    worker.until_asked("Which colour?")
    both = [worker.crew.popen("answer", worker.id, "--question", "s1", "--choice", n) for n in ("2", "3")]
    told = [(p.wait(60), *p.communicate()) for p in both]
    worker.until_asked("Next?")
    assert len(worker.got) == 1
    (won,) = [out for code, out, _ in told if code == 0]
    (late,) = [(code, err) for code, _, err in told if code]
    assert worker.got[0] in won
    assert late[0] in (1, 6) and ("was answered" in late[1]) and worker.got[0] in late[1], late


@pytest.mark.parametrize(
    ("words", "says"), [(("yes",), "more than one"), (("maybe",), "not one of its choices"), (("9",), "not one")]
)
def test_what_is_no_choice_is_refused_and_nothing_is_pressed(
    asks: Callable[..., Asking], words: tuple[str, ...], says: str
) -> None:
    worker = asks(page("ink", choices=["Yes, here", "Yes, there", "No"]))
    worker.until_asked()
    done = worker.answer(*words, ok=False)
    assert done.returncode == 4 and says in done.stderr and "2. Yes, there" in done.stderr
    assert worker.got == []


def test_S19_own_words_find_their_field_and_no_its_choice_beyond_the_screen(asks: Callable[..., Asking]) -> None:
    long = ["Yes, all of them", "Yes, some", "Maybe", "Later", "No", "Enter your own answer"]
    worker = asks(page("ink", "Shall I?", choices=long, rows=2), page("ink", "And now?", choices=long, rows=2))
    worker.until_asked("Shall I?")
    worker.answer("no")
    worker.until_asked("And now?")
    worker.answer("Later")
    worker.until_got("No", "Later")
    assert [q.answer for q in worker.crew.task(worker.id).questions] == ["No", "Later"]


def test_D22_a_form_whose_rows_change_is_not_gone(asks: Callable[..., Asking]) -> None:
    worker = asks(page("form", "Fill it in:", choices=["Region", "Note"]))
    worker.until_asked("Fill it in")
    done = worker.answer("--choice", "1", ok=False)
    assert done.returncode == 6 and "still on the screen" in done.stderr
