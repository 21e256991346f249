"""A page in GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from docs.generate.blocks import (
    Block,
    Code,
    Diagram,
    Inline,
    Items,
    Page,
    Paragraph,
    Section,
    Table,
    Text,
    anchor,
    pieces,
)

# Nothing but a search leads to these rows, and there are many of them.
UNLINKED = ("column", "index", "policy")


def render(page: Page, titles: Mapping[str, str]) -> str:
    """Return the text of docs/<system>.md; `titles` is of all systems."""
    others = " · ".join(f"[{title}]({name}.md)" for name, title in titles.items() if name != page.system)
    html = f"html/{page.system}.html"
    see = f"{others}\n\nThe same with a search, to be opened from a copy on your disk: [{html}]({html})."
    blocks = "\n\n".join(_blocks(page.blocks, 2))
    return f"<!-- {page.origin} -->\n\n# {page.title}\n\n{see}\n\n{blocks}\n"


def _blocks(blocks: Sequence[Block], level: int) -> list[str]:
    return [_block(block, level) for block in blocks]


def _block(block: Block, level: int) -> str:
    if isinstance(block, Section):
        mark = _mark(block.kind, block.name)
        title = f"{'#' * level} {_inline(block.title)}"
        return "\n\n".join([*([mark] if mark else []), title, *_blocks(block.blocks, level + 1)])
    if isinstance(block, Table):
        lines = [block.header, ["---"] * len(block.header)]
        for row in block.rows:
            first, *others = (_line(cell).replace("\n", " ") for cell in row.cells)
            lines.append([_mark(row.kind, row.name) + first, *others])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    if isinstance(block, Items):
        return "\n".join(f"- {_line(item)}" for item in block.items)
    if isinstance(block, Paragraph):
        return _line(block.text)
    language = "mermaid" if isinstance(block, Diagram) else "sql"
    return f"```{language}\n{block.text}\n```"


def _mark(kind: str, name: str) -> str:
    return f'<a id="{anchor(kind, name)}"></a>' if kind and kind not in UNLINKED else ""


def _line(text: Text) -> str:
    return "".join(_inline(piece) for piece in pieces(text))


def _inline(piece: Inline) -> str:
    if isinstance(piece, str):
        # An underscore within a word is one; elsewhere it would begin emphasis.
        return re.sub(r"([\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;))", r"\\\1", piece)
    if isinstance(piece, Code):
        # A bar would end the cell even here.
        code = " ".join(piece.text.split()).replace("|", "\\|")
        return f"`` {code} ``" if "`" in code else f"`{code}`"
    return f"[{_inline(piece.text)}]({piece.address('.md', '')})"
