"""A rules file from the disk or from a server: a real one, on the loopback, that does what servers do."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dispatch_tmux.backends import fetching
from dispatch_tmux.errors import DispatchError

MOST = 10_000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        getattr(self, f"at_{self.path.strip('/').split('?')[0].replace('-', '_')}")()

    def log_message(self, *args: object) -> None:
        pass

    def answer(self, data: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def leads(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.end_headers()

    def at_good(self) -> None:
        self.answer("rules: {} # ❯\n".encode())

    def at_huge(self) -> None:
        try:
            self.answer(b"x" * 3_000_000)
        except OSError:
            pass  # hung up on, as it should be

    def at_bytes(self) -> None:
        self.answer(b"one\ntwo \xff")

    def at_half(self) -> None:
        self.answer(b"rules: {", 500)

    def at_moved(self) -> None:
        self.leads("/good")

    def at_round(self) -> None:
        self.leads("/round")

    def at_file(self) -> None:
        self.leads("file:///etc/passwd")

    def at_ftp(self) -> None:
        self.leads("ftp://example.org/x")

    def at_http(self) -> None:
        self.leads("http://example.org/x")

    def at_hangs(self) -> None:
        self.server.stop.wait(60)  # type: ignore[attr-defined]

    def at_drips(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.stop.wait(0.05):  # type: ignore[attr-defined]
                self.wfile.write(b"#")
                self.wfile.flush()
        except OSError:
            pass

    def at_drips_headers(self) -> None:
        try:
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            while not self.server.stop.wait(0.05):  # type: ignore[attr-defined]
                self.wfile.write(b"X")
        except OSError:
            pass

    def at_missing(self) -> None:
        self.send_error(404)

    def at_broken(self) -> None:
        self.send_error(500)

    def at_closes(self) -> None:
        self.close_connection = True

    def at_nonsense(self) -> None:
        self.wfile.write(b"\x16\x03\x01 no http\r\n\r\n")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.stop = threading.Event()  # type: ignore[attr-defined]
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.stop.set()  # type: ignore[attr-defined]
    made.shutdown()
    made.server_close()


def refusal(source: str, seconds: float = 20.0) -> str:
    with pytest.raises(DispatchError) as e:
        fetching.text(source, MOST, seconds=seconds)
    return str(e.value)


@pytest.mark.parametrize("path", ["good", "moved", "good?x=1"])
def test_what_a_server_has_is_read(server: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # a proxy has no say in what this machine serves itself
    assert fetching.text(f"{server}/{path}", MOST) == "rules: {} # ❯\n"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing", "the server says 404"), ("broken", "the server says 500"), ("huge", "has more than 9 KiB"), ("bytes", "line 2: not UTF-8"),
        ("half", "the connection ended before all had come"), ("file", "file:///etc/passwd"), ("ftp", "it leads to ftp://"),
        ("http", "it leads to http://example.org/x: rules are taken by https only"), ("round", "redirect"), ("closes", "closed"),
        ("nonsense", ": "),
    ],
)  # fmt: skip
def test_what_a_server_does_wrong_is_told(server: str, path: str, said: str) -> None:
    assert said in refusal(f"{server}/{path}")


@pytest.mark.parametrize("path", ["hangs", "drips", "drips-headers"])
def test_a_server_that_takes_its_time_is_not_waited_for(server: str, path: str) -> None:
    began = time.monotonic()
    said = refusal(f"{server}/{path}", seconds=0.5)
    assert ("within 0.5 s" in said or "nothing came" in said) and time.monotonic() - began < 30


def test_nobody_there_is_told(server: str) -> None:
    assert "refused" in refusal("http://127.0.0.1:1/x")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.org/rules.yaml", "by https only"), ("file:///etc/passwd", "by https only"), ("ftp://example.org/x", "by https only"),
        ("https://", "by https only"), ("https:///x", "by https only"), ("data://x", "by https only"), ("http://127.0.0.1.example.org/x", "by https only"),
        ("http://localhost.example.org", "by https only"), ("https://me:secret@example.org/x", "it holds a password"), ("https://[::1/x", "it is no URL"),
        ("https://example.org:99999/x", "it is no URL"), ("HTTP://EXAMPLE.ORG/x", "by https only"),
    ],
)  # fmt: skip
def test_a_url_that_is_not_trusted_is_asked_for_nothing(url: str, said: str) -> None:
    assert said in refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/r.yaml",
        "https://example.org:8443/r",
        "http://127.0.0.1:8000/r",
        "http://[::1]/r",
        "http://localhost/r",
    ],
)
def test_these_may_be_asked(url: str) -> None:
    assert fetching.is_url(url) and fetching.refused(url) == ""


# --- files


def test_a_file_is_read_also_with_a_mark_at_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_bytes(b"\xef\xbb\xbfrules: {}\n")
    (tmp_path / "link").symlink_to("r.yaml")
    assert fetching.text(str(tmp_path / "r.yaml"), MOST) == fetching.text(str(tmp_path / "link"), MOST) == "rules: {}\n"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is no regular file" in refusal(str(tmp_path / "pipe"))
    assert "Is a directory" in refusal(str(tmp_path))
    assert "is no regular file" in refusal("/dev/zero")
    assert "there is no file" in refusal(str(tmp_path / "nosuch"))
    assert "cannot read" in refusal("a\0b")


def test_a_file_that_is_huge_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"x" * (MOST + 1))
    (tmp_path / "bytes").write_bytes(b"a\n\xff\xfe")
    assert "has more than 9 KiB" in refusal(str(tmp_path / "huge"))
    assert "line 2: not UTF-8" in refusal(str(tmp_path / "bytes"))
