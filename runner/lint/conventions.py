"""Our own conventions: those without which `apply` refuses the files, and those of their form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runner.errors import Fault
from runner.files.outside import text_fault
from runner.files.text import foldings, transaction_command
from runner.files.tree import Tree


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
    for position in foldings(text):
        # In Turkish, I is not the capital of i.
        said = 'COLLATE "C" for identifiers and keywords, COLLATE "default" for what people write'
        line = text.count("\n", 0, position) + 1
        faults.append(Fault(path, f"folds case by whatever collation the database has; say {said}", line))
    if fault := text_fault(path, text):
        faults.append(fault)
    return faults
