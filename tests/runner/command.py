"""Running the command as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.runner.trees import TREES

ROOT = Path(__file__).parents[2]


def start(*args: str, tree: str | Path = "good") -> subprocess.Popen[str]:
    """Start a command on a tree of tests/trees/ and the test's database."""
    root = TREES / tree if isinstance(tree, str) else tree
    environment = os.environ | {"COMPANION_SQL_ROOT": str(root), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "runner", *args],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(*args: str, tree: str | Path = "good") -> tuple[int, str, str]:
    """Run a command to its end; return exit code, stdout, stderr."""
    process = start(*args, tree=tree)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    return process.returncode, out, err


def changing(*args: str, tree: str | Path = "good") -> tuple[int, str, str]:
    """Run a command that says first of all which database it is about, and leave that line out of stderr."""
    code, out, err = run(*args, tree=tree)
    first, _, rest = err.partition("\n")
    assert first.startswith("database "), err
    return code, out, rest
