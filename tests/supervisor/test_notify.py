"""Notifications from the supervisor: programs that get them, hang, fail; kills in between; the quiet of a night."""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, alive, wait_until
from made import STARTED, made, over

from dispatch_tmux.core import post
from dispatch_tmux.store import project as projects
from dispatch_tmux.store.notified import Notified
from dispatch_tmux.store.project import Project
from dispatch_tmux.store.store import Store
from dispatch_tmux.supervisor.notify import Notifier
from dispatch_tmux.tmux.server import Server, Socket
from dispatch_tmux.verbs import notify as verb

WRITES = 'cat >>"$0.got"'
ASKED = (*STARTED, ("question", {"q": "001", "text": "Which\x1b[31m one?", "choices": [["1", "a"], ["2", "b"]]}))


class House:
    """A project whose notifier is driven by hand, its clocks passed in."""

    def __init__(self, base: Path) -> None:
        self.base, self.config = base, base / "config.yaml"
        root = base / "shop"
        root.mkdir()
        self.project: Project = projects.at(str(root), str(base / "home"))
        (base / "home").mkdir()
        self.store: Store = self.project.store
        self.store.prepare()
        self.now = time.time()  # events have the time of the real clock
        self.log: list[str] = []
        self.notifier = self.supervisor()

    def script(self, name: str, text: str) -> dict[str, list[str]]:
        (self.base / name).write_text(text)
        return {"command": ["sh", str(self.base / name)]}

    def configure(self, *entries: dict[str, Any], at: float = 1.0) -> None:
        self.config.write_text(json.dumps({"notify": list(entries), "tmux": {"socket": str(self.base / "none")}}))
        os.utime(self.config, (at, at))

    def supervisor(self, deadline: float = 5.0) -> Notifier:
        """A new one, as after a kill of the former."""
        server = Server(Socket(str(self.base / "none")))
        clock = lambda: self.now  # noqa: E731
        self.notifier = Notifier(self.project, server, "$0", self.log.append, wall=clock, tick=clock, deadline=deadline)
        return self.notifier

    def begins(self) -> None:
        self.notifier._configure()

    def made(self, id: str, *happened: Any, **created: Any) -> None:
        made(self.store, id, *happened, **created)
        self.hears(id)

    def hears(self, *ids: str) -> None:
        """The loop has looked at the tasks IDS."""
        self.notifier.heard(*map(self.store.task, ids))
        self.takes()

    def takes(self, wait: float = 0.0) -> None:
        """What has come to the notifier is taken; with WAIT seconds for something to come."""
        came = [self.notifier._came.get(timeout=wait)] if wait else []
        while not self.notifier._came.empty():
            came.append(self.notifier._came.get())
        self.notifier.take(came)

    def sends(self, after: float = post.SETTLE, *, sent: bool = True) -> float | None:
        """Let AFTER seconds go by, send what is due, and see what came of it; the seconds until something is due again."""
        self.now += after
        self.notifier.step()
        if sent:
            self.takes(10.0)
        return self.notifier.step()

    def until(self, done: Callable[[], Any]) -> Any:
        """What DONE() says at last, while what comes to the notifier is taken."""

        def taken() -> Any:
            self.takes()
            return done()

        return wait_until(taken)

    def got(self, name: str = "r") -> list[dict[str, Any]]:
        path = self.base / f"{name}.got"
        return [json.loads(row) for row in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("DISPATCH_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield House(tmp_path)


def test_a_program_of_the_persons_gets_the_event_as_json_and_nothing_of_a_workers(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    house.configure({"to": house.script("r", f'env >"$0.env"; pwd >>"$0.env"; echo "$#" >>"$0.env"; {WRITES}')})
    house.begins()
    house.made("auth", *ASKED)
    house.sends()
    (event,) = house.got()
    assert event["title"] == "shop: auth asks: Which one? [a · b]" and event["kind"] == "question"
    assert event["events"][0]["task"] == "auth" and event["project"] == str(house.base / "shop")
    environment = (house.base / "r.env").read_text()
    assert "secret" not in environment and "DISPATCH_CONFIG" not in environment and "PATH=" in environment
    assert environment.split()[-2:] == [str(house.base), "0"]


def test_eight_failures_of_one_cause_are_one_message_and_eight_results_are_two(house: House) -> None:
    house.configure({"on": ["failed", "done", "all-done"], "to": house.script("r", WRITES)})
    house.begins()
    house.made("runs", *STARTED)
    for n in range(8):
        house.made(f"f{n}", *over("failed", 1, why="logged out", cause="auth"))
        house.sends(0.1, sent=not n)
    assert [e["title"] for e in house.got()] == ["shop: f0 failed: logged out"]
    for n in range(8):
        house.made(f"d{n}", *over("done"))
        house.sends(post.GATHER if not n else 0.1, sent=not n)
    house.store.append("runs", "state", "", state="failed", why="exit code 3")
    house.hears("runs")
    house.sends(post.GATHER)
    second, third = house.got()[1:]
    assert "and 7 more" in second["text"] and [e["task"] for e in second["events"]] == ["d0"]
    assert [e["task"] for e in third["events"]] == [*(f"d{n}" for n in range(1, 8)), "runs", ""]
    assert third["text"].splitlines()[-2:] == ["runs failed: exit code 3", "all is over: 8 done, 9 failed"]


def test_what_was_answered_meanwhile_is_not_sent(house: House) -> None:
    house.configure({"on": ["question", "flag"], "to": house.script("r", WRITES)})
    house.begins()
    for id in ("a", "b", "c"):
        house.made(id, *ASKED[:2], ("question", {"q": "001", "text": f"{id}?"}))
        if id == "a":
            house.sends()
    house.store.append("b", "answer", "answer:001", q="001", answer="x")
    house.hears("b")
    house.sends(post.GATHER)
    assert [e["events"][0]["task"] for e in house.got()] == ["a", "c"] and house.got()[1]["count"] == 1


def test_a_program_that_hangs_is_killed_with_its_children_and_costs_nobody_else_anything(house: House) -> None:
    hangs = house.script(
        "h", 'sleep 1000 & echo $! >"$0.pids"; setsid sleep 1000 & echo $! $$ >>"$0.pids"; exec sleep 1000'
    )
    house.configure({"to": hangs}, {"to": house.script("r", WRITES)})
    house.supervisor(deadline=0.5)
    house.begins()
    began = time.monotonic()
    house.made("auth", *ASKED)
    house.now += post.SETTLE
    house.notifier.step()
    assert time.monotonic() - began < 0.45, "the thread that hears does not wait for it"
    trouble = house.until(lambda: house.got() and verb.list_receivers(house.project)[0].trouble)
    assert "did not end within 0.5 s" in trouble and verb.list_receivers(house.project)[1].trouble == ""
    pids = [int(word) for word in (house.base / "h.pids").read_text().split()]
    wait_until(lambda: not any(map(alive, pids)))
    house.notifier.step()
    house.sends(1000.0, sent=False)
    assert len((house.base / "h.pids").read_text().split()) == 3, "what may have arrived is not sent again"


def test_a_program_that_fails_is_tried_again_later_and_doctor_says_so(house: House) -> None:
    house.configure(
        {"to": house.script("r", f'[ -e "$0.works" ] || {{ echo "no\033[31m network" >&2; exit 3; }}; {WRITES}')}
    )
    house.begins()
    house.made("auth", *ASKED)
    house.made("gone", *over("failed", 1, why="x"))
    wait = house.sends()
    assert wait and abs(wait - post.REST) < 0.01
    wait = house.sends(wait)
    assert wait and abs(wait - 2 * post.REST) < 0.01
    (receiver,) = verb.list_receivers(house.project)
    assert receiver.trouble == "exit code 3: no network" and receiver.failures == 2
    from dispatch_tmux.verbs.doctor import doctor

    finding = next(each for each in doctor(house.project) if each.name == "notifications")
    assert finding.ok is False and "no network (2 times in a row) — dispatch notify test 1" in finding.said

    (house.base / "r.works").touch()
    house.supervisor()  # also by the next supervisor
    house.begins()
    house.sends()
    assert [e["task"] for e in house.got()[0]["events"]] == ["auth", "gone"] and len(house.got()) == 1
    assert verb.list_receivers(house.project)[0].trouble == ""


def test_a_kill_at_the_moment_of_sending_sends_nothing_twice_and_leaves_no_program(house: House) -> None:
    house.configure({"to": house.script("r", f'{WRITES}; echo $$ >"$0.pid"; exec sleep 1000')})
    house.supervisor(deadline=1000.0)
    house.begins()
    house.made("auth", *ASKED)
    house.sends(sent=False)
    pid = int(wait_until(lambda: (house.base / "r.pid").exists() and (house.base / "r.pid").read_text()))
    house.made("late", *over("failed", 1, why="x"))  # while it is busy
    house.supervisor()
    house.begins()
    wait_until(lambda: not alive(pid))
    house.sends(sent=False)
    wait_until(lambda: len(house.got()) == 2)
    assert [[e["task"] for e in each["events"]] for each in house.got()] == [["auth"], ["late"]]
    house.supervisor()
    house.begins()
    assert house.sends(100.0, sent=False) is None


def test_a_night_is_told_in_one_line_in_the_morning_also_by_another_supervisor(house: House) -> None:
    now = datetime.datetime.fromtimestamp(house.now)
    hours = f"{now - datetime.timedelta(hours=1):%H:%M}-{now + datetime.timedelta(hours=2):%H:%M}"
    house.configure({"quiet": hours, "to": house.script("r", WRITES)})
    house.begins()
    for n in range(3):
        house.made(f"q{n}", *ASKED)
    house.made("f", *over("failed", 1, why="x"))
    house.made("answered", *ASKED)
    wait = house.sends(sent=False)
    assert wait == post.LOOK
    house.store.append("answered", "answer", "answer:001", q="001", answer="x")
    house.supervisor()
    house.begins()
    house.sends(3500.0, sent=False)
    assert house.got() == []
    house.sends(3700.0)
    (event,) = house.got()
    assert event["title"] == "shop: while quiet: 3 questions, 1 failed" and {e["came"] for e in event["events"]} == {
        "quiet"
    }


def test_what_was_before_anybody_was_to_be_told_is_not_poured_out(house: House) -> None:
    for n in range(20):
        made(house.store, f"old{n}", *over("done"))
    made(house.store, "asks", *ASKED)
    time.sleep(0.002)
    house.now = time.time()
    house.supervisor()
    house.configure({"on": ["question", "done", "failed"], "to": house.script("r", WRITES)})
    house.begins()
    house.sends()
    assert [e["title"] for e in house.got()] == ["shop: before this: 1 question"]
    house.config.write_text("{}")
    house.made("unheard", *over("failed", 1, why="x"))
    time.sleep(0.002)
    house.now = time.time()
    house.configure({"on": ["failed"], "to": house.script("r", WRITES)}, at=house.now)
    house.made("heard", *over("failed", 1, why="y"))
    house.sends(100.0)
    assert [e["task"] for each in house.got()[1:] for e in each["events"]] == ["heard"]


def test_a_broken_config_changes_nothing_and_is_said_once(house: House) -> None:
    house.configure({"on": ["question"], "to": house.script("r", WRITES)})
    house.begins()
    house.config.write_text("notify: [{to: nowhere}]")
    house.made("a", *ASKED)
    house.sends()
    house.made("b", *ASKED[:2], ("question", {"q": "001", "text": "b?"}))
    house.sends(post.GATHER)
    assert len(house.got()) == 2
    assert len(house.log) == 1 and "line 1: notify.1.to: expected where it goes, got 'nowhere'" in house.log[0]


def test_a_disk_that_takes_nothing_sends_nothing(house: House) -> None:
    """What cannot be written down would be sent at each start."""
    house.configure({"on": ["question"], "to": house.script("r", WRITES)})
    house.begins()
    house.made("a", *ASKED)
    folder = Path(house.store.records) / "notified"
    folder.rename(folder.with_name("aside"))
    folder.symlink_to("/nowhere")
    assert house.sends(sent=False) is not None
    assert house.got() == [] and "symbolic link" in house.log[-1]
    folder.unlink()
    house.sends(post.REST)
    assert len(house.got()) == 1


def test_a_record_that_is_damaged_pours_nothing_out(house: House) -> None:
    house.configure({"on": ["failed", "question"], "to": house.script("r", WRITES)})
    house.begins()
    house.made("a", *over("failed", 1, why="x"))
    house.sends()
    (path,) = (Path(house.store.records) / "notified").iterdir()
    for text in ("", "[]", '{"told": 3}', '{"told": {"a": 3}}', "\x00"):
        path.write_text(text)
        house.now = time.time() + 5
        house.supervisor()
        house.begins()
        assert house.sends(100.0, sent=False) is None
    assert len(house.got()) == 1


def test_tests_of_each_entry(house: House) -> None:
    house.configure(
        {"to": house.script("r", WRITES)},
        {"to": {"command": ["no-such-program"]}},
        {"to": "bell"},
        {"to": "ntfys://$NO_SUCH_TOPIC"},
    )
    found = verb.try_receivers(house.project)
    assert [each.ok for each in found] == [True, False, False, False]
    assert house.got()[0]["kind"] == "test" and house.got()[0]["title"] == "shop: a test: dispatch can reach you"
    assert found[1].said == "there is no program no-such-program" and "no terminal is attached" in found[2].said
    assert "$NO_SUCH_TOPIC is not set" in found[3].said
    assert [each.number for each in verb.try_receivers(house.project, 3)] == [3]


# --- with everything running


@pytest.fixture
def told(crew: Crew) -> Callable[[], list[dict[str, Any]]]:
    (crew.root / "r").write_text(f'date +%s.%N >>"$0.at"; {WRITES}')
    crew.configure(
        notify=[
            {"on": ["question", "flag"], "to": {"command": ["sh", str(crew.root / "r")]}},
            {"on": ["question"], "to": "bell"},
        ]
    )
    got = crew.root / "r.got"
    return lambda: [json.loads(row) for row in got.read_text().splitlines()] if got.exists() else []


def test_each_is_told_once_whoever_kills_the_supervisor(crew: Crew, told: Callable[[], list[dict[str, Any]]]) -> None:
    id = crew.start("-m", "demo", "--id", "auth", "--item", "ask: which? (choices: a | b)", "x")
    (first,) = wait_until(told)
    assert first["events"][0]["task"] == id and first["title"] == "project: auth asks: which? 1. a 2. b"
    asked = crew.task(id).questions[0].asked
    assert float((crew.root / "r.at").read_text()) - asked < 3.0  # 150 ms on a machine that has nothing else to do
    crew.kill_supervisor()
    crew.start("-m", "demo", "--id", "other", "--item", "ask: or? (choices: c | d)", "x")
    wait_until(lambda: len(told()) > 1)
    crew.kill_supervisor()
    wait_until(lambda: crew.store.supervised())
    crew.run("answer", "auth", "a")
    crew.until("auth", "done")
    assert [e["task"] for each in told() for e in each["events"]] == ["auth", "other"]


def test_a_terminal_that_is_attached_rings_and_shows_it(crew: Crew) -> None:
    import pexpect

    crew.configure(notify=[{"on": ["question"], "to": "bell"}, {"on": ["question"], "to": "desktop"}])
    crew.start("-m", "demo", "--id", "first", "--item", "sleep 60", "x")
    argv = Socket(crew.socket).argv("attach-session")
    env = {**crew.env, "TERM": "xterm-256color"}
    with pexpect.spawn(argv[0], argv[1:], env=env, encoding="utf-8", dimensions=(24, 80)) as person:
        person.expect("dispatch")
        crew.start("-m", "demo", "--id", "auth", "--item", "ask: which? (choices: a | b)", "x")
        person.expect(r"\x1b\]9;dispatch: project: auth asks: which\? 1\. a 2\. b\x07", timeout=30)
        found = crew.run("notify", "test", "1")
        assert "rang in 1 of 1" in found.stdout
        person.expect("\x07")
    listed = crew.run("notify").stdout.splitlines()
    assert listed == ["1  bell: question", "2  desktop: question"]


def test_nobody_is_told_where_the_config_names_nobody(house: House) -> None:
    house.begins()
    house.made("a", *ASKED)
    assert house.sends(sent=False) is None
    assert not (Path(house.store.records) / "notified").exists()
    assert Notified(house.store.records, "x").read().new
