"""The HTML pages in a browser: the diagram is drawn, the search finds, and no script fails."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from string import Template
from urllib.parse import quote

import pytest

from docs.generate.model import HERE, read
from docs.generate.systems import TITLES
from tests.pages import blocks
from tests.servers import make_folder

CHROMIUM = (
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=20000", "--dump-dom",
)  # fmt: skip

# Does what a reader does, and notes where this leads.
READER = """
<script>
addEventListener("load", async () => {
  const root = document.documentElement, box = document.querySelector("#search"), notes = [];
  const until = async (done) => { while (!done()) await new Promise((go) => setTimeout(go, 20)); };
  const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const note = () => notes.push(`${location.hash}:${document.querySelector("article").hidden ? "results" : "text"}`);
  await until(() => root.dataset.drawn);
  press("/");
  notes.push(document.activeElement.id);
  for (const typed of ["con", "consent"]) {
    box.value = typed;
    box.dispatchEvent(new Event("input"));
    note();
  }
  press("ArrowDown");
  document.activeElement.click();
  await until(() => !location.hash.startsWith("#search"));
  note();
  history.back();
  await until(() => location.hash.startsWith("#search"));
  note();
  history.back();
  await until(() => !location.hash);
  note();
  document.querySelector('[aria-label="Table users"]').dispatchEvent(new MouseEvent("click", { bubbles: true }));
  await until(() => location.hash);
  note();
  // All of it is to be seen again after the searches that hid it.
  await until(() => document.querySelector(".view").clientWidth);
  await new Promise((go) => setTimeout(go, 500));
  const [drawn, view] = ["svg", ".view"].map((one) => document.querySelector(one).getBoundingClientRect().width);
  notes.push(drawn > view / 2 && drawn <= view ? "fits" : `${drawn} of ${view}`);
  root.dataset.notes = notes.join(" ");
});
</script>
"""

# Searches for the name of every object, and notes what is found.
SEARCHER = """
<script>
addEventListener("load", () => {
  const names = new Set(objects.map((one) => one.name));
  const found = [...names].map((name) => [name, search(name).slice(0, 8).map((one) => [one.kind, one.name])]);
  root.dataset.found = JSON.stringify(Object.fromEntries(found));
});
</script>
"""

every_page = pytest.mark.parametrize("name", TITLES)


@pytest.fixture
def profile() -> Iterator[Path]:
    """A folder for what a browser keeps."""
    folder = make_folder("chromium")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def page(name: str, folder: Path = HERE / "html") -> Path:
    return folder / f"{name}.html"


def with_script(folder: Path, name: str, script: str) -> Path:
    """Copy the pages to `folder`, and let one of them run a script besides."""
    shutil.copytree(HERE / "html", folder, dirs_exist_ok=True)
    text = page(name, folder).read_text(encoding="utf-8")
    page(name, folder).write_text(text.replace("</body>", f"{script}</body>"), encoding="utf-8")
    return folder


def opened(profile: Path, name: str, place: str = "", folder: Path = HERE / "html") -> str:
    """Open a page from the disk and return what it has become, with errors of scripts as a failure."""
    address = f"{page(name, folder).as_uri()}{place}"
    command = [*CHROMIUM, f"--user-data-dir={profile}", address]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    root = re.search(r"<html[^>]*>", dom)
    assert root and "data-errors" not in root[0], root
    return dom


def results(dom: str) -> list[tuple[str, str]]:
    """Return kind and name of what a search found, in order; nothing while the page shows its text."""
    if re.search(r'<section id="results"[^>]* hidden', dom):
        return []
    assert re.search(r"<article[^>]* hidden", dom)
    return re.findall(r'<span class="kind">(\w+)</span> <code>([^<]+)</code>', dom)


DRAWN = """<!doctype html><pre class="mermaid">$diagram</pre><script src="$mermaid"></script>
<script>
  addEventListener("error", (event) => { document.documentElement.dataset.errors = event.message; });
  mermaid.initialize({ startOnLoad: true });
</script>"""


def test_the_picture_of_the_architecture_is_drawn(profile: Path, tmp_path: Path) -> None:
    (diagram,) = blocks("mermaid", (HERE / "architecture.md").read_text(encoding="utf-8"))
    mermaid = (HERE / "html" / "mermaid.tiny.js").as_uri()
    text = Template(DRAWN).substitute(diagram=escape(diagram), mermaid=mermaid)
    page("architecture", tmp_path).write_text(text, encoding="utf-8")
    dom = opened(profile, "architecture", folder=tmp_path)
    names = set(re.findall(r"^        (\w+)[\[(]", diagram, re.M))
    assert len(names) > 10
    assert set(re.findall(r'<g class="node[^>]* id="[^"]*flowchart-(\w+)-\d+"', dom)) == names


@every_page
def test_the_diagram_is_drawn_and_every_object_found(profile: Path, tmp_path: Path, name: str) -> None:
    tables = read(name).tables
    there = [*map(tuple, re.findall(r'data-kind="(\w+)" data-name="([^"]+)"', page(name).read_text(encoding="utf-8")))]
    assert len(there) > len(tables)
    dom = opened(profile, name, folder=with_script(tmp_path, name, SEARCHER))
    assert ('data-drawn="yes"' in dom, dom.count('<svg id="er-diagram"')) == (bool(tables), int(bool(tables)))
    drawn = re.findall(r'<g class="node[^>]* id="er-diagram-entity-([\w.]+)-\d+"', dom)
    assert sorted(drawn) == sorted({*tables, *(["auth.users"] if "auth.users" in drawn else [])})
    # A click on each leads to its table.
    assert sorted(re.findall(r'role="link" aria-label="Table (\w+)"', dom)) == sorted(tables)
    assert results(dom) == []
    # By its name an object is found, before those that only mention it.
    (found,) = re.findall(r'data-found="([^"]*)"', dom)
    by_name = {query: [tuple(one) for one in some] for query, some in json.loads(unescape(found)).items()}
    assert [one for one in there if one not in by_name[one[1]][:8]] == []


def test_what_an_object_says_is_found_too(profile: Path) -> None:
    found = results(opened(profile, "hugo", f"#search={quote('HUGO-08 withdrawn')}"))
    assert ("rule", "apps.apps_knowledge_base_ids_fkey") in found
    assert {kind for kind, _ in found} == {"rule"}
    assert results(opened(profile, "hugo", "#search=nothing_of_this_name")) == []


def test_a_failing_script_is_seen(profile: Path, tmp_path: Path) -> None:
    folder = with_script(tmp_path, "hugo", "")
    broken = page("hugo", folder)
    broken.write_text(broken.read_text(encoding="utf-8").replace("erDiagram\n", "noDiagram\n"), encoding="utf-8")
    with pytest.raises(AssertionError, match="data-errors"):
        opened(profile, "hugo", folder=folder)


def test_the_address_follows_the_reader(profile: Path, tmp_path: Path) -> None:
    dom = opened(profile, "othello", folder=with_script(tmp_path, "othello", READER))
    (notes,) = re.findall(r'data-notes="([^"]*)"', dom)
    assert notes.split() == [
        "search", "#search=con:results", "#search=consent:results", "#table-consent_logs:text",
        "#search=consent:results", ":text", "#table-users:text", "fits",
    ]  # fmt: skip
