"""The newcomer's command: a server, every system, demo data, and where to go from there."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from runner.files.tree import open_tree
from runner.history.instances import Target
from runner.migrate.apply import Done, apply
from runner.migrate.seed import seed
from runner.postgres import embedded
from runner.postgres.address import named
from runner.progress import Progress


@dataclass(frozen=True)
class Ready:
    """What `up` did: files applied, systems whose demo data was loaded, the address, commands to try next."""

    url: str
    done: list[Done]
    seeded: list[str]
    suggestions: list[tuple[str, str]]


def up(database: str | None, *, sql_root: str | Path | None = None, progress: Progress | None = None) -> Ready:
    """Start the embedded server unless a database is named, apply everything, load demo data.

    On a database that was named, demo data goes only into systems that this very call has installed, never beside
    anybody's real rows.
    """
    tree = open_tree(sql_root)
    given = named(database)
    url = given or embedded.start()
    done = apply(Target(url), sql_root=tree, progress=progress)
    new = sorted({one.system for one in done if one.id.startswith("0001_")})
    with_demo = [system for system in tree.systems if tree.demo(system) and (system in new or not given)]
    loaded = seed(Target(url, with_demo), sql_root=tree, progress=progress) if with_demo else []
    seeded = [one.system for one in loaded if one.rows]
    companion = _command()
    psql = f"{companion} server psql" if not given else 'psql "$DATABASE_URL"'
    system = tree.systems[-1]
    suggestions = [
        (f"{companion} status", "see what is applied"),
        (f"{psql} -c '\\dt {system}.*'", "look at the tables"),
        (f"{companion} rollback {system}", "undo the last file; `apply` brings it back"),
    ]
    return Ready(url, done, seeded, suggestions)


def _command() -> str:
    """Return what to type for this very command: its name where the path finds it, else the way to it from here."""
    if shutil.which("companion"):
        return "companion"
    return os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).name == "companion" else f"{sys.executable} -m runner"
