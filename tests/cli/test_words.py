"""What the command line says: answers, deliveries, help; and what of it `--verbose` and `--json` add."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from crew import DISPATCH, Crew, wait_until
from made import made, over

from dispatch_tmux.cli import init
from dispatch_tmux.cli.main import COMMANDS, GROUPS, cli
from dispatch_tmux.core.task import Choice, Question
from dispatch_tmux.errors import NeedsDecision, UsageProblem
from dispatch_tmux.verbs.answer import Pick, pick

DATABASES = "ask: Which database? (choices: SQLite | PostgreSQL)"


def asking(crew: Crew, *items: str) -> str:
    """A demo task that asks what its first item says."""
    id = crew.start(
        "-m", "demo", "--id", "storage", *(word for item in items for word in ("--item", item)), "set up storage"
    )
    crew.until(id, "question")
    return id


# --- answering


@pytest.mark.parametrize("given", [("--choice", "2"), ("2",), ("postgresql",)])
def test_an_answer_is_told_in_the_choices_own_words(crew: Crew, given: tuple[str, ...]) -> None:
    id = asking(crew, DATABASES)
    assert crew.run("answer", id, *given).stdout == "answered: PostgreSQL\n"


def test_an_answer_on_the_screen_is_told_alike_and_its_proof_when_asked_for(crew: Crew) -> None:
    id = asking(crew, "choose: Delete build/ ? (choices: Yes | No)", "choose: Really? (choices: Yes | No)")
    assert crew.run("answer", id, "--choice", "2").stdout == "answered: No\n"
    wait_until(lambda: len(crew.task(id).questions) == 2)
    said = crew.run("answer", id, "Yes", "--verbose").stdout.splitlines()
    assert said[0] == "answered: Yes" and said[1].startswith("  proof: ")


def test_the_proof_of_an_answer_is_in_its_json(crew: Crew) -> None:
    id = asking(crew, DATABASES)
    assert crew.json("answer", id, "--choice", "1") == {
        "task": id, "question": "001", "answer": "SQLite", "proof": "written to ipc/001.answer", "restarted": False, "kept": False,
    }  # fmt: skip


def test_a_number_that_is_no_choice_is_refused_and_may_be_sent_as_words(crew: Crew) -> None:
    id = asking(crew, DATABASES)
    done = crew.run("answer", id, "7", ok=None)
    assert done.returncode == 4 and "'7' is not one of its choices" in done.stderr
    assert (
        "1. SQLite · 2. PostgreSQL" in done.stderr
        and "dispatch answer storage --text 7 sends it as words" in done.stderr
    )
    assert crew.run("answer", id, "--text", "7").stdout == "answered: 7\n"
    crew.until(id, "done")
    assert (crew.dir(id) / "ipc" / "001.answer").read_text() == "7\n"


@pytest.mark.parametrize("words", [("   ",), ("\n\t ",), ("-",)])
def test_an_answer_of_blanks_is_none(crew: Crew, words: tuple[str, ...]) -> None:
    id = asking(crew, DATABASES)
    done = crew.run("answer", id, *words, ok=None, stdin=" \n")
    assert done.returncode == 2 and "the answer is empty" in done.stderr
    assert crew.task(id).open_questions


def test_F17_an_answer_to_a_worker_that_has_ended_is_kept_for_its_next_attempt(crew: Crew) -> None:
    crew.script("w.sh", 'printf "Which one?\\n" >"$DISPATCH_TASK_DIR/ipc/001.question"; sleep 600')
    crew.configure({"mine": "sh w.sh"})
    id = crew.start("-m", "mine", "--id", "zz", "job")
    crew.until(id, "question")
    crew.run("stop", id)
    said = crew.run("answer", id, "the second", ok=None)
    if said.returncode:  # the supervisor had closed the question already
        assert said.returncode == 1 and "has no open question" in said.stderr
        return
    assert said.stdout.splitlines() == [
        "kept: the second", "  nobody has read it: the worker of zz has ended. `dispatch retry zz` tells it",
    ]  # fmt: skip


QUESTION = Question("001", "file", "Which?", (Choice("1", "red"), Choice("2", "blue")), 0.0)
ON_SCREEN = QUESTION._replace(id="s1", via="screen")
OWN = (*QUESTION.choices, Choice("3", "Type something", text=True))


@pytest.mark.parametrize(
    ("question", "text", "literal", "picked"),
    [
        (QUESTION, "2", False, Pick(("2",), "", "blue")), (QUESTION, "2", True, Pick((), "2", "2")),
        (QUESTION, "green", False, Pick((), "green", "green")), (QUESTION, "10 000", False, Pick((), "10 000", "10 000")),
        (QUESTION._replace(choices=()), "7", False, Pick((), "7", "7")), (ON_SCREEN._replace(choices=OWN), "7", True, Pick(("3",), "7", "7")),
        (ON_SCREEN, "Blue", False, Pick(("2",), "", "blue")),
    ],
)  # fmt: skip
def test_how_a_text_answers(question: Question, text: str, literal: bool, picked: Pick) -> None:
    assert pick(question, text, literal=literal) == picked


@pytest.mark.parametrize(
    ("question", "text", "literal"),
    [(QUESTION, "7", False), (ON_SCREEN, "7", False), (ON_SCREEN, "7", True), (ON_SCREEN, "green", False), (ON_SCREEN._replace(choices=OWN), "7", False)],
)  # fmt: skip
def test_what_is_refused_lists_the_choices(question: Question, text: str, literal: bool) -> None:
    with pytest.raises(NeedsDecision) as told:
        pick(question, text, literal=literal)
    assert "1. red · 2. blue" in told.value.hint
    assert ("--text 7" in told.value.hint) is (question.via == "file" or len(question.choices) == 3)
    with pytest.raises(UsageProblem):
        pick(question, "  ")


# --- telling


def test_a_delivery_is_told_in_a_word_and_its_proof_when_asked_for(crew: Crew) -> None:
    id = crew.start("-m", "demo", "--id", "t", "x")
    crew.until(id, "done")
    assert crew.run("send", id, "keep it short").stdout == "delivered to t\n"
    said = crew.run("send", "-v", id, "and plain").stdout.splitlines()
    assert said[0] == "delivered to t" and said[1].startswith("  proof: ")
    data = crew.json("send", id, "third")
    assert data["task"] == "t" and data["delivered"] is True and data["proof"]
    empty = crew.run("send", id, " ", ok=None)
    assert empty.returncode == 2 and "the message is empty" in empty.stderr
    assert not crew.events(id, "undelivered")


def test_a_note_says_whether_only_the_plan_has_it(crew: Crew) -> None:
    crew.run("pause")
    id = crew.start("-m", "demo", "--id", "t", "--item", "sleep 60", "x")
    assert crew.run("note", id, "before it begins").stdout == "noted in the plan of t\n"
    crew.run("resume-queue")
    crew.until(id, "working")
    assert crew.json("note", id, "leave vendor/ alone")["delivered"] is True
    assert crew.run("note", id, "and build/").stdout == "noted in the plan of t, and delivered\n"
    crew.run("stop", id)


# --- how things stand


def test_what_is_not_running_is_called_by_its_name(crew: Crew) -> None:
    id = asking(crew, DATABASES)
    crew.tmux("kill-server")
    wait_until(lambda: not crew.store.supervised())
    assert "no task 'nosuch'" in crew.run("status", "nosuch", ok=False).stderr
    shown = crew.run("status", id, "--why").stdout
    assert "the state was based on:" in shown and "the supervisor is not running" in shown
    assert "not running; `dispatch run`" in crew.run("doctor", ok=None).stdout


def test_a_directory_that_is_not_there_is_no_project(crew: Crew) -> None:
    done = crew.run("-C", "/nosuch/typo", "status", ok=False)
    assert "there is no directory /nosuch/typo" in done.stderr and "-C DIR" in done.stderr


def test_nothing_to_do_is_said(crew: Crew) -> None:
    assert crew.run("resume", "--all").stdout == "no task was cut off\n"
    assert crew.run("stop", "--all").stdout == "no worker is running\n"
    assert crew.run("clean").stdout == "nothing to clean\n"
    assert crew.run("questions").stdout == "no open question\n"


# --- help


def commands() -> list[tuple[str, click.Command]]:
    context = click.Context(cli)
    found = [(name, cli.get_command(context, name)) for name in COMMANDS]
    groups = [
        (f"{name} {sub}", c.commands[sub]) for name, c in found if isinstance(c, click.Group) for sub in c.commands
    ]
    return [(name, command) for name, command in [*found, *groups] if command]


def test_the_help_of_the_group_fits_into_eighty_columns_under_headings(crew: Crew) -> None:
    said = crew.run("--help", COLUMNS="80").stdout
    assert max(map(len, said.splitlines())) <= 80 and "..." not in said
    places = [said.index(f"\n{heading}:\n") for heading in GROUPS]
    assert places == sorted(places)
    assert crew.run("help").stdout == crew.run("--help").stdout


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_verb_and_every_option_is_explained(name: str, command: click.Command) -> None:
    assert (
        command.help
        and command.help.strip()[0].isupper()
        and command.help.split("\n\n")[0].strip().endswith((".", ":", ",", "…"))
    )
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts}"


def test_help_of_a_verb(crew: Crew) -> None:
    assert crew.run("help", "answer").stdout == crew.run("answer", "--help").stdout
    assert crew.run("help", "config", "add-model").stdout == crew.run("config", "add-model", "--help").stdout
    wrong = crew.run("help", "anwser", ok=None)
    assert wrong.returncode == 2 and "did you mean 'answer'?" in wrong.stderr
    for word, meant in (("stauts", "status"), ("kil", "stop"), ("kill", "stop"), ("version", "--version")):
        assert f"there is no verb '{word}'; did you mean '{meant}'?" in crew.run(word, ok=None).stderr


def test_F16_a_task_where_a_verb_belongs_is_recognised(crew: Crew) -> None:
    made(crew.store, "billing", *over("done"))
    made(crew.store, "status-page", *over("done"))
    for word in ("billing", "bil"):
        assert "it is a task: dispatch status billing" in crew.run(word, ok=False).stderr
    assert (
        "did you mean 'status'?" in crew.run("statu", ok=False).stderr
    )  # a verb is nearer than the beginning of an id
    assert crew.run("nonsense", ok=False).stderr.rstrip().endswith("there is no verb 'nonsense'")


def test_other_names_are_the_verb_itself(crew: Crew) -> None:
    made(crew.store, "over", *over("done"))
    assert crew.run("ls").stdout == crew.run("ps").stdout == crew.run("status").stdout
    assert crew.run("help", "rm").stdout == crew.run("rm", "--help").stdout == crew.run("clean", "--help").stdout
    assert "over" in crew.run("rm", "over").stdout and not crew.store.ids()


def test_F16_a_directory_that_is_not_there_is_an_error_for_every_verb(crew: Crew) -> None:
    for verb in COMMANDS:
        done = crew.run("-C", "/typo", verb, ok=False)
        assert done.returncode == 1 and done.stderr.startswith("dispatch: there is no directory /typo\n"), verb


def test_help_loads_no_verb(crew: Crew) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *DISPATCH[1:], "--help"],
        env=crew.env,
        cwd=crew.root,
        capture_output=True,
        text=True,
    )
    assert "dispatch_tmux.cli" in done.stderr and "dispatch_tmux.verbs" not in done.stderr


@pytest.mark.parametrize(
    ("picked", "model"), [("1", "opus"), (" 2 ", "gpt-5.3"), ("²", "²"), ("٢", "٢"), ("3", "3"), ("0", "0"), ("sonnet", "sonnet")]
)  # fmt: skip
def test_the_first_model_is_picked_by_its_number_or_named(picked: str, model: str) -> None:
    assert init.chosen(["opus", "gpt-5.3"], picked) == model
