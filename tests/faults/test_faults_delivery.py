"""Delivery into live sessions: the demo worker (a TUI with a composer) and line programs, on a real tmux server."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from crew import Crew, wait_until

from dispatch_tmux.config import load as configuration
from dispatch_tmux.core.delivery import Held, Manner
from dispatch_tmux.supervisor import deliver
from dispatch_tmux.supervisor.target import Target
from dispatch_tmux.tmux.pane import PaneSpawn
from dispatch_tmux.tmux.server import Socket

READER = """
import sys
print("ready? ", end="", flush=True)
for line in sys.stdin:
    with open("got.jsonl", "a") as f:
        import json
        f.write(json.dumps(line.rstrip("\\n")) + "\\n")
    print("ready? ", end="", flush=True)
"""


class Talk:
    """A worker to talk to, and all that it has received."""

    def __init__(self, crew: Crew, id: str, path: Path) -> None:
        self.crew, self.id, self.path = crew, id, path

    def received(self) -> list[str]:
        if not self.path.exists():
            return []
        data = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [d if isinstance(d, str) else d["text"] for d in data]

    def until_received(self, *wanted: str) -> None:
        wait_until(lambda: len(self.received()) >= len(wanted), lambda: f"{self.received()}\n{self.crew.tell(self.id)}")
        assert sorted(self.received()) == sorted(wanted)

    def send(self, text: str, ok: bool | None = True) -> str:
        done = self.crew.run("send", self.id, "-", stdin=text, ok=ok)
        return str(done.stdout + done.stderr)


def demo(crew: Crew, *items: str, **env: str) -> Talk:
    """A demo worker that has worked its items off and sits at its composer."""
    path = crew.base / "received.jsonl"
    options = [word for item in items or ("look around",) for word in ("--item", item)]
    id = crew.start("-m", "demo", *options, "demo", DEMO_RECEIVED=str(path), DEMO_PACE="0.05", **env)
    return Talk(crew, id, path)


@pytest.fixture
def idle(crew: Crew) -> Talk:
    talk = demo(crew)
    crew.until(talk.id, "done")
    wait_until(lambda: "? for shortcuts" in crew.screen(talk.id), lambda: crew.screen(talk.id))
    talk.path.unlink(missing_ok=True)  # the first prompt
    return talk


@pytest.fixture
def lines(crew: Crew) -> Talk:
    (crew.root / "reader.py").write_text(READER)
    crew.configure({"reader": f"{sys.executable} reader.py"})
    id = crew.start("-m", "reader", "read")
    crew.until(id, "question")
    return Talk(crew, id, crew.root / "got.jsonl")


def press_enter_until(done: Callable[[], object], crew: Crew, pane: str) -> None:
    """Press Enter as a person does: one that comes in a burst is taken for a newline, so not ten times a second."""
    pressed = 0.0

    def step() -> object:
        nonlocal pressed
        if not done() and time.monotonic() - pressed > 0.3:
            pressed = time.monotonic()
            crew.tmux("send-keys", "-t", pane, "Enter")
        return done()

    wait_until(step, lambda: crew.tmux("capture-pane", "-p", "-t", pane).text)


def test_D1_enter_is_never_swallowed_by_a_paste(crew: Crew) -> None:
    crew.configure(
        backends={"demo": {"submit": {"delay": 0.0}}}
    )  # Enter in the same instant: the demo takes it for a newline
    talk = demo(crew)
    crew.until(talk.id, "done")
    talk.path.unlink(missing_ok=True)
    for n in range(5):
        talk.send(f"message {n}")
    assert [t.strip() for t in talk.received()] == [f"message {n}" for n in range(5)]


def test_D2_many_lines_arrive_as_one_message(idle: Talk) -> None:
    text = "first\n\n  - indented 'quoted' `x`\n\\\\ back; semi;\nlast"
    idle.send(text)
    idle.until_received(text)


def test_D3_a_collapsed_paste_counts_as_delivered_only_when_its_turn_begins(idle: Talk) -> None:
    text = "\n".join(f"line {n}" for n in range(40))
    idle.send(text)
    idle.until_received(text)


def test_D4_a_message_is_never_sent_twice(crew: Crew) -> None:
    talk = demo(crew, "sleep 3", "look")
    crew.until(talk.id, "working")
    talk.path.unlink(missing_ok=True)
    talk.send("while you work")
    crew.until(talk.id, "done")
    talk.until_received("while you work")


def test_D5_a_half_typed_draft_is_left_alone(idle: Talk, crew: Crew) -> None:
    pane = crew.task(idle.id).pane
    crew.tmux("send-keys", "-t", pane, "-l", "half a thou")
    wait_until(lambda: "half a thou" in crew.screen(idle.id))
    said = idle.send("from dispatch", ok=False)
    assert "draft" in said
    assert idle.received() == []
    assert "half a thou" in crew.screen(idle.id) and "from dispatch" not in crew.screen(idle.id)
    assert "draft" in crew.run("status", idle.id).stdout
    crew.tmux("send-keys", "-t", pane, "-l", "ght")
    press_enter_until(idle.received, crew, pane)
    wait_until(lambda: len(idle.received()) == 2, lambda: crew.tell(idle.id))
    assert [text.strip() for text in idle.received()] == ["half a thought", "from dispatch"]


QUEUE = """import sys, pathlib
path = pathlib.Path(sys.argv[1])
path.with_name(path.name + "-calls").open("a").write("x")
if (path.parent / "refuse").exists(): sys.exit(1)
path.open("a").write(repr(sys.argv[2:]) + "\\n")
"""


@pytest.fixture
def queueing(crew: Crew) -> Talk:
    """A demo worker whose CLI has a queue of its own, behind a draft of the person's."""
    (crew.root / "waiting_line.py").write_text(QUEUE)
    words = [
        sys.executable,
        str(crew.root / "waiting_line.py"),
        str(crew.root / "queued"),
        "{session}",
        "--message={text}",
    ]
    own = {"queue": words, "sessions": {"told": True, "id": r"(?P<id>ses_\w+)"}}
    crew.configure(backends={"demo": own})
    talk = demo(crew)
    crew.until(talk.id, "done")
    Path(crew.dir(talk.id), "session").write_text('"ses_1"')
    crew.tmux("send-keys", "-t", crew.task(talk.id).pane, "-l", "half a tho")
    wait_until(lambda: "half a tho" in crew.screen(talk.id))
    return talk


