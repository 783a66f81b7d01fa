"""tmux's own ways to fail, each produced on a real server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crew import DISPATCH, Crew, alive, wait_until

from dispatch_tmux.tmux.server import Server, Socket

ASKS = """
cd "$DISPATCH_TASK_DIR"
echo "${1:+}Which one?" >ipc/001.question
while [ ! -f ipc/001.answer ]; do sleep 0.05; done
: >ipc/001.done
sed 's/\\[ \\]/[x]/' plan.md >p && mv p plan.md
cp ipc/001.answer output.md
: >ipc/.done
sleep 600
"""


def main_job(crew: Crew, *options: str, **env: str) -> str:
    """From run to the finished checklist; the task's id."""
    crew.configure({"sh": crew.script("w.sh", ASKS)})
    id = crew.start("-m", "sh", *options, "the job", **env)
    news = crew.json("wait", id, "--for", "question", "--timeout", "30", **env)
    assert [n["task"] for n in news] == [id]
    crew.run("answer", id, "that one", **env)
    crew.until(id, "done")
    assert (crew.dir(id) / "output.md").read_text() == "that one\n"
    return id


def wrapped_tmux(crew: Crew, script: str) -> dict[str, str]:
    """An environment whose tmux is SCRIPT, in which $REAL is tmux."""
    folder = crew.base / "wrapped"
    folder.mkdir(exist_ok=True)
    (folder / "tmux").write_text(f"#!/bin/sh\nREAL='{shutil.which('tmux')}'\n{script}\n")
    (folder / "tmux").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{crew.env['PATH']}"}


def test_T1_where_control_mode_is_wedged_dispatch_asks_instead(crew: Crew) -> None:
    env = wrapped_tmux(
        crew, 'for a; do [ "$a" = -CC ] && { printf \'%%exit\\r\\n\'; exit 0; }; done\nexec "$REAL" "$@"'
    )
    id = main_job(crew, **env)
    assert "polling" in Path(crew.store.records, "supervisor.log").read_text()
    said = crew.run("doctor", ok=None, **env).stdout
    assert "once a second" in said
    assert crew.task(id).state.value == "done"


