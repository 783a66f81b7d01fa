"""The report: what it says, that it is one harmless page, and what a terminal gets."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path

import pytest
from crew import Crew

from dispatch_tmux.cli.page import page
from dispatch_tmux.cli.show import changes
from dispatch_tmux.core.plan import Item
from dispatch_tmux.core.task import Event, Question, State, Task
from dispatch_tmux.git.merge import Size
from dispatch_tmux.verbs.report import Report, Row, Span, spans

EVIL = "<script>alert(1)</script> \"'><img src=x onerror=1> \x1b[31mred\x1b[0m \u202eevil ünïcode"


class Page(html.parser.HTMLParser):
    """Tags that are open, attributes that run or load, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.bad: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.stack.append(tag)
        if tag in ("script", "img", "link", "iframe", "object"):
            self.bad.append(tag)
        self.bad += [
            name for name, value in attrs if name.startswith("on") or name == "src" or "javascript:" in (value or "")
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def row(**more: object) -> Row:
    task = Task(
        "audit", title=EVIL, model=EVIL, state=State.DONE, marks="x!", why=EVIL, flags=(EVIL,), branch=EVIL, **more
    )  # type: ignore[arg-type]
    question = Question("001", "file", EVIL, (), 5.0, answer=EVIL)
    return Row(
        task._replace(questions=(question,)), (Span(State.WORKING, 0, 60), Span(State.WAITING, 60, 120)),
        (Item(0, "x", EVIL), Item(1, "!", "b")), EVIL * 2, "/x/output.md", Size(3, 10, 2),
    )  # fmt: skip


def test_X3_the_page_is_one_harmless_file() -> None:
    text = page(Report("proj <b>", (row(),), 200.0))
    read = Page(text)
    assert read.bad == [] and read.stack == []
    assert "http://" not in text and "https://" not in text and "url(" not in text
    assert "<script>alert(1)</script>" in read.text and "\x1b" not in text and "\u202e" not in text
    assert "ünïcode" in read.text and "proj <b>" in read.text


def test_the_page_says_what_happened() -> None:
    read = Page(page(Report("proj", (row(attempt=2, after=(("before", "done"),)),), 200.0)))
    for words in ("done", "waiting for a person", "60 s", "1 of 2", "3 files", "+10", "2 attempts", "after before"):
        assert words in re.sub(r"\s+", " ", read.text), words


def test_spans_come_from_the_journal_and_go_on_until_now() -> None:
    events = [
        Event(10, "created", "created", {}), Event(15, "starting", "", {"attempt": 1}), Event(16, "state", "", {"state": "working"}),
        Event(30, "state", "", {"state": "waiting"}), Event(40, "state", "", {"state": "working"}), Event(41, "state", "", {"state": "nonsense"}),
    ]  # fmt: skip
    found = spans(events, 100.0)
    assert [(s.state.value, s.begin, s.end) for s in found] == [
        ("queued", 10, 15), ("starting", 15, 16), ("working", 16, 30), ("waiting", 30, 40), ("working", 40, 100),
    ]  # fmt: skip
    assert spans([*events, Event(50, "state", "", {"state": "done"})], 100.0)[-1].end == 50
    assert spans([], 100.0) == ()


def test_an_empty_report_is_a_page_too() -> None:
    assert "no tasks" in Page(page(Report("proj", (), 200.0))).text


def test_a_batch_is_reported_in_the_terminal_and_as_a_page(crew: Crew) -> None:
    tasks = [
        {"id": "a", "model": "demo", "prompt": "one", "group": "G", "items": ["ask: which? (choices: x | y)", "look"]},
        {"id": "b", "model": "demo", "prompt": "two"},
    ]
    crew.run("run", "--batch", "-", stdin=json.dumps(tasks))
    crew.until("a", "question")
    crew.run("answer", "a", "--choice", "2")
    crew.until("a", "done")
    crew.until("b", "done")
    said = crew.run("report").stdout
    assert said.splitlines()[0] == "2 done" and re.search(r"✓ a +2/2 +\d+ s  1 question", said)
    assert "1 task: " in crew.run("report", "--group", "G", "--html", "r.html").stdout
    text = Page((crew.root / "r.html").read_text()).text
    assert "which?" in text and "→ y" in text and "Result" in text and "two" not in text
    assert Path(crew.root, "r.html").stat().st_size < 100_000
    assert crew.run("report", "--html", "is-not-there/r.html", ok=False).stderr.startswith("dispatch: ")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (Size(1, 2, 0), "1 file +2 -0"), (Size(3, 10, 2), "3 files +10 -2"),
        (Size(1, 0, 0), "1 file"), (Size(2, 0, 0), "2 files"), (Size(0, 0, 0), "no changes"),
    ],
)  # fmt: skip
def test_the_size_of_changes_counts_lines_only_where_there_are_some(size: Size, words: str) -> None:
    """A binary or an empty file has none: "1 files +0 -0" said less than nothing."""
    task = row()._replace(size=size)
    assert changes(task) == words
    assert words.replace("-", "−") in Page(page(Report("p", (task,), 200.0))).text


def test_a_branch_that_is_merged_is_told_as_that_and_not_as_without_changes() -> None:
    task = row(merged_into="main<b>")._replace(size=Size(0, 0, 0))
    assert changes(task) == "merged into main<b>"
    assert "merged into main<b>" in Page(page(Report("p", (task,), 200.0))).text
