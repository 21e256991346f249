"""An empty database on the session's server for each of the runner's own tests, and trees to apply to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from runner.postgres import embedded
from tests.people import Person
from tests.runner.trees import TREES
from tests.servers import make_folder


@pytest.fixture
def url(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database of this test's own, also in DATABASE_URL."""
    monkeypatch.setenv("DATABASE_URL", empty_database)
    return empty_database


@pytest.fixture
def installed(own_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database with the instance `schema`, also in DATABASE_URL."""
    monkeypatch.setenv("DATABASE_URL", own_database)
    return own_database


@pytest.fixture
def owner(installed: str, schema: str) -> Iterator[Person]:
    """The owner of that instance, each of whose statements commits."""
    with psycopg.connect(installed, autocommit=True) as conn:
        yield Person(conn, schema)


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


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that a server's own user can reach, as the home of an embedded server for this test alone."""
    folder = make_folder("home")
    monkeypatch.setenv("COMPANION_HOME", str(folder))
    yield folder
    embedded.stop()
    shutil.rmtree(folder, ignore_errors=True)
