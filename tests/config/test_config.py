"""The user's config file: what is read, how a mistake is told, and that editing it keeps what the person wrote."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pexpect
import pytest
import yaml
from crew import DISPATCH, Crew

from dispatch_tmux.config import load as configuration
from dispatch_tmux.config import schema as config_schema
from dispatch_tmux.config import yaml_text
from dispatch_tmux.errors import DispatchError

PUBLISHED = """\
default: opus
backends:
  claude: {command: "env -u CLAUDE_CODE_ENTRYPOINT -u CLAUDECODE claude -p --dangerously-skip-permissions"}
  cursor: {command: 'agent -p --force --workspace "$(pwd)"'}
  codex:  {command: 'codex exec --full-auto -C "$(pwd)"'}
models:   {opus: {backend: claude}, gpt-5.3-codex: {backend: codex}, gemini-3.1-pro: {backend: cursor}}
aliases:
  security-reviewer: {model: opus, prompt: "You are a security-focused reviewer. Prioritize OWASP Top 10."}
  quick: {model: sonnet}
"""
COMMENTED = """\
# mine: do not touch

default: opus   # the good one

backends:
  claude:
    command: >
      env -u CLAUDECODE
      claude -p
  # cursor is for gemini
  cursor: {command: 'agent -p --workspace "$(pwd)"'}

models:
  # Claude
  opus:          { backend: claude }
  sonnet:        { backend: claude }   # fast

  # GPT
  gpt-5.3-codex: { backend: codex, fallbacks: [sonnet] }
# end of models
aliases:
  quick: {model: sonnet}
  sec:
    model: opus
    prompt: >
      You are strict.

# the end
"""
OLD = """\
# from last year
default: harvey
agents:
  harvey:          # the big one
    command: env -u CLAUDECODE claude -p --dangerously-skip-permissions
  mike: {command: "codex exec"}
