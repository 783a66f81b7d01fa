"""A model on loopback that says what a test tells it to, for running real agent CLIs without a network or a key.

It speaks the Anthropic Messages API (streamed and not), `count_tokens`, `GET /v1/models` and `HEAD /`::

    with StubModel(play(my_worker)) as model:
        ...start the CLI with ANTHROPIC_BASE_URL=model.url...
        model.wait_until(lambda: "use JWT" in model.user_texts(), seconds=10)

A *script* is a function from the conversation, as the client sent it, to the next step. It keeps nothing between
requests, so a resumed session or a retried request gets the same step again. `play` makes a script from a generator,
which reads like the worker it plays: it yields steps and is sent what the client answered.

By hand: `python tests/clients/stub_model.py --port 8399 --script plan_worker` prints one line a request.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shlex
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, cast

Json = dict[str, Any]
SECRET_HEADERS = {"x-api-key", "authorization", "proxy-authorization", "cookie"}
PING_SECONDS = 1.0


# ---------------------------------------------------------------- steps: what the model does next
@dataclass(frozen=True, slots=True)
class Say:
    """Text; ends the turn. `seconds` spreads it over that time (only when the client streams)."""

    text: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Use:
    """One call of a tool the client offers, with an optional remark before it."""

    tool: str
    input: Mapping[str, Any]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Hang:
    """The answer begins and does not go on; after `seconds` it ends with a word. Leaves no trace if interrupted."""

    seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Fail:
    """An HTTP error, the first `times` times this request comes (None: always)."""

    status: int
    message: str = ""
    times: int | None = None
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Step = Say | Use | Hang | Fail


def bash(command: str, why: str = "one step of the work", **more: Any) -> Use:
    return Use("Bash", {"command": command, "description": why, **more})


def ask_user(question: str, *options: str, header: str = "Choice", multi: bool = False) -> Use:
    """Claude Code's own question dialogue."""
    choices = [{"label": option, "description": f"take {option}"} for option in options]
    one = {"question": question, "header": header, "multiSelect": multi, "options": choices}
    return Use("AskUserQuestion", {"questions": [one]})


# ---------------------------------------------------------------- what the client sent
QUEUED = re.compile(  # what the client wraps round a text that was typed while the model was busy
    r"The user sent a new message while you were working:\n(.*?)(?:\n\n(?:IMPORTANT: |This is how Claude Code ).*)?\Z",
    re.DOTALL,
)
REMINDER = (
    re.compile(  # but for the news that a background command has ended, which begins a turn as a person's words do
        r"<system-reminder>(?:(?!<task-notification>).)*?</system-reminder>\s*", re.DOTALL
    )
)


def _blocks(message: Json) -> list[Json]:
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else cast("list[Json]", content)


