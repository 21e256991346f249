"""A page in HTML, for a browser that opens it from the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from docs.generate.blocks import (
    Block,
    Code,
    Diagram,
    Inline,
    Items,
    Page,
    Paragraph,
    Row,
    Section,
    Table,
    Text,
    anchor,
    objects,
    pieces,
)

# What the sidebar lists, and under which heading.
LISTED = {
    "table": "Tables",
    "view": "Views",
    "type": "Types",
    "function": "Functions",
    "statement": "Prepared statements",
    "job": "Jobs",
}

FRAME = """\
<!-- {origin} -->
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Companion</title>
<link rel="stylesheet" href="page.css">
<script src="mermaid.tiny.js" defer></script>
<script src="page.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<header>
<strong>Companion</strong>
<nav aria-label="Systems">{systems}</nav>
</header>
<div class="columns">
<nav class="sidebar" aria-label="On this page">
<form role="search" hidden>
<label for="search">Search</label>
<input type="search" id="search" placeholder="tables, columns, rules, …" autocomplete="off" spellcheck="false">
<kbd aria-hidden="true">/</kbd>
</form>
<details class="contents" open>
<summary>On this page</summary>
{contents}
</details>
</nav>
<main id="main" tabindex="-1">
<section id="results" aria-labelledby="found" hidden><h1 id="found" role="status"></h1><ol></ol></section>
<article>
<h1>{title}</h1>
{text}
</article>
</main>
</div>
</body>
</html>
"""


def render(page: Page, titles: Mapping[str, str]) -> str:
    """Return the text of docs/html/<system>.html; `titles` is of all systems."""
    systems = (
        f'<a href="{name}.html"{_if(name == page.system, " aria-current=page")}>{escape(title)}</a>'
        for name, title in titles.items()
    )
    return FRAME.format(
        origin=escape(page.origin),
        title=escape(page.title),
        systems="".join(systems),
        contents=_contents(page),
        text=_blocks(page.blocks, 2),
    )


def _contents(page: Page) -> str:
    sections = [
        f'<li><a href="#{_slug(block.title)}">{escape(block.title)}</a></li>'
        for block in page.blocks
        if isinstance(block, Section)
    ]
    parts = [f"<ul>{''.join(sections)}</ul>"]
    listed = [one for one in objects(page.blocks) if one.kind in LISTED]
    for title, found in groupby(listed, _listed_as):
        links = (f'<li><a href="#{anchor(one.kind, one.name)}">{_name(one.name)}</a></li>' for one in found)
        parts.append(f"<h2>{title}</h2>\n<ul>{''.join(links)}</ul>")
    return "\n".join(parts)


def _listed_as(one: Section | Row) -> str:
    # Functions that nobody calls have a row only.
    return "Internal functions" if one.kind == "function" and isinstance(one, Row) else LISTED[one.kind]


def _blocks(blocks: Sequence[Block], level: int) -> str:
    return "\n".join(_block(block, level) for block in blocks)


def _block(block: Block, level: int) -> str:
    if isinstance(block, Section):
        # Sections of the first level can be linked to by their title.
        mark = _mark(block) if block.kind else _if(level == 2, f' id="{_slug(block.title)}"')
        title = f"<code>{_name(block.title)}</code>" if block.kind else escape(block.title)
        return f"<section{mark}>\n<h{level}>{title}</h{level}>\n{_blocks(block.blocks, level + 1)}\n</section>"
    if isinstance(block, Table):
        head = "".join(f'<th scope="col">{escape(title)}</th>' for title in block.header)
        rows = "\n".join(_row(row, block.header) for row in block.rows)
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    if isinstance(block, Items):
        return f"<ul>\n{''.join(f'<li>{_line(item)}</li>' for item in block.items)}\n</ul>"
    if isinstance(block, Paragraph):
        return f"<p>{_line(block.text)}</p>"
    if isinstance(block, Diagram):
        return f'<div class="diagram"><pre>{escape(block.text)}</pre></div>'
    return f'<pre class="sql" tabindex="0"><code>{escape(block.text)}</code></pre>'


def _row(row: Row, header: Sequence[str]) -> str:
    # On a narrow screen each cell is a line that begins with its title.
    cells = (
        f'<td data-title="{escape(title)}">{_line(cell)}</td>' if cell else "<td></td>"
        for title, cell in zip(header, row.cells, strict=True)
    )
    return f"<tr{_mark(row) if row.kind else ''}>{''.join(cells)}</tr>"


def _mark(one: Section | Row) -> str:
    return f' id="{anchor(one.kind, one.name)}" data-kind="{one.kind}" data-name="{escape(one.name)}"'


def _line(text: Text) -> str:
    return "".join(_inline(piece) for piece in pieces(text))


def _inline(piece: Inline) -> str:
    if isinstance(piece, str):
        return escape(piece, quote=False)
    if isinstance(piece, Code):
        return f"<code>{_name(piece.text)}</code>"
    return f'<a href="{escape(piece.address(".html", "../"))}">{_inline(piece.text)}</a>'


def _name(text: str) -> str:
    """Return a name or a piece of SQL, which may be broken after an underscore."""
    return escape(text, quote=False).replace("_", "_<wbr>")


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")


def _if(condition: bool, text: str) -> str:
    return text if condition else ""
