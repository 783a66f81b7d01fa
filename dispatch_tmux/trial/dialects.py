"""The four ways to speak to a model that agent CLIs know, as requests are read and answers worded.

Anthropic Messages, OpenAI Responses and Chat Completions, Gemini. What the CLIs send and take was found by running them;
the shapes are those of the services' public API references.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dispatch_tmux.trial.script import Call, Fail, Heard, Json, Say, Step

WORDS = {
    400: "the request is not valid", 401: "Incorrect API key provided: stub.", 403: "not permitted",
    404: "The model `{model}` does not exist or you do not have access to it.",
    429: "Rate limit reached for requests. Please try again later.", 500: "Internal server error",
    503: "The model is overloaded.", 529: "Overloaded",
}  # fmt: skip
GOOGLE = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
ANTHROPIC = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    429: "rate_limit_error", 529: "overloaded_error",
}  # fmt: skip


class Reply(NamedTuple):
    """An answer: WHOLE for a client that does not stream, else EVENTS, each with its name ('' = none)."""

    whole: Json
    events: tuple[tuple[str, Json], ...]
    last: str = ""  # a line of data that ends the stream


class Dialect(NamedTuple):
    heard: Callable[[str, Json], Heard]
    reply: Callable[[Step, Json], Reply]


def of(path: str) -> Dialect | None:
    """The dialect that a POST to PATH is in; None for what no CLI asks of a model."""
    if "enerateContent" in path:
        return Dialect(_gemini_heard, _gemini_reply)
    if path.endswith("/chat/completions"):
        return Dialect(_chat_heard, _chat_reply)
    if path.endswith("/responses"):
        return Dialect(_responses_heard, _responses_reply)
    return Dialect(_messages_heard, _messages_reply) if path.endswith("/messages") else None


def failure(step: Fail, model: str) -> Json:
    """The body of an HTTP error, in the words of all four."""
    said = step.message or WORDS.get(step.status, "error").format(model=model)
    kind = ANTHROPIC.get(step.status, "api_error")
    error = {"message": said, "type": kind, "code": step.status, "status": GOOGLE.get(step.status, "ERROR")}
    return {"type": "error", "error": error}


# --- Anthropic Messages


def _messages_heard(path: str, body: Json) -> Heard:
    blocks = [b for m in _dicts(body, "messages") for b in _blocks(m.get("content"))]
    results = [_text(b.get("content")) for b in blocks if b.get("type") == "tool_result"]
    said = [b.get("text", "") for m in _dicts(body, "messages") if m.get("role") != "assistant"
            for b in _blocks(m.get("content")) if b.get("type") == "text"]  # fmt: skip
    names = [str(tool.get("name", "")) for tool in _dicts(body, "tools")]
    last = _blocks(_dicts(body, "messages")[-1].get("content"))[-1:] if _dicts(body, "messages") else []
    is_answer = any(b.get("type") == "tool_result" for b in last)
    return Heard(str(body.get("model", "")), tuple(said), tuple(results), frozenset(names), is_answer)


def _messages_reply(step: Step, body: Json) -> Reply:
    number = len(_dicts(body, "messages"))
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    content: list[Json] = []
    if isinstance(step, Call):
        content = [{"type": "text", "text": step.remark}] if step.remark else []
        content.append(
            {"type": "tool_use", "id": f"toolu_{number:05d}", "name": step.tool, "input": dict(step.arguments)}
        )
    elif isinstance(step, Say):
        content = [{"type": "text", "text": step.text}]
    why = "tool_use" if isinstance(step, Call) else "end_turn"
    head: Json = {
        "id": f"msg_{number:05d}", "type": "message", "role": "assistant", "model": body.get("model"), "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    events: list[Json] = [{"type": "message_start", "message": head}]
    for index, block in enumerate(content):
        events += _block_events(index, block)
    events.append({"type": "message_delta", "delta": {"stop_reason": why, "stop_sequence": None}, "usage": usage})
    events.append({"type": "message_stop"})
    return Reply({**head, "content": content, "stop_reason": why}, tuple((e["type"], e) for e in events))


def _block_events(index: int, block: Json) -> list[Json]:
    is_text = block["type"] == "text"
    empty = {**block, "text": ""} if is_text else {**block, "input": {}}
    delta = (
        {"type": "text_delta", "text": block["text"]}
        if is_text
        else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    )
    return [
        {"type": "content_block_start", "index": index, "content_block": empty},
        {"type": "content_block_delta", "index": index, "delta": delta},
        {"type": "content_block_stop", "index": index},
    ]


# --- OpenAI Responses


def _responses_heard(path: str, body: Json) -> Heard:
    items = _dicts(body, "input")
    said = [_text(i.get("content")) for i in items if i.get("role") == "user"]
    results = [_text(i.get("output")) for i in items if i.get("type") == "function_call_output"]
    tools = _dicts(body, "tools")
    for item in items:
        if item.get("type") == "additional_tools":
            tools = [*tools, *(t for space in _dicts(item, "tools") for t in (_dicts(space, "tools") or [space]))]
    names = frozenset(str(t.get("name", "")) for t in tools if t.get("name"))
    is_answer = bool(items) and items[-1].get("type") == "function_call_output"
    return Heard(str(body.get("model", "")), tuple(said), tuple(results), names, is_answer)


def _responses_reply(step: Step, body: Json) -> Reply:
    number = len(_dicts(body, "input"))
    item: Json = {
        "type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": step.text if isinstance(step, Say) else "", "annotations": []}],
    }  # fmt: skip
    if isinstance(step, Call):
        item = {
            "type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": step.tool,
            "arguments": json.dumps(dict(step.arguments)), "status": "completed",
        }  # fmt: skip
    usage = {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15}  # fmt: skip
    response: Json = {"id": f"resp_{number}", "object": "response", "status": "in_progress", "output": []}
    whole = {**response, "status": "completed", "output": [item], "usage": usage}
    events: list[Json] = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return Reply(whole, tuple((e["type"], e) for e in events))


# --- OpenAI Chat Completions


def _chat_heard(path: str, body: Json) -> Heard:
    messages = _dicts(body, "messages")
    said = [_text(m.get("content")) for m in messages if m.get("role") == "user"]
    results = [_text(m.get("content")) for m in messages if m.get("role") == "tool"]
    names = frozenset(str((t.get("function") or {}).get("name", "")) for t in _dicts(body, "tools"))
    is_answer = bool(messages) and messages[-1].get("role") == "tool"
    return Heard(str(body.get("model", "")), tuple(said), tuple(results), names - {""}, is_answer)


def _chat_reply(step: Step, body: Json) -> Reply:
    message: Json = {"role": "assistant", "content": step.text if isinstance(step, Say) else _remark(step)}
    if isinstance(step, Call):
        call = {"name": step.tool, "arguments": json.dumps(dict(step.arguments))}
        number = len(_dicts(body, "messages"))
        message["tool_calls"] = [{"index": 0, "id": f"call_{number}", "type": "function", "function": call}]
    why = "tool_calls" if isinstance(step, Call) else "stop"
    base: Json = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body.get("model")}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    whole = {**base, "object": "chat.completion", "usage": usage,
             "choices": [{"index": 0, "message": message, "finish_reason": why}]}  # fmt: skip
    events: list[Json] = [
        {**base, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": why}]},
        {**base, "choices": [], "usage": usage},
    ]
    return Reply(whole, tuple(("", e) for e in events), "[DONE]")


def _remark(step: Step) -> str | None:
    """What is said before a call; None where nothing is."""
    return step.remark or None if isinstance(step, Call) else None


# --- Gemini


def _gemini_heard(path: str, body: Json) -> Heard:
    contents = _dicts(body, "contents")
    parts = [(c.get("role"), p) for c in contents for p in _dicts(c, "parts")]
    said = [str(p.get("text", "")) for role, p in parts if role != "model" and "text" in p]
    results = [json.dumps(p["functionResponse"], ensure_ascii=False) for _, p in parts if "functionResponse" in p]
    names = [d.get("name", "") for t in _dicts(body, "tools") for d in _dicts(t, "functionDeclarations")]
    model = path.partition(":")[0].rpartition("/")[2]
    is_answer = bool(parts) and "functionResponse" in parts[-1][1]
    return Heard(model, tuple(said), tuple(results), frozenset(map(str, names)), is_answer)


def _gemini_reply(step: Step, body: Json) -> Reply:
    schema = (body.get("generationConfig") or {}).get("responseJsonSchema") or {}
    parts: list[Json] = [{"text": step.text if isinstance(step, Say) else ""}]
    if schema:  # a side matter that wants JSON of this shape
        parts = [{"text": json.dumps(_example(schema))}]
    elif isinstance(step, Call):
        parts = [{"text": step.remark}] if step.remark else []
        parts.append({"functionCall": {"name": step.tool, "args": dict(step.arguments)}})
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    content = {"role": "model", "parts": parts}
    answer: Json = {"candidates": [{"content": content, "index": 0, "finishReason": "STOP"}], "usageMetadata": usage}
    return Reply(answer, (("", answer),))


def _example(schema: Json) -> Json:
    kinds: Json = {"number": 1, "integer": 1, "boolean": False, "array": [], "object": {}}
    return {
        key: value["enum"][0] if value.get("enum") else kinds.get(str(value.get("type", "")).lower(), "x")
        for key, value in (schema.get("properties") or {}).items()
    }


# --- what all are made of


def _dicts(holder: Json, key: str) -> list[Json]:
    found = holder.get(key)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _blocks(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content or [] if isinstance(block, dict)]


def _text(value: Any) -> str:
    """Every text in VALUE, one after another."""
    return "\n".join(_texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
