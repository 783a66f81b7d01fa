"""A configured command becomes argv, or is refused; it never meets a shell."""

from __future__ import annotations

import pytest

from dispatch_tmux.backends.commands import CWD, parse
from dispatch_tmux.errors import DispatchError


@pytest.mark.parametrize(
    ("text", "argv", "env", "unset"),
    [
        ("codex", ("codex",), {}, ()),
        ("codex --full-auto -c 'a b'", ("codex", "--full-auto", "-c", "a b"), {}, ()),
        ('sh -c "echo a"', ("sh", "-c", "echo a"), {}, ()),
        ("bash -c 'a; b | c && $(d) `e` > f'", ("bash", "-c", "a; b | c && $(d) `e` > f"), {}, ()),
        ('x "a;b|c"', ("x", "a;b|c"), {}, ()),
        ("A=1 B='2 3' x", ("x",), {"A": "1", "B": "2 3"}, ()),
        ("env -u CLAUDECODE claude", ("claude",), {}, ("CLAUDECODE",)),
        ("env A=1 -u B --unset=C --unset D x -u y", ("x", "-u", "y"), {"A": "1"}, ("B", "C", "D")),
        ("/usr/bin/env x", ("x",), {}, ()),
        ("x --dir $(pwd)", ("x", "--dir", CWD), {}, ()),
        ('x --dir "$(pwd)"', ("x", "--dir", CWD), {}, ()),
        ('x --dir "$PWD"', ("x", "--dir", CWD), {}, ()),
        ("x A=1", ("x", "A=1"), {}, ()),
        (r"x a\;b", ("x", "a;b"), {}, ()),
        ("x '$HOME'", ("x", "$HOME"), {}, ()),
    ],
)
def test_parse(text: str, argv: tuple[str, ...], env: dict[str, str], unset: tuple[str, ...]) -> None:
    assert parse(text) == (argv, env, unset)


@pytest.mark.parametrize(
    "text",
    [
        "a | b", "a; b", "a && b", "a > f", "a < f", "a &", "a\nb", "x $(id)", "x `id`", "x $HOME", "x ${HOME}",
        'x "$(id)"',
        'x "`id`"', 'x "$HOME"', "( a )",
    ],
)  # fmt: skip
def test_what_needs_a_shell_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(DispatchError, match="needs a shell") as e:
        parse(text)
    assert "script" in e.value.hint


@pytest.mark.parametrize("text", ["", "   ", "A=1", "env", "env -u X", "x 'open", "env -i x"])
def test_a_command_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DispatchError):
        parse(text)
