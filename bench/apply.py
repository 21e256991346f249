"""The runner as a whole process: applying everything, and having nothing to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.measure import Row, at, pairs, ratio_row, time_row, timed
from bench.place import Place, run
from runner.files.text import without_concurrently
from runner.files.tree import PLATFORM, open_tree

TITLE = "Runner"
NOTES = """\
Whole processes, from start to exit. `psql -1 -f` gets the same files in one, with the CREATE SCHEMA and SET search_path
lines that they need; each of the two gets a new database, whose making is not part of the time."""


def measure(place: Place, quick: bool) -> Iterator[Row]:
    """Yield the rows."""
    tree = open_tree(None)
    files = sum(len(tree.chain(system).files) for system in tree.systems)
    script = place.folder / "all.sql"
    script.write_text(concatenated())

    def ours(number: int) -> float:
        with place.database(f"ours_{number}") as url:
            return timed(lambda: run(companion("apply", "--database", url)))

    def psql(number: int) -> float:
        with place.database(f"psql_{number}") as url:
            return timed(lambda: run([place.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-f", str(script), url]))

    found = pairs(3 if quick else 11, 1, ours, psql, warm_up=1)
    yield ratio_row(f"apply of all {files} files to an empty database : psql -1 -f", at(0.5, found), at_most=1.3)

    with place.database("applied") as url:
        run(companion("apply", "--database", url))
        for command in ("apply", "status"):
            work = partial(run, companion(command, "--database", url))
            times = [timed(work) for _ in range(6 if quick else 21)]
            yield time_row(f"{command} with nothing to do", times[1:], below=0.25)


def companion(*arguments: str) -> list[str]:
    """Return the command line of the installed `companion`."""
    installed = Path(sys.executable).with_name("companion")
    return [*([str(installed)] if installed.exists() else [sys.executable, "-m", "runner"]), *arguments]


def concatenated() -> str:
    """Return the SQL of all systems as one script for psql."""
    tree = open_tree(None)
    parts = []
    for system in tree.systems:
        chain = tree.chain(system)
        shared = [] if system == PLATFORM else [PLATFORM]
        path = [system, *shared, *(["extensions"] if chain.requires else []), "pg_temp"]
        parts.append(f"CREATE SCHEMA {system};\nSET search_path = {', '.join(path)};")
        parts += [file.text if file.transactional else without_concurrently(file.text) for file in chain.files]
    return "\n".join(parts)
