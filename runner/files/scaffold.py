"""Making the next file of a chain, with its rollback beside it."""

from __future__ import annotations

import re
from pathlib import Path

from runner.errors import UsageError
from runner.files.tree import KINDS, Tree

_SLUG = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*\Z")


def new_file(tree: Tree, system: str, kind: str, slug: str, definition: str | None = None) -> tuple[Path, Path]:
    """Create the next file of `system` and its rollback, and return both paths.

    Without `definition` they hold a header only, which lint and apply refuse until the statements are written; with it,
    both hold that definition, to be changed in the first. Raises UsageError or TreeError.
    """
    tree.check_system(system)
    if kind not in KINDS:
        raise UsageError(f"unknown kind {kind!r}", hint=f"kinds: {', '.join(KINDS)}")
    if not _SLUG.match(slug):
        raise UsageError(f"{slug!r} is no slug", hint="use lower-case words, digits and underscores: chat_messages")
    chain = tree.chain(system)
    last = chain.files[-1] if chain.files else None
    name = f"{last.number + 1 if last else 1:04}_{slug}"
    folder = tree.root / kind / system
    folder.mkdir(parents=True, exist_ok=True)
    path, rollback = folder / f"{name}.sql", folder / f"{name}.rollback.sql"
    header = f"-- {slug.replace('_', ' ').capitalize()}.\n" + (f"-- depends: {last.id}\n" if last else "")
    path.write_text(header + (f"\n{definition}" if definition else ""), encoding="utf-8", newline="\n")
    rollback.write_text(definition or "", encoding="utf-8", newline="\n")
    return path, rollback
