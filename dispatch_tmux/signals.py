"""What a worker's CLI says of itself: its hooks' files, and escape sequences in its output."""

from __future__ import annotations

import json
import os
from collections import deque
from typing import TYPE_CHECKING, Any

from dispatch_tmux import delivery, files
from dispatch_tmux.control import raw

if TYPE_CHECKING:
    from dispatch_tmux import backends


class Signals:
    """`turn_over`: the CLI has said that it waits for a person; `receipts`: prompts that it has said it took, squeezed."""

    def __init__(self, task_dir: str, rules: backends.Signals) -> None:
        self._folder, self._rules = os.path.join(task_dir, "signals"), rules
        self.turn_over = False
        self.receipts: deque[str] = deque(maxlen=20)
        self._heard: deque[str] = deque(maxlen=50)  # filled by the reader's thread

    def hear(self, data: bytes) -> None:
        """Look for what the CLI says of its state in its output, as it came from tmux."""
        if self._rules.osc is None or b"\\033]" not in data:
            return
        for found in self._rules.osc.finditer(raw(data).decode("utf-8", "replace")):
            if meaning := self._rules.means.get(found["state"]):
                self._heard.append(meaning)

    def read(self) -> None:
        """Take in what has come since; each file of a hook is read once and removed."""
        while self._heard:
            self.turn_over = self._heard.popleft() == "idle"
        try:
            names = sorted(n for n in os.listdir(self._folder) if n.endswith(".json") and not n.startswith("."))
        except FileNotFoundError:
            return
        for name in names:
            path = os.path.join(self._folder, name)
            text = files.read_text(path)
            try:
                os.unlink(path)
                self._take(dict(json.loads(text or "")))
            except (OSError, ValueError):
                continue  # not ours, or half of one

    def _take(self, signal: dict[str, Any]) -> None:
        rules = self._rules
        meaning = rules.means.get(str(signal.get(rules.field)))
        if meaning == "submitted":
            text = str(signal.get(rules.prompt, ""))
            wrapped = rules.unwrap.match(text) if rules.unwrap else None
            self.receipts.append(delivery.squeezed(wrapped["text"] if wrapped else text))
        self.turn_over = meaning == "idle" if meaning else self.turn_over
