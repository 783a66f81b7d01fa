"""What the documents say of the code is so."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import dispatch_tmux

PACKAGE = Path(dispatch_tmux.__file__).parent
ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"
NAMED = sorted(set(re.findall(r"`(?!tests/)([a-z_]+/[a-z_]+\.py)(?::(\w+))?`", ARCHITECTURE.read_text())))


def test_the_walks_name_many_functions() -> None:
    assert sum(1 for _, name in NAMED if name) > 20


@pytest.mark.parametrize("file, name", NAMED)
def test_a_file_and_a_function_that_the_architecture_names_are_there(file: str, name: str) -> None:
    path = PACKAGE / file
    assert path.is_file()
    defined = {n.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assert not name or name in defined


def test_every_room_is_in_the_picture() -> None:
    picture = ARCHITECTURE.read_text().split("```")[1]
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert {room for room in rooms if f"{room}/" not in picture} == set()


@pytest.mark.parametrize(
    "picture", sorted((ARCHITECTURE.parent / "pictures").glob("*.svg")), ids=lambda path: path.name
)
def test_a_picture_is_small_shown_and_of_no_machine(picture: Path) -> None:
    text = picture.read_text()
    ElementTree.fromstring(text)
    assert len(text) < 200_000 and not re.search(
        r"/(home|root|work|dev/shm|Users)/|dp-\w{6}|https?://(?!www.w3.org/2000/svg)", text
    )
    assert f"docs/pictures/{picture.name}" in (ARCHITECTURE.parents[1] / "README.md").read_text()
