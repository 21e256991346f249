"""Checking the SQL files: our conventions, then sqlfluff for style, then squawk for statements that lock or break."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import Fault, LintError
from runner.text import blank, transaction_command
from runner.tree import Tree, is_transactional

_INSTALL = "install the development tools: pip install 'companion-schemas[dev]'"


@dataclass(frozen=True)
class Check:
    """What one linter said; nothing means that all is well."""

    name: str
    findings: list[str]


def conventions(tree: Tree, systems: Sequence[str] = ()) -> list[Fault]:
    """Return every broken convention of `systems` (default: all): those `apply` refuses too, and those of form."""
    faults = []
    for system in systems or tree.systems:
        tree.check_system(system)
        faults += tree.faults(system)
        demo = tree.demo(system)
        for path in [*tree.paths(system), *([demo] if demo else [])]:
            faults += _form(path)
    return faults


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


def _form(path: Path) -> list[Fault]:
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return []
    faults = [
        Fault(path, "has trailing whitespace", number)
        for number, line in enumerate(text.split("\n"), 1)
        if line != line.rstrip()
    ]
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        faults.append(Fault(path, "must end with exactly one newline", text.count("\n") + 1))
    position = transaction_command(text)
    if position is not None:
        line = text.count("\n", 0, position) + 1
        faults.append(Fault(path, "begins or ends a transaction, which is the runner's business", line))
    if not is_transactional(text) and (count := _statements(text)) != 1:
        faults.append(Fault(path, f"says `transactional: false` and holds {count} statements; it may hold only one"))
    return faults


def _statements(text: str) -> int:
    import sqlparse

    return sum(bool(blank(statement).strip(" \n;")) for statement in sqlparse.split(text))
