"""A worker's screen followed from outside: at once, with its colours, without a size of its own, and nothing while nothing is shown."""

from __future__ import annotations

import queue
import time

import pytest
from crew import Crew, wait_until

import dispatch_tmux as dispatch
from dispatch_tmux.verbs.live import Frame, Live

ECHO = "mkfifo $DISPATCH_TASK_DIR/pipe; while :; do while read -r line; do printf '\\033[31m%s\\033[0m\\n' \"$line\"; done <$DISPATCH_TASK_DIR/pipe; done"


@pytest.fixture
def echo(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> Crew:
    """Two workers that print what is written into their pipes."""
    for name, value in crew.env.items():
        monkeypatch.setenv(name, value)
    crew.configure({"echo": crew.script("echo.sh", ECHO)})
    for id in ("one", "two"):
        crew.start("-m", "echo", "--id", id, "x")
        wait_until(lambda id=id: (crew.dir(id) / "pipe").exists())
    return crew


def says(crew: Crew, id: str, words: str) -> None:
    with open(crew.dir(id) / "pipe", "w") as pipe:
        pipe.write(words + "\n")


def test_one_screen_at_a_time_is_followed_and_its_end_is_told(echo: Crew) -> None:
    drawn: queue.SimpleQueue[tuple[str, Frame | None]] = queue.SimpleQueue()
    live = Live(echo.project, lambda id, frame: drawn.put((id, frame)))

    def until(id: str, words: str) -> Frame:
        while True:
            at, frame = drawn.get(timeout=20)
            if at == id and frame and words in frame.text:
                return frame

    size = echo.tmux("display-message", "-p", "-t", echo.task("one").pane, "#{window_width}x#{window_height}").text
    live.show(echo.task("one"))
    assert until("one", "").size == tuple(map(int, size.split("x")))
    says(echo, "one", "hello")
    assert "\x1b[31mhello" in until("one", "hello").text
    says(echo, "two", "unheard")
    live.show(echo.task("two"))
    until("two", "unheard")
    says(echo, "one", "later")
    live.show(None)
    time.sleep(0.3)  # nothing is to come
    while not drawn.empty():
        assert drawn.get()[0] == "two"
    live.show(echo.task("one"))
    until("one", "later")
    echo.run("stop", "one")
    wait_until(lambda: drawn.get(timeout=20) == ("one", None))
    live.close()
    assert (
        echo.tmux("display-message", "-p", "-t", echo.task("two").pane, "#{window_width}x#{window_height}").text == size
    )
    wait_until(lambda: len(echo.tmux("list-clients").lines) == 1)  # the supervisor's


def test_a_screen_that_never_rests_is_let_go_all_the_same(echo: Crew) -> None:
    drawn: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
    live = Live(echo.project, lambda id, frame: drawn.put(frame))
    live.show(echo.task("one"))
    assert drawn.get(timeout=20)

    def clients() -> int:
        says(echo, "one", "and on")
        return len(echo.tmux("list-clients").lines)

    assert wait_until(lambda: clients() == 2)
    live.show(None)
    assert wait_until(lambda: clients() == 1)  # the supervisor's
    live.close()


def test_the_api_yields_frames_until_the_window_is_gone(echo: Crew) -> None:
    seen = []
    for frame in dispatch.live(echo.project, "two"):
        seen.append(frame.text)
        if len(seen) == 1:
            says(echo, "two", "hello")
        elif "hello" in frame.text and len(seen) < 50:
            seen += [""] * 50
            echo.run("stop", "two")
    assert any("hello" in text for text in seen)


def test_a_pane_that_is_another_tasks_by_now_is_not_shown(echo: Crew) -> None:
    one, two = echo.task("one"), echo.task("two")
    assert next(dispatch.live(echo.project, one), None) is not None
    drawn: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
    live = Live(echo.project, lambda id, frame: drawn.put(frame))
    live.show(one._replace(pane=two.pane))
    assert drawn.get(timeout=20) is None
    live.show(one._replace(pane=""))
    assert drawn.get(timeout=20) is None
    live.close()