def test_T2_nothing_is_left_of_many_starts_and_stops(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    for n in range(12):
        crew.run("run", "-m", "sh", "--id", f"t{n}", "x")
        crew.run("stop", f"t{n}")
    wait_until(lambda: len(crew.tmux("list-panes", "-a").lines) == 1, lambda: crew.tmux("list-panes", "-a").text)
    assert len(crew.tmux("list-clients").lines) == 1
    assert crew.tmux("list-buffers").lines == ()


def test_T3_other_peoples_sessions_are_left_alone(crew: Crew) -> None:
    crew.tmux("new-session", "-d", "-s", "mine", "-n", "editor", "cat")
    crew.tmux("new-window", "-d", "-t", "mine:", "-n", "dispatch", "cat")
    theirs = (
        "list-panes",
        "-s",
        "-t",
        "mine",
        "-F",
        "#{window_name} #{pane_id} #{pane_dead} #{window_width}x#{window_height}",
    )
    before = crew.tmux(*theirs).lines
    main_job(crew)
    crew.run("stop", "--all")
    crew.run("clean")
    assert crew.tmux(*theirs).lines == before


def test_T4_a_name_that_begins_another_name_hits_only_its_own(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    for name in ("task-1", "task-10"):
        crew.run("run", "-m", "sh", "--id", name, "x")
    crew.run("stop", "task-1")
    assert crew.task("task-1").state.value == "stopped"
    assert crew.task("task-10").state.value == "working"
    assert crew.tmux("display-message", "-p", "-t", crew.task("task-10").pane, "#{pane_dead}").text == "0"


@pytest.mark.parametrize("name", ["#(touch ran)", "a:b.c", "#{pid} %x", "-lead ünï 漢", "with 'quotes\""])
def test_T5_a_projects_name_is_only_a_name(crew: Crew, name: str) -> None:
    root = crew.base / name
    root.mkdir()
    (root / "w.sh").write_text(ASKS)
    crew.configure({"sh": "sh w.sh"})
    made = crew.run("run", "-m", "sh", "--id", "job", "--cwd", str(root), "x", cwd=root)
    assert "job" in made.stdout
    crew.run("wait", "--for", "question", "--timeout", "30", cwd=root)
    crew.run("answer", "job", "yes", cwd=root)
    crew.run("wait", "--for", "done", "--timeout", "30", cwd=root)
    assert not list(crew.base.rglob("ran"))
    assert crew.run("run", "--id", "x" * 200, "-m", "sh", "x", cwd=root, ok=False).returncode == 2


def test_T6_unicode_survives_a_c_locale_both_ways(crew: Crew) -> None:
    crew.env["LC_ALL"] = "C"
    (crew.root / "w.py").write_text(
        "a = input('Größe 漢? ')\nopen('got', 'w', encoding='utf-8').write(a)\ninput('more? ')\n"
    )
    crew.configure({"py": f"{sys.executable} -X utf8 w.py"})
    id = crew.start("-m", "py", "x")
    (news,) = crew.json("wait", "--for", "question")
    assert news["text"] == "Größe 漢?"
    crew.run("answer", id, "groß 漢 😀")
    wait_until(lambda: (crew.root / "got").exists() and (crew.root / "got").read_text())
    assert (crew.root / "got").read_text() == "groß 漢 😀"


def test_T7_a_server_of_another_version_is_named_and_no_worker_is_called_dead(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    id = crew.start("-m", "sh", "x")
    env = wrapped_tmux(
        crew, '[ "$1" = -V ] && exec "$REAL" -V; echo "protocol version mismatch (client 8, server 7)" >&2; exit 1'
    )
    assert crew.json("status", id, **env)["state"] == "working"
    said = crew.run("doctor", ok=False, **env).stdout
    assert "another version" in said


def test_T8_a_hostile_tmux_conf_changes_nothing(crew: Crew) -> None:
    hostile = """
set -g base-index 1
setw -g pane-base-index 1
setw -g automatic-rename on
set -g default-command 'exit 9'
set -g default-shell /bin/false
set -g destroy-unattached on
set -g remain-on-exit off
set -g mouse on
set -g prefix C-a
set -g renumber-windows on
set-hook -g after-new-window 'rename-window hooked'
"""
    (crew.home / ".tmux.conf").write_text(hostile)
    (crew.home / ".dispatch").mkdir()
    (crew.home / ".dispatch" / "tmux.conf").write_text(hostile)
    main_job(crew)


def test_T9_without_a_terminal_attach_says_what_to_run(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    id = crew.start("-m", "sh", "x")
    said = crew.run("attach", id, ok=False)
    assert f"attach {id}" in said.stderr and said.returncode == 1


def test_T9_outside_tmux_attach_shows_the_worker_and_inside_another_it_comes_back(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'echo HERE I AM; sleep 1000'"})
    id = crew.start("-m", "sh", "x")
    wait_until(lambda: "HERE I AM" in crew.screen(id))
    outer, host = Server(Socket(str(crew.base / "o"))), Server(Socket(str(crew.base / "h")))
    shell = ["env", *(f"{name}={value}" for name, value in crew.env.items()), "PS1=at-home$ ", "sh"]
    outer.cmd("new-session", "-d", "-x", "80", "-y", "24", "-c", str(crew.root), *shell)
    host.cmd("new-session", "-d", "-x", "80", "-y", "24", "env", "-u", "TMUX", *outer.socket.argv("attach-session"))

    def shown() -> str:
        return host.cmd("capture-pane", "-p").text

    try:
        wait_until(lambda: "at-home" in shown(), shown)
        host.cmd("send-keys", f"clear; dispatch attach {id}", "Enter")
        wait_until(lambda: "HERE I AM" in shown(), shown)
        assert len([c for c in crew.tmux("list-clients", "-F", "#{client_control_mode}").lines if c == "0"]) == 1
        host.cmd("send-keys", "C-b", "d")
        wait_until(lambda: "at-home" in shown() and "HERE I AM" not in shown(), shown)
    finally:
        outer.cmd("kill-server")
        host.cmd("kill-server")


@pytest.mark.fresh
def test_T10_a_worker_has_its_callers_environment_and_no_secret_is_shown(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'env >env.txt; sleep 1000'"})
    crew.run("run", "-m", "sh", "--id", "first", "x")
    crew.start("-m", "sh", "--id", "second", "x", MY_TOKEN="s3cr3t-token")
    wait_until(lambda: "MY_TOKEN=s3cr3t-token" in (crew.root / "env.txt").read_text())
    listed = subprocess.run(["ps", "-axww", "-o", "args"], capture_output=True, text=True).stdout
    assert "s3cr3t" not in listed
    assert "s3cr3t" not in crew.tmux("show-environment", "-g").text + crew.tmux("show-environment").text


def test_T11_a_missing_directory_is_refused(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    said = crew.run("run", "-m", "sh", "--cwd", "not/here", "x", ok=False)
    assert "not a directory" in said.stderr
    assert not crew.store.ids()


def test_T12_arguments_arrive_as_they_are(crew: Crew) -> None:
    (crew.root / "show.py").write_text("import json, sys\njson.dump(sys.argv[1:], open('argv.json', 'w'))\n")
    prompt = 'it\'s "so"; $(touch ran) `touch ran` #{pid} \\ end;\nsecond line'
    crew.configure({"py": f"{sys.executable} show.py --flag 'two words' ';'"})
    crew.run("run", "-m", "py", "--", prompt)
    import json

    path = crew.root / "argv.json"
    wait_until(lambda: path.exists() and path.read_text())
    flag, words, semicolon, told = json.loads(path.read_text())
    assert (flag, words, semicolon) == ("--flag", "two words", ";")
    assert told.rstrip("\n").endswith(prompt)
    assert not (crew.root / "ran").exists()


def test_T13_a_hung_server_costs_seconds_and_says_so(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    id = crew.start("-m", "sh", "x")
    crew.until(id, "working")
    server = int(crew.tmux("display-message", "-p", "#{pid}").text)
    os.kill(server, signal.SIGSTOP)
    try:
        assert crew.json("status", id)["state"] == "working"
        said = crew.run("doctor", ok=False).stdout
        assert "does not answer" in said
    finally:
        os.kill(server, signal.SIGCONT)
    crew.run("stop", id)
    assert crew.task(id).state.value == "stopped"


def test_T14_no_tmux_or_an_old_one_is_said_before_anything_is_written(crew: Crew) -> None:
    empty = crew.base / "empty"
    empty.mkdir()
    (empty / "python").symlink_to(sys.executable)
    said = subprocess.run(
        [*DISPATCH, "run", "-m", "demo", "x"],
        cwd=crew.root,
        env={**crew.env, "PATH": str(empty)},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 1 and "tmux is not installed" in said.stderr and "apt install tmux" in said.stderr
    old = crew.run("run", "-m", "demo", "x", ok=False, **wrapped_tmux(crew, "echo tmux 3.1c"))
    assert "too old" in old.stderr and "3.2" in old.stderr
    assert not Path(crew.store.dir).exists()


def test_T15_after_kill_server_tasks_are_lost_and_said_so(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    id = crew.start("-m", "sh", "x")
    crew.tmux("kill-server")
    wait_until(lambda: crew.json("status", id)["state"] == "lost", lambda: crew.tell(id))
    (news,) = crew.json("wait", "--for", "lost")
    assert news["task"] == id


def test_T16_a_worker_is_followed_wherever_its_pane_goes(crew: Crew) -> None:
    crew.configure(
        {"ask": """bash -c 'read -p "First? [y/N] " a; read -p "Second? [y/N] " b; echo "$a $b" >got; sleep 1000'"""}
    )
    id = crew.start("-m", "ask", "x")
    crew.until(id, "question")
    pane = crew.task(id).pane
    crew.tmux("rename-window", "-t", pane, "something else")
    crew.tmux("split-window", "-t", pane, "cat")  # another pane is the active one now
    crew.run("answer", id, "y")
    crew.until(id, "question")
    wait_until(lambda: any("Second" in q.text for q in crew.task(id).open_questions), lambda: crew.tell(id))
    crew.tmux("new-session", "-d", "-s", "elsewhere", "cat")
    crew.tmux("move-window", "-s", pane, "-t", "elsewhere:")
    crew.run("answer", id, "n")
    wait_until(
        lambda: (crew.root / "got").exists() and (crew.root / "got").read_text() == "y n\n", lambda: crew.tell(id)
    )


def test_T17_right_after_kill_server_a_new_session_starts(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    for n in range(5):
        crew.run("run", "-m", "sh", "--id", f"t{n}", "x")
        crew.tmux("kill-server")
    assert len(crew.store.ids()) == 5


@pytest.mark.parametrize(
    ("term", "seen"), [("xterm-of-tomorrow", "HERE I AM"), ("dumb", "cannot show windows"), ("xterm", "HERE I AM")]
)
def test_T21_a_terminal_that_this_machine_does_not_know_is_taken_for_one_like_most(
    crew: Crew, term: str, seen: str
) -> None:
    crew.configure({"sh": "sh -c 'echo HERE I AM; sleep 1000'"})
    id = crew.start("-m", "sh", "x")
    host = Server(Socket(str(crew.base / "h")))
    variables = [f"{name}={value}" for name, value in crew.env.items()]
    shell = ["env", "-u", "TMUX", *variables, f"TERM={term}", "sh", "-c"]
    host.cmd(
        "new-session", "-d", "-x", "80", "-y", "24", "-c", str(crew.root), *shell, f"dispatch attach {id}; sleep 600"
    )
    try:
        wait_until(lambda: seen in host.cmd("capture-pane", "-p").text, lambda: host.cmd("capture-pane", "-p").text)
    finally:
        host.cmd("kill-server")


def servers(crew: Crew) -> int:
    """How many tmux servers of the crew's run."""
    mark = f"DISPATCH_CONFIG={crew.config_path}".encode()
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().startswith("tmux: server") and mark in (folder / "environ").read_bytes():
                found += 1
        except OSError:
            continue
    return found


@pytest.mark.skipif(
    not os.path.exists("/proc/net/unix"), reason="only Linux tells who listens on a socket that is gone"
)
def test_T20_a_socket_that_was_swept_away_comes_back_and_no_second_server_begins(crew: Crew) -> None:
    folder = crew.base / "swept"
    folder.mkdir(0o700)
    crew.socket = str(folder / "s")
    crew.configure({"sh": "sh -c 'exec sleep 1000'"})
    crew.run("run", "-m", "sh", "--id", "first", "x")
    crew.until("first", "working")
    shutil.rmtree(folder)
    assert "sleep" not in crew.run("screen", "first").stdout  # any verb that needs the server brings it back
    assert os.path.exists(crew.socket)

    shutil.rmtree(folder)
    crew.kill_supervisor()  # another one starts in its window, and has to find its server
    wait_until(lambda: crew.store.supervised() and os.path.exists(crew.socket), lambda: crew.tell("first"))

    crew.end_supervisor()
    shutil.rmtree(folder)
    crew.run("run", "-m", "sh", "--id", "second", "x")
    assert servers(crew) == 1
    assert {*crew.tmux("list-panes", "-a", "-F", "#{@dispatch_task}").lines} == {"", "first", "second"}
    assert crew.json("status", "first")["state"] == "working"


def test_T18_every_exit_code_and_every_last_line_is_kept(crew: Crew) -> None:
    crew.configure({"sh": "sh -c 'echo the last words; exit 7'"})
    ids = [crew.start("-m", "sh", "--id", f"t{n}", "x") for n in range(15)]
    for id in ids:
        task = crew.until(id, "failed")
        assert task.exit_code == 7
        log = crew.own(id) / "terminal.log"
        wait_until(lambda log=log: log.exists() and "the last words" in log.read_text(), lambda id=id: crew.tell(id))
    crew.configure({"sh": "sh -c 'kill -9 $$'"})
    assert "SIGKILL" in crew.until(crew.start("-m", "sh", "x"), "failed").why


def test_T23_a_worker_that_splits_its_window_keeps_its_size_and_ends_with_all_that_it_opened(crew: Crew) -> None:
    script = "tmux split-window -h -d -t $TMUX_PANE 'echo $$ >other; exec sleep 600'\nexec sleep 600"
    crew.configure({"team": crew.script("t.sh", script)})
    id = crew.start("-m", "team", "job")
    crew.until(id, "working")
    other = crew.root / "other"
    pid = int(wait_until(lambda: other.exists() and other.read_text().strip()))

    def width(pane: str) -> tuple[str, str]:
        shown = crew.tmux("display-message", "-p", "-t", pane, "#{pane_width} #{window_width}").text.split()
        return shown[0], shown[1]

    wait_until(lambda: len(set(width(crew.task(id).pane))) == 1, lambda: width(crew.task(id).pane))
    guests = crew.tmux("list-panes", "-a", "-F", "#{pane_id} #{@dispatch_guest}").lines
    assert [g for g in guests if g.endswith(f" {id}")] and alive(pid)
    crew.run("stop", id)
    wait_until(lambda: not alive(pid), lambda: crew.tell(id))
