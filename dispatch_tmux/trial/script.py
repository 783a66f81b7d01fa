"""What a scripted model does next, and what it has heard. Pure; `service` says it over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Json = dict[str, Any]


class Say(NamedTuple):
    """Text, which ends the turn, after SECONDS of silence."""

    text: str
    seconds: float = 0.0


class Call(NamedTuple):
    """A call of the tool TOOL with ARGUMENTS; `remark` is said before it."""

    tool: str
    arguments: Mapping[str, Any]
    remark: str = ""


class Fail(NamedTuple):
    """An HTTP error."""

    status: int
    message: str = ""


Step = Say | Call | Fail


class Heard(NamedTuple):
    """One request of the CLI: the model it asks for, every text in the conversation, what its tools gave, and their names.

    A request that offers no tools is a side matter (a title, a summary), no turn.
    """

    model: str
    texts: tuple[str, ...]
    results: tuple[str, ...]
    tools: frozenset[str]
    is_answer: bool = False  # its last word is what a tool gave

    @property
    def is_turn(self) -> bool:
        return bool(self.tools)

    def count(self, text: str) -> int:
        """How often TEXT stands in the conversation; blanks and line breaks do not count, a CLI may wrap them."""
        body = "".join(text.split())
        return sum("".join(said.split()).count(body) for said in self.texts)
