"""A scratch server for the runner's own tests, and an empty database for each of them."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from runner import server

TREES = Path(__file__).parent.parent / "trees"


@pytest.fixture(scope="session")
def admin_url() -> Iterator[str]:
    """The address of a server where databases may be made: TEST_DATABASE_URL, else a new embedded one."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    home = tempfile.mkdtemp(prefix="companion-")
    Path(home).chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPANION_HOME", home)
        server.start()
        url = server.running_url("postgres")
        assert url
        yield url
        server.stop()
    shutil.rmtree(home)


@pytest.fixture
def url(admin_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty database of this test's own, also in DATABASE_URL."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        found = psycopg.conninfo.make_conninfo(admin_url, dbname=name)
        monkeypatch.setenv("DATABASE_URL", found)
        yield found
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    """A connection to that database."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies a tree of tests/trees/ to a place where it may be changed."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(TREES / name, tmp_path / name))

    return copy