def _plain(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _said(message: Json) -> list[tuple[str, bool]]:
    """Each human text of a message, and whether it was queued while the model was busy."""
    if message.get("role") == "assistant":
        return []
    said = []
    for block in _blocks(message):
        text = block.get("text", "") if block.get("type") == "text" else ""
        if queued := QUEUED.search(text):
            said.append((queued.group(1), True))
        elif message.get("role") == "user" and (plain := REMINDER.sub("", text)).strip():
            said.append((as_read(plain if "<system-reminder>" in text else text), False))
    return said


def as_read(text: str) -> str:
    """TEXT, or what stands in the file of the first prompt that it tells the model to read."""
    told = re.fullmatch(r"\s*Read (/\S+/prompt\.md) and do what it says\.\s*", text)
    try:
        return Path(told[1]).read_text() if told else text
    except OSError:
        return text


def human_texts(message: Json) -> list[str]:
    """What people (or their programs) said in one message, each text unchanged; the client's reminders left out."""
    return [text for text, _ in _said(message)]


def unwrapped(text: str) -> str:
    """A text without the marks Claude Code puts around a large paste (4 lines or more, or over 800 characters)."""
    marked = re.fullmatch(r'\s*<pasted_content id="(\w+)">\n(.*)\n</pasted_content id="\1">\s*', text, re.DOTALL)
    return marked.group(2).replace("<\\/pasted_content", "</pasted_content") if marked else text


@dataclass(frozen=True, slots=True)
class Heard:
    """All that came from the client's side between two answers of the model."""

    said: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    failed: bool = False
    queued: bool = False  # all of it was typed while the model was busy, and belongs to the running turn

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    @property
    def result(self) -> str:
        return "\n".join(self.results)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One request, as a script sees it."""

    session: str
    model: str
    messages: tuple[Json, ...]
    tools: frozenset[str]
    system: str = ""
    attempt: int = 1  # 2 and more: the client sends the very same conversation again

    @property
    def heard(self) -> list[Heard]:
        """One entry for the beginning and one after each answer of the model."""
        parts: list[list[Json]] = [[]]
        for message in self.messages:
            if message.get("role") == "assistant":
                parts.append([])
            else:
                parts[-1].append(message)
        return [_heard(part) for part in parts]

    @property
    def prompt(self) -> str:
        """The text that began this turn."""
        return self.turn[0].said[-1] if self.turn[0].said else ""

    @property
    def turn(self) -> list[Heard]:
        """What was heard since the newest prompt: [the prompt, first result, …]."""
        heard = self.heard
        start = max((i for i, part in enumerate(heard) if part.said and not part.queued), default=0)
        return heard[start:]


def _heard(messages: list[Json]) -> Heard:
    results = [b for m in messages for b in _blocks(m) if b.get("type") == "tool_result"]
    said = [entry for message in messages for entry in _said(message)]
    texts = tuple(_plain(block.get("content")) for block in results)
    failed = any(block.get("is_error") for block in results)
    return Heard(tuple(text for text, _ in said), texts, failed, bool(said) and all(queued for _, queued in said))


# ---------------------------------------------------------------- scripts
Script = Callable[[Conversation], Step]
Acting = Generator[Step, Heard, None]


def play(acting: Callable[[Heard], Acting], *, each_turn: bool = False) -> Script:
    """A script from a generator, played again from the start for every request.

    Each answer of the model in the conversation stands for one yielded `Say` or `Use`; `Fail` and `Hang` leave no
    answer behind and are passed over. With `each_turn` it starts anew at every human text.
    """

    def script(conversation: Conversation) -> Step:
        heard = conversation.turn if each_turn else conversation.heard
        steps = acting(heard[0])
        try:
            step = next(steps)
            for part in heard[1:]:
                while isinstance(step, Fail | Hang):
                    step = next(steps)
                step = steps.send(part)
            while isinstance(step, Fail) and step.times is not None and conversation.attempt > step.times:
                step = next(steps)
        except StopIteration:
            return Say("There is nothing left to do.")
        return step

    return script


def one_after_the_other(*steps: Step) -> Script:
    """The same steps in every turn."""

    def acting(_: Heard) -> Acting:
        yield from (step for step in steps)  # a bare tuple's iterator cannot be sent to

    return play(acting, each_turn=True)


def by_prompt(scripts: Mapping[str, Script], otherwise: Script | None = None) -> Script:
    """The script whose pattern is found in the newest human text."""

    def script(conversation: Conversation) -> Step:
        for pattern, chosen in scripts.items():
            if re.search(pattern, conversation.prompt):
                return chosen(conversation)
        return (otherwise or echo)(conversation)

    return script


def echo(conversation: Conversation) -> Step:
    """Says how long the newest text is, its digest and its beginning."""
    return Say(f"ECHO {len(conversation.prompt)} {digest(conversation.prompt)} {conversation.prompt[:40]!r}")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Item:
    line: int
    mark: str
    text: str

    @property
    def commands(self) -> list[str]:
        return re.findall(r"\{\{(.+?)\}\}", self.text) or ["true"]


def plan_path(text: str) -> str:
    """The plan a worker's prompt names, as the shell reads it; quoted paths may hold blanks."""
    quoted = re.search(r"""[`'"](/[^`'"\n]*/plan\.md)[`'"]""", text)
    bare = re.search(r"(/[^\s`'\"<>()]*/plan\.md)", text)
    found = quoted or bare
    return shlex.quote(found.group(1)) if found else '"$DISPATCH_TASK_DIR"/plan.md'


def items(listing: str) -> list[Item]:
    """The checklist in the output of `grep -n "" plan.md`."""
    lines = re.findall(r"^(\d+):\s*[-*] \[(.)\] (.*)$", listing, re.MULTILINE)
    return [Item(int(number), mark, text) for number, mark, text in lines]


def worker(
    tick: Callable[[str, Item, str], Acting], result: Callable[[str, str], Acting], *, patience: int = 50
) -> Callable[[Heard], Acting]:
    """Plays a dispatch worker that keeps to the file protocol and never ends: each new text makes it look again."""

    def acting(heard: Heard) -> Acting:
        plan = plan_path(heard.text)
        folder = re.sub(r"/plan\.md('?)$", r"\1", plan)
        tried: set[str] = set()
        while True:
            reading = bash(f'grep -n "" {plan}', "read the plan")
            listing = (yield reading).result
            while todo := [i for i in items(listing) if i.mark in " ?" and i.text not in tried]:
                tried.add(todo[0].text)  # once each, even if the mark cannot be made
                mark = yield from _work_on(todo[0], folder, patience)
                yield from tick(plan, todo[0], mark)
                listing = (yield reading).result
            count = len(items(listing))
            yield from result(folder, f"# Result\n\n{count} items worked through.\n")
            yield bash(f"mkdir -p {folder}/ipc && touch {folder}/ipc/.done", "tell dispatch that the work is over")
            yield Say(f"All {count} items are worked through; the result is in output.md.")

    return acting


def _work_on(item: Item, folder: str, patience: int) -> Generator[Step, Heard, str]:
    for command in item.commands:
        heard = yield bash(command, f"item on line {item.line}")
        waits = 0
        while again := re.search(r"dispatch ask --wait \S*\d{3}", heard.result):
            if waits == patience:
                note = f"No answer came to: {command}"
                yield bash(f"printf '%s\\n' {shlex.quote(note)} > {folder}/context.md", "leave context")
                return "?"
            heard = yield bash(again.group(0), "wait on for the answer")
            waits += 1
        if heard.failed:
            return "!"
    return "x"


def _tick_with_sed(plan: str, item: Item, mark: str) -> Acting:
    yield bash(f"sed -i '{item.line}s/\\[.\\]/[{mark}]/' {plan}", f"mark line {item.line}")


def _tick_with_edit(plan: str, item: Item, mark: str) -> Acting:
    path = shlex.split(plan)[0]
    yield Use("Read", {"file_path": path})
    old, new = f"[{item.mark}] {item.text}", f"[{mark}] {item.text}"
    yield Use("Edit", {"file_path": path, "old_string": old, "new_string": new})


def _result_with_printf(folder: str, text: str) -> Acting:
    yield bash(f"printf %s {shlex.quote(text)} > {folder}/output.md", "leave the result")


def _result_with_write(folder: str, text: str) -> Acting:
    yield Use("Write", {"file_path": f"{shlex.split(folder)[0]}/output.md", "content": text})


plan_worker: Script = play(worker(_tick_with_sed, _result_with_printf))
plan_editor: Script = play(worker(_tick_with_edit, _result_with_write))
impatient_worker: Script = play(worker(_tick_with_sed, _result_with_printf, patience=1))
needs_permission: Script = one_after_the_other(bash("python3 -c 'print(6*7)'", "compute"), Say("Computed."))
asks_by_dialogue: Script = one_after_the_other(
    ask_user("Which database should it be?", "SQLite", "PostgreSQL", header="Database"), Say("Thank you.")
)
streams_slowly: Script = one_after_the_other(Say("word " * 400, seconds=20.0))
hangs: Script = one_after_the_other(Hang())


def fails(status: int, *, times: int | None = None, then: str = "It works again.") -> Script:
    """Every turn meets this error; with `times`, only so often."""
    return one_after_the_other(Fail(status, times=times), Say(then))


SCRIPTS: dict[str, Script] = {
    "echo": echo,
    "plan_worker": plan_worker,
    "plan_editor": plan_editor,
    "impatient_worker": impatient_worker,
    "needs_permission": needs_permission,
    "asks_by_dialogue": asks_by_dialogue,
    "streams_slowly": streams_slowly,
    "hangs": hangs,
    **{f"fails_{status}": fails(status) for status in (400, 401, 404, 429, 500, 529)},
}


# ---------------------------------------------------------------- the server
@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; what is secret in its headers is replaced."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json
    at: float  # time.monotonic()

    @property
    def session(self) -> str:
        return self.headers.get("x-claude-code-session-id", "")

    @property
    def is_main(self) -> bool:
        """The agent's own conversation: the side calls (titles, summaries) offer no tools."""
        return self.path.split("?")[0] == "/v1/messages" and bool(self.body.get("tools"))

    @property
    def conversation(self) -> Conversation:
        tools = frozenset(tool.get("name", "") for tool in self.body.get("tools", []))
        system = _plain(self.body.get("system"))
        messages = tuple(self.body.get("messages", []))
        return Conversation(self.session, str(self.body.get("model")), messages, tools, system)


class StubModel:
    """The server, in a thread of its own; `url` is the base to give to the client.

    `accepts` names the only models it knows (others get 404); None takes every name.
    """

    def __init__(self, script: Script = echo, *, port: int = 0, accepts: set[str] | None = None) -> None:
        self.script = script
        self.accepts = accepts
        self.requests: list[Request] = []
        self.faults: list[BaseException] = []  # what a script raised; `close` raises the first
        self.closing = threading.Event()
        self.answered = 0.0  # time.time() of the last word of a turn's answer
        self._changed = threading.Condition()
        self._seen: Counter[str] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="stub-model", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StubModel:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
        if self.faults and error is None:
            raise self.faults[0]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def main_requests(self) -> list[Request]:
        return [request for request in list(self.requests) if request.is_main]

    def user_texts(self, session: str | None = None) -> list[str]:
        """Every human text that arrived, unchanged, in order; session by session unless one is named."""
        longest: dict[str, Request] = {}
        for request in self.main_requests:
            best = longest.get(request.session)
            if session in (None, request.session) and (
                best is None or len(request.body["messages"]) >= len(best.body["messages"])
            ):
                longest[request.session] = request
        return [text for r in longest.values() for message in r.body["messages"] for text in human_texts(message)]

    def tool_results(self) -> list[str]:
        """The text of every tool result in the newest conversation."""
        last = self.main_requests[-1:]
        return [text for request in last for part in request.conversation.heard for text in part.results]

    def wait_until(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        """Returns when the condition holds after some request; raises TimeoutError, saying what came."""
        with self._changed:
            if not self._changed.wait_for(true, seconds):
                came = "\n".join(summary(request) for request in self.requests[-10:]) or "no request"
                raise TimeoutError(f"not within {seconds:g} s; the model was sent:\n{came}")

    def next_step(self, request: Request) -> Step:
        """What the script wants; a script that raises becomes an error 400 and is raised again at the end."""
        key = json.dumps([request.session, len(request.body["messages"]), request.body["messages"][-1:]])
        with self._changed:
            self._seen[key] += 1
            attempt = self._seen[key]
        try:
            return self.script(replace(request.conversation, attempt=attempt))
        except Exception as error:  # any bug of a test's script; re-raised where the test sees it
            self.faults.append(error)
            return Fail(400, f"the script failed: {error!r}")

    def take(self, request: Request) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()


def summary(request: Request) -> str:
    """One line about a request."""
    kind = "main" if request.is_main else "side"
    newest = request.conversation.prompt[-100:]
    return f"{request.method} {request.path} {kind} {request.body.get('model', '-')} {newest!r}"


@dataclass(slots=True)
class Answer:
    """A step as the API words it."""

    request: Request
    content: list[Json] = field(default_factory=list)

    @property
    def stop_reason(self) -> str:
        return "tool_use" if any(block["type"] == "tool_use" for block in self.content) else "end_turn"

    @property
    def usage(self) -> Json:
        sizes = {
            "input_tokens": len(json.dumps(self.request.body)) // 4,
            "output_tokens": 1 + len(str(self.content)) // 4,
        }
        return {**sizes, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}

    def head(self) -> Json:
        count = len(self.request.body.get("messages", []))
        return {
            "id": f"msg_stub_{count:05d}",
            "type": "message",
            "role": "assistant",
            "model": self.request.body.get("model"),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**self.usage, "output_tokens": 1},
        }

    def whole(self) -> Json:
        return {**self.head(), "content": self.content, "stop_reason": self.stop_reason, "usage": self.usage}

    def events(self, pieces: int) -> Iterator[tuple[Json, bool]]:
        """The stream after its first event; True marks a piece of text, before which a slow model rests."""
        for index, block in enumerate(self.content):
            if block["type"] == "text":
                yield (
                    {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
                    False,
                )
                for piece in _pieces(block["text"], pieces):
                    delta: Json = {"type": "text_delta", "text": piece}
                    yield {"type": "content_block_delta", "index": index, "delta": delta}, True
            else:
                yield {"type": "content_block_start", "index": index, "content_block": {**block, "input": {}}}, False
                delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
                yield {"type": "content_block_delta", "index": index, "delta": delta}, False
            yield {"type": "content_block_stop", "index": index}, False
        ending = {"stop_reason": self.stop_reason, "stop_sequence": None}
        yield {"type": "message_delta", "delta": ending, "usage": self.usage}, False
        yield {"type": "message_stop"}, False


def _pieces(text: str, count: int) -> list[str]:
    size = max(1, -(-len(text) // max(1, count)))
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]


def answer_of(step: Say | Use | Hang, request: Request) -> Answer:
    match step:
        case Say(text):
            return Answer(request, [{"type": "text", "text": text}])
        case Hang():
            return Answer(request, [{"type": "text", "text": "It went on after all."}])
        case Use(tool, arguments, remark):
            said: list[Json] = [{"type": "text", "text": remark}] if remark else []
            number = len(request.body.get("messages", []))
            call = {"type": "tool_use", "id": f"toolu_stub_{number:05d}", "name": tool, "input": dict(arguments)}
            return Answer(request, [*said, call])


ERRORS = {
    400: ("invalid_request_error", "the stub model refuses this request"),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "not permitted"),
    404: ("not_found_error", "model: {model}"),
    429: ("rate_limit_error", "This request would exceed your account's rate limit."),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}
SIDE_TITLE = {"title": "Stub title", "isNewTopic": True, "language": "en"}


class _Handler(BaseHTTPRequestHandler):
    """HTTP; which model it belongs to is set by `_handler`."""

    protocol_version = "HTTP/1.1"
    stub: StubModel

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the requests are kept instead."""

    def do_HEAD(self) -> None:
        self._take({})
        self._json(200, {})

    def do_GET(self) -> None:
        self._take({})
        if not self.path.startswith("/v1/models"):
            return self._error(Fail(404, f"nothing at {self.path}"))
        known = [{"type": "model", "id": name, "display_name": name} for name in sorted(self.stub.accepts or ())]
        return self._json(200, {"data": known, "has_more": False, "first_id": None, "last_id": None})

    def do_POST(self) -> None:
        request = self._take(self._body())
        path = self.path.split("?")[0]
        if path == "/v1/messages/count_tokens":
            return self._json(200, {"input_tokens": 1 + len(json.dumps(request.body)) // 4})
        if path != "/v1/messages":
            return self._error(Fail(404, f"nothing at {self.path}"))
        if self.stub.accepts is not None and request.body.get("model") not in self.stub.accepts:
            return self._error(Fail(404), str(request.body.get("model")))
        if not request.is_main:
            return self._message(Say(json.dumps(SIDE_TITLE)), request)
        step = self.stub.next_step(request)
        if isinstance(step, Fail):
            return self._error(step, str(request.body.get("model")))
        self._message(step, request)
        self.stub.answered = time.time()
        return None

    def _body(self) -> Json:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raw = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            found = json.loads(raw or b"{}")
        except ValueError:
            found = {"not_json": raw.decode("utf-8", "replace")}
        return found if isinstance(found, dict) else {"not_an_object": found}

    def _take(self, body: Json) -> Request:
        headers = {
            name.lower(): "(secret)" if name.lower() in SECRET_HEADERS else value
            for name, value in self.headers.items()
        }
        request = Request(self.command, self.path, headers, body, time.monotonic())
        self.stub.take(request)
        return request

    def _json(self, status: int, found: Json, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _error(self, fail: Fail, model: str = "") -> None:
        kind, words = ERRORS.get(fail.status, ("api_error", "error"))
        error = {"type": kind, "message": fail.message or words.format(model=model)}
        headers = dict(fail.headers) | ({} if fail.retry_after is None else {"retry-after": str(fail.retry_after)})
        self._json(fail.status, {"type": "error", "error": error}, headers)

    def _message(self, step: Say | Use | Hang, request: Request) -> None:
        answer = answer_of(step, request)
        if request.body.get("stream"):
            try:
                self._stream(answer, step)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client was interrupted or is gone
            return
        if isinstance(step, Hang):
            self.stub.closing.wait(step.seconds)
        self._json(200, answer.whole())

    def _stream(self, answer: Answer, step: Say | Use | Hang) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("cache-control", "no-cache")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        self._event({"type": "message_start", "message": answer.head()})
        end = time.monotonic() + (step.seconds if isinstance(step, Hang) else 0)
        while time.monotonic() < end and not self.stub.closing.wait(min(PING_SECONDS, end - time.monotonic())):
            self._event({"type": "ping"})
        slow = step.seconds if isinstance(step, Say) else 0.0
        pieces = max(2, int(slow * 10))
        for event, rests in answer.events(pieces):
            if rests and slow:
                self.stub.closing.wait(slow / pieces)
            self._event(event)

    def _event(self, event: Json) -> None:
        self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()


def _handler(stub: StubModel) -> type[_Handler]:
    return type("Handler", (_Handler,), {"stub": stub})


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted model on loopback, for trials by hand.")
    parser.add_argument("--port", type=int, default=8399)
    parser.add_argument("--script", choices=sorted(SCRIPTS), default="plan_worker")
    wanted = parser.parse_args()
    with StubModel(SCRIPTS[wanted.script], port=wanted.port) as model:
        print(f"ANTHROPIC_BASE_URL={model.url}  ({wanted.script}; Ctrl-C ends)", flush=True)
        shown = 0
        try:
            while True:
                model.wait_until(lambda: len(model.requests) > shown, 86400.0)
                print(summary(model.requests[shown]), flush=True)
                shown += 1
        except (KeyboardInterrupt, TimeoutError):
            sys.exit(0)


if __name__ == "__main__":
    main()
