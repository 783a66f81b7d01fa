"""The main job on workers that know only files, as a person with a shell sees it."""

from __future__ import annotations

import pytest
from crew import Crew

pytestmark = pytest.mark.fresh

ASKS = """
cd "$DISPATCH_TASK_DIR"
printf 'Which database?\\n1. SQLite\\n2. PostgreSQL\\n' >ipc/001.question.tmp && mv ipc/001.question.tmp ipc/001.question
while [ ! -f ipc/001.answer ]; do sleep 0.05; done
: >ipc/001.done
sed 's/\\[ \\]/[x]/' plan.md >plan.tmp && mv plan.tmp plan.md
cp ipc/001.answer output.md
: >ipc/.done
"""


def test_a_worker_that_knows_only_files_asks_gets_its_answer_and_finishes(crew: Crew) -> None:
    crew.configure({"sh": crew.script("w.sh", ASKS)})
    id = crew.start("-m", "sh", "--item", "choose", "--item", "build", "set up storage")
    news = crew.json("wait", "--for", "question")
    assert [(n["task"], n["question"], [c["label"] for c in n["choices"]]) for n in news] == [
        (id, "001", ["SQLite", "PostgreSQL"])
    ]
    crew.run("answer", id, "--choice", "2")
    news = crew.json("wait", "--for", "done", "--timeout", "30")
    assert [n["task"] for n in news] == [id]
    assert (crew.dir(id) / "output.md").read_text() == "PostgreSQL\n"
    assert crew.task(id).marks == "xx"


def test_a_prompt_on_the_screen_of_a_line_program_is_answered(crew: Crew) -> None:
    crew.configure({"ask": """bash -c 'read -p "Proceed? [y/N] " a; echo "you said $a"; sleep 600'"""})
    id = crew.start("-m", "ask", "deploy")
    (news,) = crew.json("wait", "--for", "question")
    assert "Proceed?" in news["text"]
    crew.run("answer", id, "y")
    assert "you said y" in crew.screen(id)
    assert not crew.task(id).open_questions


def test_a_worker_without_an_answer_leaves_its_context_and_is_started_again_with_the_answer(crew: Crew) -> None:
    crew.configure(
        {
            "sh": crew.script(
                "w.sh",
                """
cd "$DISPATCH_TASK_DIR"
if [ -f context.md ]; then
    case $1 in *'knew the port'*'use 8080'*) sed 's/\\[.\\]/[x]/' plan.md >p && mv p plan.md; : >ipc/.done ;; esac
    exit 0
fi
echo 'Which port?' >ipc/001.question
echo 'I knew the port was open' >context.md
sed 's/\\[ \\]/[?]/' plan.md >p && mv p plan.md
""",
            )
        }
    )
    id = crew.start("-m", "sh", "serve")
    crew.until(id, "blocked")
    crew.run("answer", id, "use 8080")
    task = crew.until(id, "done")
    assert task.attempt == 2
    assert len(crew.events(id, "started")) == 2


def test_the_same_news_is_told_once_to_each_reader(crew: Crew) -> None:
    crew.configure({"true": "true"})
    id = crew.start("-m", "true", "nothing")
    assert [n["task"] for n in crew.json("wait", "--as", "one")] == [id]
    assert [n["task"] for n in crew.json("wait", "--as", "two")] == [id]
    again = crew.run("wait", "--as", "one", ok=False)
    assert again.returncode == 5


def test_wait_for_what_is_there_already_says_only_that(crew: Crew) -> None:
    """The file watch is closed as soon as it is opened; its library used to complain on the terminal."""
    crew.start("-m", "demo", "--id", "a", "x")
    crew.until("a", "done")
    for n in range(5):
        assert crew.run("wait", "--as", f"c{n}").stderr == ""
