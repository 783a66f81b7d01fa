"""What is printed where a person looks, and where a program reads: colours, width, length, questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pexpect
import pytest
from crew import DISPATCH, Crew, wait_until
from made import made, over

from dispatch_tmux.core.text import columns


@pytest.fixture(scope="module")
def told(shared: Crew) -> Crew:
    """A crew with more tasks than fit, all over."""
    for n in range(60):
        made(
            shared.store,
            f"task-{n:02}",
            *over("failed" if n % 3 else "done", why="because " * 40),
            title="much to do " * 30,
        )
    asks = ("question", {"q": "001", "via": "file", "text": "Which?", "choices": [["1", "red"], ["2", "blue"]]})
    made(shared.store, "asks", asks, *over("blocked", 0))
    shared.store.tree("asks").replace("ipc", "001.question", text="Which?\n1. red\n2. blue\n")
    return shared


def terminal(crew: Crew, *args: str, columns: int = 80, **env: str) -> pexpect.spawn[str]:
    """The command as a person runs it."""
    return pexpect.spawn(
        DISPATCH[0], [*DISPATCH[1:], *args], cwd=str(crew.root), env={**crew.env, **env}, encoding="utf-8",
        dimensions=(24, columns), timeout=30,
    )  # fmt: skip


def all_of(shown: pexpect.spawn[str]) -> list[str]:
    shown.expect(pexpect.EOF)
    shown.close()
    return str(shown.before).replace("\r\n", "\n").rstrip("\n").split("\n")


def plain(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def ageless(line: str) -> str:
    """LINE without how long it has been so, which goes on while we look."""
    return re.sub(r" +\d+[smhd] ", " ", line)


def test_a_terminal_has_colours_and_its_own_width(told: Crew) -> None:
    narrow, wide = all_of(terminal(told, "status")), all_of(terminal(told, "status", columns=160))
    for lines, width in ((narrow, 80), (wide, 160)):
        assert all(columns(plain(line)) <= width for line in lines if "task-" in line or line.startswith("  "))
        assert any("\x1b[31m" in line for line in lines)
    assert max(columns(plain(line)) for line in wide) > 100


def test_no_colours_for_who_wants_none_or_is_no_terminal(told: Crew) -> None:
    assert "\x1b[" not in "\n".join(all_of(terminal(told, "status", NO_COLOR="1")))
    assert "\x1b" not in told.run("status").stdout
    for args in (("status",), ("status", "task-01"), ("report",), ("questions",), ("brief",)):
        assert "\x1b" not in "\n".join(all_of(terminal(told, *args, TERM="dumb")))
    coloured, without = (all_of(terminal(told, "status", **env)) for env in ({}, {"NO_COLOR": "1"}))
    assert [ageless(plain(line)) for line in coloured] == [ageless(line) for line in without]


@pytest.mark.parametrize(
    "args",
    [
        ("status",),
        ("questions",),
        ("wait", "--as", "pipe"),
        ("report",),
        ("status", "task-01"),
        ("clean", "-n", "--all"),
        ("brief",),
    ],
)
def test_a_program_gets_fewer_than_forty_lines_and_is_told_of_the_rest(told: Crew, args: tuple[str, ...]) -> None:
    said = told.run(*args).stdout
    assert len(said.splitlines()) < 40
    if len(said.splitlines()) > 30:
        assert "…" in said and "dispatch " in said


def test_F16_attach_says_in_a_line_that_a_terminal_cannot_show_windows(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "t", "--item", "hang", "x")
    shown = terminal(crew, "attach", "t", TERM="dumb")
    first, *hint = all_of(shown)
    assert shown.exitstatus == 1 and len(hint) == 1
    assert first.startswith("dispatch: a terminal of the kind 'dumb' cannot show windows")


def test_with_all_a_program_gets_all(told: Crew) -> None:
    said = told.run("status", "--all").stdout
    assert all(f"task-{n:02}" in said for n in range(60))
    assert len(told.json("status")) == 61


def test_what_is_left_out_of_news_comes_with_the_next_wait(told: Crew) -> None:
    seen: set[str] = set()
    for _ in range(20):
        done = told.run("wait", "--as", "bit-by-bit", ok=None)
        if done.returncode == 5:
            break
        now = set(re.findall(r"^[✗✓] (task-\d+) ", done.stdout, re.M))
        assert not now & seen
        seen |= now
    assert len(seen) == 60


def test_a_reader_that_has_left_is_no_error(told: Crew) -> None:
    done = pexpect.run(
        f"/bin/sh -c '{DISPATCH[0]} -m dispatch_tmux.cli.main events | head -n 1; echo status $?'",
        cwd=str(told.root), env=told.env, encoding="utf-8", timeout=30,
    )  # fmt: skip
    assert done.splitlines()[-1] == "status 0" and len(done.splitlines()) == 2


@pytest.fixture
def asked(told: Crew) -> Iterator[pexpect.spawn[str]]:
    shown = terminal(told, "answer", "asks")
    yield shown
    shown.close(force=True)


def test_a_person_is_shown_the_question_and_asked_for_the_answer(told: Crew, asked: pexpect.spawn[str]) -> None:
    for words in ("Which?", "1. red", "2. blue", "answer: "):
        asked.expect_exact(words)
    asked.sendcontrol("c")
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == 130
    assert told.task("asks").open_questions


@pytest.mark.parametrize("command", [("status", "--watch"), ("events", "-f")])
def test_ctrl_c_ends_what_goes_on_without_a_word_too_many(told: Crew, command: tuple[str, ...]) -> None:
    shown = terminal(told, *command)
    shown.expect("task-")
    shown.sendcontrol("c")
    shown.expect(pexpect.EOF)
    shown.close()
    assert shown.exitstatus == 130 and "Traceback" not in str(shown.before)


def test_a_locale_that_knows_no_unicode_costs_no_word(told: Crew) -> None:
    done = told.run("status", LC_ALL="C", PYTHONIOENCODING="ascii", ok=None)
    assert done.returncode == 0 and "task-59" in done.stdout


def test_watching_shows_what_changes(told: Crew) -> None:
    made(told.store, "watched", *over("done"), items=("one",))
    shown = terminal(told, "status", "watched", "--watch", NO_COLOR="1")
    shown.expect("○ one")
    told.store.tree("watched").replace("plan.md", text="- [x] one\n")
    wait_until(lambda: told.store.ring() or shown.expect(["✓ one", pexpect.TIMEOUT], timeout=0.2) == 0)
    shown.close(force=True)


def test_json_on_a_terminal_is_the_same_as_through_a_pipe(told: Crew) -> None:
    on_terminal = json.loads("\n".join(all_of(terminal(told, "questions", "--json"))))
    assert on_terminal == told.json("questions")


@pytest.mark.parametrize("width", [80, 40])
def test_what_is_watched_fits_the_window_with_who_waits_on_top(told: Crew, width: int) -> None:
    shown = terminal(told, "status", "--watch", columns=width, NO_COLOR="1")
    shown.expect(re.escape("\x1b[H"))
    shown.expect(re.escape("\x1b[J"))
    lines = [line.removesuffix("\x1b[K") for line in str(shown.before).split("\r\n")]
    shown.close(force=True)
    assert len(lines) <= 24 and all(columns(line) <= width for line in lines)
    assert lines[1].startswith("asks ") and "Which?" in lines[1]
    assert any(re.match(r"… \d+ more failed, ", line) for line in lines)


@pytest.mark.parametrize("width", [80, 40])
def test_a_screen_is_fitted_to_the_terminal_and_whole_in_a_pipe(told: Crew, width: int) -> None:
    text = f"{'─' * 200}\n● {'some words that go on ' * 9}\n╭─ Title {'─' * 150}╮"
    told.store.own_tree("task-01").replace("screen.txt", text=text)
    lines = all_of(terminal(told, "screen", "task-01", columns=width))
    assert lines[0] == "─" * width and re.fullmatch("╭─ Title ─+╮", lines[-1])
    assert all(columns(line) <= width and not line.endswith(("som", "wor", "tha")) for line in lines)
    assert told.run("screen", "task-01").stdout == text + "\n"
    shown = all_of(terminal(told, "status", "task-01", columns=width))
    assert all(columns(plain(line)) <= width for line in shown if "│" in line)


def test_a_question_is_wrapped_at_words(told: Crew) -> None:
    text = "Which of the databases that were named in the meeting yesterday evening is the one to be used here?"
    long = (
        "question",
        {"q": "001", "via": "file", "text": text, "choices": [["1", "the first"], ["2", "the other"]], "type": "multi"},
    )
    made(told.store, "wordy", long, *over("blocked", 0))
    lines = all_of(terminal(told, "questions", columns=40))
    about = lines[next(n for n, line in enumerate(lines) if "wordy asks" in line) :]
    assert all(columns(line) <= 40 for line in about) and " ".join(" ".join(about).split()).count(text) == 1
    assert any("--choice 1,2" in line for line in about)
    told.store.remove("wordy")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colours_gets_none(told: Crew, env: dict[str, str]) -> None:
    assert "\x1b[" not in "\n".join(all_of(terminal(told, "peek", "task-01", **env)))
    assert "\x1b[" in "\n".join(all_of(terminal(told, "peek", "task-01")))


def test_waiting_shows_how_things_stand_and_leaves_nothing_of_it(crew: Crew) -> None:
    for id in ("a", "b"):
        crew.start("-m", "demo", "--id", id, "--item", "hang", "work")
        crew.until(id, "working")
    crew.run("pause")
    crew.start("-m", "demo", "--id", "c", "work")
    shown = terminal(crew, "wait", "--follow")
    shown.expect("2 working, 1 queued · 00:0[0-9]\x1b\\[K")
    shown.expect("2 working, 1 queued · 00:0[1-9]")  # the time goes on
    crew.run("stop", "b")
    shown.expect("\r\x1b\\[K■ b stopped")
    shown.expect("1 working, 1 queued")  # it goes on
    shown.sendcontrol("c")
    shown.expect(pexpect.EOF)
    shown.close()
    assert shown.exitstatus == 130 and str(shown.before).rstrip("\r\n").endswith("\r\x1b[K")


def test_following_ends_with_the_last_task_and_a_pipe_sees_the_news_only(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "works", "--item", "hang", "work")
    made(crew.store, "over", *over("done"))
    waiting = crew.popen("wait", "--follow", "--json")
    assert waiting.stdout and json.loads(waiting.stdout.readline())["task"] == "over"
    crew.run("stop", "works")
    out, err = waiting.communicate(timeout=30)
    assert [json.loads(line)["kind"] for line in out.splitlines()] == ["stopped"]
    assert waiting.returncode == 0 and "working" not in err
    assert crew.run("wait", "--follow", ok=None).returncode == 5