def test_D5_past_a_draft_a_message_goes_into_the_clis_own_queue(queueing: Talk, crew: Crew) -> None:
    text = "$x; 'two'\n  lines $(x)"
    assert "queue" in crew.run("send", "-v", queueing.id, text).stdout
    assert (crew.root / "queued").read_text() == repr(["ses_1", f"--message={text}"]) + "\n"
    assert "half a tho" in crew.screen(queueing.id)
    assert not [t for t in queueing.received() if "two" in t]


def test_D5_where_the_queue_refuses_the_message_waits_as_ever(queueing: Talk, crew: Crew) -> None:
    (crew.root / "refuse").touch()
    held = crew.run("send", queueing.id, "later", ok=False)
    assert held.returncode == 6 and "draft" in held.stderr
    crew.tmux("send-keys", "-t", crew.task(queueing.id).pane, "C-u")
    wait_until(lambda: "later" in "".join(queueing.received()), lambda: crew.tell(queueing.id))
    assert (crew.root / "queued-calls").read_text() == "x", "asked again and again"


def test_D19_a_supervisor_killed_while_it_hands_to_the_queue_does_not_say_it_twice(queueing: Talk, crew: Crew) -> None:
    crew.store.append(
        queueing.id, "delivering", "queue:r1", rid="r1", by="queue", said=0
    )  # as far as the dead one came
    crew.kill_supervisor()
    path = Path(crew.own(queueing.id), "inbox", "r1.json")
    path.with_suffix(".tmp").write_text(json.dumps({"kind": "send", "text": "once at most"}))
    path.with_suffix(".tmp").rename(path)
    wait_until(lambda: crew.events(queueing.id, "undelivered"), lambda: crew.tell(queueing.id))
    assert "interrupted" in crew.events(queueing.id, "undelivered")[0].data["how"]
    assert not (crew.root / "queued").exists()


