"""The text of a rules file, from the disk or by https: bounded in size and time, and nothing of it believed."""

from __future__ import annotations

import os
import stat
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from dispatch_tmux.errors import DispatchError

SECONDS = 30.0  # for all of it
_SILENT = 10.0  # seconds in which nothing comes
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_url(source: str) -> bool:
    """Whether SOURCE is meant as a URL."""
    return "://" in source


def text(source: str, most: int, *, seconds: float = SECONDS) -> str:
    """What the file or the URL SOURCE holds. Raises DispatchError, also for more than MOST bytes, or after SECONDS."""
    data = _downloaded(source, most, seconds) if is_url(source) else _file(source, most)
    if len(data) > most:
        raise DispatchError(f"{source} has more than {most >> 10} KiB", hint="that is no rules file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise DispatchError(f"{source}, line {data[: e.start].count(10) + 1}: not UTF-8") from None


def _file(path: str, most: int) -> bytes:
    """The file's first MOST bytes and one more. A pipe or a device is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(fd, "rb") as f:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise DispatchError(f"{path} is no regular file")
            return f.read(most + 1)
    except FileNotFoundError:
        raise DispatchError(f"there is no file {path}") from None
    except (OSError, ValueError) as e:  # ValueError: a null byte in its name
        raise DispatchError(f"cannot read {path}: {getattr(e, 'strerror', None) or e}") from None


# --- by URL


def _downloaded(url: str, most: int, seconds: float) -> bytes:
    """As `_file`. In a thread, because no timeout of a socket is one for the whole: a server may send a byte now and then."""
    if problem := refused(url):
        raise DispatchError(f"{url}: {problem}")
    came: list[bytes | Exception] = []

    def fetch() -> None:
        try:
            came.append(_fetched(url, most, time.monotonic() + seconds))
        except Exception as e:
            came.append(e)

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(seconds)
    if not came:
        raise DispatchError(f"{url}: nothing whole came within {seconds:g} s")
    if isinstance(came[0], bytes):
        return came[0]
    raise DispatchError(f"{url}: {_words(came[0])}") from None


def refused(url: str) -> str:
    """Why nothing is taken from URL; '' when it may be: https, or http from this machine itself."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018  # raises for a number that is none
    except ValueError as e:
        return f"it is no URL: {e}"
    if parts.username or parts.password:
        return "it holds a password, and would be written down with it"
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK)):
        return "rules are taken by https only"
    return ""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to where one may begin as well; never from https to this machine's http."""

    max_redirections = 5

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        problem = refused(newurl)
        if not problem and req.type == "https" and not newurl.lower().startswith("https:"):
            problem = "rules are taken by https only"
        if problem:
            fp.close()
            raise DispatchError(f"it leads to {newurl[:200]}: {problem}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetched(url: str, most: int, deadline: float) -> bytes:
    # from this machine without the user's proxy; and no handler for files or ftp
    proxies: dict[str, str] | None = {} if url.startswith("http:") else None
    opener = urllib.request.OpenerDirector()
    handlers: list[Any] = [
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(), _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(), urllib.request.UnknownHandler(),
    ]  # fmt: skip
    for handler in handlers:
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"User-Agent": "dispatch", "Accept-Encoding": "identity"})
    data = b""
    with opener.open(request, timeout=min(_SILENT, deadline - time.monotonic())) as answer:
        while len(data) <= most and (part := answer.read1(65536)):
            data += part
            if time.monotonic() > deadline:
                raise TimeoutError
        whole = answer.headers.get("Content-Length")
    if whole and whole.isdigit() and len(data) < min(int(whole), most + 1):
        raise DispatchError("the connection ended before all had come")
    return data


def _words(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"the server says {error.code} {error.reason}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return f"nothing came for {_SILENT:g} s"
    return str(getattr(reason, "strerror", None) or reason) or type(reason).__name__
