"""One message to one receiver: keys stay secret, programs have a deadline, Apprise runs in a process of its own."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from crew import alive

from dispatch_tmux.core import alerts
from dispatch_tmux.core.alerts import To
from dispatch_tmux.supervisor import messenger
from dispatch_tmux.supervisor.messenger import Outcome
from dispatch_tmux.tmux import terminals
from dispatch_tmux.tmux.server import Server, Socket
from dispatch_tmux.tmux.terminals import Terminal

DATA = alerts.data(alerts.trial(1.8e9), 1.8e9, "/x/shop")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def send(to: To, deadline: float = 20.0) -> Outcome:
    return messenger.send(
        to, DATA, Server(Socket("/nowhere/s")), None, f"test-{os.getpid()}-{time.monotonic()}", deadline
    )


def sh(script: str) -> To:
    return To("command", argv=("sh", "-c", script))


@pytest.mark.parametrize(
    "script, ok, said",
    [
        ("exit 0", True, "sent"), ("exec <&-; exit 0", True, "sent"), ("cat >/dev/null; echo fine", True, "sent"),
        ("echo why; exit 3", False, "exit code 3: why"), ("kill -9 $$", False, "signal 9"),
        ("yes | head -c 20000000; exit 2", False, f"exit code 2: {'y ' * 149}y…"),
        ("sleep 3 & exit 0", True, "sent"),
    ],
)  # fmt: skip
def test_what_comes_of_a_program(home: Path, script: str, ok: bool, said: str) -> None:
    began = time.monotonic()
    assert send(sh(script)) == Outcome(ok, said, again=not ok)
    assert time.monotonic() - began < 15


def test_a_program_that_neither_reads_nor_ends_is_killed_with_all_that_it_began(home: Path) -> None:
    outcome = send(sh(f'setsid sh -c "echo \\$\\$ >{home}/pid; exec sleep 1000" & exec sleep 1000'), deadline=1.0)
    assert not outcome.ok and not outcome.again and "did not end within 1 s" in outcome.said
    assert not alive(int((home / "pid").read_text()))


class Service(http.server.BaseHTTPRequestHandler):
    got: ClassVar[list[tuple[str, str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers["Authorization"] or "", json.loads(body)))
        self.send_response(403 if "refused" in self.path else 200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Service.got.clear()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_apprise_sends_it_and_keys_come_from_a_file_or_the_environment(
    home: Path, service: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("apprise")
    keys = home / "keys"
    keys.write_text("# mine\nTOKEN='s3cr/t@'\n")
    keys.chmod(0o600)
    monkeypatch.setenv("WORD", "fromhere")
    there = f"127.0.0.1:{service}"
    assert send(To("apprise", url=f"json://$WORD:${{TOKEN}}@{there}/a", file="~/keys")) == Outcome(True, "sent")
    ((path, authorization, said),) = Service.got
    import base64

    assert path == "/a" and base64.b64decode(authorization.split()[1]) == b"fromhere:s3cr/t@"
    assert "a test: dispatch can reach you" in said["message"]

    outcome = send(To("apprise", url=f"json://$WORD:$TOKEN@{there}/refused", file="~/keys"))
    assert not outcome.ok and outcome.again and "403" in outcome.said
    assert "s3cr" not in outcome.said and "fromhere" not in outcome.said
    outcome = send(To("apprise", url="nosuchthing://hunter2secret/x"))
    assert not outcome.ok and "does not know this kind of URL" in outcome.said and "hunter2" not in outcome.said


@pytest.mark.parametrize(
    "mode, text, url, said",
    [
        (0o644, "A=1", "json://$A", "others may read it — chmod 600"), (0o600, "A=1", "json://$B", "$B is not set in"),
        (0o600, "# nothing", "", "has no URL"), (None, "", "json://$A", "cannot read"), (0o600, "A=", "json://$A", "$A is not set"),
    ],
)  # fmt: skip
def test_keys_that_are_not_there_or_not_secret(home: Path, mode: int | None, text: str, url: str, said: str) -> None:
    if mode is not None:
        (home / "keys").write_text(text)
        (home / "keys").chmod(mode)
    outcome = send(To("apprise", url=url, file="~/keys"))
    assert not outcome.ok and said in outcome.said


def test_a_whole_url_is_taken_as_it_stands(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL", "json://a:b@host/c d")
    (home / "keys").write_text("\n# mine\nmailto://me:pw@host?x=1\n")
    (home / "keys").chmod(0o600)
    assert messenger._url(To("apprise", url="$URL")) == "json://a:b@host/c d"
    assert messenger._url(To("apprise", file="~/keys")) == "mailto://me:pw@host?x=1"
    assert messenger._url(To("apprise", url="json://host/$$x")) == "json://host/$x"


def test_what_people_are_shown_has_no_key() -> None:
    assert str(To("apprise", url="slack://a/b/c")) == "slack://…" and str(To("apprise", url="$URL")) == "$URL"
    assert str(To("command", argv=("curl", "-H", "Bearer x"))) == "command curl"


@pytest.mark.parametrize(
    "kind, term, begins",
    [
        ("xterm-256color", "xterm-256color", b"\x1b]9;dispatch: t;u"), ("foot(1.16)", "foot", b"\x1b]777;notify;t,u;v\x07"),
        ("VTE(7600)", "xterm-256color", b"\x1b]777;"), ("tmux 3.3a", "xterm-256color", b"\x1bPtmux;\x1b\x1b]9;"),
        ("screen", "screen", b"\x1bPtmux;"),
    ],
)  # fmt: skip
def test_each_terminal_gets_what_it_knows(kind: str, term: str, begins: bytes) -> None:
    assert terminals.notification(Terminal("/dev/x", kind, term), "t;u", "v").startswith(begins)


def test_what_is_no_terminal_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not terminals.write(Terminal(str(tmp_path / "file"), "", ""), terminals.BEL)
    assert not terminals.write(Terminal("/dev/null", "", ""), terminals.BEL)
    assert not terminals.write(Terminal(str(tmp_path / "none"), "", ""), terminals.BEL)
    assert (tmp_path / "file").read_bytes() == b""


def test_a_desktop_is_asked_by_its_own_program(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "notify-send").write_text('#!/bin/sh\nfor word; do echo "$word"; done >"$HOME/shown"\n')
    (home / "notify-send").chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    data = {**DATA, "title": "-x <b>", "text": "a <i> & b"}
    outcome = messenger.send(To("desktop"), data, Server(Socket("/nowhere/s")), None, "test-desktop")
    assert outcome.ok and "notify-send" in outcome.said
    assert (home / "shown").read_text().splitlines() == ["--app-name=dispatch", "--", "-x <b>", "a &lt;i&gt; &amp; b"]
