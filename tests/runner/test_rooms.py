"""The runner's rooms: each uses only what its docstring says, which is below it; and every one has its tests."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import runner

HOUSE = Path(runner.__file__).parent
# From the top to the ground, as the docstring of the house lists them.
ROOMS = re.findall(r"^    (\w+)  ", runner.__doc__ or "", re.M)
SHARED = {"errors", "progress", "__main__"}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything of the runner that a module imports, also late and for types alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names if name.name.split(".")[0] == "runner")
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            if node.module and node.module.split(".")[0] == "runner":
                yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


@cache
def may_use(room: str) -> list[str]:
    (said,) = re.findall(r"^Uses: (.*)\.$", importlib.import_module(f"runner.{room}").__doc__ or "", re.M)
    return [] if said == "nothing" else said.split(", ")


def test_the_house_lists_its_rooms() -> None:
    folders = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    assert (len(ROOMS), set(ROOMS)) == (len(folders), folders)
    assert {path.stem for path in HOUSE.glob("*.py")} == SHARED | {"__init__"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_only_rooms_below_it(room: str) -> None:
    below = ROOMS[ROOMS.index(room) + 1 :]
    assert may_use(room) == [name for name in below if name in may_use(room)]
    wrong = []
    for path in sorted((HOUSE / room).rglob("*.py")):
        for line, name in imported(path):
            # The house itself has its version.
            other = name.split(".")[1]
            if other not in {room, *may_use(room), "errors", "progress", "__version__"}:
                wrong.append(f"{path.relative_to(HOUSE)}:{line}: {name}")
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_what_it_says_it_may_use(room: str) -> None:
    used = {name.split(".")[1] for path in (HOUSE / room).rglob("*.py") for _, name in imported(path)}
    assert [name for name in may_use(room) if name not in used] == []


def test_what_every_room_may_use_uses_none() -> None:
    names = {name.split(".")[1] for stem in ("errors", "progress") for _, name in imported(HOUSE / f"{stem}.py")}
    assert names <= {"errors", "progress"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_is_in_it(room: str) -> None:
    """No code hides in an `__init__`, and each module has a docstring."""
    body = ast.parse((HOUSE / room / "__init__.py").read_text()).body
    assert [type(node) for node in body] == [ast.Expr]
    silent = [path.name for path in (HOUSE / room).glob("*.py") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_tests_of_its_own(room: str) -> None:
    assert list((Path(__file__).parent / room).glob("test_*.py"))
