"""A dialogue of the demo worker: a question in the composer's place, with choices or a line to type on."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is slow to import
    from collections.abc import Sequence


class Left(Exception):
    """A person pressed Escape."""


class Dialogue:
    """QUESTION with CHOICES, MANY of which may be ticked; without choices an answer is typed. `answer`: None until given."""

    def __init__(self, question: str, choices: Sequence[str], many: bool = False) -> None:
        self.question, self.choices, self.many = question, choices, many
        self.answer: str | None = None
        self._at, self._text = 0, ""
        self._on: set[int] = set()

    @property
    def takes_text(self) -> bool:
        return not self.choices

    def rows(self) -> list[str]:
        if not self.choices:
            return [f" {self.question}", "", f"❯ {self._text}", "", " Enter to submit · Esc to cancel"]
        ticks = [f"[{'x' if n in self._on else ' '}] " if self.many else "" for n in range(len(self.choices))]
        listed = [f"{'❯' if n == self._at else ' '} {n + 1}. {ticks[n]}{c}" for n, c in enumerate(self.choices)]
        return [f" {self.question}", "", *listed, "", " Enter to select · Esc to cancel"]

    def key(self, kind: str, value: str) -> None:
        """Take a key. Raises Left on Escape."""
        if value == "escape":
            raise Left
        if self.takes_text:
            self._type(kind, value)
        else:
            self._choose(kind, value)

    def _type(self, kind: str, value: str) -> None:
        if kind in ("text", "paste"):
            self._text += value.replace("\n", " ")
        elif value == "enter" and self._text:
            self.answer = self._text

    def _choose(self, kind: str, value: str) -> None:
        for digit in value if kind == "text" else "":
            if digit == " " and self.many:
                self._on ^= {self._at}
            if digit.isdigit() and 0 < int(digit) <= len(self.choices):
                if self.many:
                    self._on ^= {int(digit) - 1}
                else:
                    self.answer = self.choices[int(digit) - 1]
        if value in ("up", "down"):
            self._at = (self._at + (1 if value == "down" else -1)) % len(self.choices)
        elif value == "enter":
            ticked = ", ".join(self.choices[n] for n in sorted(self._on))
            self.answer = ticked if self.many else self.choices[self._at]
