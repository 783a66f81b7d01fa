"""A model service on loopback for Codex (Responses), opencode (chat completions) and Gemini: it works off the plan, or fails.

What the requests look like, and which answers the CLIs take, was found by running them.
"""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from stub_model import as_read

SHELLS = ("exec_command", "shell_command", "shell", "bash", "run_shell_command")
WORDS = {
    401: "Incorrect API key provided: stub.", 404: "The model `{model}` does not exist or you do not have access to it.",
    429: "Rate limit reached for requests. Please try again later.", 529: "Overloaded", 503: "The model is overloaded.",
}  # fmt: skip
STATUS = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


class Request(NamedTuple):
    """`model` as the CLI named it, `text` all that the request says, `main` whether it is a turn (tools are offered)."""

    model: str
    text: str
    main: bool


class Service:
    """`fail` is the HTTP status to answer with, by model ('' = all); else the plan named in the prompt is ticked off."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.last = time.monotonic()  # when a request came
        self.fail: dict[str, int] = {}
        self.also: dict[str, str] = {}  # further arguments of Codex's shell tool
        self.first: list[str] = []  # commands of the first turns, before ticking the plan off
        self.calls: list[tuple[str, dict[str, Any]]] = []  # tools to call in the first turns, and their arguments
        self.quiet = False  # no commands but those in `first`
        self.more = ""  # said with a failure
        self.answered = 0.0  # time.time() of the last word of a turn's answer
        outer = self

        class Handler(_Handler):
            service = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settled(self, seconds: float) -> bool:
        """Whether no request has come for so long."""
        return time.monotonic() - self.last >= seconds

    @property
    def models(self) -> set[str]:
        """The models that turns were asked of."""
        return {r.model for r in self.requests if r.main}

    def command(self, text: str) -> str:
        """What a worker does that ticks its whole plan off."""
        if self.quiet and self.first:
            return self.first.pop(0)
        before = f"{self.first.pop(0)}; " if self.first else ""
        plan = re.search(r"Your checklist:\s+(\S+/plan\.md)", text)
        if plan is None:
            return "true"
        folder = plan[1].removesuffix("/plan.md")
        return f"{before}sed -i 's/- \\[ \\]/- [x]/' '{plan[1]}' && touch '{folder}/ipc/.done'"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._json(404, {"error": {"message": "no such path"}})

    def do_POST(self) -> None:
        try:
            self._answer(json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}"))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _answer(self, body: dict[str, Any]) -> None:
        path, _, verb = self.path.partition(":")
        gemini = "GenerateContent" in verb or "generateContent" in verb
        model = path.rsplit("/", 1)[-1] if gemini else str(body.get("model", ""))
        names = _tool_names(body)
        text = "\n".join(_texts(body))
        self.service.last = time.monotonic()
        self.service.requests.append(Request(model, text, bool(names)))
        status = self.service.fail.get(model, self.service.fail.get("", 0))
        if status:
            said = WORDS[status].format(model=model) + self.service.more
            self._json(
                status,
                {"error": {"message": said, "code": status, "status": STATUS.get(status, "ERROR"), "type": "error"}},
            )
            return
        shell = next((n for n in SHELLS if n in names), "")
        done = any(_is_result(item) for key in ("input", "messages", "contents") for item in (body.get(key) or [])[-1:])
        call: tuple[str, Any] | None = (
            None
            if done or not shell or (self.service.quiet and not self.service.first)
            else (shell, self.service.command(text))
        )
        if names and not done and self.service.calls:
            call = self.service.calls.pop(0)
        if gemini:
            self._gemini(body, call, "stream" in verb)
        elif "chat/completions" in path:
            self._chat(body, call)
        else:
            self._responses(body, call)
        if names:
            self.service.answered = time.time()

    # --- the three dialects

    def _responses(self, body: dict[str, Any], call: tuple[str, Any] | None) -> None:
        self._stream()
        response: dict[str, Any] = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
        self._event({"type": "response.created", "response": response}, named=True)
        item: dict[str, Any] = {
            "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "All done.", "annotations": []}],
        }  # fmt: skip
        if call:
            key = {"exec_command": "cmd"}.get(call[0], "command")
            value: Any = ["bash", "-c", call[1]] if call[0] == "shell" else call[1]
            given = call[1] if isinstance(call[1], dict) else {key: value, **self.service.also}
            item = {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": call[0],
                "arguments": json.dumps(given),
                "status": "completed",
            }
        self._event({"type": "response.output_item.added", "output_index": 0, "item": item}, named=True)
        self._event({"type": "response.output_item.done", "output_index": 0, "item": item}, named=True)
        usage = {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
                 "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15}  # fmt: skip
        self._event(
            {
                "type": "response.completed",
                "response": {**response, "status": "completed", "output": [item], "usage": usage},
            },
            named=True,
        )

    def _chat(self, body: dict[str, Any], call: tuple[str, Any] | None) -> None:
        message: dict[str, Any] = {"role": "assistant", "content": "All done."}
        if call:
            arguments = json.dumps(
                call[1] if isinstance(call[1], dict) else {"command": call[1], "description": "work the plan off"}
            )
            message = {
                "role": "assistant",
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": call[0], "arguments": arguments},
                    }
                ],
            }
        why = "tool_calls" if call else "stop"
        base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body.get("model")}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        if not body.get("stream"):
            self._json(
                200,
                {
                    **base,
                    "object": "chat.completion",
                    "usage": usage,
                    "choices": [{"index": 0, "message": message, "finish_reason": why}],
                },
            )
            return
        self._stream()
        self._event({**base, "choices": [{"index": 0, "delta": message, "finish_reason": None}]})
        self._event({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": why}]})
        self._event({**base, "choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _gemini(self, body: dict[str, Any], call: tuple[str, Any] | None, stream: bool) -> None:
        schema = (body.get("generationConfig") or {}).get("responseJsonSchema") or {}
        parts: list[dict[str, Any]] = [{"text": json.dumps(_example(schema)) if schema else "All done."}]
        if call:
            given = call[1] if isinstance(call[1], dict) else {"command": call[1], "description": "work the plan off"}
            parts = [{"functionCall": {"name": call[0], "args": given}}]
        usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
        answer = {
            "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0, "finishReason": "STOP"}],
            "usageMetadata": usage,
        }
        if not stream:
            self._json(200, answer)
            return
        self._stream()
        self._event(answer)

    # --- HTTP

    def _json(self, status: int, data: dict[str, Any]) -> None:
        raw = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def _event(self, data: dict[str, Any], named: bool = False) -> None:
        name = f"event: {data['type']}\n" if named else ""
        self.wfile.write(f"{name}data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()


def _tool_names(body: dict[str, Any]) -> list[str]:
    found: list[str] = []
    tools = list(body.get("tools") or [])
    for item in body.get("input") or []:
        if isinstance(item, dict) and item.get("type") == "additional_tools":
            for space in item.get("tools", []):
                tools += space.get("tools", [space])
    for tool in tools:
        found += [d.get("name", "") for d in tool.get("functionDeclarations", [])]
        found.append(tool.get("name") or (tool.get("function") or {}).get("name") or "")
    return [name for name in found if name]


def _is_result(item: Any) -> bool:
    """Whether an item of a conversation tells what a tool gave."""
    if not isinstance(item, dict):
        return False
    parts = [p for p in item.get("parts") or [] if isinstance(p, dict)]
    return (
        item.get("type") == "function_call_output"
        or item.get("role") == "tool"
        or any("functionResponse" in p for p in parts)
    )


def _texts(value: Any) -> list[str]:
    """Every text in a request, and the names of its items' kinds; the first prompt as a model has it that read it."""
    if isinstance(value, str):
        return [as_read(value)]
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []


def _example(schema: dict[str, Any]) -> dict[str, Any]:
    kinds: dict[str, Any] = {"number": 1, "integer": 1, "boolean": False, "array": [], "object": {}}
    return {
        k: v["enum"][0] if v.get("enum") else kinds.get(str(v.get("type", "")).lower(), "x")
        for k, v in (schema.get("properties") or {}).items()
    }
