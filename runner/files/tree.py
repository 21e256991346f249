"""The SQL files on disk: finding them, and the conventions every file keeps.

`<sql-root>/<kind>/<system>/NNNN_slug.sql` with `NNNN_slug.rollback.sql` beside it. Numbers run from 0001 without a gap
per system, across the kinds of folder. Directives are leading comments: `-- depends: <id>` (every file but the
first), `-- transactional: false` and `-- requires: <extension>`; the first two mean what they mean to yoyo.
`seed/<system>/demo.sql` is demo data and no part of the chain.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from runner.errors import Fault, TreeError, UsageError

KINDS = ("migrations", "functions", "policies", "seed", "jobs")
PLATFORM = "platform"
DEMO = "demo.sql"

_NAME = re.compile(r"(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\Z")
_DIRECTIVE = re.compile(r"\s*--\s*(depends|transactional|requires)\s*:\s*(.*)\Z")
_COMMENT_OR_BLANK = re.compile(r"\s*(--.*)?\Z")


def directives(text: str) -> dict[str, list[str]]:
    """Return the words of every directive in the leading comments of `text`."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if match := _DIRECTIVE.match(line):
            found.setdefault(match[1], []).extend(match[2].split())
        elif not _COMMENT_OR_BLANK.match(line):
            break
    return found


def is_transactional(text: str) -> bool:
    """Say whether `text` runs inside a transaction, which all but `-- transactional: false` do."""
    return directives(text).get("transactional") != ["false"]


def sha256(raw: bytes) -> str:
    """Return the hex digest that identifies a file's bytes."""
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True)
class File:
    """One step of a chain: its text, its rollback, and where both came from (None: the ledger)."""

    id: str
    text: str
    rollback_text: str
    path: Path | None = None
    rollback_path: Path | None = None

    @property
    def number(self) -> int:
        """The number in the file's name."""
        return int(self.id[:4])

    @cached_property
    def sha256(self) -> str:
        """Digest of the apply text's bytes."""
        return sha256(self.text.encode())

    @cached_property
    def rollback_sha256(self) -> str:
        """Digest of the rollback text's bytes."""
        return sha256(self.rollback_text.encode())

    @cached_property
    def depends(self) -> list[str]:
        """Ids that this file names as its predecessors."""
        return directives(self.text).get("depends", [])

    @cached_property
    def requires(self) -> list[str]:
        """Extensions that this file needs on the search path."""
        return directives(self.text).get("requires", [])

    @cached_property
    def transactional(self) -> bool:
        """Whether the apply text runs inside a transaction."""
        return is_transactional(self.text)


@dataclass(frozen=True)
class Chain:
    """All files of one system, in order."""

    system: str
    files: tuple[File, ...]

    @property
    def requires(self) -> list[str]:
        """Extensions that any file of the chain needs, sorted."""
        return sorted({name for file in self.files for name in file.requires})

    def upto(self, id: str | None) -> Chain:
        """Return the chain up to and including `id` (an id or its number); all of it for None.

        Raises UsageError when the chain has no such file.
        """
        return self if id is None else Chain(self.system, self.files[: find(self.files, id, self.system) + 1])


def find(files: tuple[File, ...], id: str, system: str) -> int:
    """Return the index of `id` (an id such as `0007_chats`, or only its number) in `files`; raise UsageError."""
    for index, file in enumerate(files):
        if id in (file.id, file.id[:4]):
            return index
    raise UsageError(f"{system} has no file {id}", hint="`companion status` lists the files")


