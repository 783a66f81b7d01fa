"""The stub model itself, without any client: a test that trusts it should know what it does."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from stub_model import (
    Conversation,
    Fail,
    Hang,
    Heard,
    Json,
    Say,
    Script,
    Step,
    StubModel,
    Use,
    asks_by_dialogue,
    bash,
    by_prompt,
    echo,
    fails,
    one_after_the_other,
    plan_editor,
    plan_path,
    plan_worker,
    unwrapped,
)

TOOLS = [{"name": "Bash"}]
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}]}


def user(*texts: str) -> Json:
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


def result(text: str, failed: bool = False) -> Json:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": text, "is_error": failed}
    return {"role": "user", "content": [block]}


def said(text: str) -> Json:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def talk(*messages: Json, attempt: int = 1) -> Conversation:
    return Conversation("s", "m", messages, frozenset({"Bash"}), attempt=attempt)


def post(stub: StubModel, path: str, **body: Any) -> str:
    data = json.dumps({"model": "m", "tools": TOOLS, **body}).encode()
    headers = {"x-api-key": "sk-very-secret", "x-claude-code-session-id": "s"}
    with urllib.request.urlopen(urllib.request.Request(stub.url + path, data, headers), timeout=10) as answer:
        return str(answer.read().decode())


def play_out(script: Script, results: dict[str, str], prompt: str, limit: int = 40) -> list[Step]:
    """All steps of one turn; each command's result is looked up by a part of it."""
    messages, steps = [user(prompt)], []
    for _ in range(limit):
        step = script(talk(*messages))
        steps.append(step)
        if not isinstance(step, Use):
            return steps
        command = json.dumps(dict(step.input))
        messages += [USE, result(next((text for part, text in results.items() if part in command), ""))]
    raise AssertionError(f"no end after {limit} steps: {steps[-3:]}")


def commands(steps: list[Step]) -> list[str]:
    return [step.input["command"] for step in steps if isinstance(step, Use) and step.tool == "Bash"]


def test_a_streamed_answer_has_the_events_of_the_api() -> None:
    with StubModel(one_after_the_other(bash("ls"))) as model:
        stream = post(model, "/v1/messages?beta=true", stream=True, messages=[user("go")])
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"]
    assert json.loads(events[2]["delta"]["partial_json"])["command"] == "ls"
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_what_arrived_is_kept_unchanged_and_the_key_is_not() -> None:
    text = "  two\n\tlines \u00a0€ \\"
    with StubModel() as model:
        post(model, "/v1/messages", messages=[user("<system-reminder>\nx\n</system-reminder>", text)])
        assert model.user_texts() == [text]
        assert model.requests[0].headers["x-api-key"] == "(secret)"
        assert "sk-very-secret" not in repr(model.requests)


def test_the_small_doors_answer() -> None:
    with StubModel(accepts={"m"}) as model:
        assert json.loads(post(model, "/v1/messages/count_tokens", messages=[]))["input_tokens"] > 0
        with urllib.request.urlopen(model.url + "/v1/models", timeout=10) as answer:
            assert json.load(answer)["data"][0]["id"] == "m"
        head = urllib.request.Request(model.url + "/", method="HEAD")
        assert urllib.request.urlopen(head, timeout=10).status == 200
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            post(model, "/v1/messages", model="other", messages=[user("x")])
        assert b"model: other" in refused.value.read()
        refused.value.close()


def test_a_side_call_is_not_the_scripts_business() -> None:
    with StubModel(fails(500)) as model:
        assert "Stub title" in post(model, "/v1/messages", tools=[], messages=[user("a title, please")])
        assert model.user_texts() == []


def test_a_script_that_raises_is_heard() -> None:
    def broken(_: Conversation) -> Step:
        raise KeyError("oops")

    with pytest.raises(KeyError, match="oops"), StubModel(broken) as model:
        with pytest.raises(urllib.error.HTTPError, match="400") as refused:
            post(model, "/v1/messages", messages=[user("x")])
        refused.value.close()


