"""The order in which files run: each after those that it depends on."""

from __future__ import annotations

from collections.abc import Iterable

from yoyo.topologicalsort import topological_sort

from runner.files.tree import File


def in_order(files: Iterable[File]) -> list[File]:
    """Return the files of one chain, each after those that it depends on."""
    known = {file.id: file for file in files}
    depends = {id: known.keys() & file.depends for id, file in known.items()}
    return [known[id] for id in topological_sort(known, depends)]
