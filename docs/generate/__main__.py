"""`python -m docs.generate`: write docs/<system>.md and docs/html/<system>.html where they are stale.

`--check` writes nothing; the exit code is 1 when a page is stale.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from docs.generate import markdown, web
from docs.generate.content import page_of
from docs.generate.model import HERE, read
from docs.generate.systems import TITLES
from runner.files.tree import PLATFORM


def pages() -> dict[Path, str]:
    """Return the text of every page."""
    systems = {name: read(name) for name in TITLES}
    found = {}
    for name, system in systems.items():
        page = page_of(system, systems[PLATFORM])
        found[HERE / f"{name}.md"] = markdown.render(page, TITLES)
        found[HERE / "html" / f"{name}.html"] = web.render(page, TITLES)
    return found


def main() -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description="Reference pages from contract/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a page is stale")
    check = parser.parse_args().check
    stale = {
        path: text for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        name = path.relative_to(HERE.parent)
        if check:
            print(f"{name} is stale: run make docs", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    if not stale:
        print("every page is up to date")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
