"""What can be chosen on a screen, by its structure alone: recorded dialogues, and menus in the styles of the field."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dispatch_tmux.backends import load as backends
from dispatch_tmux.core import choosing, sgr
from dispatch_tmux.core.shown import Shown
from dispatch_tmux.screen import guess, structure, styles
from dispatch_tmux.screen.parts import Found
from dispatch_tmux.screen.read import look

HERE = Path(__file__).parent
LABELS: dict[str, dict[str, str]] = yaml.safe_load((HERE / "recorded" / "labels.yaml").read_text())


def find(raw: str) -> Found | None:
    return structure.find(sgr.plain(raw).split("\n"), styles.of(raw))


def told(shown: Shown) -> list[str]:
    """The choices as words: `*` the pointer, `~` a text field, `[x]` a tick."""
    tick = {None: "", True: "[x] ", False: "[ ] "}
    return [f"{'*' if c.selected else ''}{tick[c.ticked]}{c.label}{'~' if c.text else ''}" for c in shown.choices]


def recorded(cli: str, name: str) -> Shown:
    return look(backends.load(cli).screen, (HERE / "dialogues" / cli / f"{name}.ansi").read_text())


@pytest.mark.parametrize(
    ("cli", "name", "kind", "choices"),
    [
        ("claude", "trust-with-hooks", "trust", ["*No, exit", "Yes, I trust this folder"]),
        ("claude", "mcp-approval", "mcp", ["Use this MCP server", "Use this and all future MCP servers in this project", "*Continue without using this MCP server"]),
        ("claude", "external-imports", "imports", ["*No, disable external imports", "Yes, allow external imports"]),
        ("claude", "settings-error", "settings", ["*Fix with Claude", "Exit and fix manually", "Continue without these settings"]),
        ("claude", "perm-webfetch", "permission", ["*Yes", "Yes, and don't ask again for example.com", "No, and tell Claude what to do differently (esc)~"]),
        ("claude", "ask-4-questions-review", "review", ["*Submit answers", "Cancel"]),
        ("claude", "ask-4-previews-notes-typed", "choice", ["Tabs on top", "*Side bar", "One long page", "Wizard"]),  # no own words here
        ("claude", "ask-cjk-own-words", "choice", ["SQLite（ファイル一つ）", "PostgreSQL 服务器", "👨‍👩‍👧‍ 家族", "*中文答案 和 emoji 🎉~", "Chat about this"]),
        ("claude", "elicitation", "form", []),
        ("claude", "cmd-memory", "view", ["*User instructions", "Project instructions", "Open auto-memory folder"]),
        ("gemini", "question-4-cjk", "choice", ["*Layout 1 布局", "Layout 2 布局", "Layout 3 布局"]),
        ("gemini", "question-multi", "multi", ["*[ ] Lint", "[ ] Unit", "[ ] E2E"]),
        ("gemini", "question-text", "text", []),
        ("gemini", "questions-review", "review", ["Submit answers", "Cancel"]),
        ("opencode", "question-multi", "multi", ["*[ ] Lint", "[ ] Unit", "[ ] E2E", "[ ] Type your own answer~"]),
        ("opencode", "questions-1of2", "choice", ["*A1", "B1", "Type your own answer~"]),
        ("opencode", "subagent-permission", "permission", ["*Allow once", "Allow always", "Reject"]),
        ("codex", "question-2of2", "choice", ["*Redis", "None at all", "Memcached", "None of the above~"]),
    ],
)  # fmt: skip
def test_S19_a_dialogue_has_its_choices_and_its_pointer(cli: str, name: str, kind: str, choices: list[str]) -> None:
    shown = recorded(cli, name)
    assert (shown.shows in ("question", "startup"), shown.kind, told(shown)) == (True, kind, choices)


def test_S24_a_configuration_that_is_no_json_is_asked_about_and_neither_yes_nor_no_resets_it() -> None:
    shown = recorded("claude", "configuration-error")
    assert (shown.shows, told(shown)) == ("question", ["*Exit and fix manually", "Reset to default configuration"])
    assert ".claude.json isn't valid JSON" in f"{shown.question} {shown.detail}"
    assert choosing.by_word(shown.choices, "yes") is None
    assert choosing.by_word(shown.choices, "no") == shown.choices[0]


def test_S19_a_list_that_goes_on_is_known_as_one() -> None:
    assert recorded("gemini", "question-4-cjk").scrolled and not recorded("codex", "question-2of2").scrolled


def test_a_page_in_the_transcript_is_no_list_of_the_dialogue() -> None:
    assert recorded("claude", "cmd-btw").choices == ()


REVERSE, GROUND, OFF = "\x1b[7m", "\x1b[44m", "\x1b[0m"
MENUS = {
    "ink": ("? Which?\n❯ one\n  two\n  three\n\n↑/↓ to move, enter to select", "menu", ["*one", "two", "three"]),
    "inquirer": ("? Pick a size: (Use arrow keys)\n  Large\n❯ Medium\n  Small", "menu", ["Large", "*Medium", "Small"]),
    "boxed": ("╭───────╮\n│ Which one?    │\n│ ❯ 1. one      │\n│   2. two      │\n╰───────────────╯\n Enter to confirm", "menu", ["*one", "two"]),
    "ratatui": (f"┌Choose─────────┐\n│  alpha        │\n│{REVERSE}  beta         {OFF}│\n│  gamma        │\n└───────────────┘\n q quit  ↵ select", "menu", ["alpha", "*beta", "gamma"]),
    "textual": (f" Pick one\n  {GROUND} apple          {OFF}\n   pear\n   plum\n\n ^q Quit  enter Select", "menu", ["*apple", "pear", "plum"]),
    "clack": ("◆  Proceed?\n│  ● Yes / ○ No\n└  enter to confirm", "menu", ["*Yes", "No"]),
    "clack list": ("◆  Which?\n│  ○ one\n│  ● two\n│  ○ three\n└  ↑/↓ to select", "menu", ["one", "*two", "three"]),
    "gum": ("Choose:\n> Strawberry\n  Banana\n  Cherry\n\n←↓↑→ navigate • enter submit", "menu", ["*Strawberry", "Banana", "Cherry"]),
    "gum confirm": (f"Are you sure?\n\n   \x1b[48;5;212m  Yes  {OFF}   \x1b[48;5;235m  No  {OFF}\n\n←→ toggle • enter submit • y Yes • n No", "menu", None),
    "whiptail": (f"  ┌──────────────┐\n  │ Delete it?   │\n  │              │\n  │ {REVERSE}<Yes>{OFF}   <No>  │\n  └──────────────┘", "menu", ["*Yes", "No"]),
    "boxes": ("? Which? (Press <space> to select, <enter> to proceed)\n❯◯ one\n ◉ two\n ◯ three", "multi", ["*[ ] one", "[x] two", "[ ] three"]),
    "checks": ("Select:\n> [x] one\n  [ ] two\n\nspace toggle, enter confirm", "multi", ["*[x] one", "[ ] two"]),
    "scrolled": ("Which model?\n\n  ↑ 4 more\n  five\n❯ six\n  seven\n  ↓ 12 more\n\nEnter to select", "menu", ["five", "*six", "seven"]),
    "described": ("Which?\n❯ one     the first of them\n  two     the second\n\nEnter to select · Esc to cancel", "menu", ["*one", "two"]),
    "digits": ("What now?\n  1) Build\n  2) Test\n\nPress a number (1-2)", "menu", ["Build", "Test"]),
    "spaced": ("Which?\n\n❯ 1. one\n\n     about it\n\n  2. two\n\n     about that\n\nEnter to select", "menu", ["*one", "two"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MENUS)
def test_menus_that_no_rule_knows(name: str) -> None:
    raw, kind, choices = MENUS[name]
    shown = guess.dialogue("some output before\n\n" + raw + "\n")
    assert shown is not None
    assert shown.kind == kind
    if choices is None:  # which of two colours is the chosen one is not for us to guess
        assert not shown.pointer
    else:
        assert told(shown) == choices


@pytest.mark.parametrize(
    "raw",
    [
        "compiling\n> one\n> two\n", "❯ npm test\n  ok 1\n  ok 2\n", "● I looked at it\n  and found it\n\n❯ \n  ? for shortcuts", "1. first do this\n2. then that\n",
        "Do you want to proceed?\n 1. Yes\n 2. No\n", f"{REVERSE}PASS{OFF} a.test.ts\n     b.test.ts\n", "- item\n- other\n", "* one\n  two\n", "",
        "• Working (esc to interrupt)\n  └ one\n", "❯ hello there\n  second line of it\n✻ Thinking… (esc to interrupt)",
        "total 8\ndrwxr-xr-x 2 u u 4096 .\n-rw-r--r-- 1 u u 0 x\n$ ",
    ],
)  # fmt: skip
def test_what_is_no_menu_is_none(raw: str) -> None:
    assert guess.dialogue(raw) is None


@pytest.mark.parametrize("cli", LABELS)
def test_no_screen_that_asks_nothing_is_made_a_dialogue(cli: str) -> None:
    """With the rules as they are, and the guess where they know nothing."""
    rules = backends.load(cli).screen
    for name, shows in LABELS[cli].items():
        path = HERE / "recorded" / cli / f"{name}.ansi"
        raw = (path if path.exists() else path.with_suffix(".txt")).read_text()
        if look(rules, raw).shows == "unknown" and shows not in ("question", "startup"):
            assert guess.dialogue(raw) is None, name


def test_the_field_of_a_form_and_a_page_to_go_on() -> None:
    field = guess.dialogue("  Name thread\n\n› Type a name and press Enter\n\n  enter submit · esc back")
    assert field and (field.kind, field.question, field.choices) == ("field", "Name thread", ())
    page = guess.dialogue("Welcome!\n\nPress Enter to continue…")
    assert page and page.kind == "continue"


@pytest.mark.parametrize("name", MENUS)
def test_a_menu_cut_anywhere_is_read_without_a_fault(name: str) -> None:
    raw = MENUS[name][0]
    for at in range(len(raw)):
        guess.dialogue(raw[:at])
        guess.dialogue(raw[at:])
        find(raw[at:])


def test_styles_are_told_character_by_character() -> None:
    (row,) = styles.of("a\x1b[1;7mb\x1b[27;38;5;208mc\x1b[48;2;1;2;3md\x1b[0me\x1b]8;;x\x1b\\f")
    assert [look.reverse for look in row] == [False, True, False, False, False, False]
    assert [look.text for look in row] == ["", "", "38;5;208", "38;5;208", "", ""]
    assert [look.ground for look in row] == ["", "", "", "48;2;1;2;3", "", ""] and row[3].bold and not row[4].bold
