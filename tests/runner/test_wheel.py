"""What a user installs, the wheel or an editable checkout: in an environment of its own, used in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from runner.files.tree import open_tree

ROOT = Path(__file__).parents[2]


def pip(*arguments: str | Path) -> None:
    """Run the pip of the tests' own environment, without the network."""
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index")
    command = [sys.executable, "-m", "pip", *arguments, *quiet]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def environment(folder: Path) -> Path:
    """Make an empty environment that sees the dependencies installed here, but not Companion; return its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # The folder alone: .pth files in it, such as that of an editable Companion, are not followed from here.
    (packages / "dependencies.pth").write_text(str(Path(pytest.__file__).parents[1]) + "\n")
    return folder / "bin" / "python"


@pytest.mark.parametrize("how", ["wheel", "editable"])
def test_an_installed_companion_works_in_any_folder(url: str, tmp_path: Path, how: str) -> None:
    python = environment(tmp_path / "environment")
    if how == "wheel":
        pip("wheel", ROOT, "--wheel-dir", tmp_path)
        pip("--python", python, "install", "--ignore-installed", *tmp_path.glob("*.whl"))
    else:
        pip("--python", python, "install", "--ignore-installed", "--editable", ROOT)
    folder = tmp_path / "empty"
    folder.mkdir()
    ours = ("PYTHONPATH", "COMPANION_SQL_ROOT")
    variables = {name: value for name, value in os.environ.items() if name not in ours}

    def run(*command: str | Path) -> str:
        return subprocess.run(command, cwd=folder, env=variables, check=True, capture_output=True, text=True).stdout

    place = Path(run(python, "-c", "import runner; print(runner.__file__)").strip())
    assert place.is_relative_to(tmp_path if how == "wheel" else ROOT)
    companion = python.with_name("companion")
    assert "applied" in run(companion, "apply")
    found = json.loads(run(companion, "status", "--json"))["systems"]
    tree = open_tree(ROOT / "sql")
    assert {one["system"]: len(one["applied"]) for one in found} == {
        system: len(tree.chain(system).files) for system in tree.systems
    }
    assert run(companion, "apply") == "nothing to do: every file is applied\n"
    assert run(companion, "contract", "check").splitlines() == [f"{one}: kept" for one in sorted(tree.systems)]
