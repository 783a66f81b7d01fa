"""The man page and the scripts for shells, as a wheel brings them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest

from dispatch_tmux.cli.completion import SHELLS, script
from dispatch_tmux.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
PLACES = {"bash": "bash-completion/completions/dispatch", "zsh": "zsh/site-functions/_dispatch", "fish": "fish/vendor_completions.d/dispatch.fish"}  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel that `pip install .` makes, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def shared(wheel: zipfile.ZipFile, place: str) -> str:
    return wheel.read(next(name for name in wheel.namelist() if name.endswith(f".data/data/share/{place}"))).decode()


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_finds_its_script(wheel: zipfile.ZipFile, shell: str) -> None:
    assert shared(wheel, PLACES[shell]) == script(shell)


def test_the_man_page_has_every_verb_and_option_and_is_one(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    page = tmp_path / "dispatch.1"
    page.write_text(shared(wheel, "man/man1/dispatch.1"))
    if not shutil.which("man"):
        pytest.skip("man is not installed")
    done = subprocess.run(
        ["man", "--warnings", "-l", str(page)], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "MANWIDTH": "200", "LC_ALL": "C.UTF-8"}
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == ""
    said = re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout)
    context = click.Context(cli)
    for name in COMMANDS:
        assert f"\n   dispatch {name} " in said
        options = [o for param in cli.get_command(context, name).params for o in param.opts if o.startswith("--")]  # type: ignore[union-attr]
        assert [option for option in options if option not in said] == []
    assert "EXIT STATUS" in said and "124" in said and str(ROOT) not in said
