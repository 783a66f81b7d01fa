"""A file of the person's with keys for notifications: nobody else may read it."""

from __future__ import annotations

import os
import re
import stat

from dispatch_tmux.errors import DispatchError

MOST = 1 << 16  # bytes
_LINE = re.compile(r"(?:export )?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def read(path: str) -> tuple[dict[str, str], str]:
    """The `NAME=value` lines of PATH, and the first line that is none ('': there is none): a whole URL.

    Raises DispatchError for what cannot be read, or others may read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, "rb") as f:
            facts = os.fstat(fd)
            if not stat.S_ISREG(facts.st_mode):
                raise DispatchError(f"{path} is no regular file")
            if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
                raise DispatchError(f"{path} has keys, and others may read it", hint=f"chmod 600 {path}")
            text = f.read(MOST).decode("utf-8", "replace")
    except OSError as e:
        raise DispatchError(f"cannot read {path}: {e.strerror}") from e
    keys, url = {}, ""
    for line in map(str.strip, text.splitlines()):
        if found := _LINE.fullmatch(line):
            keys[found[1]] = found[2].strip().strip("'\"")
        elif line and not line.startswith("#") and not url:
            url = line
    return keys, url
