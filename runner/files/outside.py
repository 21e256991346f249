"""Whether a file says what it needs: a transaction, as most do, or `-- transactional: false` and one statement."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runner.errors import Fault
from runner.files.text import outside_command, statements
from runner.files.tree import File, is_transactional

DIRECTIVE = "-- transactional: false"
ONE = f"says `{DIRECTIVE[3:]}` and holds {{}} statements; outside a transaction a file holds one: split it"


def text_fault(path: Path, text: str) -> Fault | None:
    """Return what is wrong with a file in this regard, or None; what words cannot tell the server will."""
    if is_transactional(text):
        if found := outside_command(text):
            position, name = found
            message = f"{name} cannot run inside a transaction; begin the file with `{DIRECTIVE}`"
            return Fault(path, message, text.count("\n", 0, position) + 1)
        return None
    places = statements(text)
    if len(places) == 1:
        return None
    line = text.count("\n", 0, places[1]) + 1 if places else None
    return Fault(path, ONE.format(len(places)), line)


def faults(files: Iterable[File]) -> list[Fault]:
    """Return what is wrong with files and with their rollbacks."""
    several = list(files)
    found = [text_fault(file.path or Path(f"{file.id}.sql"), file.text) for file in several]
    return [fault for fault in found if fault] + rollback_faults(several)


def rollback_faults(files: Iterable[File]) -> list[Fault]:
    """Return what is wrong with the rollbacks of files, on disk or recorded; a recorded one goes by its name."""
    found = [text_fault(file.rollback_path or Path(f"{file.id}.rollback.sql"), file.rollback_text) for file in files]
    return [fault for fault in found if fault]
