"""A session of a test's own on its module's tmux server."""

from __future__ import annotations

from typing import NamedTuple

import pexpect
from crew import wait_until

from dispatch_tmux.tmux.server import Server, environment


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


def attached(session: Session) -> pexpect.spawn[str]:
    """A person who looks at SESSION."""
    argv = session.server.socket.argv("attach-session", "-t", session.id)
    before = session.tells(session.id, "#{session_attached}")
    person = pexpect.spawn(
        argv[0], argv[1:], env={**environment(), "TERM": "xterm"}, encoding="utf-8", dimensions=(24, 80)
    )
    wait_until(lambda: session.tells(session.id, "#{session_attached}") != before, lambda: person.before)
    return person
