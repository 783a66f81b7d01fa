"""A session of a test's own on its module's tmux server."""

from __future__ import annotations

from typing import NamedTuple

from crew import wait_until

from dispatch_tmux.tmux.server import Server


class Session(NamedTuple):
    """A session of a test: its id, its name, the pane of its first window, which runs `cat`."""

    server: Server
    id: str
    name: str
    pane: str

    def shows(self, pane: str, words: str) -> str:
        """The screen of PANE as soon as it shows WORDS."""

        def there() -> str:
            text = self.server.cmd("capture-pane", "-p", "-t", pane).text
            return text if words in text else ""

        return str(wait_until(there, lambda: self.server.cmd("capture-pane", "-p", "-t", pane).text))

    def runs(self, *argv: str) -> str:
        """A window of the session that runs ARGV; its pane."""
        made = self.server.cmd("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", f"{self.id}:", "--", *argv)
        assert made.ok, made.text
        return made.text

    def tells(self, target: str, format: str) -> str:
        return self.server.cmd("display-message", "-p", "-t", target, format).text
