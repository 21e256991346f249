"""What other linters say of the SQL files: sqlfluff of style, squawk of statements that lock or break."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import LintError
from runner.files.tree import Tree

_INSTALL = "install the development tools: pip install 'companion-schemas[dev]'"


@dataclass(frozen=True)
class Check:
    """What one linter said; nothing means that all is well."""

    name: str
    findings: list[str]


def tools(tree: Tree, systems: Sequence[str] = ()) -> list[Check]:
    """Run sqlfluff and squawk, each with the configuration it finds in the current folder; raise LintError.

    squawk sees no rollbacks: dropping is what they are for.
    """
    paths = [path for system in systems or tree.systems for path in tree.paths(system)]
    demos = [demo for system in systems or tree.systems if (demo := tree.demo(system))]
    if not paths:
        return []
    if not importlib.util.find_spec("sqlfluff"):
        raise LintError("sqlfluff is not installed", hint=_INSTALL)
    # The wheel puts the program beside the interpreter, which a call without an activated environment has not on PATH.
    squawk = shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")
    if not squawk:
        raise LintError("squawk is not installed", hint=_INSTALL)
    sqlfluff = [sys.executable, "-m", "sqlfluff", "lint", "--disable-progress-bar", "--processes", "0"]
    applied = [path for path in paths if not path.name.endswith(".rollback.sql")]
    return [
        _run("sqlfluff", [*sqlfluff, *map(str, [*paths, *demos])]),
        _run("squawk", [squawk, *map(str, [*applied, *demos])]),
    ]


def _run(name: str, command: list[str]) -> Check:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    output = (result.stdout + result.stderr).strip().splitlines()
    return Check(name, output or [f"exit code {result.returncode}"]) if result.returncode else Check(name, [])
