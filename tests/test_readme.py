"""The README is true: its commands run as written and print what it says; the SQL of the docs runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from tests.pages import ROOT, blocks, commands, masked
from tests.servers import make_folder

README = (ROOT / "README.md").read_text()

# What each kind of user does, and finds as a command to run.
NEEDED = {
    "For a DBA": ["companion apply", "--rehearse", "companion rollback", "companion verify", "--adopt"],
    "In CI": ["companion lint", "companion contract diff"],
    "In an application": ["SET LOCAL ROLE", "get_chat_context(", "companion contract check --contract"],
}


@pytest.fixture(scope="module")
def shell() -> Iterator[dict[str, str]]:
    """An environment with an embedded server of its own, as `make up` leaves it."""
    home = make_folder("readme")
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment |= {
        "COMPANION_HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
    }
    subprocess.run(["companion", "up"], env=environment, check=True, capture_output=True)
    yield environment
    subprocess.run(["companion", "server", "stop"], env=environment, check=True, capture_output=True)
    shutil.rmtree(home)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what the commands name, in which they may leave files."""
    for name in ("sql", "contract", "pyproject.toml", ".squawk.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.parametrize("page", ["README.md", "docs/contract.md"])
def test_the_commands_print_what_the_page_says(shell: dict[str, str], checkout: Path, page: str) -> None:
    found = [one for one in commands((ROOT / page).read_text()) if not one[0].startswith("make ")]
    assert found
    for command, expected in found:
        result = subprocess.run(
            command, shell=True, cwd=checkout, env=shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=120,
        )  # fmt: skip
        assert masked(result.stdout) == masked(expected), command


def test_each_kind_of_user_is_shown_what_they_need() -> None:
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", README, re.M | re.S))
    for title, needed in NEEDED.items():
        run = " ".join(command for command, _ in commands(sections[title])) + "".join(blocks("sql", sections[title]))
        assert [one for one in needed if one not in run] == [], title


def psql(shell: dict[str, str], sql: str) -> str:
    result = subprocess.run(
        ["companion", "server", "psql", "-v", "ON_ERROR_STOP=1", "-c", sql], env=shell, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_sql_runs_as_written(shell: dict[str, str]) -> None:
    (block,) = blocks("sql", README)
    assert "hugo_career" in psql(shell, block)


def test_the_pool_prepares_statements_as_written(shell: dict[str, str]) -> None:
    (block,) = blocks("python", README)
    url = subprocess.run(["companion", "server", "url"], env=shell, capture_output=True, text=True, check=True).stdout
    names = {"url": url.strip(), "ConnectionPool": ConnectionPool}
    exec(block, names)
    with names["pool"] as pool, pool.connection() as conn:
        prepared = {name for (name,) in conn.execute("SELECT name FROM pg_prepared_statements")}
    assert {"get_chat_context", "search_knowledge"} <= prepared


def test_the_sql_for_operations_runs_as_written(shell: dict[str, str]) -> None:
    found = blocks("sql", (ROOT / "docs" / "operations.md").read_text())
    assert len(found) >= 2
    for block in found:
        psql(shell, block)


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target


def test_every_file_that_the_readme_names_is_in_the_chain() -> None:
    names = set(re.findall(r"\b\d{4}_[a-z_]+\b", README))
    present = {path.stem for path in (Path(__file__).parent.parent / "sql").rglob("*.sql")}
    assert sorted(names - present) == []
