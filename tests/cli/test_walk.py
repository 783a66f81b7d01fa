"""`dispatch answer` without TASK: a screen a question, a key a choice, and nothing taken that was meant for another one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pexpect
import pytest
from crew import DISPATCH, Crew, wait_until

from dispatch_tmux.cli import walk, walk_page
from dispatch_tmux.cli.walk_page import Typed
from dispatch_tmux.core.task import Choice, Question, State, Task
from dispatch_tmux.core.text import columns
from dispatch_tmux.verbs.questions import Asked

WIDE, POPUP, NARROW = (80, 24), (60, 15), (40, 15)


def asking(crew: Crew, id: str, number: int, choices: str = "1. red\\n2. blue\\n") -> str:
    """A worker that asks NUMBER questions at once, through files."""
    files = f'for n in $(seq -f %03g 1 {number}); do printf "Is it number $n?\\n{choices}" >"$DISPATCH_TASK_DIR/ipc/$n.question"; done'
    crew.script(f"{id}.sh", f"{files}\nexec sleep 600\n")
    crew.configure({"mine": f"sh {id}.sh"})
    crew.start("-m", "mine", "--id", id, f"Ask {number} times")
    wait_until(lambda: len(crew.task(id).open_questions) == number, lambda: crew.tell(id))
    return id


class Desk:
    """A person's window, in which `dispatch answer ARGS` runs; then it tells the exit status and how the terminal is."""

    def __init__(self, crew: Crew, *args: str, size: tuple[int, int] = WIDE, **env: str) -> None:
        self.crew, self.pressed = crew, 0
        words = {**crew.env, "TERM": "screen-256color", "PYTHONFAULTHANDLER": "1", **env}
        say = f"{shlex.join([*DISPATCH, 'answer', *args])}; echo status $?; stty -a | tr ';' '\\n' | grep -wo -e '-*icanon' -e '-*echo'"
        script = crew.base / "desk.sh"
        exports = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in words.items() if key.isidentifier())
        script.write_text(
            f"trap : INT\nunset TMUX TMUX_PANE\n{exports}cd {shlex.quote(str(crew.root))}\n{say}\nexec sleep 600\n"
        )
        made = crew.tmux(
            "new-session", "-d", "-P", "-F", "#{pane_id}", "-x", str(size[0]), "-y", str(size[1]), f"sh {script}"
        )
        self.pane = made.text.strip()

    def press(self, *keys: str) -> None:
        self.crew.tmux("send-keys", "-t", self.pane, *keys)
        self.pressed += len(keys)

    def screen(self) -> str:
        return self.crew.tmux("capture-pane", "-p", "-t", self.pane).text

    def until(self, words: str) -> str:
        wait_until(lambda: words in self.screen(), lambda: f"no {words!r} in\n{self.screen()}")
        return self.screen()


def answers(crew: Crew, id: str) -> list[str]:
    return [path.read_text().strip() for path in sorted((crew.dir(id) / "ipc").glob("*.answer"))]


def test_thirty_questions_are_thirty_keys_and_no_id(crew: Crew) -> None:
    asking(crew, "sweep", 30)
    desk = Desk(crew, size=POPUP)
    for n in range(1, 31):
        shown = desk.until(f"Is it number {n:03}?")
        assert "sweep — Ask 30 times · mine · waits" in shown and "1. red" in shown
        desk.press("1" if n % 2 else "2")
    assert "30 answered" in desk.until("status 0") and desk.pressed == 30
    assert answers(crew, "sweep") == ["red", "blue"] * 15


