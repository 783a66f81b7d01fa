"""`history`, `restore`, `usage` and `--everywhere` as a person and a program read them."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from crew import Crew
from made import made, over
from test_shapes import listed

EVIL = "\x1b]0;owned\x07\u202eThe \U000e0041Token"


@pytest.fixture(scope="module")
def told(shared: Crew) -> Crew:
    """A crew with a task that is archived, one that is over, and one that asks."""
    answered = (
        ("question", {"q": "001", "via": "file", "text": EVIL}),
        ("answer", {"q": "001", "answer": "a long sentence"}),
    )
    made(shared.store, "old", *answered, *over("done"), title="Audit the login")
    shared.store.tree("old").replace("output.md", text=f"{EVIL} is weak\n" + "x\n" * 5000)
    made(shared.store, "live", *over("failed"), title="Rework the login")
    asks = ("question", {"q": "001", "via": "file", "text": EVIL, "choices": [["1", "red"]]})
    made(shared.store, "asks", asks, *over("blocked", 0))
    said = shared.run("clean", "old").stdout
    assert said == "removed old (done)\nin the archive: dispatch history, dispatch restore old\n"
    return shared


def test_a_line_a_task_with_what_was_found(told: Crew) -> None:
    lines = told.run("history", "token", "weak", COLUMNS="60").stdout.splitlines()
    assert len(lines) == 1 and re.fullmatch(r"✓ old +\ds  .*", lines[0]) and len(lines[0]) <= 60 and "Token" in lines[0]
    assert [line.split()[1] for line in told.run("history", "login").stdout.splitlines()] == ["live", "old"]
    assert told.run("history", "nowhere").stdout == "nothing found\n"
    assert "… there are more: -n 10" in told.run("history", "-n", "1").stdout
    data = told.json("history", "login")
    assert all(set(one) == listed("history") for one in data) and [one["archived"] for one in data] == [False, True]


def test_all_that_is_kept_of_one(told: Crew) -> None:
    said = told.run("history", "old").stdout
    assert "Audit the login" in said and "? The Token" in said and "→ a long sentence" in said and "\x1b" not in said
    assert "dispatch history old --json" in said  # a program is not given all of a long result
    whole = told.json("history", "old")
    assert whole["output"].endswith("x\nx\n") and whole["questions"][0]["answer"] == "a long sentence"
    raw = told.run("history", "old", "--json").stdout
    assert "\x1b" not in raw and "\u202e" not in raw and "\U000e0041" not in raw
    assert told.json("history", whole["key"])["key"] == whole["key"]


def test_usage_says_what_is_not_known(told: Crew) -> None:
    lines = told.run("usage").stdout.splitlines()
    assert lines[0].split() == ["MODEL", "TASKS", "TIME", "TOKENS", "COST"] and lines[1].split()[-2:] == ["unknown"] * 2
    assert all(set(one) == listed("usage") and one["cost"] is None for one in told.json("usage", "--by", "task"))


def test_every_project_in_one_list(told: Crew) -> None:
    (told.home / ".dispatch" / "projects" / "gone-12345678").mkdir(exist_ok=True)
    said = told.run("status", "--everywhere", cwd=told.base).stdout
    assert said.startswith(f"{told.root}: 1 blocked, 1 failed\n  ■ asks: The Token\n")
    assert "1 project is not there any more: gone-12345678" in said and "\x1b" not in said
    here, gone = sorted(told.json("status", "--everywhere"), key=lambda place: place["gone"])
    assert here["counts"] == {"failed": 1, "blocked": 1} and [t["id"] for t in here["waits"]] == ["asks", "live"]
    assert gone["gone"] and gone["trouble"]
    asked = told.run("questions", "--everywhere", cwd=told.base).stdout
    assert f"dispatch -C {told.root} answer asks --choice N" in asked
    (question,) = json.loads(told.run("questions", "--everywhere", "--json", cwd=told.base).stdout)
    assert question["root"] == str(told.root) and question["task"] == "asks"


def test_it_comes_back_and_can_be_begun_again(crew: Crew) -> None:
    id = crew.start("-m", "demo", "--id", "a", "--item", "look", "x")
    crew.until(id, "done")
    crew.run("stop", "a")
    assert "kept a: nobody has read its result" in crew.run("clean").stdout
    crew.run("wait", "--timeout", "20")
    assert "removed a (done)" in crew.run("clean").stdout and "archive" in crew.run("doctor", ok=None).stdout
    assert crew.run("restore", "a", "--id", "b").stdout == "restored b (done): dispatch status b\n"
    assert "there is: b" in crew.run("restore", "b", ok=None).stderr or crew.task("b").restored
    assert crew.run("wait", "--timeout", "0", ok=False).returncode == 5  # it is no news
    crew.run("retry", "b", "--fresh")
    assert crew.until("b", "done").attempt == 2 and Path(crew.store.path("b", "output.md")).exists()


ASKS = """
stty -echo; printf 'Password for the vault: '; read p; stty echo; echo
echo "it has ${#p} letters" >"$DISPATCH_TASK_DIR/output.md"
sed 's/\\[ \\]/[x]/' "$DISPATCH_TASK_DIR/plan.md" >p.md && mv p.md "$DISPATCH_TASK_DIR/plan.md"
: >"$DISPATCH_TASK_DIR/ipc/.done"
"""


def test_X5_the_answer_to_a_password_prompt_is_not_archived(crew: Crew) -> None:
    crew.configure({"asks": crew.script("w.sh", ASKS)})
    id = crew.start("-m", "asks", "--id", "a", "x")
    assert crew.until(id, "question").open_questions[0].kind == "secret"
    crew.run("answer", "a", "--text", "hunter2-secret")
    crew.until(id, "done")
    crew.run("clean", "a")
    whole = crew.json("history", "a")
    assert whole["output"] == "it has 14 letters\n" and whole["questions"][0]["answer"] == "(not kept)"
    files = [path for path in (crew.home / ".dispatch").rglob("*") if path.is_file()]
    (kept,) = [path for path in files if path.name.endswith(".json.gz")]
    assert b"hunter2" not in gzip.decompress(kept.read_bytes())
    assert not [path for path in files if b"hunter2" in path.read_bytes()]
