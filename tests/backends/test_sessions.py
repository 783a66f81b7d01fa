"""The sessions that agent CLIs keep: whose they are, and that nothing in their place is followed or waited for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dispatch_tmux.backends import sessions
from dispatch_tmux.backends.load import Backend, load

ID = "01a1fdfc-24bb-7ff3-a32b-2d3ffad502af"


@pytest.fixture
def claude() -> Backend:
    return load("claude")


def record(home: Path, name: str, task_dir: str, *lines: str, at: float = 0.0) -> Path:
    """A session of Claude's in HOME whose first prompt was about TASK_DIR."""
    path = home / ".claude" / "projects" / "-p" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    first = json.dumps({"message": f"Your checklist:   {task_dir}/plan.md"})
    path.write_text("\n".join([first, *lines]) + "\n")
    if at:
        os.utime(path, (at, at))
    return path


def of(backend: Backend, task_dir: str, home: Path, **env: str) -> str:
    return sessions.of(backend, task_dir, {"HOME": str(home), **env})


def test_a_session_is_that_of_the_task_whose_directory_its_prompt_names(tmp_path: Path, claude: Backend) -> None:
    record(tmp_path, ID, "/p/.dispatch/tasks/auth")
    record(tmp_path, ID.replace("0", "1"), "/p/.dispatch/tasks/docs")
    assert of(claude, "/p/.dispatch/tasks/auth", tmp_path) == ID
    assert of(claude, "/p/.dispatch/tasks/aut", tmp_path) == ""
    assert of(claude, "/p/.dispatch/tasks", tmp_path) == ""
    assert of(claude, "/p/.dispatch/tasks/auth", tmp_path / "elsewhere") == ""


def test_of_several_it_is_the_newest(tmp_path: Path, claude: Backend) -> None:
    for n, at in ((1, 1000.0), (2, 3000.0), (3, 2000.0)):
        record(tmp_path, ID.replace("f", str(n)), "/t", at=at)
    assert of(claude, "/t", tmp_path) == ID.replace("f", "2")


def test_a_name_that_is_no_text_for_json_is_found_as_json_writes_it(tmp_path: Path, claude: Backend) -> None:
    record(tmp_path, ID, '/p "x"/é')
    assert of(claude, '/p "x"/é', tmp_path) == ID


def test_the_cli_s_own_variable_says_where_it_keeps_them(tmp_path: Path, claude: Backend) -> None:
    record(tmp_path, ID, "/t")
    assert of(claude, "/t", tmp_path, CLAUDE_CONFIG_DIR=str(tmp_path / "other")) == ""
    (tmp_path / ".claude").rename(tmp_path / "other")
    assert of(claude, "/t", tmp_path, CLAUDE_CONFIG_DIR=str(tmp_path / "other")) == ID


def test_a_home_with_signs_of_a_pattern_in_its_name(tmp_path: Path, claude: Backend) -> None:
    home = tmp_path / "a[b]*?"
    record(home, ID, "/t")
    assert of(claude, "/t", home) == ID


@pytest.mark.parametrize("name", ["not-an-id", "../../x", ID + ".bak", ID[:-1]])
def test_a_file_that_is_not_called_like_a_session_has_no_id(tmp_path: Path, claude: Backend, name: str) -> None:
    """The id becomes an argument of the CLI."""
    record(tmp_path, name, "/t")
    assert of(claude, "/t", tmp_path) == ""


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "bytes"])
def test_F19_an_odd_file_among_them_is_neither_waited_for_nor_followed(
    tmp_path: Path, claude: Backend, kind: str
) -> None:
    good = record(tmp_path, ID, "/t", at=1000.0)
    odd = good.with_name(f"{ID.replace('0', '9')}.jsonl")
    secret = record(tmp_path / "elsewhere", ID, "/t").rename(tmp_path / "secret")
    {
        "fifo": lambda: os.mkfifo(odd), "link": lambda: odd.symlink_to(secret), "folder": odd.mkdir,
        "bytes": lambda: odd.write_bytes(b"\xff\xfe\0" * 1000),
    }[kind]()  # fmt: skip
    assert of(claude, "/t", tmp_path) == ID


