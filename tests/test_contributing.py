"""CONTRIBUTING.md is true: the change that it walks through is made in a copy of the tree, command by command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import ROOT, commands, masked
from tests.servers import make_folder

PAGE = (ROOT / "CONTRIBUTING.md").read_text()

# A block of the page: commands, or what belongs into a file, and where.
_STEP = re.compile(
    r"^```console\n(?P<console>.*?)^```$"
    r"|^(?P<how>Below the header of|In|At the end of|After) (?:`(?P<after>[^`\n]+)` in )?`(?P<path>[^`\n]+)`:\n\n"
    r"```\w+\n(?P<body>.*?)^```$",
    re.M | re.S,
)
_FILE = re.compile(r"\b(\d{4})_([a-z0-9_]+?)(?=\.|\b)")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree in another folder, with the tools of this environment."""
    left_out = shutil.ignore_patterns(".git", ".venv", "build", "dist", "__pycache__", ".*_cache", "*.egg-info")
    folder = Path(shutil.copytree(ROOT, tmp_path / "companion", ignore=left_out))
    (folder / ".venv").mkdir()
    for part in Path(sys.executable).parent.parent.iterdir():
        (folder / ".venv" / part.name).symlink_to(part)
    for made in (".companion", ".dev"):
        # Newer than pyproject.toml, or make would install the copy into this very environment.
        (folder / ".venv" / made).unlink(missing_ok=True)
        (folder / ".venv" / made).touch()
    return folder


@pytest.fixture
def environment(copy: Path) -> Iterator[dict[str, str]]:
    """Variables under which `companion` is that of the copy, with a server of its own."""
    home = make_folder("contributing")
    ours = ("COMPANION_", "PYTEST_", "DATABASE_URL")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    path = f"{copy / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    variables |= {"COMPANION_HOME": str(home), "PYTHONPATH": str(copy), "PATH": path, "COLUMNS": "200"}
    yield variables
    subprocess.run(["companion", "server", "stop"], cwd=copy, env=variables, check=True, capture_output=True)
    shutil.rmtree(home)


def write(path: Path, step: re.Match[str], body: str) -> None:
    """Put a block where the page says that it belongs."""
    text = path.read_text()
    if step["how"] == "After":
        before, found, rest = text.partition(step["after"])
        assert found, f"{path} has no {step['after']}"
        line, _, rest = rest.partition("\n")
        text = f"{before}{found}{line}\n{body}{rest}"
    else:
        assert step["how"] != "In" or not text
        # Two lines stand between functions.
        text += f"\n\n{body}" if path.suffix == ".py" else body
    path.write_text(text)


def test_the_change_is_made_as_described(copy: Path, environment: dict[str, str]) -> None:
    # The next file may have another number by now than when the page was written.
    now: dict[str, str] = {}

    def actual(text: str) -> str:
        return _FILE.sub(lambda found: now.get(found[0], found[0]), text)

    for step in _STEP.finditer(PAGE):
        if step["console"] is None:
            write(copy / actual(step["path"]), step, actual(step["body"]))
            continue
        for command, expected in commands(step[0]):
            result = subprocess.run(
                actual(command), shell=True, cwd=copy, env=environment, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=300,
            )  # fmt: skip
            assert result.returncode in ((0, 3) if " diff " in command else (0,)), f"{command}\n{result.stdout}"
            if expected:
                assert masked(result.stdout) == masked(expected), command
            if command.startswith("companion new "):
                pairs = zip(_FILE.finditer(expected), _FILE.finditer(result.stdout), strict=True)
                now |= {said[0]: found[0] for said, found in pairs if said[2] == found[2]}
    # All of what it says belongs into a file was put into one.
    assert len([step for step in _STEP.finditer(PAGE) if step["path"]]) == len(
        re.findall(r"^```(?!console)\w", PAGE, re.M)
    )


def test_what_it_says_of_the_tree_is_so() -> None:
    targets = re.findall(r"`make ([a-z0-9-]+)", PAGE)
    rules = (ROOT / "Makefile").read_text()
    assert targets and [one for one in targets if not re.search(rf"^{one}:.*## ", rules, re.M)] == []
    for target in re.findall(r"\]\(([^)#:]+)", PAGE):
        assert (ROOT / target).exists(), target