"""

BROKEN = [  # text, line, words of the message
    ("default: [opus]", 1, "default: expected text"),
    ("default: {a: b}", 1, "default: expected text"),
    ("default: 5", 1, "default: expected text"),
    ("defualt: opus", 1, "unknown key 'defualt'"),
    ("models: [opus]", 1, "models: expected names with values"),
    ("models: opus", 1, "models: expected names with values"),
    ("models:\n  opus: claude", 2, "models.opus: expected keys"),
    ("models:\n  opus:\n", 2, "models.opus: expected"),
    ("models:\n  opus: {}", 2, "'backend' is missing"),
    ("models:\n  opus: {backend: 5}", 2, "models.opus.backend: expected text"),
    ("models:\n  opus:\n    backend: claude\n    bakend: x", 4, "unknown key 'models.opus.bakend'"),
    ("models:\n  opus: {backend: claude, fallbacks: sonnet}", 2, "fallbacks"),
    ("models:\n  opus: {backend: claude, fallbacks: [1]}", 2, "fallbacks"),
    ("models:\n  opus: {backend: claude, permissions: yes}", 2, "permissions"),
    ("models:\n  opus: {backend: claude, permissions: all}", 2, "permissions"),
    ("models:\n  5.3: {backend: codex}", 2, "the key '5.3' is not text"),
    ("models:\n  on: {backend: codex}", 2, "the key 'on' is not text"),
    ("models:\n  '': {backend: codex}", 2, "is no name"),
    ('models:\n  "a\\tb": {backend: codex}', 2, "is no name"),
    ("models:\n  opus: {backend: claude}\n  opus: {backend: cursor}", 3, "stands here and in line 2"),
    ("default: a\ndefault: b", 2, "stands here and in line 1"),
    ("aliases:\n  q: {modle: sonnet}", 2, "unknown key 'aliases.q.modle'"),
    ("aliases:\n  q: sonnet", 2, "aliases.q: expected keys"),
    ("aliases:\n  q: {}", 2, "names no model"),
    ("aliases:\n  q: {model: r}\n  r: {model: q}", 2, "is an alias, too"),
    ("aliases:\n  q: {model: opus, command: claude -p}", 2, "a model and a command"),
    ("aliases:\n  q: {prompt: [a]}", 2, "aliases.q.prompt: expected text"),
    ("backends:\n  x: {command: 'a | b'}", 2, "needs a shell ('|')"),
    ("backends:\n  x: {command: 'a && b'}", 2, "needs a shell"),
    ("backends:\n  x: {command: 'a $(date)'}", 2, "needs a shell"),
    ("backends:\n  x: {command: 'a $HOME'}", 2, "needs a shell"),
    ("backends:\n  x: {command: 'a > f'}", 2, "needs a shell"),
    ("backends:\n  x: {command: 'a \"b'}", 2, "backends.x.command"),
    ("backends:\n  x: {command: ''}", 2, "expected a command line"),
    ("backends:\n  x: {command: [a, b]}", 2, "expected a command line"),
    ("backends:\n  x: {command: 'env -i a'}", 2, "`env -i` is not understood"),
    ("backends:\n  claude: {comand: x}", 2, "unknown key 'backends.claude.comand'"),
    ("backends:\n  claude: {permissions: never}", 2, "expected skip or ask"),
    ("backends: [claude]", 1, "backends: expected names with values"),
    ("agents:\n  a: claude -p", 2, "agents.a"),
    ("agents:\n  a: {cmd: claude}", 2, "agents.a"),
    ("tmux: {sock: x}", 1, "unknown key 'tmux.sock'"),
    ("times: {settle: soon}", 1, "times.settle: expected float"),
    ("notify: bell", 1, "notify: expected a list, got 'bell'"),
    ("notify: [bell]", 1, "notify.1: expected keys and values"),
    ("notify:\n  - {to: bell}\n  - {on: flag}", 3, "notify.2: 'to' is missing"),
    ("notify:\n  - to: bell\n    when: night", 3, "unknown key 'notify.1.when'"),
    ("notify:\n  - to: nowhere", 2, "notify.1.to: expected where it goes, got 'nowhere'"),
    ("notify:\n  - to: bell\n    on: [question,\n      fail]", 4, "notify.1.on.2: 'fail' is nothing to be told of"),
    ("notify:\n  - to: bell\n    on: stopped", 3, "notify.1.on: 'stopped' is nothing to be told of"),
    ("notify:\n  - to: bell\n    on: []", 3, "notify.1.on: expected a list of kinds"),
    ("notify:\n  - to: bell\n    quiet: 22-7", 3, "notify.1.quiet: '22-7' is no time of the day"),
    ("notify:\n  - to: bell\n    quiet: 22:00-22:00", 3, "notify.1.quiet"),
    ("notify:\n  - to: bell\n    group: [a]", 3, "notify.1.group: expected text"),
    ("notify:\n  - to: {command: 'a b'}", 2, "notify.1.to.command: expected a list of words, no shell"),
    ("notify:\n  - to: {command: [a, 3]}", 2, "notify.1.to.command"),
    ("notify:\n  - to: {command: [a], file: b}", 2, "a command has no url and no file"),
    ("notify:\n  - to: {url: x}", 2, "notify.1.to.url: 'x' is no URL"),
    ("notify:\n  - to: {mail: x}", 2, "unknown key 'notify.1.to.mail'"),
    ("notify:\n  - {on: [[a]], to: bell}", 2, "is nothing to be told of"),
    ("notify: {on: 3, on: 4}", 1, "stands here and in line 1"),
    ("- default", 1, "expected keys and values"),
    ("just words", 1, "expected keys and values"),
    ("default: opus\n\tmodels: {}", 2, ""),
    ("default: a: b", 1, "mapping values"),
    ("default: 'opus", 1, ""),
    ("models: {opus: {backend: claude}", 1, ""),
    ("a: &a [*a]", 1, "too big"),
    ("default: !!python/object/apply:os.system [touch pwned]", 1, "tag"),
    ("default: *nobody", 1, "alias"),
    ("default: opus\n---\ndefault: x", 2, "document"),
    ("default: op\x00us", 1, ""),
    ("[" * 2000, 1, ""),
]


@pytest.mark.parametrize("text, line, words", BROKEN)
def test_a_broken_config_is_told_with_file_line_and_key(text: str, line: int, words: str) -> None:
    with pytest.raises(DispatchError) as problem:
        config_schema.parse("config.yaml", text)

    said = str(problem.value)
    assert said.startswith("config.yaml") and words in said
    assert f"line {line}" in said or "nested" in said
    assert "\n" not in said


def test_a_broken_config_stops_a_command_with_one_clear_line(crew: Crew) -> None:
    crew.config_path.write_text("models:\n  opus: claude\n")
    done = crew.run("run", "use opus", ok=False)

    assert done.returncode == 1
    assert f"{crew.config_path}, line 2: models.opus: expected keys" in done.stderr


def test_X6_bombs_tags_and_huge_files_are_refused_fast(crew: Crew) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    crew.config_path.write_text("\n".join(rows))
    assert "too big" in crew.run("resolve", "x", ok=False).stderr

    crew.config_path.write_text("models: !!python/object/apply:os.system ['touch pwned']\n")
    crew.run("resolve", "x", ok=False)
    assert not (crew.root / "pwned").exists()

    with open(crew.config_path, "wb") as f:
        f.truncate(100 << 20)
    assert "more than 1 MiB" in crew.run("resolve", "x", ok=False).stderr

    crew.config_path.write_bytes(b"default: opus\nmodels: {\xff\xfe: {}}\n")
    assert "line 2: not UTF-8" in crew.run("resolve", "x", ok=False).stderr


def test_a_model_of_an_unknown_backend_is_told_with_what_there_is(crew: Crew) -> None:
    crew.config_path.write_text("models:\n  opus: {backend: cluade}\n")

    said = crew.run("resolve", "use opus", ok=False).stderr
    assert "models.opus.backend: there is no backend 'cluade'" in said and "claude" in said


def test_empty_sections_and_comments_only_are_fine() -> None:
    for text in ("", "# nothing\n", "models:\n  # none yet\naliases:\nbackends:\n", "default:\n", "{}"):
        assert config_schema.parse("c", text).models == {}


def test_the_published_format_loads_unchanged(crew: Crew) -> None:
    crew.config_path.write_text(PUBLISHED)

    chosen = crew.json("resolve", "-m", "gpt-5.3-codex")
    assert chosen["argv"] == [
        "codex", "exec", "--full-auto", "-C", str(crew.root.resolve()), "--model", "gpt-5.3-codex", "{prompt}",
    ]  # fmt: skip
    chosen = crew.json("resolve", "use security-reviewer")
    assert chosen["argv"] == ["claude", "-p", "--dangerously-skip-permissions", "{prompt}"]
    assert chosen["env"]["ANTHROPIC_MODEL"] == "opus"
    assert {"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT"} <= set(chosen["unset"])
    assert chosen["prompt_prefix"] == "You are a security-focused reviewer. Prioritize OWASP Top 10."
    assert (chosen["model"], chosen["backend"], chosen["alias"], chosen["source"]) == (
        "opus", "claude", "security-reviewer", "alias",
    )  # fmt: skip
    chosen = crew.json("resolve", "use gemini")
    assert chosen["argv"][:5] == ["agent", "-p", "--force", "--workspace", str(crew.root.resolve())]
    assert chosen["argv"][5:] == ["--model", "gemini-3.1-pro", "{prompt}"]
    assert crew.json("resolve", "audit auth")["needs_confirmation"] is True


def test_without_a_command_a_backend_runs_interactively(crew: Crew) -> None:
    crew.config_path.write_text("models: {opus: {backend: claude}, gpt-5.5: {backend: codex}, g: {backend: gemini}}\n")

    for name in ("opus", "gpt-5.5", "g"):
        argv = crew.json("resolve", "-m", name)["argv"]
        assert "-p" not in argv and "exec" not in argv, argv
    assert "--model" not in crew.json("resolve", "-m", "opus")["argv"]  # the environment carries it


# --- the old format


def test_the_old_format_works_and_says_how_to_upgrade(crew: Crew) -> None:
    agent = crew.script("agent.sh", 'echo "$1" >got.txt; exec sleep 600\n')
    crew.config_path.write_text(
        f"default: harvey\nagents:\n  harvey: {{command: {agent}}}\ntmux: {{socket: {crew.socket}}}\n"
    )
    done = crew.run("run", "--yes", "look")
    task = crew.until("look", "working")

    assert (task.model, task.backend) == ("harvey", "harvey")
    assert "dispatch config migrate" in done.stderr


def test_migrate_upgrades_keeps_a_copy_and_comes_to_the_same(crew: Crew) -> None:
    crew.config_path.write_text(OLD)
    before = [crew.json("resolve", "-m", name)["argv"] for name in ("harvey", "mike")]
    crew.run("config", "migrate")

    text = crew.config_path.read_text()
    assert "agents" not in yaml.safe_load(text) and "# from last year" in text
    assert [crew.json("resolve", "-m", name)["argv"] for name in ("harvey", "mike")] == before
    assert [p.read_text() for p in crew.config_path.parent.glob("config.yaml.*.bak")] == [OLD]
    assert "nothing to upgrade" in crew.run("config", "migrate").stdout


# --- editing

EDITS = {
    "set-default": (["set-default", "sonnet"], ["-default: opus   # the good one", "+default: sonnet   # the good one"]),
    "add-model": (["add-model", "gpt-9", "--backend", "codex"], ["+  gpt-9: {backend: codex}"]),
    "change-model": (
        ["add-model", "sonnet", "--backend", "cursor"],
        ["-  sonnet:        { backend: claude }   # fast", "+  sonnet:        {backend: cursor}   # fast"],
    ),
    "remove-model": (
        ["remove-model", "gpt-5.3-codex"], ["-  gpt-5.3-codex: { backend: codex, fallbacks: [sonnet] }"],
    ),
    "replace-model": (
        ["remove-model", "opus", "--use", "sonnet"],
        ["-default: opus   # the good one", "+default: sonnet   # the good one", "-  opus:          { backend: claude }",
         "-    model: opus", "+    model: sonnet"],
    ),
    "add-alias": (
        ["add-alias", "docs", "sonnet", "--prompt", 'Say "why": first.'],
        ["""+  docs: {model: sonnet, prompt: 'Say "why": first.'}"""],
    ),
    "remove-alias": (["remove-alias", "sec"], ["-  sec:", "-    model: opus", "-    prompt: >", "-      You are strict."]),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_its_lines_and_no_other(crew: Crew, name: str) -> None:
    command, expected = EDITS[name]
    crew.config_path.write_text(COMMENTED)
    crew.run("config", *command, PATH=os.environ["PATH"])

    after = crew.config_path.read_text()
    changed = list(difflib.unified_diff(COMMENTED.splitlines(), after.splitlines(), lineterm="", n=0))
    assert [d for d in changed if not d.startswith(("---", "+++", "@@"))] == expected
    config_schema.parse("c", after)


@pytest.mark.parametrize(
    "text",
    ["", "# only words\n", "models:\n", "models: {}\n", "{default: a, models: {x: {backend: codex}}}\n", "default: a",
     "models:\n  x: {backend: codex}\n  # last words\n\n# more\n", "models:\r\n  x: {backend: codex}\r\n",
     "models:\n    x:\n        backend: codex\n", "models: # here\n  x: {backend: codex} # there\ntimes: {settle: 1}\n"],
)  # fmt: skip
def test_a_model_can_be_added_to_and_removed_from_any_layout(text: str) -> None:
    added = yaml_text.put(text, ("models", "new-1"), {"backend": "claude"})
    assert yaml.safe_load(added)["models"]["new-1"] == {"backend": "claude"}
    assert "#" not in text or all(c.strip() in added for c in text.split("\n") if "#" in c)

    removed = yaml.safe_load(yaml_text.remove(added, ("models", "new-1")))
    assert (removed["models"] or {}) == ((yaml.safe_load(text) or {}).get("models") or {})


def test_an_alias_comes_and_goes_in_a_config_that_is_written_as_json(crew: Crew) -> None:
    crew.configure({"w": "sh w.sh"})
    before = yaml.safe_load(crew.config_path.read_text())
    for name in ("a", "b"):  # the second one finds what the first one has left
        crew.run("config", "add-alias", name, "w")
        assert name in yaml.safe_load(crew.config_path.read_text())["aliases"]
        crew.run("config", "remove-alias", name)
    assert yaml.safe_load(crew.config_path.read_text()) == {**before, "aliases": None}


def test_what_cannot_be_changed_safely_is_left_alone(crew: Crew) -> None:
    text = "x: &base {opus: {backend: claude}}\n"
    with pytest.raises(DispatchError):
        yaml_text.put("models: &m {a: {backend: codex}}\naliases: *m\n", ("aliases", "b"), {"model": "a"})
    crew.config_path.write_text(text)
    crew.run("config", "add-model", "gpt-9", "--backend", "codex", ok=False)
    assert crew.config_path.read_text() == text


def test_a_model_in_use_is_not_removed_without_another(crew: Crew) -> None:
    crew.config_path.write_text(COMMENTED)
    done = crew.run("config", "remove-model", "sonnet", ok=False)

    assert "aliases.quick.model" in done.stderr and "models.gpt-5.3-codex.fallbacks" in done.stderr
    assert crew.config_path.read_text() == COMMENTED
    crew.run("config", "remove-model", "nosuch", ok=False)
    crew.run("config", "remove-model", "opus", "--use", "nosuch", ok=False)
    crew.run("config", "add-alias", "x", "nosuch-9", ok=False)
    crew.run("config", "set-default", "nosuch-9", ok=False)
    assert crew.config_path.read_text() == COMMENTED


def test_many_edits_at_once_lose_nothing(crew: Crew) -> None:
    crew.config_path.write_text(COMMENTED)
    names = [f"gpt-{n}" for n in range(10, 22)]
    running = [crew.popen("config", "add-model", name, "--backend", "codex") for name in names]

    assert [(p.communicate(timeout=60)[1], p.returncode)[1] for p in running] == [0] * len(names)
    models = yaml.safe_load(crew.config_path.read_text())["models"]
    assert set(names) <= set(models) and "opus" in models
    assert all(line in crew.config_path.read_text() for line in COMMENTED.splitlines())


def test_a_config_that_is_a_link_stays_one(crew: Crew) -> None:
    real = crew.base / "dotfiles.yaml"
    real.write_text(COMMENTED)
    crew.config_path.unlink()
    crew.config_path.symlink_to(real)
    crew.run("config", "set-default", "sonnet")

    assert crew.config_path.is_symlink() and "default: sonnet" in real.read_text()


def test_path_and_show(crew: Crew) -> None:
    assert crew.run("config", "path").stdout.strip() == str(crew.config_path)
    crew.config_path.write_text(PUBLISHED)
    done = crew.run("config", "show")
    assert done.stdout.strip() == PUBLISHED.strip()
    assert "--full-auto" in done.stderr and "dispatch config renew" in done.stderr
    crew.config_path.unlink()
    assert "dispatch init" in crew.run("config", "show", ok=False).stderr


def test_F15_show_finds_what_names_nothing(crew: Crew) -> None:
    crew.config_path.write_text(
        "default: nosuch\nmodels:\n  mine: {backend: demo, fallbacks: [demo, gone]}\naliases: {fast: {model: away}}\n"
        "limits: {per_backend: {clude: 1}}\n"
    )
    done = crew.run("config", "show", ok=False)
    assert done.returncode == 1 and done.stdout == crew.config_path.read_text()
    for wrong in (
        "line 5: limits.per_backend.clude: there is no backend 'clude'", "line 1: default: 'nosuch' is no model",
        "line 4: aliases.fast.model: 'away' is no model", "line 3: models.mine.fallbacks: 'gone' is no model",
    ):  # fmt: skip
        assert f"config.yaml, {wrong}" in done.stderr
    assert len(done.stderr.splitlines()) == 4
    crew.config_path.write_text("models: {mine: {backend: nope}}\n")
    assert "models.mine.backend: there is no backend 'nope'" in crew.run("config", "show", ok=False).stderr
    crew.config_path.write_text("limits: {max_workers: -1}\n")  # and what has no right shape is shown, too
    done = crew.run("config", "show", ok=False)
    assert "max_workers: -1" in done.stdout and "line 1: limits.max_workers" in done.stderr


def test_renew_gives_an_aged_command_its_current_form(crew: Crew) -> None:
    crew.config_path.write_text(PUBLISHED)
    assert crew.run("config", "renew", ok=False).returncode == 4
    assert crew.config_path.read_text() == PUBLISHED
    crew.run("config", "renew", "--yes")

    assert crew.json("resolve", "use gpt-5.3-codex")["argv"][:4] == ["codex", "exec", "--sandbox", "workspace-write"]
    assert "every command is up to date" in crew.run("config", "renew").stdout
    assert all(line in crew.config_path.read_text() for line in PUBLISHED.splitlines() if "codex:  " not in line)


def test_edit_needs_a_terminal_and_says_where_the_file_is(crew: Crew) -> None:
    done = crew.run("config", "edit", ok=False)

    assert "needs a terminal" in done.stderr and str(crew.config_path) in done.stderr


def test_edit_opens_the_editor_and_says_what_is_wrong_after(crew: Crew) -> None:
    editor = crew.base / "ed"
    editor.write_text('#!/bin/sh\necho "models: [" >"$1"\n')
    editor.chmod(0o755)
    for name, words in ((editor, "line 1"), (crew.base / "none", "cannot start the editor")):
        said, status = pexpect.run(
            f"{DISPATCH[0]} -m dispatch_tmux.cli.main config edit", cwd=str(crew.root), withexitstatus=True, encoding="utf-8",
            env={**crew.env, "EDITOR": str(name), "VISUAL": ""},
        )  # fmt: skip
        assert status == 1 and words in " ".join(said.split()), said
        crew.configure()


def test_X4_a_config_in_the_project_counts_for_nothing(crew: Crew) -> None:
    planted: Path = crew.root / ".dispatch"
    planted.mkdir(mode=0o700)
    (planted / "config.yaml").write_text(
        "default: evil\nbackends: {evil: {command: 'touch pwned'}}\nmodels: {evil: {backend: evil}}\n"
    )
    (planted / "backends").mkdir()
    (planted / "backends" / "claude.yaml").write_text("name: claude\nexecutable: touch\nargv: [touch, pwned]\n")

    assert "evil" not in crew.run("models").stdout
    assert crew.run("run", "-m", "evil", "x", ok=False).returncode == 1
    assert "isn't available" in crew.run("run", "-m", "evil", "x", ok=False).stderr
    assert crew.json("resolve", "use opus", PATH=os.environ["PATH"] + ":" + fake(crew, "claude"))["argv"][0] == "claude"


def fake(crew: Crew, name: str) -> str:
    """A directory with a program NAME in it."""
    folder = crew.base / "fakes"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\nexit 0\n")
    (folder / name).chmod(0o755)
    return str(folder)


def test_an_alias_without_a_command_does_not_hide_an_agent_of_its_name() -> None:
    config = config_schema.parse("c", "agents: {mine: {command: mine --go}}\naliases: {mine: {prompt: be brief}}\n")
    assert configuration.user_backends(config) == {"mine": {"command": "mine --go"}}


def test_notify_is_read_with_the_word_on_which_is_true_for_yaml() -> None:
    text = """
notify:
  - to: bell
  - {on: question, to: {command: [say, "3"]}, quiet: 22:00-07:00, group: Docs}
  - {on: [failed, all-done], to: {url: "ntfys://$A", file: ~/keys}}
"""
    first, second, third = config_schema.parse("c.yaml", text).notify
    assert "done" not in first.on and {"question", "all-done"} <= {*first.on} and first.to.place == "bell"
    assert (second.on, second.to.argv, str(second.quiet), second.group) == (
        ("question",),
        ("say", "3"),
        "22:00-07:00",
        "Docs",
    )
    assert (third.to.place, third.to.url, third.to.file) == ("apprise", "ntfys://$A", "~/keys")
    assert config_schema.parse("c.yaml", "notify: {on: flag, to: desktop}").notify[0].on == ("flag",)
    assert config_schema.parse("c.yaml", "notify:").notify == ()


def test_what_wait_tells_can_be_told_to_somebody() -> None:
    from dispatch_tmux.core.alerts import ALL_DONE, KINDS
    from dispatch_tmux.verbs import wait

    assert {*KINDS} == {*wait.KINDS, ALL_DONE} - {"stopped"}
