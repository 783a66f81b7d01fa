"""The scripted model as a service on loopback: it says what it was told to say, and keeps what it heard."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from dispatch_tmux.trial import dialects
from dispatch_tmux.trial.script import Call, Fail, Heard, Json, Say, Step

MOST = 64_000_000  # bytes of a request's body
SIDE = json.dumps({"title": "A trial", "isNewTopic": True, "language": "en"})


class Service:
    """A model on 127.0.0.1 that says its `steps` one after another, one a turn, and then `Done.`.

    `heard` has every request; `url` is where it is. A context manager.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.heard: list[Heard] = []
        self.last = time.monotonic()  # when a request came, or an answer ended
        self.closing = threading.Event()
        self.url = ""  # while it is entered
        self._changed = threading.Condition()
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Service:
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.closing.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def play(self, *steps: Step) -> None:
        """Let the next turns say STEPS; what was left of others is dropped."""
        with self._changed:
            self.steps = list(steps)

    def turns(self, since: int = 0) -> list[Heard]:
        """The requests from the one with number SINCE on that are turns."""
        return [heard for heard in self.heard[since:] if heard.is_turn]

    def wait(self, true: Callable[[], object], seconds: float) -> bool:
        """Whether TRUE() came to hold within SECONDS, looked at whenever a request comes."""
        with self._changed:
            return bool(self._changed.wait_for(true, seconds))

    def next_step(self, heard: Heard) -> Step:
        """What is to be said to a request."""
        with self._changed:
            self.heard.append(heard)
            self.last = time.monotonic()
            self._changed.notify_all()
            if not heard.is_turn:
                return Say(SIDE)
            if self.steps and _fits(self.steps[0], heard):
                return self.steps.pop(0)
            return Say("Done.")


def _fits(step: Step, heard: Heard) -> bool:
    """Whether STEP can be said to HEARD: some requests offer other tools than a turn's."""
    return not isinstance(step, Call) or step.tool in heard.tools


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the requests are kept instead."""

    def do_HEAD(self) -> None:
        self._json(200, {})

    def do_GET(self) -> None:
        found = {"data": [], "models": [], "has_more": False, "first_id": None, "last_id": None}
        self._json(200 if self.path.split("?")[0].endswith("/models") else 404, found)

    def do_POST(self) -> None:
        try:
            self._answer(self._body())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the CLI was interrupted or is gone

    def _answer(self, body: Json) -> None:
        path = self.path.split("?")[0]
        dialect = dialects.of(path)
        if path.endswith(("/count_tokens", ":countTokens")):
            self._json(200, {"input_tokens": 10, "totalTokens": 10})
        elif dialect is None:
            self._json(404, {"error": {"message": "no such path"}})
        else:
            self._say(dialect, body)

    def _say(self, dialect: dialects.Dialect, body: Json) -> None:
        heard = dialect.heard(self.path.split("?")[0], body)
        step = self.service.next_step(heard)
        if isinstance(step, Fail):
            self._json(step.status, dialects.failure(step, heard.model))
            return
        if isinstance(step, Say) and step.seconds:
            self.service.closing.wait(step.seconds)
        reply = dialect.reply(step, body)
        if body.get("stream") or "stream" in self.path:
            self._stream(reply.events, reply.last)
        else:
            self._json(200, reply.whole)
        self.service.last = time.monotonic()

    def _body(self) -> Json:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raw = b""
            while (size := int(self.rfile.readline().split(b";")[0], 16)) and len(raw) < MOST:
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            raw = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MOST))
        try:
            found = json.loads(raw or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _json(self, status: int, data: Json) -> None:
        raw = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        if status >= 400:
            self.send_header("x-should-retry", "false")  # which the SDKs of Anthropic and OpenAI heed
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    def _stream(self, events: Sequence[tuple[str, Json]], last: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for name, data in events:
            head = f"event: {name}\n" if name else ""
            self.wfile.write(f"{head}data: {json.dumps(data)}\n\n".encode())
        if last:
            self.wfile.write(f"data: {last}\n\n".encode())
        self.wfile.flush()
