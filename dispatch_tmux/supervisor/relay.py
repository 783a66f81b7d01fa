"""A process of its own that sends one message through Apprise: {url, title, text} as JSON on standard input.

Exit code 1 with a line that says why when it could not, 0 when it could.
"""

from __future__ import annotations

import json
import logging
import sys


def main() -> None:
    told = json.loads(sys.stdin.read())
    try:
        import apprise
    except ImportError:
        sys.exit("Apprise is not installed: pip install 'dispatch_tmux[notify]'")
    words: list[str] = []

    class Words(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            words.append(record.getMessage())

    logger = logging.getLogger("apprise")
    logger.addHandler(Words(logging.WARNING))
    logger.propagate = False
    sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="dispatch", async_mode=False, secure_logging=True))
    if not sender.add(told["url"]):
        sys.exit(f"Apprise does not know this kind of URL: {' '.join(words)}")
    body, title = (told["text"], told["title"]) if told["text"] else (told["title"], "")
    if not sender.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
        sys.exit(" ".join(words) or "Apprise could not send it")
