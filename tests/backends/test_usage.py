"""What CLIs tell of their work: tool, tokens, cost; from their records and signals to what a person sees."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from crew import Crew

from dispatch_tmux.backends import sessions, usage
from dispatch_tmux.backends.load import Backend, load
from dispatch_tmux.backends.rules import Take
from dispatch_tmux.backends.usage import Usage, take, values, words


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", [1]), ("a.c", []), ("list.*.n", [1, 2]), ("list.*", [{"n": 1}, {"n": 2}, 3]), ("a.*", []), ("a.b.c", []), ("x", []),
    ],
)  # fmt: skip
def test_a_place_in_json(path: str, found: list[Any]) -> None:
    assert values({"a": {"b": 1}, "list": [{"n": 1}, {"n": 2}, 3]}, path) == found


@pytest.mark.parametrize(
    "data",
    [
        None,
        1,
        "text",
        [],
        {},
        {"type": None},
        {"type": ["user"]},
        {"type": "user", "n": "many"},
        {"type": "user", "n": True},
    ],
)
def test_what_does_not_fit_changes_nothing(data: Any) -> None:
    rules = [
        Take(what="context", path=("n",), where={"type": "user"}),
        Take(what="said", path=("text",)),
        Take(what="tool", path=("tool.*",)),
    ]
    assert take(Usage(context=5), data, rules) == (Usage(context=5), ())


CLAUDE = {
    "type": "assistant", "isSidechain": False,
    "message": {
        "content": [{"type": "text", "text": "I look."}, {"type": "tool_use", "name": "Bash"}],
        "usage": {"input_tokens": 10, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 30_000, "output_tokens": 90},
    },
}  # fmt: skip
CODEX = [
    {"type": "event_msg", "payload": {"type": "item_completed", "item": {"type": "UserMessage", "content": [{"type": "text", "text": "two\nlines"}]}}},
    {"type": "response_item", "payload": {"type": "function_call", "name": "exec_command"}},
    {"type": "event_msg", "payload": {"type": "token_count", "info": {
        "total_token_usage": {"total_tokens": 60_000}, "last_token_usage": {"total_tokens": 45_210}, "model_context_window": 258_400}}},
]  # fmt: skip
GEMINI = [
    {"type": "user", "content": [{"text": "hello"}]},
    {"type": "gemini", "tokens": {"input": 10, "total": 1500}, "toolCalls": [{"name": "run_shell_command"}]},
]


@pytest.mark.parametrize(
    ("name", "lines", "expected", "said"),
    [
        ("claude", [CLAUDE], Usage(tool="Bash", context=30_300), ()),
        ("claude", [{**CLAUDE, "isSidechain": True}], Usage(), ()),  # a subagent's context is not the worker's
        ("codex", CODEX, Usage(tool="exec_command", context=45_210, window=258_400, tokens=60_000), ("two\nlines",)),
        ("gemini", GEMINI, Usage(tool="run_shell_command", context=1500), ("hello",)),
    ],
)
def test_the_records_of_real_clis(name: str, lines: list[Any], expected: Usage, said: tuple[str, ...]) -> None:
    used, heard = Usage(), []
    for line in lines:
        used, some = take(used, line, load(name).sessions.takes)
        heard += some
    assert (used, tuple(heard)) == (expected, said)


@pytest.mark.parametrize(
    ("used", "working", "expected"),
    [
        (Usage(), True, ""), (Usage(tool="Bash", context=45_210), True, "Bash · 45k tokens"),
        (Usage(tool="Bash", context=45_210, window=200_000, cost=0.124), False, "45k of 200k · $0.12"),
        (Usage(tokens=1_250_000), True, "1.2M tokens"), (Usage(context=12), False, "12 tokens"),
    ],
)  # fmt: skip
def test_in_words(used: Usage, working: bool, expected: str) -> None:
    assert words(used, working) == expected


def test_a_record_is_found_and_read_as_it_grows(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task, home = tmp_path / "task", tmp_path / "home"
    backend = load("codex")
    folder = home / ".codex" / "sessions" / "2026" / "11" / "21"
    folder.mkdir(parents=True)
    task.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("CODEX_HOME", raising=False)
    monkeypatch.setattr("dispatch_tmux.store.processes.environment", lambda pid: dict(os.environ))
    (task / "process-1").write_text(f"{os.getpid()} 1")
    record = sessions.Record(backend, str(task), str(task), 1)
    assert record.news(0.0) == []  # not there yet
    path = folder / "rollout-2026-01a1fdfc-24bb-7ff3-a32b-2d3ffad502af.jsonl"
    path.write_text(json.dumps({"prompt": f"Your checklist: {task}/plan.md"}) + "\n" + '{"n": 1}\n{"half')
    assert record.news(0.1) == []  # looked for a moment ago
    assert [line for line in record.news(9.0) if "n" in line] == [{"n": 1}]
    with path.open("a") as f:
        f.write('": 2}\nno json\n{"n": 3}\n')
    assert record.news(9.1) == [{"half": 2}, {"n": 3}]
    assert record.news(9.2) == []
    path.write_text("")  # begun anew
    with path.open("a") as f:
        record.news(9.3)
        f.write('{"n": 4}\n')
    assert record.news(9.4) == [{"n": 4}]


def test_another_workers_record_is_not_taken_for_its_own(tmp_path: Any) -> None:
    backend: Backend = load("gemini")
    folder = tmp_path / ".gemini" / "tmp" / "p" / "chats"
    folder.mkdir(parents=True)
    (folder / "session-1.jsonl").write_text('{"t": "/x/tasks/auth-2/plan.md"}\n')
    env = {"HOME": str(tmp_path)}
    assert sessions.find(backend, "/x/tasks/auth", env) == ""
    assert sessions.find(backend, "/x/tasks/auth-2", env)
    assert sessions.find(backend, "/x/tasks/auth-2", env, since=4e9) == ""


def test_status_shows_what_a_worker_uses(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "auth", "--item", "ask: which?", "x")
    crew.until("auth", "waiting")
    sessions.keep(str(crew.own("auth")), usage.Usage(tool="Bash\x1b[2J", context=45_210, window=200_000, cost=0.5))
    row = next(r for r in crew.run("status").stdout.splitlines() if r.startswith("auth"))
    assert row.endswith("45k of 200k · $0.50")
    assert all(len(r) <= 80 for r in crew.run("status").stdout.splitlines())
    assert json.loads(crew.run("status", "auth", "--json").stdout)["usage"]["context"] == 45_210
    assert "45k of 200k · $0.50" in crew.run("status", "auth").stdout
    (crew.own("auth") / "usage.json").write_text("{damaged")
    assert "auth" in crew.run("status").stdout


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "-5", "true", '"5"', "null", "[1]"]
)
@pytest.mark.parametrize("what", ["tokens", "context", "window", "cost"])
def test_a_number_that_counts_nothing_changes_nothing(number: str, what: Any) -> None:
    """A worker may write its CLI's record; JSON for Python has numbers that int() refuses."""
    before = Usage("Bash", 1, 2, 3, 4.0)
    told = take(before, json.loads(f'{{"n": {number}, "m": 7}}'), [Take(what=what, path=("n",))])
    assert told.usage == before
    assert words(told.usage, True) == words(before, True)
    both = take(before, json.loads(f'{{"n": {number}, "m": 7}}'), [Take(what=what, path=("n", "m"))])
    assert getattr(both.usage, what) == 7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"context": "lots"}',
        '{"cost": null}',
        '{"tokens": 1e999}',
        '{"tool": 5}',
        '{"of a later version": 1}',
        "[" * 2000,
    ],
)
def test_what_is_kept_of_the_use_is_damaged_and_status_goes_on(tmp_path: Any, text: str) -> None:
    (tmp_path / "usage.json").write_text(text)
    assert sessions.kept(str(tmp_path)) == Usage()


def test_what_is_kept_comes_back(tmp_path: Any) -> None:
    used = Usage("Bash é", 45_210, 200_000, 1_000_000, 0.25)
    sessions.keep(str(tmp_path), used)
    assert sessions.kept(str(tmp_path)) == used
