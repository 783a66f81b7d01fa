"""The recorded screens of real CLIs, with what each shows: what new screen rules are tried on before they count.

They come with the package, as they were recorded (with colours), all of them: compressed 130 kB, and never older than the tests.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_PACKAGE = Path(__file__).parent.parent
_PLACES = (_PACKAGE / "screens", _PACKAGE.parent / "tests" / "screen" / "recorded")  # installed; a checkout
_TITLES = {("codex", "busy_streaming"): "⠴ proj"}  # no `esc to interrupt`: only the title spins (its README)


class Label(NamedTuple):
    """What a screen shows; `also`: what would be true, too; `kind`: of a question or an error, where it counts."""

    shows: str
    also: tuple[str, ...] = ()
    kind: str = ""
    title: str = ""


def labels() -> dict[str, dict[str, Label]]:
    """By CLI and screen; those of 80 columns lie in a directory of their own (`80x24/NAME`). {} when there are none here."""
    found: dict[str, dict[str, Label]] = {}
    for name, states in _read("labels.yaml").items():
        found[name] = {state: _label(written, _TITLES.get((name, state), "")) for state, written in states.items()}
    for name, states in _read("labels-80x24.yaml").items():
        found.setdefault(name, {}).update({f"80x24/{state}": _label(written) for state, written in states.items()})
    return found


def text(name: str, state: str) -> str:
    """The screen STATE of the CLI NAME, with colours as SGR escapes. Raises OSError when it is not there."""
    return (place() / name / f"{state}.ansi").read_text(encoding="utf-8")


@cache
def place() -> Path:
    """The directory that they are in."""
    return next((p for p in _PLACES if p.is_dir()), _PLACES[0])


def _label(written: str | dict[str, Any], title: str = "") -> Label:
    if isinstance(written, str):
        return Label(written, title=title)
    also = tuple(written.get("also", ()))
    return Label(written["shows"], also, written.get("kind", ""), written.get("title", title))


def _read(file: str) -> dict[str, dict[str, Any]]:
    import yaml

    try:
        text = (place() / file).read_text(encoding="utf-8")
    except OSError:
        return {}
    found: dict[str, dict[str, Any]] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found
