"""Why a CLI ended in an error, from its last lines. Pure.

The words are those of today's CLIs (tests/clients/endings.yaml has them as printed) and of HTTP itself. Only what a
program that failed printed last is looked at, so an agent that talks about quotas is not taken for one that ran out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LINES = 25  # of the end of the output

_WORDS = (
    ("flag", r"unexpected argument|unknown (?:option|argument|flag)|unrecognized (?:option|argument)|invalid option|no longer supported"),
    ("model", r"(?:unknown|invalid|unsupported) model|no such model|model[_ ]?not[_ ]?found|issue with the selected model"
              r"|model\b.{0,80}(?:not found|does not exist|not supported|isn't available|is not available|not have access)"
              r"|models/\S+ is not found|requested entity was not found"),
    ("quota", r"\b429\b|rate.?limit|quota|usage limit|too many requests|resource.?exhausted|credit balance|out of credits|billing"),
    ("overloaded", r"\b529\b|\b503\b|overloaded|high demand|at capacity|service unavailable|temporarily unavailable"),
    ("auth", r"\b401\b|\b403\b|unauthori[sz]ed|not logged in|log(?:ged)? ?out|please (?:run|use|log ?in|sign ?in)\b.{0,40}"
             r"(?:login|auth|/login)|login required"
             r"|authenticat|credentials?\b|api[ _-]?key|missing environment variable|expired token|auth method"),
    ("network", r"ECONN\w+|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|getaddrinfo|fetch failed|connection (?:refused|reset|error|closed)"
                r"|unable to connect|could not resolve|network (?:error|is unreachable)|stream disconnected|error sending request"),
)  # fmt: skip
_NOISE = re.compile(r"^\s*(?:at |\}|\{|\]|\[|For more information|Usage:|tip:|$)|^Warning\b")

_IS_ERROR = re.compile(
    r"error|fail|fatal|denied|invalid|unable|refused|unauthor|exceed|limit (?:reached|hit)|(?:hit|reached) .{0,30}limit|limit.{0,20}reset"
    r"|not (?:found|logged|exist)|status|[(\s][45]\d\d\b|[⚠✗■×]",
    re.I,
)

# What each kind of failure is called, and whether another model helps.
SAID = {
    "missing": "its CLI is not installed", "auth": "logged out or no valid key", "quota": "out of quota or rate limited",
    "limit": "its usage limit is reached",
    "overloaded": "the model is overloaded", "model": "unknown model", "network": "no connection to the model",
    "flag": "its CLI refuses the command", "api": "the model's service answered with an error",
}  # fmt: skip
ELSEWHERE = frozenset(SAID)


class Cause(NamedTuple):
    kind: str
    line: str


@functools.cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Compiled when they are first needed: verbs that only tell a cause start faster without."""
    return tuple((kind, re.compile(words, re.I)) for kind, words in _WORDS)


def cause(lines: Sequence[str], code: int | None, rules: Iterable[tuple[str, re.Pattern[str]]] = ()) -> Cause:
    """What made a program end with exit CODE, by its last LINES; RULES are its backend's own and count first."""
    last = [line.strip() for line in lines[-LINES:] if not _NOISE.search(line)]
    if code == 127:
        return Cause("missing", last[-1] if last else "")
    for back, line in enumerate(reversed(last)):
        if back > 1 and not _IS_ERROR.search(line):
            continue  # its own prose, more likely than not
        for kind, pattern in (*rules, *_patterns()):
            if pattern.search(line):
                return Cause(kind, line[:300])
    error = next((line for line in reversed(last) if re.search(r"\berror\b|\bfatal\b|\bfailed\b", line, re.I)), "")
    return Cause("", (error or (last[-1] if last else ""))[:300])