def test_words_skips_and_what_comes_meanwhile(crew: Crew) -> None:
    asking(crew, "auth", 3)
    desk = Desk(crew, "--first", "auth", size=NARROW)
    desk.until("Is it number 001?")
    desk.press("t", "x", "BSpace")
    desk.press("-l", "a dark green")
    desk.until("> a dark green")
    desk.press("Enter")
    desk.until("✓ auth answered: a dark green")
    desk.until("Is it number 002?")
    (crew.dir("auth") / "ipc" / "004.question").write_text("One more?\n1. yes\n2. no\n")
    wait_until(lambda: "3 open" in desk.screen())
    desk.press("s")
    desk.until("Is it number 003?")
    desk.press("Enter", "Enter")
    desk.until("the answer is empty")
    desk.press("Escape")
    desk.until("q:end")
    desk.press("2")
    desk.until("One more?")
    desk.press("n")
    assert "3 answered, 1 skipped" in desk.until("status 0")
    wait_until(lambda: answers(crew, "auth") == ["a dark green", "blue", "no"])


def test_a_slow_answer_keeps_nobody_from_the_next_question(crew: Crew) -> None:
    for id, item in (
        ("slow", "choose: Delete build/ ? (choices: Yes | No)"),
        ("parts", "multi: Which? (choices: a | b | c)"),
    ):
        crew.start("-m", "demo", "--id", id, "--item", item, "x")
        crew.until(id, "question")
    desk = Desk(crew)
    desk.until("Delete build/ ?")
    desk.press("y")
    desk.until("[ ] a")
    desk.press("3", "1")
    desk.until("[x] c")
    assert "[x] a" in desk.screen()
    desk.press("Enter")
    assert "2 answered" in desk.until("status 0")
    assert [crew.until(id, "done").questions[0].answer for id in ("slow", "parts")] == ["Yes", "a, c"]


def test_one_that_is_answered_elsewhere_is_said_and_passed(crew: Crew) -> None:
    asking(crew, "auth", 2)
    desk = Desk(crew)
    desk.until("Is it number 001?")
    crew.run("answer", "auth", "--question", "001", "--choice", "1")
    shown = desk.until("Is it number 002?")
    assert "auth: its question is gone" in shown
    desk.press("q")
    assert "1 gone meanwhile, 1 left open" in desk.until("status 0")


def test_ctrl_c_gives_the_terminal_back(crew: Crew) -> None:
    asking(crew, "auth", 2)
    desk = Desk(crew)
    desk.until("Is it number 001?")
    desk.press("C-c")
    desk.until("status 130")
    shown = desk.until("echo").split()
    assert "2 left open" in desk.screen() and "icanon" in shown and "-icanon" not in shown and "-echo" not in shown


@pytest.fixture
def dumb(crew: Crew) -> Iterator[pexpect.spawn[str]]:
    asking(crew, "auth", 2)
    shown = pexpect.spawn(
        DISPATCH[0], [*DISPATCH[1:], "answer"], cwd=str(crew.root), env={**crew.env, "TERM": "dumb"}, encoding="utf-8", timeout=30
    )  # fmt: skip
    yield shown
    shown.close(force=True)


def test_a_dumb_terminal_has_it_line_by_line_and_a_refusal_is_told_and_stays(
    crew: Crew, dumb: pexpect.spawn[str]
) -> None:
    told = ""
    for typed, said in (("7", "'7' is not one of its choices"), ("2", "answered: blue"), ("t 7", "answered: 7")):
        dumb.expect_exact("> ")
        told += str(dumb.before)
        dumb.sendline(typed)
        dumb.expect_exact(said)
        told += str(dumb.before)
    dumb.expect_exact("2 answered")
    dumb.expect(pexpect.EOF)
    dumb.close()
    assert dumb.exitstatus == 0 and "\x1b" not in told and answers(crew, "auth") == ["blue", "7"]


def test_what_was_refused_and_not_given_again_is_counted_and_is_the_exit_status(dumb: pexpect.spawn[str]) -> None:
    for typed in ("7", "q"):
        dumb.expect_exact("> ")
        dumb.sendline(typed)
    dumb.expect_exact("1 left open, 1 refused: auth: '7' is not one of its choices")
    dumb.expect(pexpect.EOF)
    dumb.close()
    assert dumb.exitstatus == 4


