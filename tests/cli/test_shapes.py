"""The JSON of each verb has the keys that docs/cli.md lists, also where words of workers are in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from crew import Crew, wait_until
from made import made, over

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text().partition("## JSON")[2].partition("\n## ")[0]
EVIL = "\x1b]0;owned\x07\u202eWhich \U000e0041one?"


def listed(verb: str) -> set[str]:
    """The keys that docs/cli.md lists for VERB: the first words in code after its name."""
    found = re.search(rf"^- .*`{verb}`.*?: (?:[^`]*)`([^`]+)`", TEXT, re.M | re.S)
    assert found, verb
    return set(found[1].split())


@pytest.fixture(scope="module")
def told(shared: Crew) -> Crew:
    """A crew with a task that is over, one that asks through a file, and one that lives and asks."""
    made(shared.store, "done", *over("done"), marks="xx")
    asks = ("question", {"q": "001", "via": "file", "text": EVIL, "choices": [["1", "red"]]})
    made(shared.store, "evil", asks, *over("blocked", 0), title=EVIL)
    shared.run(
        "run", "-m", "demo", "--id", "live", "--group", "g", "--item", "ask: Which one? (choices: red | blue)", "x"
    )
    shared.until("live", "question")
    return shared


def test_of_a_task_that_is_started(told: Crew) -> None:
    one = told.json("run", "-m", "demo", "--id", "started", "--item", "hang", "x")
    assert set(one) == listed("run")
    assert (one["id"], one["model"], one["backend"]) == ("started", "demo", "demo") and one["items"]
    assert one["attach"].endswith("attach started") and Path(one["dir"]).is_dir()
    (new,) = json.loads(
        told.run("run", "--batch", "-", "--json", stdin="[{id: b, model: demo, prompt: x, items: [hang]}]").stdout
    )
    assert set(new) == listed("run") | {"new"} and new["new"] is True
    (old,) = json.loads(
        told.run("run", "--batch", "-", "--json", stdin="[{id: b, model: demo, prompt: x, items: [hang]}]").stdout
    )
    assert old["new"] is False and old["id"] == "b"
    told.run("stop", "started", "b")


def test_of_how_tasks_stand(told: Crew) -> None:
    every = told.json("status")
    assert [t["id"] for t in every][:3] == ["done", "evil", "live"]
    assert all(set(t) == listed("status") for t in every)
    one = told.json("status", "live")
    assert set(one) == listed("status")
    assert one["state"] == "waiting" and one["group"] == "g" and (one["done"], one["total"]) == (0, 1)
    assert [q["text"].splitlines()[0] for q in one["questions"]] == ["Which one?"] and one["attempt"] == 1
    assert one["exit_code"] is None and one["created"] <= one["since"]
    assert set(one["untrusted"]) <= set(one)
    assert told.json("status", "done")["items"] == [{"text": "one", "mark": "x"}, {"text": "two", "mark": "x"}]


def test_of_news(told: Crew) -> None:
    news = told.json("wait", "--as", "shapes")
    assert all(set(n) == listed("wait") for n in news)
    (live,) = [n for n in news if n["task"] == "live"]
    assert (live["kind"], live["question"]) == ("question", "001")
    assert [c["label"] for c in live["choices"]] == ["red", "blue"] and live["output"] is None
    (done,) = [n for n in news if n["task"] == "done"]
    assert (done["kind"], done["state"], done["question"], done["choices"]) == ("done", "done", None, [])


def test_of_questions(told: Crew) -> None:
    asked = told.json("questions")
    assert {q["task"] for q in asked} == {"evil", "live"} and all(set(q) == listed("questions") for q in asked)


def test_of_what_happened(told: Crew) -> None:
    lines = [json.loads(line) for line in told.run("events", "live", "--json").stdout.splitlines()]
    assert {"created", "starting", "started", "question"} <= {e["kind"] for e in lines}
    assert all(listed("events") <= set(e) for e in lines)
    assert [e["t"] for e in lines] == sorted(e["t"] for e in lines)


def test_of_what_works_here(told: Crew) -> None:
    found = told.run("doctor", "--json", ok=None).stdout
    assert all(set(f) == listed("doctor") for f in json.loads(found))


def test_of_what_would_run(told: Crew) -> None:
    chosen = told.json("resolve", "-m", "demo", "x")
    assert set(chosen) == listed("resolve") and chosen["model"] == "demo"
    absent = told.run("resolve", "-m", "gork-9", "x", "--json", ok=None)
    assert set(json.loads(absent.stdout)) == listed("resolve") | {"message"}


def test_of_answers_and_messages(told: Crew) -> None:
    id = told.start("-m", "demo", "--id", "talks", "--item", "ask: Which?", "x")
    told.until(id, "question")
    done = told.json("answer", id, "red")
    assert set(done) == listed("answer") and done["answer"] == "red"
    told.until(id, "done")
    for verb in ("send", "note"):
        assert set(told.json(verb, id, f"keep it short, {verb}")) == listed("send")
    again = told.json("retry", id, "--fresh")
    assert (again["id"], again["attempt"]) == (id, 2)
    told.run("stop", id)


def test_X3_no_json_obeys_a_worker_and_all_of_it_is_there(told: Crew) -> None:
    for command in (("status",), ("status", "evil"), ("questions",), ("wait", "evil", "--as", "evil")):
        text = told.run(*command, "--json").stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\U000e0041]", text)
        assert EVIL in _texts(json.loads(text))


def _texts(data: object) -> list[str]:
    if isinstance(data, dict):
        return [text for value in data.values() for text in _texts(value)]
    if isinstance(data, list):
        return [text for value in data for text in _texts(value)]
    return [data] if isinstance(data, str) else []


def test_what_it_prints_goes_into_the_next_command(told: Crew) -> None:
    """A program needs no more than the JSON to go on."""
    asked = next(q for q in told.json("questions") if q["task"] == "live")
    picked = told.json("answer", asked["task"], "--question", asked["id"], "--choice", asked["choices"][1]["key"])
    assert picked["answer"] == "blue"
    wait_until(lambda: told.json("status", "live")["state"] == "done", lambda: told.tell("live"))