def test_the_steps_of_a_script_follow_the_conversation() -> None:
    script = one_after_the_other(bash("one"), bash("two"), Say("done"))
    assert script(talk(user("go"))) == bash("one")
    assert script(talk(user("go"), USE, result("1"))) == bash("two")
    assert script(talk(user("go"), USE, result("1"), USE, result("2"))) == Say("done")
    again = talk(user("go"), USE, result("1"), USE, result("2"), said("done"), user("again"))
    assert script(again) == bash("one")


def test_an_error_passes_when_it_came_often_enough() -> None:
    script = one_after_the_other(Fail(529, times=2), Say("fine"))
    assert [script(talk(user("go"), attempt=n)) for n in (1, 2, 3)] == [Fail(529, times=2)] * 2 + [Say("fine")]
    assert one_after_the_other(Hang(), Say("fine"))(talk(user("go"))) == Hang()


@pytest.mark.parametrize("ending", ["", "\n\nIMPORTANT: After …", "\n\nThis is how Claude Code surfaces …"])
@pytest.mark.parametrize("role", ["system", "user"])
def test_text_queued_while_the_model_was_busy_does_not_begin_a_turn(role: str, ending: str) -> None:
    wrapped = f"The user sent a new message while you were working:\nuse JWT\nplease{ending}"
    conversation = talk(user("go"), USE, result("1"), {**user(wrapped), "role": role})
    assert conversation.prompt == "go"
    assert conversation.turn[1] == Heard(("use JWT\nplease",), ("1",), queued=True)


def test_the_prompt_chooses_the_script() -> None:
    script = by_prompt({"slow": one_after_the_other(Say("s", seconds=1)), "ask": asks_by_dialogue})
    assert script(talk(user("be slow"))) == Say("s", seconds=1)
    assert script(talk(user("else"))) == echo(talk(user("else")))


@pytest.mark.parametrize(
    "text, path",
    [
        ("Read /a/b/plan.md, then", "/a/b/plan.md"),
        ("Read `/a b/plan.md`.", "'/a b/plan.md'"),
        ("(see /a/plan.md)", "/a/plan.md"),
        ("Work through your plan.", '"$DISPATCH_TASK_DIR"/plan.md'),
    ],
)
def test_the_plan_is_found_in_a_prompt(text: str, path: str) -> None:
    assert plan_path(text) == path


def test_the_worker_works_through_its_plan() -> None:
    plan = '1:# Plan\n2:- [x] old\n3:- [ ] build {{make}} and {{make test}}\n4:- [?] ask {{dispatch ask "A or B?"}}'
    steps = play_out(plan_worker, {"grep": plan}, "Work through /t/plan.md")
    ran = commands(steps)
    assert ran[:4] == ['grep -n "" /t/plan.md', "make", "make test", "sed -i '3s/\\[.\\]/[x]/' /t/plan.md"]
    assert 'dispatch ask "A or B?"' in ran
    assert ran[-1] == "mkdir -p /t/ipc && touch /t/ipc/.done"
    assert steps[-1] == Say("All 3 items are worked through; the result is in output.md.")


def test_the_worker_waits_on_as_dispatch_ask_tells_it() -> None:
    ran = commands(
        play_out(
            plan_worker,
            {
                "grep": '1:- [ ] {{dispatch ask "A?"}}',
                "ask --wait": "A",
                "dispatch ask": "run `dispatch ask --wait 001`",
            },
            "Work through /t/plan.md",
        )
    )
    assert ran[1:4] == ['dispatch ask "A?"', "dispatch ask --wait 001", "sed -i '1s/\\[.\\]/[x]/' /t/plan.md"]


def test_the_editor_uses_the_files_tools() -> None:
    steps = play_out(plan_editor, {"grep": "1:- [ ] one"}, "Work through `/a b/plan.md`")
    used = [(step.tool, step.input.get("file_path")) for step in steps if isinstance(step, Use) and step.tool != "Bash"]
    assert used == [("Read", "/a b/plan.md"), ("Edit", "/a b/plan.md"), ("Write", "/a b/output.md")]


@pytest.mark.parametrize("text", ["a\nb", "<pasted_content>", "with </pasted_content> inside"])
def test_the_marks_around_a_paste_come_off(text: str) -> None:
    marked = text.replace("</pasted_content", "<\\/pasted_content")
    assert unwrapped(f'\n\n<pasted_content id="2664">\n{marked}\n</pasted_content id="2664">\n') == text
    assert unwrapped(text) == text
