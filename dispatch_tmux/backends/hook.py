"""Claude Code's answering hook: PermissionRequest fires as a dialogue appears, and what it prints answers the dialogue, which a
person can answer meanwhile, too; the first one wins (seen on 2.1.197 and 2.1.330).

Ours drops its payload as signals/ID.json and reads its answer from the pipe door/ID.fifo, where it waits without a cost.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any

from dispatch_tmux.core.echo import squeezed
from dispatch_tmux.store.tree import Tree

MOST = 32_768  # bytes of an answer; a pipe holds at least twice as many, so that writing never blocks


def matches(payload: dict[str, Any], shown: str, *, whole: bool = False) -> bool:
    """Whether the dialogue with the text SHOWN is the one that PAYLOAD's hook answers; WHOLE: all of its command shows."""
    given = payload.get("tool_input")
    if not isinstance(given, dict):
        return False
    if payload.get("tool_name") == "AskUserQuestion":
        question = _question(given)
        return question is not None and squeezed(question["question"])[:200] in squeezed(shown)
    named = str(given.get("command") or os.path.basename(str(given.get("file_path") or "")))
    return bool(named) and squeezed(named)[: None if whole else 60] in squeezed(shown)


def reply(payload: dict[str, Any], labels: Sequence[str], places: Sequence[int], text: str) -> dict[str, Any] | None:
    """What the hook has to print; None when only keys can say it: "yes, and do not ask again", a bare "no".

    LABELS: the choices as the screen has them; PLACES: which of them (1 = the first) were picked.
    """
    given = dict(payload.get("tool_input") or {})
    if payload.get("tool_name") == "AskUserQuestion":
        question = _question(given)
        if question is None:
            return None
        offered = question.get("options")
        options = [str(o.get("label", "")) for o in offered if isinstance(o, dict)] if isinstance(offered, list) else []
        picked = [text] if text else [options[n - 1] for n in places if 0 < n <= len(options)]
        if not picked or (not text and len(picked) != len(places)):
            return None
        return _decision(
            {"behavior": "allow", "updatedInput": {**given, "answers": {question["question"]: ", ".join(picked)}}}
        )
    chosen = [labels[n - 1] for n in places if 0 < n <= len(labels)]
    if text and all(label.startswith("No") for label in chosen):
        return _decision({"behavior": "deny", "message": text})
    return _decision({"behavior": "allow"}) if chosen == ["Yes"] and not text else None


def takes_words(payload: dict[str, Any]) -> bool:
    """Whether PAYLOAD's hook can answer in words, also where the dialogue has no field for them (with previews)."""
    given = payload.get("tool_input")
    return payload.get("tool_name") == "AskUserQuestion" and isinstance(given, dict) and _question(given) is not None


def _question(given: dict[str, Any]) -> dict[str, Any] | None:
    """The question, if it is only one: several stand on pages of their own."""
    asked = given.get("questions")
    if (
        isinstance(asked, list)
        and len(asked) == 1
        and isinstance(asked[0], dict)
        and isinstance(asked[0].get("question"), str)
    ):
        return asked[0]
    return None


def _decision(decision: dict[str, Any]) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": decision}}


def send(task_dir: str, id: str, answer: dict[str, Any]) -> bool:
    """Give the hook ID its ANSWER; False when it does not wait any more, or the answer is too long for its pipe."""
    data = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    return len(data) <= MOST and Tree.of(task_dir).write_pipe("door", f"{id}.fifo", data=data)


def release(task_dir: str, id: str) -> None:
    """Let the hook ID go: its dialogue was answered at the keyboard."""
    Tree.of(task_dir).write_pipe("door", f"{id}.fifo", data=b"")


def release_old(task_dir: str, seconds: float) -> bool:
    """Let all hooks go that have waited so long, while there is no dialogue on the screen: theirs never came, or has gone.

    Returns whether others wait still.
    """
    waits = False
    tree = Tree.of(task_dir)
    for name in tree.names("door"):
        if not name.endswith(".fifo"):
            continue
        if time.time() - tree.pipe_made("door", name) > seconds:
            tree.write_pipe("door", name, data=b"")
        else:
            waits = True
    return waits
