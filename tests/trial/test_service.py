"""The scripted model, spoken to over HTTP in the four ways that agent CLIs speak."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from dispatch_tmux.trial import dialects
from dispatch_tmux.trial.script import Call, Fail, Heard, Say
from dispatch_tmux.trial.service import Service

Json = dict[str, Any]
TOOL = {"type": "function", "name": "sh", "function": {"name": "sh"}, "functionDeclarations": [{"name": "sh"}]}
ASKED = {  # path → what a CLI sends when a person has said "go" and its tool gave "42"
    "/v1/messages?beta=true": {
        "model": "m", "stream": True, "tools": [{"name": "sh"}],
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "sh", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "42"}]}]},
        ],
    },
    "/v1/responses": {
        "model": "m", "stream": True, "tools": [{"type": "function", "name": "sh"}],
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "go"}]},
            {"type": "function_call", "name": "sh", "arguments": "{}", "call_id": "1"},
            {"type": "function_call_output", "call_id": "1", "output": "42"},
        ],
    },
    "/v1/chat/completions": {
        "model": "m", "stream": True, "tools": [{"type": "function", "function": {"name": "sh"}}],
        "messages": [
            {"role": "system", "content": "be good"}, {"role": "user", "content": "go"},
            {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "sh"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "42"},
        ],
    },
    "/v1beta/models/m:streamGenerateContent?alt=sse": {
        "tools": [{"functionDeclarations": [{"name": "sh"}]}],
        "contents": [
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "sh", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "sh", "response": {"output": "42"}}}]},
        ],
    },
}  # fmt: skip
every_way = pytest.mark.parametrize("path", ASKED, ids=["messages", "responses", "chat", "gemini"])


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        yield running


def post(service: Service, path: str, body: Json) -> tuple[int, str]:
    """The status and the whole answer."""
    request = urllib.request.Request(
        service.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def events(text: str) -> list[Json]:
    """The data of a stream of server-sent events."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


@every_way
def test_what_was_said_and_what_a_tool_gave_are_heard(service: Service, path: str) -> None:
    post(service, path, ASKED[path])
    (heard,) = service.heard
    assert heard.model == "m" and heard.tools == {"sh"} and heard.is_turn and heard.is_answer
    assert heard.count("go") == 1 and heard.count("be good") == 0, "what a program says is no person's word"
    assert len(heard.results) == 1 and "42" in heard.results[0]


@every_way
def test_a_text_is_said_and_a_tool_called_as_that_service_words_it(service: Service, path: str) -> None:
    service.play(Say("hello there"), Call("sh", {"command": "touch x"}))
    said, called = (post(service, path, ASKED[path]) for _ in range(2))
    assert said[0] == called[0] == 200
    assert "hello there" in said[1] and events(said[1])
    assert "touch x" in called[1].replace("\\", "") and '"sh"' in called[1].replace("\\", "")
    assert "Done." in post(service, path, ASKED[path])[1], "after the script it ends each turn"


@every_way
def test_without_streaming_the_answer_is_one_object(service: Service, path: str) -> None:
    service.play(Say("hello there"))
    plain = path.replace("streamGenerateContent?alt=sse", "generateContent")
    status, answer = post(service, plain, {**ASKED[path], "stream": False})
    assert status == 200 and "hello there" in json.dumps(json.loads(answer))


@every_way
@pytest.mark.parametrize("status", [401, 404, 429, 529])
def test_a_failure_has_its_status_and_words(service: Service, path: str, status: int) -> None:
    service.play(Fail(status))
    code, answer = post(service, path, ASKED[path])
    assert code == status and json.loads(answer)["error"]["message"] == dialects.WORDS[status].format(model="m")


@every_way
def test_a_request_without_tools_is_a_side_matter_and_takes_no_step(service: Service, path: str) -> None:
    service.play(Say("the step"))
    post(service, path, {key: value for key, value in ASKED[path].items() if key != "tools"})
    assert service.turns() == [] and service.steps == [Say("the step")]


def test_a_call_of_a_tool_that_is_not_offered_is_kept_for_the_request_that_offers_it(service: Service) -> None:
    service.play(Call("other", {}))
    path = "/v1/messages"
    assert "Done." in post(service, path, ASKED["/v1/messages?beta=true"])[1]
    offered = {**ASKED["/v1/messages?beta=true"], "tools": [{"name": "other"}]}
    assert '"name": "other"' in post(service, path, offered)[1]


def test_gemini_gets_an_object_of_the_shape_it_wants(service: Service) -> None:
    schema = {"properties": {"ok": {"type": "boolean"}, "which": {"enum": ["pro", "flash"]}, "why": {"type": "string"}}}
    body = {"contents": [], "generationConfig": {"responseJsonSchema": schema}}
    status, answer = post(service, "/v1beta/models/m:generateContent", body)
    text = json.loads(answer)["candidates"][0]["content"]["parts"][0]["text"]
    assert status == 200 and json.loads(text) == {"ok": False, "which": "pro", "why": "x"}


def test_a_slow_model_is_silent_for_its_time_and_ends_at_once_with_the_service() -> None:
    with Service() as service:
        service.play(Say("late", 0.3))
        began = time.monotonic()
        assert "late" in post(service, "/v1/messages", ASKED["/v1/messages?beta=true"])[1]
        assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    "body", [b"", b"[1, 2]", b"not json", b'{"messages": "x", "tools": 7}', b'{"messages": [1, null]}']
)
def test_whatever_is_sent_is_answered(service: Service, body: bytes) -> None:
    request = urllib.request.Request(service.url + "/v1/messages", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_an_unknown_path_is_not_found_and_a_list_of_models_is_empty(service: Service) -> None:
    assert post(service, "/elsewhere", {})[0] == 404
    with urllib.request.urlopen(service.url + "/v1/models", timeout=10) as answer:
        assert json.loads(answer.read())["data"] == []


def test_only_this_machine_reaches_it(service: Service) -> None:
    assert service.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(("text", "times"), [("use JWT", 1), ("use   JWT", 1), ("JWT now", 0), ("again", 2)])
def test_a_text_is_counted_however_a_cli_wraps_it(text: str, times: int) -> None:
    heard = Heard("m", ("please use\n  JWT", "again, again"), (), frozenset({"sh"}))
    assert heard.count(text) == times