def test_where_no_person_is_a_task_is_wanted_and_those_that_ask_are_listed(crew: Crew) -> None:
    none = crew.run("answer", ok=None)
    assert none.returncode == 2 and "which task is answered?" in none.stderr and "nothing is asked" in none.stderr
    asking(crew, "auth", 2)
    said = crew.run("answer", ok=None)
    assert said.returncode == 2 and len(re.findall(r"^  dispatch answer auth …", said.stderr, re.M)) == 2
    assert "Is it number 001?" in said.stderr
    for args in (("--choice", "1"), ("--first", "auth", "--json")):
        assert crew.run("answer", *args, ok=None).returncode == 2
    both = crew.run("answer", "auth", "1", "--first", "auth", ok=None)
    assert both.returncode == 2 and not answers(crew, "auth")


# --- what is shown

LONG = " ".join(f"word{n}" for n in range(600))
TASK = Task("auth", title="Rework the login " * 9, group="Security", model="opus", created=1.0, state=State.WAITING)


def asked(text: str, *labels: str, **facts: object) -> Asked:
    choices = tuple(Choice(str(n), label) for n, label in enumerate(labels, 1))
    return Asked(TASK, Question("001", "file", text, choices, 1.0)._replace(**facts))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [WIDE, POPUP, NARROW, (200, 60), (20, 6), (10, 3)])
@pytest.mark.parametrize(
    "one",
    [asked("Which?", "red", "blue"), asked(LONG, "yes", "no"), asked(LONG), asked("漢字" * 900, "漢字 " * 60, "b"), asked("", *map(str, range(40))),
     asked("Which?", *("a long choice " * 20 for _ in range(9))), asked("x\x1b]0;t\x07", "\x1b[2J", kind="multi")],
)  # fmt: skip
def test_a_page_fits_any_terminal_and_paging_shows_all_of_it(size: tuple[int, int], one: Asked) -> None:
    width, height = size
    seen: list[str] = []
    at, last = 0, 1
    while at <= last:
        page = walk_page.page(one, "3 open", "said " * 50, Typed(at=at), width, height)
        assert len(page.lines) <= height and all(columns(row) <= width for row in page.lines)
        assert "\x1b" not in "".join(page.lines)
        seen += page.lines
        at, last = min(at + max(page.step, 1), max(page.last, at + (at == page.last))), page.last
    wanted = walk_page.text_rows(one.question, width)
    assert {row.strip() for row in wanted} <= {row.strip() for row in seen}


@pytest.mark.parametrize("size", [WIDE, POPUP, NARROW])
def test_the_choices_of_a_long_question_are_always_in_sight(size: tuple[int, int]) -> None:
    shown = walk_page.page(asked(LONG, "yes, all of it", "no"), "", "", Typed(), *size).lines
    assert "  1. yes, all of it" in shown and "  2. no" in shown and any("more lines (space)" in row for row in shown)


def test_what_is_typed_is_in_sight_and_a_secret_is_not() -> None:
    page = walk_page.page(asked("Which?"), "", "", Typed(words="word " * 100 + "end"), 40, 15)
    assert any(row.endswith("end") for row in page.lines) and page.cursor
    secret = walk_page.page(asked("Password:", kind="secret"), "", "", Typed(words="hunter2"), 40, 15)
    assert "hunter2" not in "".join(secret.lines) and "•" * 7 in "".join(secret.lines)


def test_which_numbers_and_words_pick_a_choice() -> None:
    letters = Question("s1", "screen", "Proceed?", (Choice("y", "Yes"), Choice("a", "Always"), Choice("n", "No")), 0.0)
    assert walk.numbers(letters) == {"1": "y", "2": "a", "3": "n"}
    assert (walk.meant(letters, "yes"), walk.meant(letters, "no")) == ("y", "n")
    beyond = letters._replace(choices=(Choice("4", "x"), Choice("5", "y")), more=True)
    assert walk.numbers(beyond) == {"4": "4", "5": "5"} and walk.is_typed(beyond)
    assert not walk.takes_words(letters) and walk.takes_words(letters._replace(via="file"))
    assert not walk.takes_words(letters._replace(kind="unknown", choices=()))