def test_D6_a_dim_suggestion_is_not_a_draft(crew: Crew) -> None:
    talk = demo(crew, DEMO_SUGGEST="1")
    crew.until(talk.id, "done")
    wait_until(lambda: 'Try "' in crew.screen(talk.id), lambda: crew.screen(talk.id))
    talk.path.unlink(missing_ok=True)
    talk.send("hello")
    talk.until_received("hello")


def test_D7_two_senders_never_interleave(idle: Talk, crew: Crew) -> None:
    texts = [f"sender {n} " + f"word{n} " * 60 + "end" for n in range(8)]
    senders = [crew.popen("send", idle.id, text) for text in texts]
    for sender in senders:
        sender.communicate(timeout=60)
    idle.until_received(*texts)


def test_D8_copy_mode_does_not_eat_a_message(idle: Talk, crew: Crew) -> None:
    crew.tmux("copy-mode", "-t", crew.task(idle.id).pane)
    idle.send("past the mode")
    idle.until_received("past the mode")


def test_D9_nothing_is_typed_into_a_shell_or_after_the_end(crew: Crew) -> None:
    crew.configure({"leaves": "sh -c 'PS1=prompt: exec bash --norc -i'", "ends": "sh -c 'exit 0'"})
    id = crew.start("-m", "leaves", "work")
    wait_until(lambda: "prompt:" in crew.screen(id), lambda: crew.tell(id))
    refused = crew.run("send", id, "touch typed", ok=False)
    assert refused.returncode == 6 and "shell" in refused.stderr
    assert "touch" not in crew.screen(id)
    ended = crew.start("-m", "ends", "work")
    crew.until(ended, "failed")
    assert crew.run("send", ended, "hello", ok=False).returncode == 6


def test_D10_a_program_without_bracketed_paste_gets_no_marker_bytes(lines: Talk) -> None:
    lines.send("plain words; $(no) 'quotes' #{x} -- \\")
    lines.until_received("plain words; $(no) 'quotes' #{x} -- \\")


def test_D11_control_characters_end_no_paste_and_press_no_key(idle: Talk, lines: Talk) -> None:
    hostile = "a\x1b[201~b\x03c\x04d\x15e\x1bf\x00g\rh\u202ei"
    lines.send(hostile.replace("\r", " "))
    wait_until(lines.received)
    (got,) = lines.received()
    assert got.startswith("abcde") and "201" not in got and "\x03" not in got
    idle.send(hostile)
    wait_until(idle.received)
    (got,) = idle.received()
    assert got.startswith("abcde") and "\nh" in got and "\x1b" not in got