@pytest.mark.parametrize(
    ("said", "id"),
    [("ses_abc123\n", "ses_abc123"), ("", ""), ("rm -rf /\n", ""), ("--help", ""), ("x" * 5000, "")],
)
def test_opencode_tells_its_session_itself(tmp_path: Path, said: str, id: str) -> None:
    (tmp_path / "session").write_text(said)
    assert sessions.of(load("opencode"), str(tmp_path), {}) == id


def test_a_cli_that_keeps_none_has_none(tmp_path: Path) -> None:
    assert sessions.of(load("command"), str(tmp_path), {"HOME": str(tmp_path)}) == ""
    assert sessions.find(load("command"), str(tmp_path), {"HOME": str(tmp_path)}) == ""


# --- as it grows


@pytest.fixture
def growing(tmp_path: Path, claude: Backend, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, sessions.Record]:
    """A record of attempt 1 of a task, found already, and what reads it."""
    task = tmp_path / "task"
    task.mkdir()
    path = record(tmp_path, ID, str(task))
    (task / "process-1").write_text(f"{os.getpid()} 1")
    os.utime(task / "process-1", (1000.0, 1000.0))
    monkeypatch.setattr("dispatch_tmux.store.processes.environment", lambda pid: {"HOME": str(tmp_path)})
    found = sessions.Record(claude, str(task), str(task), 1)
    assert len(found.news(0.0)) == 1
    return path, found


def test_each_whole_line_comes_once(growing: tuple[Path, sessions.Record]) -> None:
    path, found = growing
    with open(path, "ab", buffering=0) as f:
        f.write('{"é": '.encode()[:3])
        assert found.news(1.0) == []
        f.write('{"é": '.encode()[3:] + b'1}\n[]\n\n{"b": 2}\n{"c"')
        assert found.news(2.0) == [{"é": 1}, [], {"b": 2}]
        assert found.news(3.0) == []


@pytest.mark.parametrize("damage", [b"\xff\xfe\n", b"{\n", b"[" * 100_000 + b"\n", b"\0" * 1000 + b"\n"])
def test_damage_costs_its_line(growing: tuple[Path, sessions.Record], damage: bytes) -> None:
    path, found = growing
    with open(path, "ab") as f:
        f.write(damage + b'{"a": 1}\n')
    assert found.news(1.0) == [{"a": 1}]


def test_a_line_of_megabytes_is_passed_over(
    growing: tuple[Path, sessions.Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "AT_ONCE", 1000)
    path, found = growing
    with open(path, "ab") as f:
        f.write(b'{"x": "' + b"y" * 5000 + b'"}\n{"a": 1}\n')
    seen = [line for n in range(10) for line in found.news(float(n))]
    assert seen == [{"a": 1}]


@pytest.mark.parametrize("kind", ["gone", "fifo", "link", "folder"])
def test_F19_what_takes_its_place_is_not_waited_for(
    growing: tuple[Path, sessions.Record], tmp_path: Path, kind: str
) -> None:
    path, found = growing
    path.rename(moved := tmp_path / "moved")
    with open(moved, "ab") as f:
        f.write(b'{"not": "ours"}\n')
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(moved)
    elif kind == "folder":
        path.mkdir()
    assert found.news(1.0) == []


def test_a_session_of_before_the_attempt_is_not_its_record(
    tmp_path: Path, claude: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tmp_path / "task"
    task.mkdir()
    record(tmp_path, ID, str(task), at=1000.0)
    (task / "process-1").write_text(f"{os.getpid()} 1")
    monkeypatch.setattr("dispatch_tmux.store.processes.environment", lambda pid: {"HOME": str(tmp_path)})
    assert sessions.Record(claude, str(task), str(task), 1).news(0.0) == []


def test_before_the_attempt_has_begun_there_is_nothing_to_look_for(tmp_path: Path, claude: Backend) -> None:
    assert sessions.Record(claude, str(tmp_path), str(tmp_path), 1).news(0.0) == []
