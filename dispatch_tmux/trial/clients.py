"""The agent CLIs that can be tried: how each is set up in a scratch home to talk to our model, and the names of its tools.

Every setting here is one that the CLI documents, or that was found by running it; none touches a file outside the home.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from dispatch_tmux.trial.script import Call, Json

KEY = "sk-ant-stub-0000000000-only-for-trials-on-loopback"


class Question(NamedTuple):
    """What the model lets the CLI ask: the words, labels, and whether several may be picked."""

    text: str
    labels: tuple[str, ...]
    several: bool = False
    header: str = "Choice"


class Client(NamedTuple):
    """A CLI. `files` are those of its home (relative path → text), `env` its variables, for a model service at a URL.

    `shell` and `ask` make the calls of its tools; `ask` is None where it has no questions of its own. `lacks` are the
    names of steps of the course that do not apply to it.
    """

    name: str
    model: str
    sent: str  # what it calls the model in its requests
    files: Callable[[str], Mapping[str, str]]
    env: Callable[[str, str], Mapping[str, str]]
    shell: Callable[[str], Call]
    ask: Callable[[Sequence[Question]], Call] | None = None
    lacks: frozenset[str] = frozenset()
    patience: float = 30.0  # seconds within which it does what is asked of it


def of(name: str) -> Client | None:
    """The client of the backend NAME; None for one that cannot be tried."""
    return CLIENTS.get(name)


# --- Claude Code


def _claude_files(url: str) -> Mapping[str, str]:
    known: Json = {"hasCompletedOnboarding": True, "theme": "dark"}
    known["customApiKeyResponses"] = {"approved": [KEY[-20:]], "rejected": []}
    return {".claude/.claude.json": json.dumps(known)}


def _claude_env(url: str, home: str) -> Mapping[str, str]:
    return {
        "CLAUDE_CONFIG_DIR": f"{home}/.claude", "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
    }  # fmt: skip


def _options(labels: Sequence[str]) -> list[Json]:
    return [{"label": label, "description": f"take {label}"} for label in labels]


def _claude_ask(questions: Sequence[Question]) -> Call:
    asked = [{"question": q.text, "header": q.header, "multiSelect": q.several, "options": _options(q.labels)}
             for q in questions]  # fmt: skip
    return Call("AskUserQuestion", {"questions": asked})


# --- Codex


def _codex_files(url: str) -> Mapping[str, str]:
    return {
        ".codex/config.toml": (
            'model = "gpt-5.5"\nmodel_provider = "stub"\ncheck_for_update_on_startup = false\n'
            f'[model_providers.stub]\nname = "Stub"\nbase_url = "{url}/v1"\nwire_api = "responses"\nenv_key = "STUB_KEY"\n'
            "request_max_retries = 0\nstream_max_retries = 0\n"
            '[tui.model_availability_nux]\n"gpt-6.1-sol" = 4\n[notice.model_migrations]\n"gpt-5.5" = "gpt-6-sol"\n'
            "[features]\ndefault_mode_request_user_input = true\n"
        )
    }


def _codex_shell(command: str) -> Call:
    asks = {"sandbox_permissions": "require_escalated", "justification": "May I leave the sandbox?"}
    return Call("exec_command", {"cmd": command, **asks})


def _codex_ask(questions: Sequence[Question]) -> Call:
    asked = [{"id": f"q{n}", "header": q.header, "question": q.text, "options": _options(q.labels)}
             for n, q in enumerate(questions)]  # fmt: skip
    return Call("request_user_input", {"questions": asked})


# --- Gemini CLI


def _gemini_files(url: str) -> Mapping[str, str]:
    settings: Json = {
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": True}},
        "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False, "maxAttempts": 1},
    }  # fmt: skip
    return {".gemini/settings.json": json.dumps(settings)}


def _gemini_ask(questions: Sequence[Question]) -> Call:
    asked = [{"type": "choice", "header": q.header[:16], "question": q.text, "options": _options(q.labels),
              **({"multiSelect": True} if q.several else {})} for q in questions]  # fmt: skip
    return Call("ask_user", {"questions": asked})


# --- opencode


def _opencode_files(url: str) -> Mapping[str, str]:
    provider = {
        "npm": "@ai-sdk/openai-compatible", "name": "Lab", "options": {"baseURL": f"{url}/v1", "apiKey": "stub"},
        "models": {"small-1": {"name": "Small"}},
    }  # fmt: skip
    settings: Json = {
        "autoupdate": False, "share": "disabled", "model": "lab/small-1", "small_model": "lab/small-1",
        "provider": {"lab": provider}, "permission": {"bash": "ask"},
    }  # fmt: skip
    return {".config/opencode/opencode.json": json.dumps(settings)}


def _opencode_ask(questions: Sequence[Question]) -> Call:
    asked = [{"header": q.header, "question": q.text, "options": _options(q.labels),
              **({"multiple": True} if q.several else {})} for q in questions]  # fmt: skip
    return Call("question", {"questions": asked})


_OPENCODE = {f"OPENCODE_DISABLE_{name}": "1" for name in ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD")}
_OPENCODE |= {"HTTP_PROXY": "", "HTTPS_PROXY": ""}  # it takes a proxy for loopback, too

CLIENTS = {
    client.name: client
    for client in (
        Client(
            "claude", "opus", "", _claude_files, _claude_env,
            lambda command: Call("Bash", {"command": command, "description": "one step of the work"}), _claude_ask,
        ),
        Client(
            "codex", "gpt-5.5", "gpt-5.5", _codex_files, lambda url, home: {"STUB_KEY": "sk-stub"}, _codex_shell, _codex_ask,
            lacks=frozenset({"several"}),
        ),
        Client(
            "gemini", "gemini-3.1-pro", "gemini-3.1-pro", _gemini_files,
            lambda url, home: {"GEMINI_API_KEY": "stub", "GOOGLE_GEMINI_BASE_URL": url},
            lambda command: Call("run_shell_command", {"command": command, "description": "one step of the work"}),
            _gemini_ask, patience=45.0,
        ),
        Client(
            "opencode", "lab/small-1", "small-1", _opencode_files,
            lambda url, home: _OPENCODE,
            lambda command: Call("bash", {"command": command, "description": "one step of the work"}), _opencode_ask,
            lacks=frozenset({"start pages"}), patience=60.0,
        ),
    )
}  # fmt: skip