class Tree:
    """A folder of SQL files."""

    def __init__(self, root: Path) -> None:
        """Take the folder that holds migrations/, functions/, …; raise UsageError when it is not one."""
        self.root = root
        self._chains: dict[str, Chain] = {}
        if not any((root / kind).is_dir() for kind in KINDS):
            raise UsageError(
                f"{root} holds no SQL tree (no folder {', '.join(KINDS)})",
                hint="give --sql-root, or set COMPANION_SQL_ROOT, to the folder that holds them",
            )

    @cached_property
    def systems(self) -> list[str]:
        """Names of all systems, found by looking: platform first, then by alphabet."""
        found = {
            folder.name
            for kind in KINDS
            if (self.root / kind).is_dir()
            for folder in (self.root / kind).iterdir()
            if folder.is_dir() and not folder.name.startswith((".", "_"))
        }
        return sorted(found, key=lambda name: (name != PLATFORM, name))

    def check_system(self, system: str) -> None:
        """Raise UsageError when there is no such system."""
        if system not in self.systems:
            raise UsageError(f"unknown system {system!r}", hint=f"systems here: {', '.join(self.systems) or 'none'}")

    def demo(self, system: str) -> Path | None:
        """Return the path of the system's demo data, or None."""
        path = self.root / "seed" / system / DEMO
        return path if path.is_file() else None

    def paths(self, system: str) -> list[Path]:
        """Return every .sql file of the chain of `system`, rollbacks included, by name."""
        folders = (self.root / kind / system for kind in KINDS)
        found = (path for folder in folders if folder.is_dir() for path in folder.iterdir())
        return sorted(
            (path for path in found if path.suffix.lower() == ".sql" and path.name != DEMO),
            key=lambda path: (path.name, path.parts),
        )

    def faults(self, system: str) -> list[Fault]:
        """Return every broken convention of `system`."""
        return self._read(system)[1]

    def chain(self, system: str) -> Chain:
        """Return the files of `system` in order, read once; raise UsageError or TreeError."""
        if system not in self._chains:
            self.check_system(system)
            files, faults = self._read(system)
            if faults:
                raise TreeError(faults)
            self._chains[system] = Chain(system, tuple(files))
        return self._chains[system]

    def _read(self, system: str) -> tuple[list[File], list[Fault]]:
        faults: list[Fault] = []
        texts: dict[Path, str] = {}
        ids: defaultdict[int, list[Path]] = defaultdict(list)
        for path in self.paths(system):
            name = path.name.removesuffix(".sql").removesuffix(".rollback")
            text = _read_text(path, faults)
            if not (match := _NAME.match(name)):
                faults.append(
                    Fault(path, "name is not NNNN_slug.sql (four digits, lower case, digits and underscores)")
                )
            elif text is not None:
                texts[path] = text
            if match and path.name == f"{name}.sql":
                ids[int(match[1])].append(path)
            elif match and not path.with_name(f"{name}.sql").is_file():
                faults.append(Fault(path, f"is a rollback without {name}.sql beside it"))

        files: list[File] = []
        previous: File | None = None
        expected = 1
        for number, paths in sorted(ids.items()):
            path = paths[0]
            for other in paths[1:]:
                faults.append(Fault(other, f"has number {number:04} too, like {_relative(path, self.root)}"))
            if number != expected:
                faults.append(Fault(path, f"has number {number:04} where {expected:04} should come next"))
            expected = number + 1
            rollback = path.with_name(f"{path.stem}.rollback.sql")
            if not rollback.is_file():
                faults.append(Fault(path, f"has no rollback: {rollback.name} is missing beside it"))
            if path not in texts or rollback not in texts:
                previous = None
                continue
            file = File(path.stem, texts[path], texts[rollback], path, rollback)
            faults.extend(_directive_faults(file, previous, first=number == 1))
            previous = file
            files.append(file)
        return files, faults


def open_tree(root: str | Path | Tree | None = None) -> Tree:
    """Return the tree to use: `root`, else COMPANION_SQL_ROOT, else the checkout's sql/, else the packaged one."""
    if isinstance(root, Tree):
        return root
    chosen = root or os.environ.get("COMPANION_SQL_ROOT")
    if chosen:
        return Tree(Path(chosen))
    package = Path(__file__).resolve().parents[1]
    packaged = package / "data" / "sql"
    return Tree(packaged if packaged.is_dir() else package.parent / "sql")


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _read_text(path: Path, faults: list[Fault]) -> str | None:
    """Return the text of `path`, or None after adding what is wrong with its bytes to `faults`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        faults.append(Fault(path, f"cannot be read: {error.strerror}"))
        return None

    def line_of(offset: int) -> int:
        return raw.count(b"\n", 0, offset) + 1

    if raw.startswith(b"\xef\xbb\xbf"):
        faults.append(Fault(path, "starts with a byte order mark; save it as plain UTF-8", 1))
    elif b"\x00" in raw:
        faults.append(Fault(path, "holds a NUL byte; save it as plain UTF-8", line_of(raw.index(b"\x00"))))
    elif b"\r" in raw:
        faults.append(Fault(path, "has CRLF line ends; save it with LF", line_of(raw.index(b"\r"))))
    else:
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            faults.append(Fault(path, f"is not UTF-8 (byte {error.start + 1})", line_of(error.start)))
    return None


def _directive_faults(file: File, previous: File | None, *, first: bool) -> list[Fault]:
    assert file.path is not None and file.rollback_path is not None
    faults = []
    if first and file.depends:
        faults.append(Fault(file.path, "is the first file and must not depend on another"))
    elif not first and not file.depends:
        should = previous.id if previous else "<the previous file>"
        faults.append(Fault(file.path, f"does not name its predecessor; begin it with `-- depends: {should}`"))
    elif previous and file.depends != [previous.id]:
        faults.append(Fault(file.path, f"depends on {' '.join(file.depends)}, but {previous.id} comes before it"))
    if all(_COMMENT_OR_BLANK.match(line) for line in file.text.split("\n")):
        faults.append(Fault(file.path, "holds no statement; write it below the header"))
    if not file.rollback_text.strip():
        nothing = "write what undoes the file, or a comment that says why nothing has to be undone"
        faults.append(Fault(file.rollback_path, f"is empty; {nothing}"))
    for path, text in ((file.path, file.text), (file.rollback_path, file.rollback_text)):
        said = directives(text).get("transactional")
        if said not in (None, ["true"], ["false"]):
            faults.append(Fault(path, f"says `transactional: {' '.join(said)}`; only true or false make sense"))
    return faults
