"""What is wrong is said in a line or a few, on standard error, with what to do, and with the exit code of docs/cli.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from crew import Crew
from made import made, over

from dispatch_tmux.core.task import State

CODES = re.compile(r"^\| (\d+) \| (.+) \|$", re.M)


@pytest.fixture(scope="module")
def told(shared: Crew) -> Crew:
    """A crew whose tasks are over, one of each kind. Nobody supervises them, and no tmux server runs."""
    made(shared.store, "done", *over("done"), marks="xx")
    made(shared.store, "failed", *over("failed", 3, why="exit code 3"))
    made(shared.store, "stopped", *over("stopped", 143))
    made(shared.store, "dup-1", *over("done"))
    made(shared.store, "dup-2", *over("done"))
    asks = ("question", {"q": "001", "via": "file", "text": "Which?", "choices": [["1", "red"], ["2", "blue"]]})
    made(shared.store, "asks", asks, *over("blocked", 0))
    shared.store.tree("asks").replace("ipc", "001.question", text="Which?\n1. red\n2. blue\n")
    return shared


NO_TASK = "no task 'nosuch' in this project"
WRONG: list[tuple[str, int, str, str]] = [
    # the command, its exit code, what it says, what it says to do
    # --- which task
    *((f"{verb} nosuch{more}", 1, NO_TASK, "there is: ") for verb, more in (
        ("status", ""), ("answer", " x"), ("send", " x"), ("note", " x"), ("keys", " Enter"), ("stop", ""), ("retry", ""), ("resume", ""),
        ("wait", ""), ("clean", ""), ("logs", ""), ("screen", ""), ("events", ""), ("diff", ""), ("merge", ""), ("pr", ""), ("drop", ""),
        ("report", ""), ("record", ""), ("release", ""), ("status --why", ""), ("status --json", ""))),
    ("status dup", 1, "several tasks begin with 'dup'", "there is: dup-1, dup-2"),
    ("stop", 2, "no task is named", "--all"),
    ("resume", 2, "which task?", "--all"),
    ("resume done --all", 2, "either tasks, or all", ""),
    ("status --why", 2, "--why of which task?", "dispatch status TASK --why"),
    # --- what does not go together: the one that is left out would be missed
    ("status done --why --json", 2, "--json and --why do not go together", "--help"),
    ("status --graph --json", 2, "--json and --graph do not go together", ""),
    ("status --watch --json", 2, "--json and --watch do not go together", ""),
    ("status done --graph", 2, "--graph draws every task", "dispatch status --graph"),
    ("clean --done --all", 2, "only done tasks, or others, too?", "--done goes with"),
    ("clean failed --done", 2, "only done tasks, or others, too?", ""),
    ("status done --everywhere", 2, "--everywhere goes with --json and --all only", ""),
    ("status --everywhere --watch", 2, "--everywhere goes with --json and --all only", ""),
    # --- what was
    ("restore nosuch", 1, "no archived task 'nosuch'", "dispatch history lists them"),
    ("restore done", 1, "done is no archived task, it is there", "dispatch status done"),
    ("restore done --id NO", 2, "'NO' is not a task id", ""),
    ("history x --since soon", 2, "'soon' is no time", "30m"),
    ("history x -n -1", 2, "-1 is not in the range", ""),
    ("usage --by colour", 2, "'colour' is not one of", ""),
    ("usage --since 2026-13-01", 2, "is no time", ""),
    ("run --batch - x", 2, "--batch has everything in its file", "--yes and --json"),
    ("run --batch - --context x", 2, "--batch has everything in its file", ""),
    # --- a value that is none
    ("wait --for nonsense", 2, "'nonsense' is nothing to wait for", "question, flag, idle"),
    ("wait --timeout nan", 2, "no number of seconds", "--timeout 600"),
    ("wait --timeout soon", 2, "'soon' is not a valid float", ""),
    ("wait --as ../x", 2, "cannot be a reader's name", "letters, digits"),
    ("clean --older-than soon", 2, "'soon' is no length of time", "90s, 30m, 2h, 7d"),
    ("clean --older-than -1d", 2, "no length of time", ""),
    ("clean --older-than nan", 2, "no length of time", ""),
    ("logs done -n x", 2, "'x' is not a valid integer range", ""),
    ("logs done -n -5", 2, "-5 is not in the range", ""),
    ("keys done NoKey", 2, "'NoKey' is not a key", "dispatch send done TEXT"),
    ("run", 2, "there is no prompt", "dispatch run"),
    ("run -m demo --item  x", 2, "an item of the checklist is empty", ""),
    ("run -m demo --id No x", 2, "'No' is not a task id", "a-z, 0-9"),
    ("run -m demo --timeout soon x", 2, "'soon' is no length of time", "30m"),
    ("run -m demo --deadline soon x", 2, "'soon' is no time", "17:30"),
    ("run -m demo --permissions all x", 2, "'all' is not one of 'skip', 'ask'", ""),
    ("run -m demo --priority x x", 2, "'x' is not a valid integer", ""),
    ("run -m demo --base main x", 2, "--base says where a worktree begins", "--worktree"),
    ("run -m demo --cwd /nosuch x", 1, "/nosuch is not a directory", "--cwd"),
    ("run -m demo --after nosuch x", 1, NO_TASK, ""),
    ("run -m demo --worktree x", 1, "is no git repository", "git init"),
    ("run -m gork-9 x", 1, "gork-9 isn't available", ""),
    ("retry failed -m gork-9", 1, "gork-9 isn't available", ""),
    ("config set-default gork-9", 1, "gork-9 isn't available", ""),
    ("config add-alias a gork-9", 1, "gork-9 isn't available", ""),
    ("config set-default ", 2, "the model has no name", "dispatch models"),
    ("config add-alias a ", 2, "the model has no name", ""),
    ("config add-model ", 2, "the model has no name", ""),
    ("config remove-model nosuch", 1, "there is no model 'nosuch'", ""),
    ("config remove-alias nosuch", 1, "there is no alias 'nosuch'", ""),
    ("config add-model x --backend nosuch", 1, "there is no backend 'nosuch'", "claude, codex"),
    ("backends --check nosuch", 1, "no backend 'nosuch'", "claude, codex"),
    # --- a file or a directory that is none
    ("run --batch nosuch.yaml", 1, "there is no file nosuch.yaml", ""),
    ("run -m demo --plan nosuch.md x", 1, "there is no file nosuch.md", ""),
    ("answer asks --file nosuch", 1, "there is no file nosuch", ""),
    ("classify --backend claude nosuch", 1, "there is no file nosuch", ""),
    ("report --html /nosuch/x.html", 1, "cannot write /nosuch/x.html: No such file", ""),
    ("-C /nosuch status", 1, "there is no directory /nosuch", "-C DIR"),
    # --- what cannot be done to a task that is over
    ("answer done x", 1, "done has no open question", "dispatch note done"),
    ("send done x", 6, "done is done: its program is not running", "dispatch note done"),
    ("send failed x", 6, "failed is failed: its program is not running", ""),
    ("keys done Enter", 6, "the program of done is not running", ""),
    ("retry done", 1, "done is done", "--fresh"),
    ("resume done", 1, "done is done", "--fresh"),
    ("logs done", 1, "done has written nothing yet", ""),
    ("screen done", 1, "done has no screen now", "dispatch logs done"),
    ("record done", 1, "done has no window now", ""),
    ("release done", 1, "done was not adopted", "dispatch stop done"),
    *((f"{verb} done", 1, "done has no worktree", "") for verb in ("diff", "merge", "pr", "drop")),
    # --- an answer that is none
    ("answer asks", 2, "there is no answer", "--choice N"),
    ("answer asks --choice 9", 4, "'9' is not one of its choices", "1. red · 2. blue"),
    ("answer asks -q 007 x", 1, "007", ""),
    # --- where it is run
    ("attach", 1, "this is not a terminal", "attach"),
    ("attach done", 1, "this is not a terminal", "attach done"),
    ("config edit", 1, "an editor needs a terminal", "config.yaml"),
    ("init", 1, "there is a config already", "--force"),
    ("ask x", 1, "this is not a worker's shell", "dispatch answer TASK"),
    ("flag x", 1, "this is not a worker's shell", ""),
    ("adopt nosuch", 1, "there is no pane 'nosuch'", "tmux list-panes -a"),
    ("skill install --user --project", 2, "--project or --user, not both", ""),
    # --- what is no command
    ("nosuch", 2, "there is no verb 'nosuch'", ""),
    ("help nosuch", 2, "there is no verb 'nosuch'", ""),
    ("config nosuch", 2, "No such command 'nosuch'", ""),
    ("status --nosuch", 2, "No such option '--nosuch'", ""),
    ("send", 2, "which task?", "dispatch send TASK"),
    ("send done", 2, "what text?", "dispatch send TASK"),
    ("send --state done stop it", 2, "with --group and --state the text is one word", "quotes"),
    ("note --group x", 2, "what text?", "dispatch note --group"),
    *((f"{verb}", 2, "no task is named", "--group NAME") for verb in ("retry", "merge", "drop")),
    *((f"{verb} nosuch-*{more}", 1, "no task is called like 'nosuch-*'", "dispatch status --all") for verb, more in (
        ("status", ""), ("stop", ""), ("retry", ""), ("resume", ""), ("merge", ""), ("drop", ""), ("clean", ""), ("wait", ""), ("send", " x"))),
    ("stop --group nosuch", 1, "no task is in a group 'nosuch'", "no task is in a group"),
    ("stop --state nosuch", 2, "'nosuch' is no state", "queued, starting"),
    ("stop --state working", 1, "no task is working", "dispatch status"),
    ("stop done --all", 2, "either tasks, or all", ""),
    ("questions nosuch", 2, "unexpected extra argument (nosuch)", ""),
]  # fmt: skip


@pytest.mark.parametrize(("command", "code", "words", "hint"), WRONG, ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_said_and_nothing_is_done(told: Crew, command: str, code: int, words: str, hint: str) -> None:
    before = {id: len(told.store.events(id)) for id in told.store.ids()}
    done = told.run(*command.split(" "), ok=None, stdin="")
    assert (done.returncode, done.stdout) == (code, ""), done.stdout + done.stderr
    first, *more = done.stderr.rstrip("\n").splitlines()
    said = more[-1] if first.startswith("Usage:") else first
    assert words in said and said.startswith(("dispatch: ", "Error: "))
    assert hint in done.stderr and len(more) <= 4
    assert all(len(line) <= 200 for line in [first, *more])
    assert {id: len(told.store.events(id)) for id in told.store.ids()} == before


def test_every_code_here_is_a_documented_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    assert {str(code) for _, code, _, _ in WRONG} <= {code for code, _ in CODES.findall(text)}


def test_nothing_to_wait_for_and_nothing_that_comes_are_told_apart(told: Crew) -> None:
    said = told.run("wait", "done", "--for", "question", ok=False)
    assert said.returncode == 5 and "no task is running, and nothing is unread" in said.stderr


def test_a_project_with_nothing_in_it_is_no_error_to_look_at(crew: Crew) -> None:
    for command in (("status",), ("brief",), ("questions",), ("report",), ("events",), ("status", "--graph")):
        done = crew.run(*command)
        assert done.stderr == "" and len(done.stdout.splitlines()) <= 12
    assert crew.json("status") == [] and crew.json("questions") == []
    assert crew.run("wait", ok=False).returncode == 5
    assert not (crew.root / ".dispatch").exists() and not crew.store.exists()  # looking makes nothing


@pytest.mark.parametrize("state", [s.value for s in State if s.value in ("done", "failed", "stopped")])
def test_what_is_over_is_shown_whole_without_tmux_or_supervisor(told: Crew, state: str) -> None:
    done = told.run("status", state)
    assert done.stdout.startswith(f"{state} — demo: work") and done.stderr == ""
    assert not told.server.running() and not told.store.supervised()
