"""What works here, what does not, and what to do about it. Nothing is changed by looking."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from crew import Crew
from made import STARTED, made, over

from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.verbs import doctor as doctoring
from dispatch_tmux.verbs.doctor import Finding, doctor


@pytest.fixture(autouse=True)
def _no_clis(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only tmux and the shell's own tools are on PATH: what is installed here is none of the tests'."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for name in ("tmux", "sh", "sleep"):
            if os.path.exists(os.path.join(folder, name)) and not (bin_dir / name).exists():
                (bin_dir / name).symlink_to(os.path.join(folder, name))
    monkeypatch.setenv("PATH", str(bin_dir))


def found(project: Project, name: str) -> Finding:
    return next(f for f in doctor(project) if f.name == name)


def test_in_a_project_where_nothing_was_done_nothing_is_wrong(project: Project) -> None:
    findings = doctor(project)
    assert [f.name for f in findings if f.ok is False] == []
    assert len({f.name for f in findings}) == len(findings)
    assert (
        found(project, "tmux server").ok is None
        and "the first `dispatch run` starts it" in found(project, "tmux server").said
    )
    assert found(project, "supervisor").ok is None and found(project, "control mode").ok is None
    assert found(project, "leftovers") == ("leftovers", True, "none")


def test_nothing_is_made_by_looking(crew: Crew) -> None:
    crew.run("doctor", ok=None)
    assert not (crew.root / ".dispatch").exists() and not crew.server.running()


@pytest.mark.parametrize(("number", "said"), [(0, "0 tasks"), (1, "1 task"), (2, "2 tasks")])
def test_journals_are_counted(project: Project, store: Store, number: int, said: str) -> None:
    for n in range(number):
        made(store, f"t{n}", *over("done"))
    assert found(project, "journals") == ("journals", True, said)


def test_a_journal_that_is_damaged_or_gone_is_named_with_what_to_do(project: Project, store: Store) -> None:
    made(store, "good", *over("done"))
    made(store, "torn", *STARTED)
    with open(store.own("torn", "journal.jsonl"), "ab") as f:
        f.write(b'{"t": 1, "ki\n')
    torn = found(project, "journals")
    assert torn.ok is None and "torn" in torn.said and "good" not in torn.said
    Path(store.own("good", "journal.jsonl")).write_text("")
    odd = found(project, "journals")
    assert odd.ok is False and "good cannot be read" in odd.said and "`dispatch clean good` removes it" in odd.said


def test_a_directory_that_others_may_read_is_said(project: Project, store: Store) -> None:
    made(store, "t")
    assert found(project, "project").ok is True
    os.chmod(store.dir, 0o755)
    told = found(project, "project")
    assert told.ok is False and f"chmod 700 {store.dir}" in told.said


def test_a_config_that_cannot_be_read_is_said_and_the_rest_is_looked_at(project: Project) -> None:
    Path(os.environ["DISPATCH_CONFIG"]).write_text("models: [")
    findings = doctor(project)
    config = next(f for f in findings if f.name == "config")
    assert config.ok is False and os.environ["DISPATCH_CONFIG"] in config.said
    assert {"tmux", "journals", "leftovers", "backend claude"} <= {f.name for f in findings}


def test_a_tmux_that_is_missing_is_said_with_how_to_get_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "bin" / "tmux").unlink()
    told = found(project, "tmux")
    assert told.ok is False and "apt install tmux" in told.said


@pytest.mark.parametrize(
    ("script", "ok", "said"),
    [
        ("echo 1.2.3 '(Claude Code)'", True, "1.2.3 (Claude Code)"), ("echo A warning; echo 1.2.3", True, "claude 1.2.3"),
        ("exit 1", None, "claude does not tell its version"), ("echo one; echo two", None, "does not tell its version"),
        ("while echo 1.2.3; do :; done", True, "claude 1.2.3"),
    ],
)  # fmt: skip
def test_a_cli_tells_its_version_or_only_where_it_lies(
    project: Project, tmp_path: Path, script: str, ok: bool, said: str
) -> None:
    assert found(project, "backend claude") == ("backend claude", None, "claude is not installed")
    program = tmp_path / "bin" / "claude"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    told = found(project, "backend claude")
    assert told.ok is ok and said in told.said and "\n" not in told.said and len(told.said) < 200


def test_one_that_is_no_program_is_said(project: Project, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "claude"
    program.write_bytes(b"\x7fELF is not what this is")
    program.chmod(0o755)
    assert found(project, "backend claude") == ("backend claude", None, f"{program} does not tell its version")


def test_with_a_supervisor_all_of_it_answers(crew: Crew) -> None:
    crew.start("-m", "demo", "--id", "sits", "x")
    crew.until("sits", "done")
    told = {f["name"]: (f["ok"], f["said"]) for f in crew.json("doctor")}
    assert told["supervisor"] == (True, "running") and told["control mode"] == (True, "works")
    assert told["tmux server"][0] is True and told["project"][0] is True and told["file events"][0] is True
    assert told["leftovers"][0] is None and "dispatch stop sits" in told["leftovers"][1]
    crew.run("stop", "sits")
    assert crew.json("doctor")[-1]["said"] == "none"


def test_F16_git_and_gh_are_looked_for(project: Project, tmp_path: Path) -> None:
    assert found(project, "git").ok is None and "no worktrees, diff, merge" in found(project, "git").said
    assert found(project, "gh").ok is None and "dispatch pr" in found(project, "gh").said
    for name, said in (("git", "git version 2.47.1"), ("gh", "")):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (tmp_path / "bin" / name).chmod(0o755)
    assert found(project, "git").said.startswith("2.47.1 at ") and "is no repository" in found(project, "git").said
    assert found(project, "gh") == ("gh", True, str(tmp_path / "bin" / "gh"))


def test_F16_a_directory_that_may_not_be_written_is_told(project: Project) -> None:
    assert found(project, "writing").ok is True
    os.chmod(project.root, 0o555)
    pid = os.fork()
    if not pid:  # root may write anywhere
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            ok, said = doctoring._writing(project)
            os._exit(0 if ok is False and "cannot be written (you may not)" in said else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
