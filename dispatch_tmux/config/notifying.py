"""`notify:` of the config: who is told of what. An error names the entry, its key, and what is allowed there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_tmux.core import quiet
from dispatch_tmux.core.alerts import KINDS, USUAL, Entry, To
from dispatch_tmux.core.quiet import Quiet
from dispatch_tmux.errors import DispatchError

ALLOWED = ("on", "group", "quiet", "to")
_TO = ("bell, desktop, {command: [program, argument]}, {url: …, file: …}, or a URL of Apprise, "
       "as in `to: ntfys://ntfy.sh/$TOPIC`")  # fmt: skip
_EXAMPLE = "as in `- {on: [question, failed], quiet: '22:00-07:00', to: bell}`"

Place = tuple[str | int, ...]
Error = Callable[..., DispatchError]  # (place, said, hint="", key=False) → an error with file and line


def entries(value: Any, error: Error) -> tuple[Entry, ...]:
    """The entries in VALUE, made of YAML. Raises what ERROR makes."""
    if isinstance(value, dict):
        value = [value]  # people write one entry without its dash
    if not isinstance(value, list):
        raise error(("notify",), f"expected a list, got {value!r}", _EXAMPLE)
    return tuple(_entry(("notify", n), each, error) for n, each in enumerate(value))


def _entry(place: Place, value: Any, error: Error) -> Entry:
    if not isinstance(value, dict):
        raise error(place, f"expected keys and values, got {value!r}", _EXAMPLE)
    _known(place, value, ALLOWED, error)
    if value.get("to") is None:
        raise error(place, "'to' is missing", _TO)
    group = value.get("group", "")
    if not isinstance(group, str):
        raise error((*place, "group"), f"expected text, got {group!r}")
    return Entry(
        _on(place, value.get("on"), error), _to((*place, "to"), value["to"], error), group, _quiet(place, value, error)
    )


def _known(place: Place, value: dict[str, Any], allowed: tuple[str, ...], error: Error) -> None:
    for key in value:
        if key not in allowed:
            raise error((*place, key), "unknown key", f"allowed keys: {', '.join(allowed)}", key=True)


def _on(place: Place, value: Any, error: Error) -> tuple[str, ...]:
    if value is None:
        return USUAL
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed:
        raise error((*place, "on"), f"expected a list of kinds, got {value!r}", f"there is: {', '.join(KINDS)}")
    for n, kind in enumerate(listed):
        if kind not in KINDS:
            at = (*place, "on", n) if isinstance(value, list) else (*place, "on")
            raise error(at, f"{kind!r} is nothing to be told of", f"there is: {', '.join(KINDS)}")
    return tuple(dict.fromkeys(listed))


def _quiet(place: Place, value: dict[str, Any], error: Error) -> Quiet | None:
    if value.get("quiet") is None:
        return None
    hours = value["quiet"]
    found = quiet.parse(hours) if isinstance(hours, str) else None
    if found is None:
        raise error((*place, "quiet"), f"{hours!r} is no time of the day", "as in `quiet: '22:00-07:00'`")
    return found


def _to(place: Place, value: Any, error: Error) -> To:
    if isinstance(value, dict):
        return _with_keys(place, value, error)
    if value in ("bell", "desktop"):
        return To(value)
    if isinstance(value, str) and ("://" in value or value.startswith("$")):
        return To("apprise", url=value)
    raise error(place, f"expected where it goes, got {value!r}", _TO)


def _with_keys(place: Place, value: dict[str, Any], error: Error) -> To:
    _known(place, value, ("command", "url", "file"), error)
    if "command" in value:
        argv = value["command"]
        if len(value) > 1:
            raise error(place, "a command has no url and no file", "keep one of them")
        if (
            not isinstance(argv, list)
            or not argv
            or not all(isinstance(word, str) and "\0" not in word for word in argv)
            or not argv[0]
        ):
            hint = "as in `command: [my-pager, --loud]`; numbers in quotes"
            raise error((*place, "command"), f"expected a list of words, no shell: got {argv!r}", hint)
        return To("command", argv=tuple(argv))
    for key in ("url", "file"):
        if key in value and not (isinstance(value[key], str) and value[key]):
            raise error((*place, key), f"expected text, got {value[key]!r}")
    url, file = value.get("url", ""), value.get("file", "")
    if not url and not file:
        raise error(place, "names no place", _TO)
    if url and "://" not in url and not url.startswith("$"):
        raise error((*place, "url"), f"{url!r} is no URL", "as in `ntfys://ntfy.sh/$TOPIC`")
    return To("apprise", url=url, file=file)