@pytest.mark.parametrize("size", [1, 4095, 4096, 17_000, 65_536, 1_048_576])
def test_D13_any_size_arrives_whole_in_a_composer(idle: Talk, size: int) -> None:
    text = ("é漢😀e\u0301 word " * (size // 17 + 1)).encode()[:size].decode("utf-8", "ignore").strip() or "x"
    idle.send(text)
    wait_until(idle.received, lambda: idle.crew.tell(idle.id))
    (got,) = idle.received()
    assert len(got) == len(text) and got == text


def test_D13_a_line_program_gets_a_whole_line_or_a_refusal_that_names_the_limit(lines: Talk) -> None:
    lines.send("x" * 4095)
    lines.until_received("x" * 4095)
    assert "4095" in lines.send("x" * 4096, ok=False)
    lines.until_received("x" * 4095)


@pytest.mark.parametrize("width", [60, 80])
def test_D21_a_draft_without_room_for_all_of_it_is_sent(idle: Talk, crew: Crew, width: int) -> None:
    crew.tmux("resize-window", "-t", crew.task(idle.id).pane, "-x", str(width), "-y", "24")
    wait_until(lambda: "─" * width in crew.screen(idle.id) and "─" * (width + 1) not in crew.screen(idle.id))
    texts = ["word " * 155 + "end", "\n".join("w" * 300 for _ in range(3)), "é漢 " * 250 + "end"]
    for text in texts:
        idle.send(text)
    idle.until_received(*texts)


AWKWARD = {
    "family": "ok 👩\u200d👩\u200d👧\u200d👦",
    "kiss": "x 👩\u200d❤️\u200d💋\u200d👨 y",
    "a flag of tags": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f x",
    "stacked marks": "a" + "".join(map(chr, range(0x300, 0x30C))) + " y",
    "no character": "a\ufffe b",
    "unassigned": "a\U000e1234 b",
    "Hangul in pieces": "\u1112\u1161\u11ab",
    "nothing but emoji": "👩\u200d👩\u200d👧\u200d👦🇩🇪👍🏽",
}


def test_D25_what_the_terminal_cannot_show_is_sent_all_the_same(idle: Talk) -> None:
    for text in AWKWARD.values():
        idle.send(text)
    idle.until_received(*AWKWARD.values())


def test_D25_what_enter_does_not_send_is_taken_out_again(crew: Crew) -> None:
    talk = demo(crew, DEMO_STUBBORN="stay here")
    crew.until(talk.id, "done")
    assert "taken out" in talk.send("stay here", ok=False)
    talk.send("and the next")
    assert talk.received()[-1] == "and the next" and "stay here" not in talk.received()


def test_D24_what_stands_in_the_composer_with_a_persons_words_is_not_delivered(idle: Talk, crew: Crew) -> None:
    pane = crew.task(idle.id).pane
    body = "a message for you, which comes while somebody types"
    sending = crew.popen("send", idle.id, body)
    wait_until(lambda: f"❯ {body}" in crew.screen(idle.id))
    crew.tmux("send-keys", "-t", pane, "-l", "x y")
    out, err = sending.communicate(timeout=60)
    crew.tmux("send-keys", "-t", pane, "C-u")
    wait_until(lambda: "x y" not in crew.screen(idle.id) or idle.received())
    assert (sending.returncode == 0) is (idle.received() == [body]), (out, err, idle.received())
    idle.send("the mailbox is open")
    assert idle.received()[-1] == "the mailbox is open"


def test_D5_a_person_who_begins_to_type_while_it_is_written_down_is_not_typed_over(crew: Crew) -> None:
    id = crew.start("-m", "demo", "--item", "look", "demo")
    crew.until(id, "done")
    with PaneSpawn(crew.task(id).pane, socket=Socket(crew.socket)) as pane:
        wait_until(lambda: "? for shortcuts" in crew.screen(id))

        def begins() -> None:
            crew.tmux("send-keys", "-t", crew.task(id).pane, "-l", "half a tho")
            wait_until(lambda: "half a tho" in crew.screen(id))

        forgotten = []
        log = deliver.Log(lambda before: begins(), unpasted=lambda: forgotten.append(True))
        rules = configuration.backend("demo").screen
        target = Target(pane, rules, Manner(composer=True, pause=0.1, patience=0.3), 0)
        outcome = deliver.deliver(target, "from dispatch", log=log)
    assert isinstance(outcome, Held) and "draft" in outcome.why and forgotten
    assert "from dispatch" not in crew.screen(id)
    assert not crew.tmux("list-buffers").text


def test_D14_a_message_sent_while_the_program_starts_waits_for_it(crew: Crew) -> None:
    here = Path(__file__).parents[2] / "dispatch_tmux" / "backends" / "demo_worker.py"
    slow = ["sh", "-c", 'sleep 1.5; exec "$@"', "sh", sys.executable, "-I", "-S", str(here), "{prompt}"]
    crew.configure(backends={"demo": {"argv": slow}})
    talk = demo(crew)
    talk.send("early bird", ok=None)
    wait_until(lambda: "early bird" in talk.received(), lambda: crew.tell(talk.id))
    assert talk.received().count("early bird") == 1


def test_D19_a_dispatcher_that_dies_while_typing_delivers_once_or_says_that_it_cannot_know(
    idle: Talk, crew: Crew
) -> None:
    texts = [f"number {n} of the interrupted" for n in range(12)]
    chance = random.Random(19)
    for text in texts:
        sender = crew.popen("send", idle.id, text)
        wait_until(lambda text=text: sender.poll() is not None or crew.store.requests(idle.id))
        end = chance.random() * 0.25
        try:
            sender.wait(end)
        except Exception:  # still on its way: now is the moment
            crew.kill_supervisor()
        sender.communicate(timeout=60)
    wait_until(lambda: not crew.store.requests(idle.id), lambda: crew.tell(idle.id))
    told = [how for _, status, how in crew.task(idle.id).requests if status == "undelivered"]
    got = idle.received()
    assert len(set(got)) == len(got), f"twice: {got}"
    assert set(got) <= set(texts), f"mangled: {got}"
    assert len(got) + len(told) >= len(texts), (got, told)


def test_D19_on_a_line_program_nothing_is_typed_twice(lines: Talk, crew: Crew) -> None:
    texts = [f"line {n}" for n in range(6)]
    for text in texts:
        sender = crew.popen("send", lines.id, text)
        wait_until(lambda: sender.poll() is not None or crew.store.requests(lines.id))
        crew.kill_supervisor()
        sender.communicate(timeout=60)
    wait_until(lambda: not crew.store.requests(lines.id), lambda: crew.tell(lines.id))
    got = lines.received()
    assert len(set(got)) == len(got) and set(got) <= set(texts), got


@pytest.mark.parametrize("entering", [True, False], ids=["at Enter", "before the paste"])
def test_D26_a_message_that_begins_like_others_is_not_sent_twice_after_a_kill(
    idle: Talk, crew: Crew, entering: bool
) -> None:
    body = "Please look at the file src/main/java/com/example/app/Controller.java and then do the following thing: sort"
    idle.send(body)
    crew.kill_supervisor()
    step = {"rid": "r1", "by": "keyboard", "echoed": 25, "said": 0}  # most of them have scrolled away since
    crew.store.append(idle.id, "delivering", "delivering:r1:0", **step)
    if entering:
        crew.store.append(idle.id, "delivering", "delivering:r1:1", **step, entering=True)
    path = Path(crew.own(idle.id), "inbox", "r1.json")
    path.with_suffix(".tmp").write_text(json.dumps({"kind": "send", "text": body}))
    path.with_suffix(".tmp").rename(path)
    outcome = wait_until(
        lambda: [s for rid, s, _ in crew.task(idle.id).requests if rid == "r1" and s[-9:] == "delivered"]
    )
    assert outcome == ["undelivered" if entering else "delivered"], crew.tell(idle.id)
    assert idle.received() == [body] * (1 if entering else 2)  # Enter was certainly not pressed before the paste


def test_D16_what_waits_for_a_dialogue_does_not_keep_its_answer_waiting(crew: Crew) -> None:
    talk = demo(crew, "choose: which? (choices: red | blue)")
    crew.until(talk.id, "question")
    held = crew.run("send", talk.id, "for later", ok=False)
    assert held.returncode == 6 and "dialogue" in held.stderr
    crew.run("answer", talk.id, "--choice", "2")
    crew.until(talk.id, "done")
    wait_until(lambda: talk.received().count("for later") == 1, lambda: crew.tell(talk.id))
    assert crew.task(talk.id).questions[0].answer == "blue"


@pytest.mark.parametrize("answer", [("--choice", "1,3"), ("red, green",), ("RED,green",)])
def test_several_choices_are_picked_whatever_somebody_ticked_before(crew: Crew, answer: tuple[str, ...]) -> None:
    talk = demo(crew, "multi: which? (choices: red | blue | green)")
    crew.until(talk.id, "question")
    crew.tmux("send-keys", "-t", crew.task(talk.id).pane, "2")
    wait_until(
        lambda: "2. [x]" in crew.screen(talk.id) or "2. [✔]" in crew.screen(talk.id), lambda: crew.screen(talk.id)
    )
    crew.run("answer", talk.id, *answer)
    crew.until(talk.id, "done")
    assert crew.task(talk.id).questions[0].answer == "red, green"
    assert "red, green" in Path(crew.dir(talk.id), "output.md").read_text()
