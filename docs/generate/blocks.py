"""What a page consists of, whatever it is written in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A piece of SQL, or a name, in a line of text."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link to "#anchor" of the same page, "system#anchor" of another one, or "rules/file.md#anchor"."""

    text: str | Code
    to: str

    def address(self, suffix: str, root: str) -> str:
        """Return the address on a page whose siblings end in `suffix`; `root` leads from it to docs/."""
        page, mark, anchor = self.to.partition("#")
        return (root + page if page.endswith(".md") else page and page + suffix) + mark + anchor


Inline = str | Code | Link
Text = Sequence[Inline]
"""A line of text; a plain str will do."""


@dataclass(frozen=True)
class Row:
    """A row of a table; one that is about an object names it, so that it can be linked to and searched for."""

    cells: Sequence[Text]
    kind: str = ""
    name: str = ""


@dataclass(frozen=True)
class Table:
    header: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Paragraph:
    text: Text


@dataclass(frozen=True)
class Items:
    items: Sequence[Text]


@dataclass(frozen=True)
class Source:
    """A block of SQL."""

    text: str


@dataclass(frozen=True)
class Diagram:
    """A diagram in Mermaid's language."""

    text: str


@dataclass(frozen=True)
class Section:
    """A heading and what is below it; one about an object names it, like a row."""

    title: str
    blocks: Sequence[Block]
    kind: str = ""
    name: str = ""


Block = Section | Table | Paragraph | Items | Source | Diagram


@dataclass(frozen=True)
class Page:
    system: str
    title: str
    origin: str
    blocks: Sequence[Block]


def anchor(kind: str, name: str) -> str:
    """Return the anchor of an object, for example table-users or column-users-email."""
    return "-".join([kind, *re.findall(r"[\w-]+", name)])


def pieces(text: Text) -> Text:
    """Return the pieces of a line; those of a plain str are not its letters."""
    return [text] if isinstance(text, str) else text


def objects(blocks: Sequence[Block]) -> Iterator[Section | Row]:
    """Yield every section and row that is about an object, in order."""
    for block in blocks:
        if isinstance(block, Section):
            if block.kind:
                yield block
            yield from objects(block.blocks)
        elif isinstance(block, Table):
            yield from (row for row in block.rows if row.kind)
